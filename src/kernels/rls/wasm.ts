/**
 * The RLS update of many neurons, as WebAssembly made for one M and one precision. Equations: `reference.ts`.
 *
 * The change of P by an update is put off (`tiles.ts`): its c and k are kept, and made good by the next update or by
 * `rlsFlush` at the end of a trial; the rounding is the same either way.
 */
import {
  type FunctionBuilder,
  f32,
  f32x4,
  horizontalSum,
  type I32,
  i32,
  type Local,
  type ModuleBuilder,
  v128,
} from "../../wasm/assembler.ts";
import { arithmetic } from "../../wasm/vectors.ts";
import type { PLayout } from "./layout.ts";
import { neuronField, neuronRecordBytes, pendingBytes, synapseBytes } from "./neuron-memory.ts";
import {
  forRows,
  multiply,
  type Pointer,
  scaleTiles,
  subtractOuterProduct,
  type TileOptions,
  type Vector,
} from "./tiles.ts";

export interface RlsKernelOptions extends TileOptions {
  readonly compat: "none" | "trainspikingnet";
  /** Weights are kept inside per-input bounds (address of [low, high] vectors, interleaved by four, is an argument). */
  readonly bounded: boolean;
}

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
    scaleTiles(f, layout, P, count, keep);
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
