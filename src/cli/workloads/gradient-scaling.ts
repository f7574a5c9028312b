/** How training scales: with threads and batch, in memory, and with the length of samples. */
import type { StepEvents } from "../../data/labelled-set.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { createGradientTrainer } from "../../learning/gradient/trainer.node.ts";
import { makeLoss } from "../../learning/losses/loss.ts";
import { median } from "../../math/statistics.ts";
import { initialEngine, type SpikesChoice, type TrainingChoice, trainingOf } from "./gradient-networks.ts";
import { still } from "./gradient-parts.ts";
import { runJob } from "./gradient-process.ts";
import { type Spread, spreadOf } from "./measurement.ts";

export interface BatchRow {
  readonly name: string;
  readonly steps: number;
  readonly batch: number;
  /** Of one batch in the trainer, one thread. */
  readonly seconds: Spread;
  readonly targetSeconds: number | null;
  /** The most memory of the process, beyond what it had before the samples and the network were made. */
  readonly bytesOverBase: number;
  readonly targetBytes: number | null;
  readonly hiddenShare: number;
  /** What the dense framework of the comparison takes: seconds per batch and bytes over its own base. */
  readonly published: { readonly seconds: readonly [number, number]; readonly bytes: number | null } | null;
}

/** The first batches meet code that is not yet optimised. */
const warmUp = 2;

/** Batches in a process of its own. */
export async function measureBatch(
  row: Pick<BatchRow, "name" | "targetSeconds" | "targetBytes" | "published">,
  choice: TrainingChoice,
  spikes: Omit<SpikesChoice, "samples">,
  { batch, repeat }: { batch: number; repeat: number },
): Promise<BatchRow> {
  const result = await runJob({
    choice: { ...choice, rate: 1e-30 },
    data: { type: "shdLike", spikes: { ...spikes, samples: batch } },
    batch,
    epochs: warmUp + repeat,
    threads: 1,
  });
  return {
    ...row,
    steps: spikes.steps,
    batch,
    seconds: spreadOf(result.seconds.slice(warmUp)),
    bytesOverBase: result.peakBytes - result.baseBytes,
    hiddenShare: result.hiddenShare,
  };
}

export interface ThreadRow {
  readonly name: string;
  readonly batch: number;
  readonly threads: number;
  readonly samplesPerSecond: Spread;
  readonly speedUpOverOneThread: number;
}

/** Samples per second of whole batches, for every size of a batch and number of threads, one round after another. */
export async function measureThreads(
  name: string,
  choice: TrainingChoice,
  samples: readonly LabelledEvents[],
  { batches, threadsOf, repeat }: { batches: readonly number[]; threadsOf: readonly number[]; repeat: number },
): Promise<ThreadRow[]> {
  const { spec, plan } = trainingOf(choice);
  const lanes = 2 ** Math.ceil(Math.log2(Math.max(spec.lanes, ...threadsOf)));
  const trainers = await Promise.all(
    threadsOf.map((threads) => createGradientTrainer({ ...spec, lanes }, still(plan), { threads })),
  );
  try {
    const rows: ThreadRow[] = [];
    for (const batch of batches) {
      const own = Array.from({ length: batch }, (_, i) => samples[i % samples.length]);
      const perSecond: number[][] = threadsOf.map(() => []);
      for (let round = -1; round < repeat; round++) {
        for (const [k, trainer] of trainers.entries()) {
          const started = performance.now();
          await trainer.trainBatch(own);
          if (round >= 0) perSecond[k].push((1000 * batch) / (performance.now() - started));
        }
      }
      const alone = median(perSecond[0]);
      for (const [k, threads] of threadsOf.entries()) {
        const speed = spreadOf(perSecond[k]);
        const row = { name, batch, threads, samplesPerSecond: speed };
        rows.push({ ...row, speedUpOverOneThread: speed.median / alone });
      }
    }
    return rows;
  } finally {
    await Promise.all(trainers.map((trainer) => trainer.close()));
  }
}

