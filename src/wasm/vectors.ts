/** Small pieces of vector code that several kernels need. */
import type { FunctionBuilder, Local } from "./assembler.ts";
import { f32x4, i8x16, type V128 } from "./values.ts";

/** a + b * c and a - b * c, rounded twice (the same everywhere) or once (relaxed). */
export function arithmetic(relaxed: boolean) {
  return {
    plus: (a: V128, b: V128, c: V128) => (relaxed ? f32x4.relaxedMadd(b, c, a) : f32x4.add(a, f32x4.mul(b, c))),
    minus: (a: V128, b: V128, c: V128) => (relaxed ? f32x4.relaxedNmadd(b, c, a) : f32x4.sub(a, f32x4.mul(b, c))),
  };
}

/** [sum a0, sum a1, sum a2, sum a3]. */
export function sumsOfFour(f: FunctionBuilder, [a0, a1, a2, a3]: readonly Local<"v128">[]): V128 {
  const pair = (a: V128, b: V128): Local<"v128"> => {
    const low = i8x16.shuffle(a, b, [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23]);
    const high = i8x16.shuffle(a, b, [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31]);
    return f.let(f32x4.add(low, high));
  };
  const [left, right] = [pair(a0, a1), pair(a2, a3)];
  const evens = i8x16.shuffle(left, right, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  const odds = i8x16.shuffle(left, right, [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]);
  return f32x4.add(evens, odds);
}
