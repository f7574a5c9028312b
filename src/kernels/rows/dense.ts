/**
 * Rows of a matrix under input of which most channels carry something: four steps at once, as a product of matrices, so
 * that every weight is read, and every gradient read and written, once per four steps. Equations: `reference.ts`, of the
 * spikes of four steps s = 0 .. 3, with x[c][s] what channel c carries in step s, 0 for nothing:
 *
 *   accumulate:  current[s][:] += x[c][s] W[c][:]     for every channel c, ascending
 *   scatter:     G[c][:] += x[c][s] adjoint[s][:]     for every step s, ascending
 *
 * The terms are those of `wasm.ts`, in the same order, each added by itself; in between come products with 0, which change
 * no number (only a sum that starts from -0 becomes 0). So both forms have the same bytes where events of a step come with
 * ascending channels, none of them twice, and all numbers are finite.
 */
import {
  type FunctionBuilder,
  type FunctionReference,
  f32,
  i32,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { arithmetic } from "../../wasm/vectors.ts";
import { overSpikes, type Pointer, padded, type RowKernelOptions, scalarAmplitudes } from "./walk.ts";

/** Steps that a product covers. */
export const stepsAtOnce = 4;

/** Bytes of one channel in x: a number for each step. */
export const channelBytes = 4 * stepsAtOnce;

type SpreadSignature = { list: "i32"; end: "i32"; values: "i32"; x: "i32" };
type ProductSignature = { x: "i32"; matrix: "i32"; rows: "i32" };
export type SpreadKernel = FunctionReference<SpreadSignature, "none">;
export type ProductKernel = FunctionReference<ProductSignature, "none">;

export type DenseKernelOptions = Pick<RowKernelOptions, "sources" | "targets" | "relaxed">;

/**
 * Of a row, at a time. For four steps 8 sums, 4 numbers of x and 2 vectors of the matrix are in use at once: with more than
 * 14 registers V8 keeps some of them in memory and takes twice the time.
 */
const blockVectors = 2;

/** So many rows of the matrix are done block by block before the next ones: they stay in the nearest cache meanwhile. */
const tileBytes = 16384;

/** x[c][s] = gain value_c for the spikes of a list, the events of one step: `x` is the address of x[0][s]. */
export function addSpread(
  module: ModuleBuilder,
  name: string,
  options: Pick<RowKernelOptions, "valued" | "gain">,
): SpreadKernel {
  const signature: SpreadSignature = { list: "i32", end: "i32", values: "i32", x: "i32" };
  return module.function(name, signature, (f, { list, end, values, x }) => {
    const amplitudeOf = scalarAmplitudes(f, options);
    overSpikes(f, options, { list, end, values }, (channel, valueAt) => {
      const to = i32.add(x, i32.mul(channel, i32.const(channelBytes)));
      f.push(f32.store(to, amplitudeOf(valueAt) ?? f32.const(1)));
    });
  });
}

/** current[s][:] (rows back to back at `rows`) += x[c][s] W[c][:] (at `matrix`) for all channels and four steps. */
export function addDenseAccumulate(module: ModuleBuilder, name: string, options: DenseKernelOptions): ProductKernel {
  const stride = 4 * padded(options.targets);
  const { plus: fused } = arithmetic(options.relaxed);
  return addProduct(module, name, options, (f, { x, end, matrix, rows, size }) => {
    const places = placesOf(size, stride);
    const sums = places.map((place) => f.let(v128.load(rows, place)));
    overChannels(f, { x, end, matrix }, stride, (factors, weights) => {
      const vectors = Array.from({ length: size }, (_, v) => f.let(v128.load(weights, 16 * v)));
      for (const [i, sum] of sums.entries()) {
        f.set(sum, fused(sum, factors[Math.floor(i / size)], vectors[i % size]));
      }
    });
    for (const [i, sum] of sums.entries()) f.push(v128.store(rows, sum, places[i]));
  });
}

/** G[c][:] (at `matrix`) += x[c][s] adjoint[s][:] (rows back to back at `rows`) for all channels and four steps. */
export function addDenseScatter(module: ModuleBuilder, name: string, options: DenseKernelOptions): ProductKernel {
  const stride = 4 * padded(options.targets);
  const { plus: fused } = arithmetic(options.relaxed);
  return addProduct(module, name, options, (f, { x, end, matrix, rows, size }) => {
    const adjoints = placesOf(size, stride).map((place) => f.let(v128.load(rows, place)));
    overChannels(f, { x, end, matrix }, stride, (factors, gradients) => {
      const sums = Array.from({ length: size }, (_, v) => f.let(v128.load(gradients, 16 * v)));
      for (const [i, adjoint] of adjoints.entries()) {
        const sum = sums[i % size];
        f.set(sum, fused(sum, factors[Math.floor(i / size)], adjoint));
      }
      for (const [v, sum] of sums.entries()) f.push(v128.store(gradients, sum, 16 * v));
    });
  });
}

/** Where the vectors of a block lie in the rows of four steps, step by step. */
const placesOf = (size: number, stride: number): number[] =>
  Array.from({ length: stepsAtOnce * size }, (_, i) => Math.floor(i / size) * stride + 16 * (i % size));

/** A tile of channels, x .. end, and `size` vectors of their rows in the matrix (at `matrix`) and of the four rows (at `rows`). */
interface Block {
  readonly x: Pointer;
  readonly end: Pointer;
  readonly matrix: Pointer;
  readonly rows: Pointer;
  readonly size: number;
}

/** Adds `name(x, matrix, rows)`: tile after tile of channels, and in each block after block of columns. */
function addProduct(
  module: ModuleBuilder,
  name: string,
  { sources, targets }: DenseKernelOptions,
  body: (f: FunctionBuilder, block: Block) => void,
): ProductKernel {
  const stride = 4 * padded(targets);
  const vectors = stride / 16;
  const looped = Math.floor(vectors / blockVectors);
  const tile = Math.max(1, Math.floor(tileBytes / stride));
  const signature: ProductSignature = { x: "i32", matrix: "i32", rows: "i32" };
  return module.function(name, signature, (f, { x, matrix, rows }) => {
    const last = f.let(i32.add(x, i32.const(channelBytes * sources)));
    f.repeat(
      () => {
        const end = f.let(i32.add(x, i32.const(channelBytes * tile)));
        f.if(i32.ltU(last, end), () => f.set(end, last));
        const block = { x, end, matrix: f.let(matrix), rows: f.let(rows) };
        if (looped > 0) {
          const lastBlock = f.let(i32.add(rows, i32.const(16 * blockVectors * looped)));
          f.repeat(
            () => {
              body(f, { ...block, size: blockVectors });
              f.advance(block.matrix, 16 * blockVectors);
              f.advance(block.rows, 16 * blockVectors);
            },
            () => i32.ltU(block.rows, lastBlock),
          );
        }
        const rest = vectors - looped * blockVectors;
        if (rest > 0) body(f, { ...block, size: rest });
        f.set(x, end);
        f.advance(matrix, tile * stride);
      },
      () => i32.ltU(x, last),
    );
  });
}

/** The channels of a tile: `visit(x[c][0 .. 3] in all lanes, address of the channel's row)`. */
function overChannels(
  f: FunctionBuilder,
  { x, end, matrix }: Pick<Block, "x" | "end" | "matrix">,
  stride: number,
  visit: (factors: readonly V128[], row: Pointer) => void,
): void {
  const from = f.let(x);
  const row = f.let(matrix);
  f.repeat(
    () => {
      const factors = Array.from({ length: stepsAtOnce }, (_, s) => f.let(v128.load32Splat(from, 4 * s)));
      visit(factors, row);
      f.advance(from, channelBytes);
      f.advance(row, stride);
    },
    () => i32.ltU(from, end),
  );
}
