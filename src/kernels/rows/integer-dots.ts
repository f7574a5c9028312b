/**
 * The dot products of the way back in 16-bit integers, in little more than half the time of float32: one instruction
 * multiplies eight numbers and adds neighbours, without rounding.
 *
 *   p_i = max_j |W[i][j]| / 32767            Q[i][j] = round(W[i][j] / p_i)       when weights have changed
 *   p = max_j |a[j]| / 16383                 q[j] = round(a[j] / p)               every step
 *   out[i] += gain p p_i sum_j Q[i][j] q[j]
 *
 * A lane adds four products at most before it becomes a float: 4 * 32767 * 16383 < 2^31. Rounding moves a product by
 * less than 2^-15 of the largest |a| and 2^-16 of the largest weight of the row; a sum over a row of 256 moves by some
 * 1e-4 of its size. What is not finite leads to nothing finite.
 */
import {
  type F32,
  type FunctionBuilder,
  type FunctionReference,
  f32,
  f32x4,
  type I32,
  i8x16,
  i16x8,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { sumsOfFour } from "../../wasm/vectors.ts";
import type { TapeFormat } from "../tape.ts";
import { type DotKernel, dotSignature, overFours, type Pointer, padded, type RowKernelOptions } from "./walk.ts";

/** Numbers in which adjoints are multiplied by dense weights on their way back. */
export type ProductFormat = "float32" | "int16";

/** Byte addresses. */
export interface IntegerMatrix {
  /** Q, rows of `integerRowBytes`. */
  readonly matrix: number;
  /** p_i, f32, as many as rows. */
  readonly units: number;
  /** q, one row. */
  readonly row: number;
}

type Shape = Pick<RowKernelOptions, "sources" | "targets">;
type RoundSignature = { from: "i32" };

const largestWeight = 32767;
const largestAdjoint = 16383;
/** Two registers of eight are taken at a time. */
const columnsAtOnce = 16;

export const integerRowBytes = (targets: number): number => 2 * columnsAtOnce * Math.ceil(targets / columnsAtOnce);

/** Adds `name(from)`: rounds the dense matrix at `from` into the integers that `addIntegerDots` takes. */
export function addRoundMatrix(
  module: ModuleBuilder,
  name: string,
  { sources, targets }: Shape,
  at: IntegerMatrix,
): FunctionReference<RoundSignature, "none"> {
  return module.function(name, { from: "i32" }, (f, { from }) => {
    const to = f.let(i32.const(at.matrix));
    const unit = f.let(i32.const(at.units));
    f.repeat(
      () => {
        f.push(f32.store(unit, roundRow(f, targets, largestWeight, from, to)));
        f.advance(from, 4 * padded(targets));
        f.advance(to, integerRowBytes(targets));
        f.advance(unit, 4);
      },
      () => i32.ltU(unit, i32.const(at.units + 4 * padded(sources))),
    );
  });
}

/**
 * Added to a number below 2^22 it leaves the nearest whole number in the last bits; cheaper than the instructions that
 * round, which look at every case.
 */
const roundingShift = 1.5 * 2 ** 23;

/** Rounds one row to integers from -most to most. @returns their unit */
function roundRow(f: FunctionBuilder, targets: number, most: number, from: Pointer, to: Pointer): Local<"f32"> {
  const bytes = 4 * padded(targets);
  const whole = bytes - (bytes % 32);
  // The bits of numbers without sign are in the order of the numbers, NaN above all.
  const largest = f.let(v128.zero);
  const look = (address: I32, offset: number) => {
    f.set(largest, i32x4.maxS(largest, f32x4.abs(v128.load(address, offset))));
  };
  overRow(f, whole, (offset) => {
    const source = f.let(i32.add(from, offset));
    look(source, 0);
    look(source, 16);
  });
  if (whole < bytes) look(from, whole);
  const largestOfRow = f.let(largestLane(f, largest));
  const perUnit = f.let(f32x4.splat(f32.div(f32.const(most), largestOfRow)));
  const shift = f.let(f32x4.const(roundingShift));
  const rounded = (address: I32, offset: number): V128 =>
    i32x4.sub(f32x4.add(f32x4.mul(v128.load(address, offset), perUnit), shift), shift);
  overRow(f, whole, (offset) => {
    const source = f.let(i32.add(from, offset));
    const target = i32.add(to, i32.shrU(offset, i32.const(1)));
    f.push(v128.store(target, i16x8.narrowI32x4S(rounded(source, 0), rounded(source, 16))));
  });
  if (whole < bytes) f.push(v128.store(to, i16x8.narrowI32x4S(rounded(from, whole), v128.zero), whole / 2));
  return f.let(f32.div(largestOfRow, f32.const(most)));
}

/** Of four numbers that are not negative. */
function largestLane(f: FunctionBuilder, values: Local<"v128">): F32 {
  const pairs = f.let(
    f32x4.max(values, i8x16.shuffle(values, values, [8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0])),
  );
  return f32.max(f32x4.extractLane(pairs, 0), f32x4.extractLane(pairs, 1));
}

/** Two vectors at a time. */
function overRow(f: FunctionBuilder, bytes: number, body: (offset: Pointer) => void): void {
  if (bytes === 0) return;
  const offset = f.let(i32.const(0));
  f.repeat(
    () => {
      body(offset);
      f.advance(offset, 32);
    },
    () => i32.ltU(offset, i32.const(bytes)),
  );
}

/** As `addDots` of `wasm.ts`, of a dense matrix that `addRoundMatrix` has rounded; `matrix` is the address of Q. */
export function addIntegerDots(
  module: ModuleBuilder,
  name: string,
  { sources, targets, gain = 1 }: Shape & Pick<RowKernelOptions, "gain">,
  at: IntegerMatrix,
  support: number,
  format: TapeFormat = "float32",
): DotKernel {
  const stride = integerRowBytes(targets);
  return module.function(name, dotSignature, (f, { matrix, row, out, margins }) => {
    const integers = f.let(i32.const(at.row));
    const unit = roundRow(f, targets, largestAdjoint, row, integers);
    const scale = f.let(f32x4.splat(gain === 1 ? unit : f32.mul(unit, f32.const(gain))));
    overFours(
      f,
      { sources, support, format },
      { out, margins },
      (entry) => {
        const sums = fourProducts(f, stride, matrix, integers);
        const product = f32x4.mul(f32x4.mul(sums, v128.load(entry, at.units)), scale);
        f.push(v128.store(out, f32x4.add(v128.load(out), product)));
      },
      () => f.advance(matrix, 4 * stride),
    );
  });
}

/** Four rows at `matrix` times the row at `integers`. */
function fourProducts(f: FunctionBuilder, stride: number, matrix: Pointer, integers: Pointer): V128 {
  const sums = Array.from({ length: 4 }, () => f.let(v128.zero));
  const weights = f.let(matrix);
  const adjoints = f.let(integers);
  const end = f.let(i32.add(integers, i32.const(stride)));
  f.repeat(
    () => {
      const [first, second] = [f.let(v128.load(adjoints)), f.let(v128.load(adjoints, 16))];
      for (const [r, sum] of sums.entries()) {
        const products = i32x4.add(
          i32x4.dotI16x8S(v128.load(weights, r * stride), first),
          i32x4.dotI16x8S(v128.load(weights, r * stride + 16), second),
        );
        f.set(sum, f32x4.add(sum, f32x4.convertI32x4S(products)));
      }
      f.advance(weights, 2 * columnsAtOnce);
      f.advance(adjoints, 2 * columnsAtOnce);
    },
    () => i32.ltU(adjoints, end),
  );
  return sumsOfFour(f, sums);
}
