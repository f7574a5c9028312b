/**
 * Rows of a matrix under spikes, as WebAssembly made for one shape. Equations: `reference.ts`.
 *
 * A row is a few cache lines, and a step has some spikes: so the targets are walked in blocks of 32 whose sums (or whose
 * adjoints) stay in registers while the list of spikes is read, and every weight is touched once per spike. For the dot
 * products four rows share each load of the adjoint. Rows are padded to a multiple of 4 targets, sources too. Where
 * connections share weights: `shared.ts`.
 */
import {
  type FunctionBuilder,
  f32,
  f32x4,
  type I32,
  i32,
  type Local,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { arithmetic, sumsOfFour } from "../../wasm/vectors.ts";
import type { TapeFormat } from "../tape.ts";
import { addSharedAccumulate, addSharedDots, addSharedScatter } from "./shared.ts";
import {
  amplitudes,
  type DotKernel,
  dotSignature,
  type ListKernel,
  listSignature,
  overFours,
  overSpikes,
  type Pointer,
  padded,
  plus,
  type RowKernelOptions,
  scalarAmplitudes,
} from "./walk.ts";

export { padded, type RowKernelOptions } from "./walk.ts";

const blockVectors = 8;

/** Blocks of at most 8 vectors that cover a row, the full ones first as one loop. */
function overBlocks(
  f: FunctionBuilder,
  vectors: number,
  body: (offset: I32 | null, fixed: number, size: number) => void,
): void {
  const full = Math.floor(vectors / blockVectors);
  if (full > 0) {
    const offset = f.let(i32.const(0));
    f.repeat(
      () => {
        body(offset, 0, blockVectors);
        f.advance(offset, 16 * blockVectors);
      },
      () => i32.ltU(offset, i32.const(16 * blockVectors * full)),
    );
  }
  const rest = vectors - full * blockVectors;
  if (rest > 0) body(null, 16 * blockVectors * full, rest);
}

/** current (at `row`) += gain value_i W[i][:] for the spikes of a list. */
export function addAccumulate(module: ModuleBuilder, name: string, options: RowKernelOptions): ListKernel {
  const { shared } = options;
  if (shared) return addSharedAccumulate(module, name, { ...options, shared });
  const stride = 4 * padded(options.targets);
  const { plus: fused } = arithmetic(options.relaxed);
  return module.function(name, listSignature, (f, { list, end, values, matrix, row }) => {
    if (options.sparse !== null) {
      overSynapses(f, options, { list, end, values }, options.sparse, (synapse, target, value) => {
        const to = f.let(i32.add(row, target));
        const weight = f32.load(i32.add(matrix, synapse));
        f.push(f32.store(to, f32.add(f32.load(to), value === null ? weight : f32.mul(value, weight))));
      });
      return;
    }
    const amplitudeOf = amplitudes(f, options);
    overBlocks(f, stride / 16, (offset, fixed, size) => {
      const to = f.let(plus(row, offset));
      const from = f.let(plus(matrix, offset));
      const sums = Array.from({ length: size }, (_, b) => f.let(v128.load(to, fixed + 16 * b)));
      overSpikes(f, options, { list, end, values }, (source, valueAt) => {
        const weights = f.let(i32.add(from, i32.mul(source, i32.const(stride))));
        const value = amplitudeOf(valueAt);
        for (const [b, sum] of sums.entries()) {
          const weight = v128.load(weights, fixed + 16 * b);
          f.set(sum, value === null ? f32x4.add(sum, weight) : fused(sum, value, weight));
        }
      });
      for (const [b, sum] of sums.entries()) f.push(v128.store(to, sum, fixed + 16 * b));
    });
  });
}

/** G[i][:] (at `matrix`) += gain value_i adjoint[:] (at `row`) for the spikes of a list. */
export function addScatter(module: ModuleBuilder, name: string, options: RowKernelOptions): ListKernel {
  const { shared } = options;
  if (shared) return addSharedScatter(module, name, { ...options, shared });
  const stride = 4 * padded(options.targets);
  const { plus: fused } = arithmetic(options.relaxed);
  return module.function(name, listSignature, (f, { list, end, values, matrix, row }) => {
    if (options.sparse !== null) {
      overSynapses(f, options, { list, end, values }, options.sparse, (synapse, target, value) => {
        const to = f.let(i32.add(matrix, synapse));
        const adjoint = f32.load(i32.add(row, target));
        f.push(f32.store(to, f32.add(f32.load(to), value === null ? adjoint : f32.mul(value, adjoint))));
      });
      return;
    }
    const amplitudeOf = amplitudes(f, options);
    overBlocks(f, stride / 16, (offset, fixed, size) => {
      const from = f.let(plus(row, offset));
      const to = f.let(plus(matrix, offset));
      const adjoints = Array.from({ length: size }, (_, b) => f.let(v128.load(from, fixed + 16 * b)));
      overSpikes(f, options, { list, end, values }, (source, valueAt) => {
        const gradients = f.let(i32.add(to, i32.mul(source, i32.const(stride))));
        const value = amplitudeOf(valueAt);
        for (const [b, adjoint] of adjoints.entries()) {
          const old = v128.load(gradients, fixed + 16 * b);
          const sum = value === null ? f32x4.add(old, adjoint) : fused(old, value, adjoint);
          f.push(v128.store(gradients, sum, fixed + 16 * b));
        }
      });
    });
  });
}

/** Calls `visit(byte offset of the synapse, byte offset of its target, value)` for all synapses of all spikes. */
function overSynapses(
  f: FunctionBuilder,
  options: RowKernelOptions,
  spikes: Record<"list" | "end" | "values", Pointer>,
  sparse: { offsets: number; targets: number },
  visit: (synapse: Pointer, target: I32, value: Local<"f32"> | null) => void,
): void {
  const amplitudeOf = scalarAmplitudes(f, options);
  overSpikes(f, options, spikes, (source, valueAt) => {
    const entry = f.let(i32.shl(source, i32.const(2)));
    const synapse = f.let(i32.shl(i32.load(entry, sparse.offsets), i32.const(2)));
    const last = f.let(i32.shl(i32.load(entry, sparse.offsets + 4), i32.const(2)));
    const value = amplitudeOf(valueAt);
    f.while(
      () => i32.ltU(synapse, last),
      () => {
        visit(synapse, i32.shl(i32.load(synapse, sparse.targets), i32.const(2)), value);
        f.advance(synapse, 4);
      },
    );
  });
}

/**
 * out[i] += gain W[i][:] . adjoint[:] (at `row`) for all sources.
 * @param support where the sources' surrogate ends: four sources whose margins (at `margins`) all lie outside are
 *   skipped, as their spikes have no derivative. Infinity: none are skipped.
 * @param format of the margins: those that the surrogate is taken at, as they lie on the tape
 */
export function addDots(
  module: ModuleBuilder,
  name: string,
  options: RowKernelOptions,
  support: number,
  format: TapeFormat = "float32",
): DotKernel {
  const { shared, gain = 1 } = options;
  if (shared) return addSharedDots(module, name, { ...options, shared }, support, format);
  const stride = 4 * padded(options.targets);
  const vectors = stride / 16;
  const { plus: fused } = arithmetic(options.relaxed);
  return module.function(name, dotSignature, (f, { matrix, row, out, margins }) => {
    overFours(
      f,
      { sources: options.sources, support, format },
      { out, margins },
      (entry) => {
        if (options.sparse !== null) sparseDots(f, options.sparse, gain, entry, { matrix, row, out });
        else {
          const sums = denseDots(f, vectors, stride, fused, matrix, row);
          const scaled = gain === 1 ? sums : f32x4.mul(sums, f32x4.const(gain));
          f.push(v128.store(out, f32x4.add(v128.load(out), scaled)));
        }
      },
      () => {
        if (options.sparse === null) f.advance(matrix, 4 * stride);
      },
    );
  });
}

/** Four rows at `matrix` times the vector at `row`; each load of the vector serves four rows. */
function denseDots(
  f: FunctionBuilder,
  vectors: number,
  stride: number,
  fused: (a: V128, b: V128, c: V128) => V128,
  matrix: Pointer,
  row: Pointer,
): V128 {
  // Four sums, no more: with eight, V8 keeps some of them in memory and takes twice the time.
  const sums = Array.from({ length: 4 }, () => f.let(v128.zero));
  const take = (weights: Pointer, adjoints: Pointer, offset: number) => {
    const adjoint = f.let(v128.load(adjoints, offset));
    for (const [r, sum] of sums.entries()) f.set(sum, fused(sum, adjoint, v128.load(weights, r * stride + offset)));
  };
  const inLoop = 2;
  const loops = vectors > 8 ? Math.floor(vectors / inLoop) : 0;
  if (loops > 0) {
    const weights = f.let(matrix);
    const adjoints = f.let(row);
    const end = f.let(i32.add(row, i32.const(16 * inLoop * loops)));
    f.repeat(
      () => {
        for (let v = 0; v < inLoop; v++) take(weights, adjoints, 16 * v);
        f.advance(weights, 16 * inLoop);
        f.advance(adjoints, 16 * inLoop);
      },
      () => i32.ltU(adjoints, end),
    );
  }
  for (let v = loops * inLoop; v < vectors; v++) take(matrix, row, 16 * v);
  return sumsOfFour(f, sums);
}

/** Four sparse rows, one after the other. */
function sparseDots(
  f: FunctionBuilder,
  sparse: { offsets: number; targets: number },
  gain: number,
  entry: Pointer,
  { matrix, row, out }: Record<"matrix" | "row" | "out", Pointer>,
): void {
  for (let r = 0; r < 4; r++) {
    const synapse = f.let(i32.shl(i32.load(entry, sparse.offsets + 4 * r), i32.const(2)));
    const last = f.let(i32.shl(i32.load(entry, sparse.offsets + 4 * r + 4), i32.const(2)));
    const before = f32.load(out, 4 * r);
    const sum = f.let(gain === 1 ? before : f32.const(0));
    f.while(
      () => i32.ltU(synapse, last),
      () => {
        const adjoint = f32.load(i32.add(row, i32.shl(i32.load(synapse, sparse.targets), i32.const(2))));
        f.set(sum, f32.add(sum, f32.mul(adjoint, f32.load(i32.add(matrix, synapse)))));
        f.advance(synapse, 4);
      },
    );
    f.push(f32.store(out, gain === 1 ? sum : f32.add(before, f32.mul(sum, f32.const(gain))), 4 * r));
  }
}
