/** The parts that members send, one after the other. */
type TypedArray = Uint8Array<ArrayBuffer> | Uint32Array | Float32Array | Float64Array;

export function concatenate<A extends TypedArray>(make: new (length: number) => A, parts: readonly A[]): A {
  const whole = new make(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part as never, at);
    at += part.length;
  }
  return whole;
}
