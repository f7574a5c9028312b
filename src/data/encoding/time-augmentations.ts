/** Augmentations that move spikes in time. What would fall before 0 is dropped. */

import { UserError } from "../../base/errors.ts";
import { exp, log } from "../../math/elementary.ts";
import type { SpikeTrains } from "../labelled-set.ts";
import { type Augmentation, SpikeBuffer } from "./augmentation.ts";
import { checkNumber } from "./check.ts";
import { below } from "./sample-draws.ts";
import { sortByTime } from "./sort-spikes.ts";

export interface JitterTimesOptions {
  /** Standard deviation, ms. */
  readonly sdMs: number;
}

/** Every spike by its own normally distributed time. */
export function jitterTimes({ sdMs }: JitterTimesOptions): Augmentation {
  checkNumber('augmentation "jitterTimes": sdMs', sdMs, { min: 0 });
  return ({ timesMs, units }, draws) => {
    const kept = new SpikeBuffer(units.length);
    for (let i = 0; i < units.length; i++) {
      const time = timesMs[i] + sdMs * draws.normal();
      if (time >= 0) kept.push(time, units[i]);
    }
    const moved = kept.finish();
    return sortByTime(moved.timesMs, moved.units);
  };
}

function stretched({ timesMs, units }: SpikeTrains, factor: number): SpikeTrains {
  return { kind: "spikes", timesMs: timesMs.map((time) => time * factor), units };
}

export interface ScaleTimesOptions {
  /** Smallest and largest factor; 0 < min <= max. */
  readonly min: number;
  readonly max: number;
}

/** All times of a sample by one factor whose logarithm is uniform: half and double speed are as likely. */
export function scaleTimes({ min, max }: ScaleTimesOptions): Augmentation {
  checkNumber('augmentation "scaleTimes": min', min, { above: 0 });
  checkNumber('augmentation "scaleTimes": max', max, { min });
  return (spikes, draws) => stretched(spikes, min * exp(draws.uniform() * log(max / min)));
}

export interface StretchTimesOptions {
  /** Default 0.5 and 1 (Perez-Nieves et al. 2021). */
  readonly factors?: readonly number[];
}

/** All times of a sample by a factor of the list, each equally likely. */
export function stretchTimes({ factors = [0.5, 1] }: StretchTimesOptions = {}): Augmentation {
  if (factors.length === 0) throw new UserError('augmentation "stretchTimes": factors is empty; give at least one');
  for (const factor of factors) checkNumber('augmentation "stretchTimes": a factor', factor, { above: 0 });
  return (spikes, draws) => stretched(spikes, factors[below(draws, factors.length)]);
}

export interface CropOptions {
  /** Length of the piece, ms. Default 1000 (stork, for DVS gestures). */
  readonly durationMs?: number;
}

/**
 * A piece of the sample, moved to start at 0. It starts at random between 0 and `durationMs` before the last spike; of a
 * sample that is shorter, at 0.
 */
export function crop({ durationMs = 1000 }: CropOptions = {}): Augmentation {
  checkNumber('augmentation "crop": durationMs', durationMs, { above: 0 });
  return ({ timesMs, units }, draws) => {
    const end = timesMs.length === 0 ? 0 : timesMs[timesMs.length - 1];
    const start = draws.uniform() * Math.max(0, end - durationMs);
    const kept = new SpikeBuffer(units.length);
    for (let i = 0; i < units.length; i++) {
      const time = Math.fround(timesMs[i] - start);
      if (time >= 0 && time < durationMs) kept.push(time, units[i]);
    }
    return kept.finish();
  };
}