export interface LengthRow {
  readonly name: string;
  /** Microseconds per step of a sample, forward and backward, by number of steps. */
  readonly microsecondsPerStep: Readonly<Record<string, Spread>>;
  /** Largest of these over the smallest. */
  readonly largestRatio: number;
}

/** Bytes of tape with which the longest samples come in very many pieces. */
const smallTapeSteps = 64;

/** Those that are not above `longest`, or `longest` alone. */
export function lengthsUpTo(longest: number, lengths: readonly number[]): number[] {
  const fitting = lengths.filter((steps) => steps <= longest);
  return fitting.length > 0 ? fitting : [longest];
}

/** The sample over and over, `steps` long. */
export function repeatSample(sample: StepEvents, steps: number): StepEvents {
  const count = sample.offsets[sample.steps];
  const offsets = Uint32Array.from(
    { length: steps + 1 },
    (_, t) => Math.floor(t / sample.steps) * count + sample.offsets[t % sample.steps],
  );
  const channels = Uint32Array.from({ length: offsets[steps] }, (_, e) => sample.channels[e % count]);
  return { steps, offsets, channels, values: null };
}

/** The sample, and then nothing until `steps`. */
export function thenSilence(sample: StepEvents, steps: number): StepEvents {
  const offsets = Uint32Array.from({ length: steps + 1 }, (_, t) => sample.offsets[Math.min(t, sample.steps)]);
  return { ...sample, steps, offsets };
}

/**
 * Time per step against the length: as it is; in pieces of 64 steps whose forward pass is repeated, as very long samples
 * are; and with an input that falls silent after the first sample, where states decay for thousands of steps and would
 * become subnormal numbers.
 */
export async function measureLength(
  name: string,
  choice: TrainingChoice,
  sample: StepEvents,
  { lengths, repeat }: { lengths: readonly number[]; repeat: number },
): Promise<LengthRow[]> {
  // A loss of every step, so that all of them have a way back.
  const training = trainingOf({ ...choice, loss: { type: "crossEntropy", readout: "perStep" } });
  const { size } = training.spec.populations[1];
  const bytesPerStep = 4 * choice.neurons * smallTapeSteps;
  const ways = [
    { name: "whole", make: repeatSample, tapeBytes: undefined },
    { name: `pieces of ${smallTapeSteps} steps or fewer`, make: repeatSample, tapeBytes: bytesPerStep },
    { name: `silent after ${sample.steps}`, make: thenSilence, tapeBytes: undefined },
  ];
  const rows: LengthRow[] = [];
  for (const way of ways) {
    const times: Record<string, Spread> = {};
    for (const steps of lengths) {
      const engine = await initialEngine(training, { tapeBytes: way.tapeBytes });
      const events = way.make(sample, steps);
      const loss = makeLoss(training.spec.loss, size);
      const values: number[] = [];
      // As many passes as give every length the same number of steps, so that none is measured with cold code.
      const passes = Math.max(1, Math.round(lengths[lengths.length - 1] / steps));
      for (let round = -1; round < repeat; round++) {
        let milliseconds = 0;
        for (let pass = 0; pass < passes; pass++) {
          const started = performance.now();
          const outputs = engine.forward(events);
          const between = performance.now();
          loss.evaluate(outputs, steps, { label: 0 }, engine.outputAdjoints());
          const after = performance.now();
          engine.backward();
          milliseconds += performance.now() - after + (between - started);
        }
        if (round >= 0) values.push((1000 * milliseconds) / (passes * steps));
      }
      times[steps] = spreadOf(values);
    }
    const medians = Object.values(times).map((spread) => spread.median);
    rows.push({
      name: `${name}, ${way.name}`,
      microsecondsPerStep: times,
      largestRatio: Math.max(...medians) / Math.min(...medians),
    });
  }
  return rows;
}
