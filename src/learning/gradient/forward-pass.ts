/** The way forward through a sample, as WebAssembly: for every step, population after population (`reference.ts`). */
import { callValue, type FunctionBuilder, i32, type ModuleBuilder, memory } from "../../wasm/assembler.ts";
import { addDenseCurrents, type DenseCurrents, takeCurrents } from "./dense-input.ts";
import { type NetworkKernels, type PassStep, readForm, tapeRow, withArrivals } from "./network-kernels.ts";

/** Adds `forward` of `GradientKernels`. */
export function addForward(module: ModuleBuilder, kernels: NetworkKernels): void {
  const denseCurrents = addDenseCurrents(module, kernels);
  const signature = { from: "i32", to: "i32", tapeFrom: "i32", form: "i32" } as const;
  module.function("forward", signature, (f, { from, to, tapeFrom, form }) => {
    const t = f.let(from);
    const step = { t, from, to, tapeFrom, ...readForm(f, form) };
    f.while(
      () => i32.ltU(t, to),
      () => {
        for (const p of kernels.populations.keys()) {
          gatherInputs(f, kernels, denseCurrents, p, step);
          stepPopulation(f, kernels, p, step);
        }
        f.set(t, i32.add(t, i32.const(1)));
      },
    );
  });
}

/** I[:] = bias[:] + sum over projections and the spikes i that arrive: a_i W[i][:] */
function gatherInputs(
  f: FunctionBuilder,
  kernels: NetworkKernels,
  denseCurrents: readonly (DenseCurrents | null)[],
  p: number,
  step: PassStep,
): void {
  const { network, values, at, rowBytes, inputCounts, projections } = kernels;
  const { inputs } = at.populations[p];
  const bias = values.bias[p];
  const others = rowBytes[p] * (inputCounts[p] - 1);
  f.push(
    bias === null
      ? memory.fill(i32.const(inputs), i32.const(0), i32.const(rowBytes[p] + others))
      : memory.copy(i32.const(inputs), i32.const(at.values + 4 * bias.offset), i32.const(rowBytes[p])),
  );
  if (bias !== null && others > 0) {
    f.push(memory.fill(i32.const(inputs + rowBytes[p]), i32.const(0), i32.const(others)));
  }
  for (const [k, projection] of network.projections.entries()) {
    if (projection.target !== p) continue;
    const row = i32.const(inputs + kernels.rowOfInput(projection));
    const byEvents = () =>
      withArrivals(kernels, f, k, step.t, step.valued, (variant, list, end, amplitudes) => {
        const matrix = i32.const(at.values + 4 * values.weights[k].offset);
        f.call(projections[k].accumulate[variant], { list, end, values: amplitudes, matrix, row });
      });
    const dense = denseCurrents[k];
    if (dense === null) byEvents();
    else f.if(step.dense, () => takeCurrents(f, kernels, dense, row, step), byEvents);
  }
}

/** N = step(S, I), z, S = z ? reset(N) : N; z goes to the list of spikes, an output of the readout to its row. */
function stepPopulation(f: FunctionBuilder, kernels: NetworkKernels, p: number, { t, tapeFrom }: PassStep): void {
  const { network, at, rowBytes } = kernels;
  const { step, send } = kernels.populations[p];
  const row = tapeRow(kernels, p, t, tapeFrom);
  if (p === network.readout) {
    const output = i32.add(i32.const(at.outputs), i32.mul(t, i32.const(rowBytes[p])));
    f.let(callValue(step, { row, spikes: i32.const(0), output }));
    return;
  }
  const { sent, spikeStarts } = at.populations[p];
  const entry = f.let(i32.shl(t, i32.const(2)));
  const spikes = f.let(i32.load(entry, spikeStarts));
  const end = f.let(callValue(step, { row, spikes, output: i32.const(0) }));
  f.push(i32.store(entry, end, spikeStarts + 4));
  if (sent !== null && send !== null) {
    const to = i32.load(entry, sent.spikeStarts);
    f.push(i32.store(entry, callValue(send, { from: spikes, end, to }), sent.spikeStarts + 4));
  }
}
