/**
 * The RLS update of many neurons, as WebAssembly made for one M and one precision. Equations: `reference.ts`.
 *
 * P is far larger than the caches, so what counts is to read and write it once per update. The change of an update is
 * therefore put off: its c and k are kept, and P -= c k k' happens tile by tile in the sweep that computes the next k = P x
 * (`rlsFlush` catches up at the end of a trial; the rounding is the same either way). A tile (rows a, columns b) serves
 * k_a (its columns times x_b) and, as its own transpose, k_b (dot products with x_a); the four partial sums of k_b stay
 * in registers down a column.
 *
 * Weights and traces of a neuron interleave by four ([w0..w3][x0..x3][w4..w7]...): a spike that arrives touches one
 * cache line for both.
 */
import {
  type FunctionBuilder,
  f32,
  f32x4,
  horizontalSum,
  type I32,
  i16x8,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { arithmetic, sumsOfFour } from "../../wasm/vectors.ts";
import type { PLayout } from "./layout.ts";

export interface RlsKernelOptions {
  readonly layout: PLayout;
  /** Fused multiply-add where the machine has it: faster, bytes differ between machines. */
  readonly relaxed: boolean;
  readonly compat: "none" | "trainspikingnet";
  /** Weights are kept inside per-input bounds (address of [low, high] vectors, interleaved by four, is an argument). */
  readonly bounded: boolean;
}

/** Bytes of the interleaved weights and traces of one neuron. */
export const synapseBytes = (layout: PLayout): number => 32 * layout.tileRows;
/** Bytes of the k that is kept of the last update of one neuron. */
export const pendingBytes = (layout: PLayout): number => 16 * layout.tileRows;
/** Bytes of the scratch area: one trace vector and one k vector. */
export const scratchBytes = (layout: PLayout): number => 32 * layout.tileRows;
/** Per-neuron constants and statistics, f32: see `neuronField`. */
export const neuronRecordBytes = 48;
/**
 * Byte offsets inside the record of a trained neuron. `scale`: value of one unit of stored P. `decay`: of the traces,
 * from one learning time to the next. `bias`: the rest of the current minus the target, set before every update. The
 * others accumulate over a trial: squared error, x'Px, largest x'Px; `resetFlag` (i32) is set to 1 when x'Px was not
 * >= 0 and P must be started again; `sumAbsWeight` bounds the arrivals that this neuron can receive in one step;
 * `pendingFactor` is c (in stored units) of the update that is put off, 0 when there is none.
 */
export const neuronField = {
  scale: 0,
  decay: 4,
  bias: 8,
  squaredError: 12,
  gain: 16,
  largestGain: 20,
  resetFlag: 24,
  sumAbsWeight: 28,
  pendingFactor: 32,
} as const;

type Vector = Local<"v128">;
type Pointer = Local<"i32">;

/** Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the float; subtracting it again, the rounded float. */
const roundingBias = f32x4.const(12582912);
const roundingBits = i32x4.const(0x4b400000, 0x4b400000, 0x4b400000, 0x4b400000);
const biasedToInteger = (biased: V128): V128 => i32x4.sub(biased, roundingBits);

/**
 * Adds to the module (`pending`: array of the kept k, `pendingBytes` each):
 * - `rlsUpdate(count, P, pending, synapses, neurons, scratch, bounds)`: one exact update of `count` neurons with the
 *   traces they have; the traces then decay to the next learning time.
 * - `rlsCapture(count, synapses, neurons, samples, sampleBytes)`: puts the traces aside instead and lets them decay.
 * - `rlsUpdateBlock(count, P, pending, synapses, neurons, samples, biases, blockSize, scratch, bounds)`: all the samples
 *   put aside, in order, while P is in the cache.
 * - `rlsFlush(count, P, pending, neurons)`: applies the updates put off.
 * - `rlsScale(count, P, keep)`: P <- keep P, for forgetting; nothing may be put off.
 */
export function addRlsKernels(module: ModuleBuilder, options: RlsKernelOptions): void {
  const { layout } = options;
  const xBytes = 16 * layout.tileRows;

  module.function(
    "rlsUpdate",
    { count: "i32", P: "i32", pending: "i32", synapses: "i32", neurons: "i32", scratch: "i32", bounds: "i32" },
    (f, { count, P, pending, synapses, neurons, scratch, bounds }) => {
      const k = f.let(i32.add(scratch, i32.const(xBytes)));
      f.while(
        () => count,
        () => {
          captureTraces(f, layout, synapses, scratch, f.let(f32x4.splat(f32.load(neurons, neuronField.decay))));
          const bias = f.let(f32.load(neurons, neuronField.bias));
          updateOne(f, options, { P, pending, synapses, neurons, x: scratch, k, bounds, bias });
          nextNeuron(f, layout, { count, P, pending, synapses, neurons });
        },
      );
    },
  );

  module.function(
    "rlsCapture",
    { count: "i32", synapses: "i32", neurons: "i32", samples: "i32", sampleBytes: "i32" },
    (f, { count, synapses, neurons, samples, sampleBytes }) => {
      f.while(
        () => count,
        () => {
          captureTraces(f, layout, synapses, samples, f.let(f32x4.splat(f32.load(neurons, neuronField.decay))));
          f.set(samples, i32.add(samples, sampleBytes));
          f.advance(synapses, synapseBytes(layout));
          f.advance(neurons, neuronRecordBytes);
          f.set(count, i32.sub(count, i32.const(1)));
        },
      );
    },
  );

  module.function(
    "rlsUpdateBlock",
    {
      count: "i32",
      P: "i32",
      pending: "i32",
      synapses: "i32",
      neurons: "i32",
      samples: "i32",
      biases: "i32",
      blockSize: "i32",
      scratch: "i32",
      bounds: "i32",
    },
    (f, { count, P, pending, synapses, neurons, samples, biases, blockSize, scratch, bounds }) => {
      const left = f.local("i32");
      f.while(
        () => count,
        () => {
          f.set(left, blockSize);
          f.repeat(
            () => {
              const bias = f.let(f32.load(biases));
              updateOne(f, options, { P, pending, synapses, neurons, x: samples, k: scratch, bounds, bias });
              f.advance(samples, xBytes);
              f.advance(biases, 4);
              f.set(left, i32.sub(left, i32.const(1)));
            },
            () => left,
          );
          nextNeuron(f, layout, { count, P, pending, synapses, neurons });
        },
      );
    },
  );

  module.function(
    "rlsFlush",
    { count: "i32", P: "i32", pending: "i32", neurons: "i32" },
    (f, { count, P, pending, neurons }) => {
      f.while(
        () => count,
        () => {
          subtractOuterProduct(f, options, P, pending, f.let(f32.load(neurons, neuronField.pendingFactor)));
          f.push(f32.store(neurons, f32.const(0), neuronField.pendingFactor));
          f.advance(P, layout.bytes);
          f.advance(pending, pendingBytes(layout));
          f.advance(neurons, neuronRecordBytes);
          f.set(count, i32.sub(count, i32.const(1)));
        },
      );
    },
  );

  module.function("rlsScale", { count: "i32", P: "i32", keep: "f32" }, (f, { count, P, keep }) => {
    const tiles = f.let(i32.mul(count, i32.const(layout.tiles)));
    const factor = f.let(f32x4.splat(keep));
    f.while(
      () => tiles,
      () => {
        storeTile(
          f,
          layout,
          P,
          loadTile(f, layout, P).map((column) => f.let(f32x4.mul(column, factor))),
        );
        f.advance(P, layout.tileBytes);
        f.set(tiles, i32.sub(tiles, i32.const(1)));
      },
    );
  });
}

function nextNeuron(
  f: FunctionBuilder,
  layout: PLayout,
  { count, P, pending, synapses, neurons }: Record<"count" | "P" | "pending" | "synapses" | "neurons", Pointer>,
): void {
  f.advance(P, layout.bytes);
  f.advance(pending, pendingBytes(layout));
  f.advance(synapses, synapseBytes(layout));
  f.advance(neurons, neuronRecordBytes);
  f.set(count, i32.sub(count, i32.const(1)));
}

/** Loops with one index pointer over the rows of tiles: `body(offset)` with offset = 16 * row. */
function forRows(f: FunctionBuilder, layout: PLayout, body: (offset: Pointer) => void): void {
  const offset = f.let(i32.const(0));
  f.repeat(
    () => {
      body(offset);
      f.advance(offset, 16);
    },
    () => i32.ltU(offset, i32.const(16 * layout.tileRows)),
  );
}

/** Copies the traces out of the interleaved synapses and lets the originals decay. */
function captureTraces(f: FunctionBuilder, layout: PLayout, synapses: Pointer, to: Pointer, decay: Vector): void {
  forRows(f, layout, (row) => {
    const source = f.let(i32.add(synapses, i32.shl(row, i32.const(1))));
    const x = f.let(v128.load(source, 16));
    f.push(v128.store(i32.add(to, row), x));
    // Traces of silent inputs are cut to 0 before they become subnormal, which would be slow.
    const decayed = f.let(f32x4.mul(x, decay));
    f.push(v128.store(source, v128.and(decayed, f32x4.gt(decayed, f32x4.const(1e-20))), 16));
  });
}

export interface UpdateArguments {
  readonly P: Pointer;
  readonly pending: Pointer;
  readonly synapses: Pointer;
  readonly neurons: Pointer;
  readonly x: Pointer;
  readonly k: Pointer;
  readonly bounds: Pointer;
  readonly bias: Local<"f32">;
}

/** The update of one neuron; without `learn` only P takes the sample in, weights and statistics stay. */
export function updateOne(f: FunctionBuilder, options: RlsKernelOptions, args: UpdateArguments, learn = true): void {
  const { layout } = options;
  const { synapses, neurons, x, k, bias, pending } = args;
  multiply(f, options, args, f.let(f32.load(neurons, neuronField.pendingFactor)));

  // k is in units of the scale; x'k, w'x in one sweep.
  const { plus } = arithmetic(options.relaxed);
  const xk = f.let(v128.zero);
  const wx = f.let(v128.zero);
  forRows(f, layout, (row) => {
    const xRow = f.let(v128.load(i32.add(x, row)));
    const kRow = f.let(v128.load(i32.add(k, row)));
    f.push(v128.store(i32.add(pending, row), kRow));
    f.set(xk, plus(xk, xRow, kRow));
    f.set(wx, plus(wx, xRow, v128.load(i32.add(synapses, i32.shl(row, i32.const(1))))));
  });
  const scale = f.let(f32.load(neurons, neuronField.scale));
  const gain = f.let(f32.mul(horizontalSum(f, xk), scale));
  const error = f.let(f32.add(horizontalSum(f, wx), bias));
  const add = (field: number, amount: ReturnType<typeof f32.add>) =>
    f.push(f32.store(neurons, f32.add(f32.load(neurons, field), amount), field));
  if (learn) add(neuronField.squaredError, f32.mul(error, error));

  f.if(
    f32.ge(gain, f32.const(0)),
    () => {
      if (learn) {
        add(neuronField.gain, gain);
        const largest = f32.max(f32.load(neurons, neuronField.largestGain), gain);
        f.push(f32.store(neurons, largest, neuronField.largestGain));
      }
      const c = f.let(f32.div(f32.const(1), f32.add(f32.const(1), gain)));
      // In stored units (P / s, k / s): P -= c s k k'.
      f.push(f32.store(neurons, f32.mul(c, scale), neuronField.pendingFactor));
      if (learn) {
        const step = options.compat === "none" ? f32.mul(c, error) : error;
        moveWeights(f, options, args, f.let(f32x4.splat(f32.mul(step, scale))));
      }
    },
    () => {
      // Not the factor alone: 0 times what is no number is no number.
      forRows(f, layout, (row) => f.push(v128.store(i32.add(pending, row), v128.zero)));
      f.push(f32.store(neurons, f32.const(0), neuronField.pendingFactor));
      f.push(i32.store(neurons, i32.const(1), neuronField.resetFlag));
    },
  );
}

/** Column `column` of the tile at `tile`, as floats in stored units. */
function loadColumn(layout: PLayout, tile: Pointer, column: number): V128 {
  return layout.precision === "f32"
    ? v128.load(tile, 16 * column)
    : f32x4.convertI32x4S(v128.load16x4S(tile, 8 * column));
}

function loadTile(f: FunctionBuilder, layout: PLayout, tile: Pointer): Vector[] {
  return [0, 1, 2, 3].map((column) => f.let(loadColumn(layout, tile, column)));
}

/** Writes a tile; integers are rounded, and `columns` then hold the rounded values. */
function storeTile(f: FunctionBuilder, layout: PLayout, tile: Pointer, columns: Vector[]): void {
  if (layout.precision === "f32") {
    for (const [column, value] of columns.entries()) f.push(v128.store(tile, value, 16 * column));
    return;
  }
  for (const value of columns) f.set(value, f32x4.add(value, roundingBias));
  const [c0, c1, c2, c3] = columns.map(biasedToInteger);
  f.push(v128.store(tile, i16x8.narrowI32x4S(c0, c1)));
  f.push(v128.store(tile, i16x8.narrowI32x4S(c2, c3), 16));
  for (const value of columns) f.set(value, f32x4.sub(value, roundingBias));
}

/** P -= factor p p' with the k put off (p), and k = P x in units of the scale, in one sweep. */
function multiply(
  f: FunctionBuilder,
  { layout, relaxed }: RlsKernelOptions,
  { P, pending, x, k }: UpdateArguments,
  factor: Local<"f32">,
): void {
  const { plus, minus } = arithmetic(relaxed);
  forRows(f, layout, (row) => f.push(v128.store(i32.add(k, row), v128.zero)));
  const tile = f.let(P);
  forColumns(f, layout, { x, k, pending }, ({ xColumn, kColumn, pendingColumn, remaining }) => {
    const change = spreadChange(f, pendingColumn, factor);
    /** The tile with the pending change made, written back. */
    const takeTile = (pendingRow: Vector): Vector[] => {
      const columns = change.map((step, j) => f.let(minus(loadColumn(layout, tile, j), pendingRow, step)));
      storeTile(f, layout, tile, columns);
      f.advance(tile, layout.tileBytes);
      return columns;
    };
    // x is read anew for every tile: four registers less to hold, and a load that splats costs nothing beside them.
    const timesColumns = (columns: Vector[], start: V128): V128 =>
      columns.reduce((sum: V128, column, j) => plus(sum, column, v128.load32Splat(xColumn, 4 * j)), start);
    // Diagonal tile: whole and symmetric, so its columns serve once.
    const own = f.let(timesColumns(takeTile(f.let(v128.load(pendingColumn))), v128.load(kColumn)));
    const partial = change.map(() => f.let(v128.zero));
    const offset = f.let(i32.const(16));
    f.while(
      () => remaining,
      () => {
        const columns = takeTile(f.let(v128.load(i32.add(pendingColumn, offset))));
        const kRow = f.let(i32.add(kColumn, offset));
        f.push(v128.store(kRow, timesColumns(columns, v128.load(kRow))));
        const xa = f.let(v128.load(i32.add(xColumn, offset)));
        for (const [j, column] of columns.entries()) f.set(partial[j], plus(partial[j], column, xa));
        f.advance(offset, 16);
        f.set(remaining, i32.sub(remaining, i32.const(1)));
      },
    );
    f.push(v128.store(kColumn, f32x4.add(own, sumsOfFour(f, partial))));
  });
}

/** factor p_b, each of the four elements over a vector. */
function spreadChange(f: FunctionBuilder, pendingColumn: Pointer, factor: Local<"f32">): Vector[] {
  return [0, 1, 2, 3].map((j) => f.let(f32x4.mul(v128.load32Splat(pendingColumn, 4 * j), f32x4.splat(factor))));
}

/** P -= factor p p', tile by tile. */
function subtractOuterProduct(
  f: FunctionBuilder,
  { layout, relaxed }: RlsKernelOptions,
  P: Pointer,
  pending: Pointer,
  factor: Local<"f32">,
): void {
  const { minus } = arithmetic(relaxed);
  const tile = f.let(P);
  forColumns(f, layout, { x: pending, k: pending, pending }, ({ pendingColumn, remaining }) => {
    const change = spreadChange(f, pendingColumn, factor);
    const row = f.let(pendingColumn);
    f.set(remaining, i32.add(remaining, i32.const(1)));
    f.repeat(
      () => {
        const pendingRow = f.let(v128.load(row));
        storeTile(
          f,
          layout,
          tile,
          change.map((step, j) => f.let(minus(loadColumn(layout, tile, j), pendingRow, step))),
        );
        f.advance(tile, layout.tileBytes);
        f.advance(row, 16);
        f.set(remaining, i32.sub(remaining, i32.const(1)));
      },
      () => remaining,
    );
  });
}

/** Column of tiles after column: pointers to its part of the vectors, and how many tiles lie under the diagonal one. */
function forColumns(
  f: FunctionBuilder,
  layout: PLayout,
  { x, k, pending }: Record<"x" | "k" | "pending", Pointer>,
  body: (column: Record<"xColumn" | "kColumn" | "pendingColumn" | "remaining", Pointer>) => void,
): void {
  const [xColumn, kColumn, pendingColumn] = [x, k, pending].map((start) => f.let(start));
  const below = f.let(i32.const(layout.tileRows));
  const remaining = f.local("i32");
  f.repeat(
    () => {
      f.set(below, i32.sub(below, i32.const(1)));
      f.set(remaining, below);
      body({ xColumn, kColumn, pendingColumn, remaining });
      for (const pointer of [xColumn, kColumn, pendingColumn]) f.advance(pointer, 16);
    },
    () => below,
  );
}

/** w -= step k, kept inside the bounds, and the sum of |w|. */
function moveWeights(f: FunctionBuilder, options: RlsKernelOptions, args: UpdateArguments, step: Vector): void {
  const { minus } = arithmetic(options.relaxed);
  const sum = f.let(v128.zero);
  forRows(f, options.layout, (row) => {
    const at: I32 = f.let(i32.add(args.synapses, i32.shl(row, i32.const(1))));
    const w = f.let(minus(v128.load(at), v128.load(i32.add(args.k, row)), step));
    if (options.bounded) {
      const limits = f.let(i32.add(args.bounds, i32.shl(row, i32.const(1))));
      f.set(w, f32x4.min(f32x4.max(w, v128.load(limits)), v128.load(limits, 16)));
    }
    f.push(v128.store(at, w));
    f.set(sum, f32x4.add(sum, f32x4.abs(w)));
  });
  f.push(f32.store(args.neurons, horizontalSum(f, sum), neuronField.sumAbsWeight));
}
