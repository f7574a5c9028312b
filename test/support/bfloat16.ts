/** bfloat16 by arithmetic: the multiple of 2^(exponent - 7) that is nearest, the even one of two. */
export function toBfloat16(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  // Subnormal numbers have the places of the smallest normal one.
  let place = 2 ** -133;
  while (Math.abs(x) / place >= 256) place *= 2;
  const places = Math.abs(x) / place;
  const below = Math.floor(places);
  const rest = places - below;
  const even = below % 2 === 0 ? below : below + 1;
  const rounded = (rest < 0.5 ? below : rest > 0.5 ? below + 1 : even) * place;
  return Math.sign(x) * (rounded < 2 ** 128 ? rounded : Number.POSITIVE_INFINITY);
}

/** The 16 bits of a number that bfloat16 has exactly. */
export function bfloat16Bits(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0] >>> 16;
}
