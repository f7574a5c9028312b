/** Runs the fast engine as the twin is run, on one sample. */
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { readGradients, writeValues } from "../../src/learning/gradient/blocks.ts";
import { GradientEngine } from "../../src/learning/gradient/engine.ts";
import type { EngineSetup } from "../../src/learning/gradient/engine-memory.ts";
import { writeSegment } from "../../src/learning/gradient/layout.ts";
import type { OutputLoss } from "../../src/learning/gradient/reference.ts";
import type { NetworkValues } from "../../src/learning/gradient/spec.ts";

export function prepare(
  setup: EngineSetup,
  values: NetworkValues<ArrayLike<number>>,
  feedback: readonly (ArrayLike<number> | null)[] = [],
): GradientEngine {
  const engine = new GradientEngine(setup);
  const { network, programs, valueLayout } = engine;
  writeValues(network, programs, valueLayout, values, engine.values);
  giveFeedback(engine, feedback);
  return engine;
}

export function giveFeedback(engine: GradientEngine, feedback: readonly (ArrayLike<number> | null)[]): void {
  for (const [k, matrix] of feedback.entries()) {
    if (matrix === null) continue;
    const segment = { ...engine.valueLayout.weights[k], offset: 0 };
    const block = new Float32Array(4 * Math.ceil(segment.rows / 4) * segment.stride);
    writeSegment(block, segment, matrix);
    engine.setFeedback(k, block);
  }
}

export function runEngine(
  engine: GradientEngine,
  values: NetworkValues<ArrayLike<number>>,
  sample: StepEvents,
  loss: OutputLoss,
  costs: readonly (ArrayLike<number> | null)[] = [],
  sent: readonly (ArrayLike<number> | null)[] = [],
) {
  const { network, programs, valueLayout } = engine;
  const { size } = network.populations[network.readout];
  const stride = engine.outputStride;
  for (const p of network.populations.keys()) engine.setSent(p, sent[p] ?? null);
  const padded = engine.forward(sample);
  const outputs = new Float64Array(sample.steps * size);
  for (let t = 0; t < sample.steps; t++) for (let k = 0; k < size; k++) outputs[t * size + k] = padded[t * stride + k];
  const { loss: value, derivative } = loss(outputs, sample.steps);
  const adjoints = engine.outputAdjoints();
  adjoints.fill(0);
  for (let t = 0; t < sample.steps; t++)
    for (let k = 0; k < size; k++) adjoints[t * stride + k] = derivative[t * size + k];
  for (const [p, spec] of network.populations.entries()) {
    if (p === network.readout) continue;
    const row = engine.spikeCosts(p).fill(0);
    const cost = costs[p];
    if (!cost) continue;
    const stridden = 4 * Math.ceil(spec.size / 4);
    for (let i = 0; i < cost.length; i++) row[Math.floor(i / spec.size) * stridden + (i % spec.size)] = cost[i];
  }
  const spikes = network.populations.map((spec, p) => {
    const z = new Float64Array(sample.steps * spec.size);
    if (p === network.readout) return z;
    const { neurons, starts } = engine.spikes(p);
    for (let t = 0; t < sample.steps; t++) {
      for (let i = starts[t]; i < starts[t + 1]; i++) z[t * spec.size + neurons[i]] = 1;
    }
    return z;
  });
  engine.backward();
  return {
    loss: value,
    outputs,
    spikes,
    gradients: readGradients(network, programs, valueLayout, values.constants, engine.gradients),
  };
}

/** Largest difference, relative to the largest entry (to 1e-12 when all are zero). */
export function difference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let [worst, scale] = [0, 1e-12];
  if (actual.length !== wanted.length) throw new Error(`${actual.length} values where ${wanted.length} were wanted`);
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - wanted[i]));
    scale = Math.max(scale, Math.abs(wanted[i]));
  }
  return worst / scale;
}
