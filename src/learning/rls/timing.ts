/** The times of a trial as whole steps. Step ti = 1 .. steps covers the time from (ti - 1) dt to ti dt. */
import { UserError } from "../../base/errors.ts";
import type { TrialTiming } from "./spec.ts";

export interface TrialSteps {
  /** Length of a trial. */
  readonly steps: number;
  /** The stimulus acts in steps stimulusOn < ti < stimulusOff. */
  readonly stimulusOn: number;
  /** Training begins after this step. */
  readonly stimulusOff: number;
  /** An RLS update at every multiple of this after stimulusOff. */
  readonly learnEvery: number;
  /** Updates per trial = rows of the targets. */
  readonly rows: number;
  /** Currents are sampled at whole milliseconds; at every step where dt is longer, at every row where rows are closer. */
  readonly sampleEvery: number;
}

export function trialSteps(timing: TrialTiming): TrialSteps {
  const stepsOf = (ms: number) => Math.round(ms / timing.dtMs);
  const learnEvery = stepsOf(timing.learnEveryMs);
  const rows = Math.round(timing.trainMs / timing.learnEveryMs);
  if (learnEvery < 1 || rows < 1 || stepsOf(timing.stimulusOffMs) % learnEvery !== 0) {
    throw new UserError(
      `timing.learnEveryMs is ${timing.learnEveryMs} ms: it must be at least one step of ${timing.dtMs} ms, fit into ` +
        `trainMs = ${timing.trainMs} ms and divide stimulusOffMs = ${timing.stimulusOffMs} ms`,
    );
  }
  return {
    steps: stepsOf(timing.stimulusOffMs) + rows * learnEvery,
    stimulusOn: stepsOf(timing.stimulusOnMs),
    stimulusOff: stepsOf(timing.stimulusOffMs),
    learnEvery,
    rows,
    sampleEvery: Math.max(1, Math.min(stepsOf(1), learnEvery)),
  };
}

/**
 * The windows in which currents and spikes are averaged: row q covers samples s with c - window <= s < c + window around
 * its time c, cut at the ends, s = 1, 2, ... counted in samples after stimulusOff. Windows overlap, so samples are summed
 * in bins between all window edges, and a row is a run of bins.
 */
export interface WindowBins {
  /** Last sample of every bin, ascending. */
  readonly ends: readonly number[];
  /** Bins first .. last (inclusive) of every row, and how many samples they hold. */
  readonly rows: readonly { readonly first: number; readonly last: number; readonly samples: number }[];
  /** The same for the plain interval between two rows (for PSTHs in bins of learnEvery). */
  readonly intervals: readonly { readonly first: number; readonly last: number; readonly samples: number }[];
}

export function windowBins(timing: TrialTiming, windowMs: number): WindowBins {
  const { rows, learnEvery, sampleEvery } = trialSteps(timing);
  const samples = Math.floor((rows * learnEvery) / sampleEvery);
  const half = windowMs / (sampleEvery * timing.dtMs);
  const perRow = learnEvery / sampleEvery;
  const spans = (from: (c: number) => number, to: (c: number) => number) =>
    Array.from({ length: rows }, (_, q) => {
      const c = (q + 1) * perRow;
      return { first: Math.max(1, Math.ceil(from(c) - 1e-9)), last: Math.min(samples, Math.ceil(to(c) - 1e-9) - 1) };
    });
  const windows = spans(
    (c) => c - half,
    (c) => c + half,
  );
  const intervals = spans(
    (c) => c - perRow + 1,
    (c) => c + 1,
  );
  const edges = new Set<number>([samples]);
  for (const { first, last } of [...windows, ...intervals]) {
    edges.add(last);
    if (first > 1) edges.add(first - 1);
  }
  const ends = [...edges].filter((end) => end >= 1).sort((a, b) => a - b);
  const binOf = (sample: number) => ends.findIndex((end) => sample <= end);
  const asBins = ({ first, last }: { first: number; last: number }) => ({
    first: binOf(first),
    last: binOf(last),
    samples: last - first + 1,
  });
  return { ends, rows: windows.map(asBins), intervals: intervals.map(asBins) };
}
