/** How well the present weights do on samples that are not learned from. */
import type { SampleResults } from "../../learning/gradient/results.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import type { SampleReader } from "./data.ts";

/** Means over samples. */
export interface Figures {
  readonly loss: number;
  /** Share of samples whose class was predicted; null without classes. */
  readonly accuracy: number | null;
  /**
   * Squared errors over the squared deviations of the target from its mean: 0 perfect, 1 as good as a constant; null with
   * classes.
   */
  readonly normalisedError: number | null;
}

export interface Evaluation extends Figures {
  readonly samples: number;
  /** `[true class * classes + predicted class]`; null without classes. */
  readonly confusion: Uint32Array | null;
  /** By population that spikes: mean rate of every neuron, Hz. */
  readonly ratesHz: readonly Float32Array[];
  /** Wall time, reading and encoding included. */
  readonly seconds: number;
}

/** From the loss of a sample to the figures of many. */
export interface Scoring {
  readonly hasClasses: boolean;
  readonly outputs: number;
  readonly dtMs: number;
  /** What the loss of a sample times this is its normalised error. */
  readonly errorPerLoss: number;
}

/** Sums over samples as figures. */
export function figuresOf(
  { hasClasses, errorPerLoss }: Scoring,
  loss: number,
  correct: number,
  samples: number,
): Figures {
  return {
    loss: loss / samples,
    accuracy: hasClasses ? correct / samples : null,
    normalisedError: hasClasses ? null : (errorPerLoss * loss) / samples,
  };
}

/** Whether these figures are better than those: more accurate, or with less loss at the same accuracy. */
export function isBetter(a: Figures, b: Figures): boolean {
  if (a.accuracy !== null && b.accuracy !== null && a.accuracy !== b.accuracy) return a.accuracy > b.accuracy;
  return a.loss < b.loss;
}

/** Samples in one request to the workers. */
const chunk = 64;

/**
 * Runs all samples of a reader.
 * @param shouldStop asked between chunks
 * @returns null when stopped
 */
export async function evaluate(
  trainer: GradientTrainer,
  reader: SampleReader,
  scoring: Scoring,
  shouldStop: () => boolean = () => false,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Evaluation | null> {
  const started = performance.now();
  const { indices, set } = reader.samples;
  const { outputs, dtMs, hasClasses } = scoring;
  const { populations, readout } = trainer.network;
  const confusion = hasClasses ? new Uint32Array(outputs * outputs) : null;
  const counts = populations.map(({ size }) => new Float64Array(size));
  let [loss, correct, steps] = [0, 0, 0];
  const chunkAt = (from: number) => indices.subarray(from, from + chunk);
  const prepare = (from: number) => {
    const prepared = reader.prepare(0, chunkAt(from));
    // When the evaluation is stopped, nobody is left to hear that reading failed.
    prepared.catch(() => {});
    return prepared;
  };
  let next = prepare(0);
  for (let from = 0; from < indices.length; from += chunk) {
    if (shouldStop()) return null;
    const own = chunkAt(from);
    const running = trainer.test(await next);
    if (from + chunk < indices.length) next = prepare(from + chunk);
    const results: SampleResults = await running;
    for (const [i, index] of own.entries()) {
      loss += results.losses[i];
      if (confusion === null) continue;
      if (results.predicted[i] === set.labels[index]) correct++;
      confusion[set.labels[index] * outputs + results.predicted[i]]++;
    }
    for (const [p, ofChunk] of results.counts.entries())
      for (let j = 0; j < ofChunk.length; j++) counts[p][j] += ofChunk[j];
    steps += results.steps;
    onProgress(from + own.length, indices.length);
    await turn();
  }
  const perSecond = 1000 / (steps * dtMs);
  return {
    ...figuresOf(scoring, loss, correct, indices.length),
    samples: indices.length,
    confusion,
    ratesHz: counts.filter((_, p) => p !== readout).map((own) => Float32Array.from(own, (count) => count * perSecond)),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Lets signals and timers through: work in this thread alone would keep them waiting. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
