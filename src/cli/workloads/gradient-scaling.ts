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

/** A way in which the time per step could depend on the length. */
interface LengthWay {
  readonly name: string;
  readonly make: (sample: StepEvents, steps: number) => StepEvents;
  readonly tapeBytes?: number;
  /** The time of the first length is taken off all others: what is left are the steps after it. */
  readonly afterFirst?: boolean;
}

/**
 * Time per step against the length: as it is; in pieces of 64 steps whose forward pass is repeated, as very long samples
 * are; and of the steps after the input fell silent, where states decay for thousands of steps and would become subnormal
 * numbers.
 */
export async function measureLength(
  name: string,
  choice: TrainingChoice,
  sample: StepEvents,
  { lengths, repeat }: { lengths: readonly number[]; repeat: number },
): Promise<LengthRow[]> {
  const ways: LengthWay[] = [
    { name: "whole", make: repeatSample },
    {
      name: `pieces of ${smallTapeSteps} steps or fewer`,
      make: repeatSample,
      tapeBytes: 4 * choice.neurons * smallTapeSteps,
    },
    ...(lengths.length > 1 ? [{ name: "silent steps", make: thenSilence, afterFirst: true }] : []),
  ];
  const rows: LengthRow[] = [];
  for (const way of ways) {
    const milliseconds = await timeLengths(way, choice, sample, { lengths, repeat });
    const [first, ...others] = lengths.map((steps, k) => ({ steps, ms: milliseconds[k] }));
    const measured = way.afterFirst
      ? others.map(({ steps, ms }) => ({
          steps,
          us: ms.map((x) => (1000 * (x - median(first.ms))) / (steps - first.steps)),
        }))
      : [first, ...others].map(({ steps, ms }) => ({ steps, us: ms.map((x) => (1000 * x) / steps) }));
    const medians = measured.map(({ us }) => median(us));
    rows.push({
      name: `${name}, ${way.name}`,
      microsecondsPerStep: Object.fromEntries(measured.map(({ steps, us }) => [steps, spreadOf(us)])),
      largestRatio: Math.max(...medians) / Math.min(...medians),
    });
  }
  return rows;
}

/** Milliseconds of a sample, forward and back without the loss, by length and repetition. */
async function timeLengths(
  { make, tapeBytes }: LengthWay,
  choice: TrainingChoice,
  sample: StepEvents,
  { lengths, repeat }: { lengths: readonly number[]; repeat: number },
): Promise<number[][]> {
  // A loss of every step, so that all of them have a way back.
  const training = trainingOf({ ...choice, loss: { type: "crossEntropy", readout: "perStep" } });
  const loss = makeLoss(training.spec.loss, training.spec.populations[1].size);
  const runs = [];
  for (const steps of lengths) {
    const engine = await initialEngine(training, { tapeBytes });
    // As many passes as give every length about the same number of steps, so that none is measured with cold code.
    const passes = Math.max(1, Math.round(lengths[lengths.length - 1] / steps));
    runs.push({ engine, events: make(sample, steps), passes, milliseconds: [] as number[] });
  }
  // One round after another, so that a machine that drifts drifts for all.
  for (let round = -1; round < repeat; round++) {
    for (const { engine, events, passes, milliseconds } of runs) {
      let sum = 0;
      for (let pass = 0; pass < passes; pass++) {
        const started = performance.now();
        const outputs = engine.forward(events);
        sum += performance.now() - started;
        loss.evaluate(outputs, events.steps, { label: 0 }, engine.outputAdjoints());
        const between = performance.now();
        engine.backward();
        sum += performance.now() - between;
      }
      if (round >= 0) milliseconds.push(sum / passes);
    }
  }
  return runs.map(({ milliseconds }) => milliseconds);
}
