/**
 * How numbers lie on the tape that the way forward leaves for the way back: as they are, or as bfloat16, which halves it.
 *
 * bfloat16 is the upper half of an f32, rounded to the nearest, to even where both are as near: sign and exponent of f32,
 * 8 bits of precision (relative error at most 2^-9). So nothing overflows that was not within 2^-9 of it, infinity stays
 * infinity and NaN is NaN, and the sign of a margin, which says whether there was a spike, holds down to 2^-134.
 */
import {
  type F32,
  type FunctionBuilder,
  f32,
  f32x4,
  type I32,
  i8x16,
  i32,
  i32x4,
  type Local,
  type V128,
  v128,
} from "../wasm/assembler.ts";

export type TapeFormat = "float32" | "bfloat16";

/** Bytes of a number. */
export const tapeNumberBytes: Readonly<Record<TapeFormat, number>> = { float32: 4, bfloat16: 2 };

const halfBelow = 0x7fff;
const quietBit = 0x00400000;
const splat = (bits: number): V128 => i32x4.const(bits, bits, bits, bits);

/** Writes four numbers. */
export function storeOnTape(
  f: FunctionBuilder,
  format: TapeFormat,
  address: I32,
  value: Local<"v128">,
  offset: number,
): void {
  if (format === "float32") {
    f.push(v128.store(address, value, offset));
    return;
  }
  // Half of the last place that stays, less one where that place is even: the carry rounds.
  const lastBit = v128.and(i32x4.shrU(value, i32.const(16)), splat(1));
  const rounded = i32x4.add(value, i32x4.add(lastBit, splat(halfBelow)));
  const ofNaN = v128.or(value, splat(quietBit));
  const bits = f.let(v128.bitselect(rounded, ofNaN, f32x4.eq(value, value)));
  const upperHalves = i8x16.shuffle(bits, bits, [2, 3, 6, 7, 10, 11, 14, 15, 2, 3, 6, 7, 10, 11, 14, 15]);
  f.push(v128.store64Lane(address, upperHalves, 0, offset));
}

/** Reads four numbers. */
export function loadFromTape(format: TapeFormat, address: I32, offset = 0): V128 {
  return format === "float32" ? v128.load(address, offset) : i32x4.shl(v128.load16x4U(address, offset), i32.const(16));
}

/** Reads one number. */
export function loadOneFromTape(format: TapeFormat, address: I32, offset = 0): F32 {
  return format === "float32"
    ? f32.load(address, offset)
    : f32.reinterpretI32(i32.shl(i32.load16U(address, offset), i32.const(16)));
}

/** Numbers of a tape, from the byte `address` on: a view of f32, a copy of bfloat16. */
export function readTape(format: TapeFormat, memory: ArrayBuffer, address: number, count: number): Float32Array {
  if (format === "float32") return new Float32Array(memory, address, count);
  const halves = new Uint16Array(memory, address, count);
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
