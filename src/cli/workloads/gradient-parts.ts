/**
 * Where the time of one sample goes: forward, loss, backward and its share of the optimiser, beside what touching the rows
 * of the weights and gradients costs at least, and beside the float64 twin.
 *
 * The floor: a spike reads its row of weights on the way forward, and reads and writes its row of gradients on the way
 * back. Those bytes, as fast as memory of the size of weights and gradients is read and written in place.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import { padded } from "../../kernels/rows/wasm.ts";
import { readGradients } from "../../learning/gradient/blocks.ts";
import type { GradientEngine } from "../../learning/gradient/engine.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { referenceGradients } from "../../learning/gradient/reference.ts";
import { createGradientTrainer } from "../../learning/gradient/trainer.node.ts";
import { makeLoss } from "../../learning/losses/loss.ts";
import { makeOptimiser } from "../../learning/optimisers/optimiser.ts";
import {
  eventCount,
  initialEngine,
  initialNetwork,
  type Training,
  type TrainingChoice,
  trainingOf,
} from "./gradient-networks.ts";
import { type Spread, spreadOf } from "./measurement.ts";

/** Samples per batch: the share of the optimiser, and the whole of training, are measured at this size. */
export const batchSize = 32;

export interface PartsRow {
  readonly name: string;
  readonly neurons: number;
  readonly steps: number;
  readonly simd: "plain" | "relaxed";
  /** Milliseconds per sample. */
  readonly forward: Spread;
  readonly loss: Spread;
  readonly backward: Spread;
  readonly optimiser: Spread;
  /** Of all parts together, and what was asked for. */
  readonly total: Spread;
  readonly target: number | null;
  /** Of `trainBatch` with one thread: the parts, sums over lanes, copies. */
  readonly trained: Spread;
  readonly floor: number;
  readonly rowBytes: number;
  readonly inputEvents: number;
  readonly hiddenHz: number;
  /** Share of neurons and steps within the support of the surrogate; 1 where it has no end. */
  readonly activeShare: number;
  /** Share that the way back computes: groups of four neurons of which one is active. */
  readonly computedShare: number;
}

const time = (work: () => void): number => {
  const started = performance.now();
  work();
  return performance.now() - started;
};

/** Runs samples of `batch` forward and back; milliseconds per sample of each part. */
export function onePass(engine: GradientEngine, training: Training, batch: readonly LabelledEvents[]) {
  const { size } = engine.network.populations[engine.network.readout];
  const loss = makeLoss(training.spec.loss, size);
  const parts = { forward: 0, loss: 0, backward: 0 };
  for (const { events, target } of batch) {
    let outputs: Float32Array = new Float32Array(0);
    parts.forward += time(() => {
      outputs = engine.forward(events);
    });
    parts.loss += time(() => loss.evaluate(outputs, events.steps, target, engine.outputAdjoints(), 1 / batch.length));
    parts.backward += time(() => engine.backward());
  }
  return {
    forward: parts.forward / batch.length,
    loss: parts.loss / batch.length,
    backward: parts.backward / batch.length,
  };
}

function activity(engine: GradientEngine, sample: StepEvents): Pick<PartsRow, "activeShare" | "computedShare"> {
  const { surrogate, size } = engine.network.populations[0];
  engine.forward(sample);
  const margins = engine.margins(0);
  if (margins === null || !Number.isFinite(surrogate.support)) return { activeShare: 1, computedShare: 1 };
  let active = 0;
  let groups = 0;
  for (let at = 0; at < margins.length; at += 4) {
    const inside = margins.subarray(at, at + 4).filter((margin) => Math.abs(margin) <= surrogate.support).length;
    active += inside;
    if (inside > 0) groups++;
  }
  return { activeShare: active / (sample.steps * size), computedShare: (4 * groups) / margins.length };
}

export interface PartsSetup {
  readonly repeat: number;
  /** Milliseconds per sample that were asked for. */
  readonly target: number | null;
  /** Bytes per second in place, each counted for reading and for writing, of a memory of so many bytes. */
  readonly bandwidthOf: (bytes: number) => Promise<Spread>;
}

