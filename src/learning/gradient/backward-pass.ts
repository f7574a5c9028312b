/** The way back, as WebAssembly: for every step in reverse, populations in reverse (`reference.ts`). */
import { multiplyAdjoint } from "../../kernels/rows/dropout.ts";
import { tapeNumberBytes } from "../../kernels/tape.ts";
import {
  callValue,
  type FunctionBuilder,
  f32x4,
  type I32,
  i32,
  type Local,
  type ModuleBuilder,
  memory,
  v128,
} from "../../wasm/assembler.ts";
import { addDenseGradients, collectAdjoints, type DenseGradients } from "./dense-input.ts";
import { type NetworkKernels, type PassStep, readForm, tapeRow, withArrivals } from "./network-kernels.ts";
import { sourceRange } from "./spec.ts";

interface StepBack extends PassStep {
  /** Length of the sample. */
  readonly steps: Local<"i32">;
  /** By projection. */
  readonly denseGradients: readonly (DenseGradients | null)[];
}

/** Adds `backward` of `GradientKernels`. */
export function addBackward(module: ModuleBuilder, kernels: NetworkKernels): void {
  const denseGradients = addDenseGradients(module, kernels);
  const signature = { from: "i32", to: "i32", tapeFrom: "i32", form: "i32", steps: "i32" } as const;
  module.function("backward", signature, (f, { from, to, tapeFrom, form, steps }) => {
    const t = f.let(to);
    const step: StepBack = {
      ...{ t, from, to, tapeFrom, steps },
      ...readForm(f, form),
      denseGradients: denseGradients.map((open) => open(f)),
    };
    f.while(
      () => i32.ltU(from, t),
      () => {
        cutAdjoints(f, kernels, t);
        f.set(t, i32.sub(t, i32.const(1)));
        for (let p = kernels.populations.length - 1; p >= 0; p--) stepPopulationBack(f, kernels, p, step);
      },
    );
  });
}

/** Address of the matrix through which errors pass a projection. */
const wayBack = ({ at, values }: NetworkKernels, k: number): number =>
  at.feedback[k] ?? at.values + 4 * values.weights[k].offset;

/** Adds `roundMatrices` of `GradientKernels`. */
export function addRoundMatrices(module: ModuleBuilder, kernels: NetworkKernels): void {
  module.function("roundMatrices", {}, (f) => {
    for (const [k, { round }] of kernels.projections.entries()) {
      if (round !== null) f.call(round, { from: i32.const(wayBack(kernels, k)) });
    }
  });
}

/** Truncated: no adjoint of a state crosses the start of a window. */
function cutAdjoints(f: FunctionBuilder, { at, options }: NetworkKernels, t: Local<"i32">): void {
  if (options.truncateSteps === 0) return;
  const rest = f.let(i32.remU(t, i32.const(options.truncateSteps)));
  f.if(i32.eqz(rest), () => {
    for (const { adjointBlock } of at.populations) {
      f.push(memory.fill(i32.const(adjointBlock.from), i32.const(0), i32.const(adjointBlock.bytes)));
    }
  });
}

/** Address of the adjoints of the inputs of step t in the ring of population p. */
function ringRow({ at, inputCounts, rowBytes }: NetworkKernels, p: number, t: I32): I32 {
  const { ring, ringSteps } = at.populations[p];
  const bytes = i32.const(inputCounts[p] * rowBytes[p]);
  return i32.add(i32.const(ring), i32.mul(i32.and(t, i32.const(ringSteps - 1)), bytes));
}

/** Address of the note whether the rows of step t have anything in them. */
function ringFilled({ at }: NetworkKernels, p: number, t: I32): I32 {
  const { ringFilled: notes, ringSteps } = at.populations[p];
  return i32.add(i32.const(notes), i32.shl(i32.and(t, i32.const(ringSteps - 1)), i32.const(2)));
}

function stepPopulationBack(f: FunctionBuilder, kernels: NetworkKernels, p: number, step: StepBack): void {
  const { network, programs, at, rowBytes } = kernels;
  const { t, tapeFrom } = step;
  const row = f.let(tapeRow(kernels, p, t, tapeFrom));
  if (p !== network.readout && programs[p].feelsSpike) gatherSpikeAdjoint(f, kernels, p, row, step);
  const adjoint = f.let(ringRow(kernels, p, t));
  const { stepBack } = kernels.populations[p];
  if (stepBack === null) return;
  const outputAdjoint = i32.add(i32.const(at.outputAdjoints), i32.mul(t, i32.const(rowBytes[network.readout])));
  const filled = f.let(callValue(stepBack, { row, inputAdjoints: adjoint, outputAdjoint }));
  f.push(i32.store(ringFilled(kernels, p, t), filled));
  f.if(filled, () => addGradients(f, kernels, p, adjoint, step));
  for (const dense of step.denseGradients) {
    if (dense === null) continue;
    const projection = network.projections[dense.projection];
    if (projection.target !== p) continue;
    const row = plusBytes(adjoint, kernels.rowOfInput(projection));
    f.if(step.dense, () => collectAdjoints(f, kernels, dense, row, filled, step));
  }
}

