/**
 * Peri-stimulus time histograms: spikes of many trials, aligned to an event, averaged and smoothed into firing rates.
 *
 * Row q of the result is the rate at time `-beforeMs + (q + 1) * binMs` from the event, the convention of `Recording`:
 * its bin reaches half a bin to both sides of that time. Smoothing uses spikes beyond both ends of the window where the
 * recording has them, and elsewhere divides by the part of the Gaussian that lies in recorded time, so rates do not sag
 * at the ends.
 */

import { UserError } from "../../base/errors.ts";
import { exp } from "../../math/elementary.ts";

export interface PsthGrid {
  /** Time of the window before the event, ms; negative starts after it. */
  readonly beforeMs: number;
  /** Time of the window after the event, ms. */
  readonly afterMs: number;
  readonly binMs: number;
  /** Standard deviation of the Gaussian, ms; 0 for none. */
  readonly smoothingSdMs: number;
  /** Number of rows: (beforeMs + afterMs)/binMs. */
  readonly rows: number;
  /** Bins on each side that only serve smoothing. */
  readonly pad: number;
  /** Weights of the Gaussian for offsets -pad..pad; they sum to 1. */
  readonly kernel: Float64Array;
}

/** More rows than any training uses; a slip of units (s for ms) makes more. */
const mostRows = 100_000;

/**
 * Checks a window and prepares its bins and kernel.
 * @throws UserError when the window is empty, is no whole number of bins, or a number makes no sense.
 */
export function psthGrid(window: {
  beforeMs: number;
  afterMs: number;
  binMs: number;
  smoothingSdMs: number;
}): PsthGrid {
  const { beforeMs, afterMs, binMs, smoothingSdMs } = window;
  for (const [name, value] of Object.entries({ beforeMs, afterMs, binMs, smoothingSdMs })) {
    if (!Number.isFinite(value)) throw new UserError(`targets.nwb.${name} is ${value}; give a number of ms`);
  }
  if (binMs <= 0) throw new UserError(`targets.nwb.binMs is ${binMs}; bins must be longer than 0 ms`);
  if (smoothingSdMs < 0) throw new UserError(`targets.nwb.smoothingSdMs is ${smoothingSdMs}; use 0 for no smoothing`);
  const rows = Math.round((beforeMs + afterMs) / binMs);
  if (rows < 2 || Math.abs(rows * binMs - beforeMs - afterMs) > 1e-6 * binMs) {
    throw new UserError(
      `a window of ${beforeMs} ms before and ${afterMs} ms after the event is not at least two whole bins of ${binMs} ` +
        "ms; change targets.nwb.beforeMs, afterMs or binMs",
    );
  }
  if (rows > mostRows)
    throw new UserError(`the window of targets.nwb has ${rows} bins of ${binMs} ms; are its times in ms?`);
  const pad = Math.min(Math.ceil((4 * smoothingSdMs) / binMs), mostRows);
  const kernel = new Float64Array(2 * pad + 1);
  let sum = 0;
  for (let k = -pad; k <= pad; k++) {
    const z = smoothingSdMs === 0 ? 0 : (k * binMs) / smoothingSdMs;
    sum += kernel[k + pad] = exp(-0.5 * z * z);
  }
  for (let k = 0; k < kernel.length; k++) kernel[k] /= sum;
  return { beforeMs, afterMs, binMs, smoothingSdMs, rows, pad, kernel };
}

/** Spans of time in s during which a unit or a session was recorded: start, stop, start, stop, ... rising. */
export type Spans = ArrayLike<number>;

/** Whether [start, stop] lies inside one of the spans. */
export function isCovered(spans: Spans, start: number, stop: number): boolean {
  for (let i = 0; i + 1 < spans.length; i += 2) if (start >= spans[i] && stop <= spans[i + 1]) return true;
  return false;
}

/** The time span, in s, that the rows of a trial (without padding) take from spikes. */
export function windowOf(eventS: number, grid: PsthGrid): readonly [number, number] {
  const start = eventS + (-grid.beforeMs + 0.5 * grid.binMs) / 1000;
  return [start, start + (grid.rows * grid.binMs) / 1000];
}

/** Index of the first element >= value of a rising array. */
function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Spike counts of all trials in padded bins, and in how many trials each bin was recorded. */
export interface AlignedCounts {
  readonly spikes: Float64Array;
  readonly trials: Float64Array;
}

/**
 * Counts one unit's spikes around events.
 *
 * @param spikesS spike times in s, rising.
 * @param eventsS event times in s.
 * @param recorded when the unit was recorded. Bins that are not wholly inside count for nothing.
 */
export function alignSpikes(
  spikesS: ArrayLike<number>,
  eventsS: readonly number[],
  grid: PsthGrid,
  recorded: Spans,
): AlignedCounts {
  const bins = grid.rows + 2 * grid.pad;
  const spikes = new Float64Array(bins);
  const trials = new Float64Array(bins);
  const binS = grid.binMs / 1000;
  for (const event of eventsS) {
    const start = windowOf(event, grid)[0] - grid.pad * binS;
    const whole = isCovered(recorded, start, start + bins * binS);
    // A nanosecond of grace: spans and windows often end at the same decimal number.
    const counted = (bin: number): boolean =>
      whole || isCovered(recorded, start + bin * binS + 1e-9, start + (bin + 1) * binS - 1e-9);
    for (let bin = 0; bin < bins; bin++) if (counted(bin)) trials[bin]++;
    for (let i = lowerBound(spikesS, start); i < spikesS.length; i++) {
      const bin = Math.floor((spikesS[i] - start) / binS);
      if (bin >= bins) break;
      if (counted(bin)) spikes[bin]++;
    }
  }
  return { spikes, trials };
}

/**
 * Rates in Hz, one per row, from aligned counts.
 * @returns undefined when some row has no recorded time within reach of the Gaussian.
 */
export function psthRates({ spikes, trials }: AlignedCounts, grid: PsthGrid): Float64Array | undefined {
  const { rows, pad, kernel, binMs } = grid;
  const rates = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let count = 0;
    let exposure = 0;
    for (let k = 0; k < kernel.length; k++) {
      count += kernel[k] * spikes[row + k];
      exposure += kernel[k] * trials[row + k];
    }
    // The row's own bin must have been recorded at least once, not only the tail of the Gaussian.
    if (trials[row + pad] === 0) return undefined;
    rates[row] = (1000 * count) / (exposure * binMs);
  }
  return rates;
}

/** What fraction of trials may be kept out: above 0, and at most every second trial. */
export const heldOutRange = { above: 0, max: 0.5 } as const;

/**
 * Splits trials into those to learn from and those to test on: every k-th, k = round(1/fraction), counted within the
 * list. Deterministic, and spread over the session, so slow drifts fall on both sides.
 */
export function splitTrials<T>(trials: readonly T[], heldOutFraction: number): { kept: T[]; heldOut: T[] } {
  const { above, max } = heldOutRange;
  if (!(heldOutFraction > above && heldOutFraction <= max)) {
    throw new UserError(
      `targets.nwb.heldOutFraction is ${heldOutFraction}; it must be above ${above} and at most ${max}`,
    );
  }
  const every = Math.round(1 / heldOutFraction);
  const kept: T[] = [];
  const heldOut: T[] = [];
  trials.forEach((trial, i) => {
    (i % every === every - 1 ? heldOut : kept).push(trial);
  });
  return { kept, heldOut };
}
