/**
 * The synaptic current that every trained neuron should have, row by row.
 *
 * Targets are currents without the external drive. A recording in Hz was converted to the *total* input that makes a
 * neuron fire at that rate (data/targets/transfer.ts), so the drive is subtracted here.
 */
import { sinusoids } from "../../data/targets/sinusoids.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { Shard } from "./shard.ts";
import type { RlsSpec } from "./spec.ts";
import { trialSteps } from "./timing.ts";
import { trainedNeurons } from "./trained.ts";

export type TargetSource =
  | {
      readonly kind: "sinusoids";
      readonly amplitude: number;
      readonly periodMs: number;
      readonly bias: "none" | "ou" | "ramp";
    }
  | {
      readonly kind: "currents";
      /** [task][row][unit]; trained neuron p follows unit p modulo `units`. */
      readonly values: Float32Array;
      readonly units: number;
      readonly includesDrive: boolean;
    };

/** Fills the targets of a shard. @param meanCurrent of its trained neurons in the static run. */
export function writeTargets(shard: Shard, source: TargetSource, meanCurrent: Float32Array): void {
  const { spec, constants } = shard.network;
  const { rows } = trialSteps(spec.timing);
  const count = shard.trainedGlobal.length;
  const targets = shard.f32(shard.memory.at.targets, spec.tasks * rows * count);
  if (source.kind === "sinusoids") {
    for (let task = 0; task < spec.tasks; task++) {
      targets.set(sinusoidRows(shard, source, task, rows, meanCurrent), task * rows * count);
    }
    return;
  }
  const first = count > 0 ? trainedNeurons(spec).indexOf(shard.trainedGlobal[0]) : 0;
  for (let t = 0; t < count; t++) {
    const unit = (first + t) % source.units;
    const global = shard.trainedGlobal[t];
    const population = global < spec.excitatory ? 0 : 1;
    const drives = constants[population].drive;
    const drive = typeof drives === "number" ? drives : drives[global - shard.network.populations[population].first];
    for (let row = 0; row < spec.tasks * rows; row++) {
      targets[row * count + t] = source.values[row * source.units + unit] - (source.includesDrive ? drive : 0);
    }
  }
}

function sinusoidRows(
  shard: Shard,
  { amplitude, periodMs, bias }: Extract<TargetSource, { kind: "sinusoids" }>,
  task: number,
  rows: number,
  meanCurrent: Float32Array,
): Float32Array {
  const { spec } = shard.network;
  const random = new Philox(spec.seed);
  const phase = new Float64Array(1);
  const phasesMs = Float64Array.from(shard.trainedGlobal, (neuron) => {
    random.uniform(streamOf(streamKind.phase, neuron + task * spec.neurons), 0, phase);
    return phase[0] * periodMs;
  });
  const intervalMs = spec.timing.learnEveryMs;
  const common = commonBias(spec, bias, amplitude, rows, random);
  return sinusoids({ amplitude, periodMs, phasesMs, means: meanCurrent, rows, intervalMs, bias: common });
}

/**
 * The same for all neurons. `ramp`: from 0 to the amplitude over the trained part. `ou`: an Ornstein-Uhlenbeck path with
 * the constants of the stimulus, sampled at the rows.
 */
function commonBias(
  spec: RlsSpec,
  bias: "none" | "ou" | "ramp",
  amplitude: number,
  rows: number,
  random: Philox,
): Float64Array | undefined {
  if (bias === "none") return undefined;
  if (bias === "ramp") return Float64Array.from({ length: rows }, (_, row) => (amplitude * (row + 1)) / rows);
  const { learnEvery } = trialSteps(spec.timing);
  const { dtMs } = spec.timing;
  const steps = new Float64Array(rows * learnEvery);
  random.normal(streamOf(streamKind.stimulus, 2 ** 39), 0, steps);
  let value = 0;
  const path = steps.map((gauss) => {
    value += -(value / spec.stimulus.tauMs) * dtMs + spec.stimulus.sigma * Math.sqrt(dtMs) * gauss;
    return value;
  });
  return Float64Array.from({ length: rows }, (_, row) => path[(row + 1) * learnEvery - 1]);
}