/** A[i] = cost[i] + sum over projections: W[i][:] . w[:](t + delay) */
function gatherSpikeAdjoint(
  f: FunctionBuilder,
  kernels: NetworkKernels,
  p: number,
  row: Local<"i32">,
  { t, steps }: StepBack,
): void {
  const { network, at, options, projections } = kernels;
  const addresses = at.populations[p];
  const bytes = i32.const(kernels.rowBytes[p]);
  const cost = options.costsOverTime
    ? i32.add(i32.const(addresses.cost), i32.mul(t, bytes))
    : i32.const(addresses.cost);
  const { sent, spikeAdjoint } = addresses;
  f.push(
    sent === null
      ? memory.copy(i32.const(spikeAdjoint), cost, bytes)
      : memory.fill(i32.const(spikeAdjoint), i32.const(0), bytes),
  );
  for (const [k, projection] of network.projections.entries()) {
    const { dots } = projections[k];
    if (projection.source !== p || dots === null) continue;
    const { delaySteps, target } = projection;
    const first = sourceRange(network, projection).from;
    const arrival = f.let(i32.add(t, i32.const(delaySteps)));
    const filled = i32.load(ringFilled(kernels, target, arrival));
    const within = i32.ltU(arrival, steps);
    // Truncated: only inside one window, the adjoint does not cross its end.
    const window = i32.const(options.truncateSteps);
    const inside =
      options.truncateSteps > 0 && delaySteps > 0
        ? i32.and(within, i32.ltU(i32.add(i32.remU(t, window), i32.const(delaySteps)), window))
        : within;
    // Before the last step that the loss looks at there is much, after it nothing: skipped exactly.
    f.if(i32.and(inside, filled), () => {
      f.call(dots, {
        matrix: i32.const(at.integers[k]?.matrix ?? wayBack(kernels, k)),
        row: plusBytes(ringRow(kernels, target, arrival), kernels.rowOfInput(projection)),
        out: i32.const(spikeAdjoint + 4 * first),
        margins: i32.add(i32.const((addresses.margin ?? 0) + tapeNumberBytes[at.tape] * first), row),
      });
    });
  }
  if (sent !== null) multiplyAdjoint(f, spikeAdjoint, sent.factors, cost, kernels.rowBytes[p]);
}

/** g_bias[:] += w[:], and g[i][:] += a_i w[:] for the spikes i that arrived. */
function addGradients(
  f: FunctionBuilder,
  kernels: NetworkKernels,
  p: number,
  adjoint: Local<"i32">,
  step: StepBack,
): void {
  const { network, values, at, projections } = kernels;
  const bias = values.bias[p];
  if (bias !== null) addRow(f, at.gradients + 4 * bias.offset, adjoint, kernels.rowBytes[p]);
  for (const [k, projection] of network.projections.entries()) {
    if (projection.target !== p || !projection.trained) continue;
    const byEvents = () =>
      withArrivals(kernels, f, k, step.t, step.valued, (variant, list, end, amplitudes) => {
        const matrix = i32.const(at.gradients + 4 * values.weights[k].offset);
        const row = plusBytes(adjoint, kernels.rowOfInput(projection));
        f.call(projections[k].scatter[variant], { list, end, values: amplitudes, matrix, row });
      });
    if (step.denseGradients[k] === null) byEvents();
    else f.if(i32.eqz(step.dense), byEvents);
  }
}

const plusBytes = (address: I32, bytes: number): I32 => (bytes === 0 ? address : i32.add(address, i32.const(bytes)));

/** to[:] += from[:] */
function addRow(f: FunctionBuilder, to: number, from: Local<"i32">, bytes: number): void {
  const offset = f.let(i32.const(0));
  f.repeat(
    () => {
      const sum = f32x4.add(v128.load(offset, to), v128.load(i32.add(from, offset)));
      f.push(v128.store(offset, sum, to));
      f.advance(offset, 16);
    },
    () => i32.ltU(offset, i32.const(bytes)),
  );
}
