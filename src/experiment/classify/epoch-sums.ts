/** What the batches of an epoch add up to, and the line of `metrics.jsonl` that comes of it. */

import type { BatchReport } from "../../learning/gradient/results.ts";
import type { GradientNetwork } from "../../learning/gradient/spec.ts";
import { type Figures, figuresOf, type Scoring } from "./evaluate.ts";
import { activityOf, type LayerActivity } from "./health.ts";

/** One line of `metrics.jsonl`. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** While learning. */
  readonly train: Figures;
  /** Of the weights at the end of the epoch; null where nothing is held out. */
  readonly validation: Figures | null;
  /** Mean loss of the regularisers. */
  readonly regularisation: number;
  /** Of the last batch. */
  readonly learningRate: number;
  /** Norm of all gradients together before clipping, mean over batches. */
  readonly gradientNorm: number;
  /** By group of parameters. */
  readonly gradientNorms: Readonly<Record<string, number>>;
  readonly layers: readonly LayerActivity[];
  readonly samples: number;
  readonly samplesPerSecond: number;
  /** Wall time, validation included. */
  readonly seconds: number;
  /** Of these: waiting for samples, and validation. */
  readonly split: { readonly data: number; readonly validation: number };
}

/** Over the batches of an epoch so far. Arrays and plain values: part of the state that is kept. */
export interface EpochSums {
  loss: number;
  regularisation: number;
  correct: number;
  samples: number;
  steps: number;
  /** Of the last batch. */
  learningRate: number;
  gradientNorm: number;
  gradientNorms: Record<string, number>;
  support: { inside: number; seen: number }[];
  /** By population, as text: the width that a cut surrogate was last given, where it had to be widened. */
  widened: Record<string, number>;
  /** By population: spikes of every neuron. */
  counts: Float64Array[];
}

export function noSums({ populations }: GradientNetwork): EpochSums {
  return {
    loss: 0,
    regularisation: 0,
    correct: 0,
    samples: 0,
    steps: 0,
    learningRate: 0,
    gradientNorm: 0,
    gradientNorms: {},
    support: populations.map(() => ({ inside: 0, seen: 0 })),
    widened: {},
    counts: populations.map(({ size }) => new Float64Array(size)),
  };
}

export function addBatch(sums: EpochSums, report: BatchReport, learningRate: number): void {
  sums.loss += report.loss;
  sums.regularisation += report.regularisation;
  sums.correct += report.correct;
  sums.samples += report.samples;
  sums.steps += report.steps;
  sums.learningRate = learningRate;
  sums.gradientNorm += report.gradientNorm;
  for (const [name, norm] of Object.entries(report.gradientNorms)) {
    sums.gradientNorms[name] = (sums.gradientNorms[name] ?? 0) + norm;
  }
  for (const [p, { inside, seen }] of report.support.entries()) {
    sums.support[p].inside += inside;
    sums.support[p].seen += seen;
  }
  for (const { population, width } of report.widened) sums.widened[population] = width;
  for (const [p, own] of report.counts.entries()) for (let i = 0; i < own.length; i++) sums.counts[p][i] += own[i];
}

export const copySums = (sums: EpochSums): EpochSums => structuredClone(sums);

export const trainFigures = (scoring: Scoring, { loss, correct, samples }: EpochSums): Figures =>
  figuresOf(scoring, loss, correct, samples);

/** Wall times of an epoch, seconds. */
export interface EpochTimes {
  /** Per sample that was learned from in this process; 0 when there was none. */
  readonly perSample: number;
  readonly waiting: number;
  readonly validation: number;
}

export function reportOf(
  epoch: number,
  network: GradientNetwork,
  scoring: Scoring,
  sums: EpochSums,
  rest: { readonly batches: number; readonly validation: Figures | null; readonly times: EpochTimes },
): EpochReport {
  const { batches, validation, times } = rest;
  const names = Object.keys(sums.gradientNorms).sort();
  return {
    epoch,
    train: trainFigures(scoring, sums),
    validation,
    regularisation: sums.regularisation / batches,
    learningRate: sums.learningRate,
    gradientNorm: sums.gradientNorm / batches,
    gradientNorms: Object.fromEntries(names.map((name) => [name, sums.gradientNorms[name] / batches])),
    layers: activityOf(network, sums),
    samples: sums.samples,
    samplesPerSecond: times.perSample === 0 ? 0 : 1 / times.perSample,
    // Of an epoch that another process began, what it would have taken here.
    seconds: times.perSample * sums.samples + times.validation,
    split: { data: times.waiting, validation: times.validation },
  };
}
