/** What the page's own script needs, as JSON with encoded curves. */
import type { ExampleNeuron, TestReport } from "../learning/rls/results.ts";
import { type EncodedCurves, type EncodedSpikes, encodeCurves, encodeFloats, encodeSpikes } from "./encode.ts";
import type { ReportInput } from "./input.ts";
import { medianAndDeviation, runningMean } from "./statistics.ts";

export interface LearningPayload {
  readonly iteration: string;
  /** Position of each iteration's task, counted from 0. */
  readonly task: readonly number[];
  readonly tasks: readonly string[];
  /** Seconds of wall time at the end of each iteration. */
  readonly wall: string;
  readonly correlation: string;
  readonly correlationMean: string;
  readonly rate: string;
  readonly rateExcitatory: string;
  readonly rateInhibitory: string;
  readonly error: string;
  readonly errorMean: string;
  readonly gainMean: string;
  readonly gainLargest: string;
}

export interface ExampleTask {
  readonly target: string;
  readonly median: string;
  readonly low: string;
  readonly high: string;
  readonly trials: EncodedCurves;
  readonly rate: string;
  readonly recorded: string | null;
}

export interface ExamplePayload {
  readonly neuron: number;
  readonly correlation: number | null;
  readonly tasks: readonly ExampleTask[];
}

export interface Payload {
  readonly learning: LearningPayload | null;
  readonly examples: readonly ExamplePayload[];
  /** Time of the first row of a target and between rows, ms from the start of the trial. */
  readonly rows: { readonly count: number; readonly firstMs: number; readonly everyMs: number };
  readonly rasters: readonly EncodedSpikes[];
  readonly neurons: number;
  readonly excitatory: number;
  readonly dtMs: number;
  readonly trialMs: number;
  readonly stimulusOffMs: number;
}

/** Bytes of single trials in the page; with more, every k-th trial is kept. Medians always use all. */
const trialBytesMost = 600_000;

export const runningWindow = (iterations: number): number => Math.max(3, 2 * Math.round(iterations / 40) + 1);

/** Names for the tasks that training or testing mention. */
export function taskNames(input: ReportInput): string[] {
  const named = input.test?.taskNames ?? [];
  const most = input.iterations.reduce((m, i) => Math.max(m, i.task + 1), named.length);
  return Array.from({ length: most }, (_, t) => named[t] ?? `task ${t + 1}`);
}

/** Examples with curves to show, best correlation first; undefined correlations last. */
export function rankedExamples(test: TestReport): readonly ExampleNeuron[] {
  const rank = (e: ExampleNeuron): number => (Number.isFinite(e.correlation) ? e.correlation : -2);
  return [...test.examples].sort((a, b) => rank(b) - rank(a) || a.neuron - b.neuron);
}

/** How many of the trials of each example are in the page, and which. */
export function keptTrials(test: TestReport): number[] {
  const trials = test.examples.reduce((m, e) => Math.max(m, ...e.current.map((c) => c.length)), 0);
  const bytes = test.examples.length * test.taskNames.length * test.rows * 2;
  const most = Math.max(1, Math.floor(trialBytesMost / Math.max(1, bytes)));
  if (trials <= most) return Array.from({ length: trials }, (_, t) => t);
  return Array.from({ length: most }, (_, i) => Math.floor((i * trials) / most));
}

function learningPayload(input: ReportInput): LearningPayload | null {
  const { iterations } = input;
  if (iterations.length === 0) return null;
  let wall = 0;
  const of = (pick: (i: (typeof iterations)[number]) => number | null): string =>
    encodeFloats(iterations.map((i) => pick(i) ?? Number.NaN));
  const smooth = (pick: (i: (typeof iterations)[number]) => number | null): string =>
    encodeFloats(
      runningMean(
        iterations.map((i) => pick(i) ?? Number.NaN),
        runningWindow(iterations.length),
      ),
    );
  return {
    iteration: of((i) => i.iteration),
    task: iterations.map((i) => i.task),
    tasks: taskNames(input),
    wall: of((i) => {
      wall += i.seconds;
      return wall;
    }),
    correlation: of((i) => i.correlation),
    correlationMean: smooth((i) => i.correlation),
    rate: of((i) => i.rateHz),
    rateExcitatory: of((i) => i.rateExcitatoryHz),
    rateInhibitory: of((i) => i.rateInhibitoryHz),
    error: of((i) => i.rmsError),
    errorMean: smooth((i) => i.rmsError),
    gainMean: of((i) => i.health.meanGain),
    gainLargest: of((i) => i.health.largestGain),
  };
}

function examplePayload(example: ExampleNeuron, rows: number, kept: readonly number[]): ExamplePayload {
  return {
    neuron: example.neuron,
    correlation: Number.isFinite(example.correlation) ? example.correlation : null,
    tasks: example.target.map((target, t) => {
      const trials = example.current[t] ?? [];
      const { median, mad } = medianAndDeviation(trials, rows);
      return {
        target: encodeFloats(target),
        median: encodeFloats(median),
        low: encodeFloats(median.map((m, i) => m - mad[i])),
        high: encodeFloats(median.map((m, i) => m + mad[i])),
        trials: encodeCurves(
          kept.filter((k) => k < trials.length).map((k) => trials[k]),
          rows,
        ),
        rate: encodeFloats(example.rateHz[t] ?? []),
        recorded: example.recordedHz?.[t] ? encodeFloats(example.recordedHz[t]) : null,
      };
    }),
  };
}

export function payloadOf(input: ReportInput): Payload {
  const { test } = input;
  const kept = test ? keptTrials(test) : [];
  return {
    learning: learningPayload(input),
    examples: test ? rankedExamples(test).map((e) => examplePayload(e, test.rows, kept)) : [],
    // Row q (from 1) is the mean around stimulus end + q * learnEvery.
    rows: {
      count: test?.rows ?? 0,
      firstMs: (test?.stimulusOffMs ?? 0) + (test?.learnEveryMs ?? 0),
      everyMs: test?.learnEveryMs ?? 0,
    },
    rasters: test ? test.raster.map((r) => encodeSpikes(r.steps, r.neurons, test.neurons)) : [],
    neurons: test?.neurons ?? 0,
    excitatory: test?.excitatory ?? 0,
    dtMs: input.dtMs,
    trialMs: test?.trialMs ?? 0,
    stimulusOffMs: test?.stimulusOffMs ?? 0,
  };
}