export async function measureParts(
  name: string,
  choice: TrainingChoice,
  samples: readonly LabelledEvents[],
  { repeat, target, bandwidthOf }: PartsSetup,
): Promise<PartsRow> {
  const training = trainingOf(choice);
  const engine = await initialEngine(training);
  const outputs = training.spec.populations[1].size;
  // The readout's rows have no padding here, so that the loss can read and write them where they are.
  if (padded(outputs) !== outputs) throw new Error(`${outputs} outputs are not a multiple of 4`);
  const batch = Array.from({ length: batchSize }, (_, i) => samples[i % samples.length]);

  const { length } = engine.values;
  const optimiser = makeOptimiser(training.plan.optimiser, [{ name: "all", size: length }]);
  const moved = { all: engine.values.slice() };
  const passes: (ReturnType<typeof onePass> & { optimiser: number })[] = [];
  // The first passes meet code that is not yet optimised.
  for (let round = -2; round < repeat; round++) {
    engine.clearGradients();
    const pass = onePass(engine, training, batch);
    const gradients = { all: engine.gradients };
    const ofOptimiser = time(() => optimiser.step(moved, gradients)) / batchSize;
    if (round >= 0) passes.push({ ...pass, optimiser: ofOptimiser });
  }
  let hidden = 0;
  let events = 0;
  let steps = 0;
  for (const { events: sample } of samples) {
    engine.forward(sample);
    hidden += engine.spikes(0).neurons.length;
    events += eventCount(sample);
    steps += sample.steps;
  }
  const rowBytes = (3 * 4 * choice.neurons * (hidden + events)) / samples.length;
  const bandwidth = await bandwidthOf(8 * length);
  return {
    name,
    neurons: choice.neurons,
    steps: steps / samples.length,
    simd: choice.relaxed ? "relaxed" : "plain",
    forward: spreadOf(passes.map((pass) => pass.forward)),
    loss: spreadOf(passes.map((pass) => pass.loss)),
    backward: spreadOf(passes.map((pass) => pass.backward)),
    optimiser: spreadOf(passes.map((pass) => pass.optimiser)),
    total: spreadOf(passes.map((pass) => pass.forward + pass.loss + pass.backward + pass.optimiser)),
    target,
    trained: await trainedMs(training, batch, repeat),
    floor: (1000 * rowBytes) / bandwidth.median,
    rowBytes,
    inputEvents: events / samples.length,
    hiddenHz: (1000 * hidden) / (steps * training.spec.dtMs * choice.neurons),
    ...activity(engine, samples[0].events),
  };
}

/** Milliseconds per sample of whole batches in the trainer. Weights stay what they are: the rate is 0. */
async function trainedMs({ spec, plan }: Training, batch: readonly LabelledEvents[], repeat: number): Promise<Spread> {
  const trainer = await createGradientTrainer(spec, still(plan), { threads: 1 });
  try {
    const values: number[] = [];
    for (let round = -2; round < repeat; round++) {
      const started = performance.now();
      await trainer.trainBatch(batch);
      if (round >= 0) values.push((performance.now() - started) / batch.length);
    }
    return spreadOf(values);
  } finally {
    await trainer.close();
  }
}

/** The same plan with a rate too small to change anything, so that every batch is the same work. */
export const still = (plan: Training["plan"]): Training["plan"] => ({
  ...plan,
  optimiser: { type: "adam", rate: 1e-30 },
});

export interface TwinComparison {
  readonly name: string;
  readonly steps: number;
  readonly twinMs: Spread;
  readonly engineMs: Spread;
  /** Largest difference of any gradient, relative to the largest of its array. */
  readonly largestDifference: number;
  /** Places where one of the two spikes and the other does not. */
  readonly differentSpikes: number;
}

/** The engine and the twin on the first steps of a sample. */
export async function compareWithTwin(
  name: string,
  choice: TrainingChoice,
  sample: LabelledEvents,
  { steps, repeat }: { steps: number; repeat: number },
): Promise<TwinComparison> {
  const training = trainingOf(choice);
  const { network, values } = await initialNetwork(training);
  const engine = await initialEngine(training);
  const short = { events: { ...sample.events, steps }, target: sample.target };
  const { size } = network.populations[1];
  const loss = makeLoss(training.spec.loss, size);
  const derivative = new Float64Array(steps * size);
  let twin: ReturnType<typeof referenceGradients> | undefined;
  const twinMs = Array.from({ length: repeat }, () =>
    time(() => {
      twin = referenceGradients(network, values, short.events, (outputs) => ({
        loss: loss.evaluate(outputs, steps, short.target, derivative).loss,
        derivative,
      }));
    }),
  );
  const engineMs = Array.from({ length: repeat + 5 }, () =>
    time(() => {
      engine.clearGradients();
      onePass(engine, training, [short]);
    }),
  ).slice(5);
  const own = readGradients(network, engine.programs, engine.valueLayout, values.constants, engine.gradients);
  const { neurons, starts } = engine.spikes(0);
  const unmatched = twin!.spikes[0].slice();
  for (let t = 0; t < steps; t++) {
    for (let i = starts[t]; i < starts[t + 1]; i++) unmatched[t * choice.neurons + neurons[i]] -= 1;
  }
  return {
    name,
    steps,
    twinMs: spreadOf(twinMs),
    engineMs: spreadOf(engineMs),
    largestDifference: largestDifference(own.weights, twin!.gradients.weights),
    differentSpikes: unmatched.reduce((sum, difference) => sum + Math.abs(difference), 0),
  };
}

/** Largest difference of any entry, relative to the largest of its array. */
export function largestDifference(actual: readonly ArrayLike<number>[], wanted: readonly ArrayLike<number>[]): number {
  const ofArrays = wanted.map((values, k) => {
    let [worst, largest] = [0, Number.MIN_VALUE];
    for (let i = 0; i < values.length; i++) {
      worst = Math.max(worst, Math.abs(actual[k][i] - values[i]));
      largest = Math.max(largest, Math.abs(values[i]));
    }
    return worst / largest;
  });
  return Math.max(...ofArrays);
}
