/** Augmentations that move spikes to other channels. What leaves 0 .. channels-1 is dropped. */

import { UserError } from "../../base/errors.ts";
import { type Augmentation, SpikeBuffer } from "./augmentation.ts";
import { checkNumber } from "./check.ts";
import { below } from "./sample-draws.ts";

export interface ShiftChannelsOptions {
  /** Largest shift, channels. Default 40 (Nowotny et al. 2025, for the 700 of SHD). */
  readonly max?: number;
}

/** All spikes of a sample by the same whole number of channels, -max .. max, each equally likely. */
export function shiftChannels(channels: number, { max = 40 }: ShiftChannelsOptions = {}): Augmentation {
  checkNumber('augmentation "shiftChannels": max', max, { min: 0, whole: true });
  return ({ timesMs, units }, draws) => {
    const shift = below(draws, 2 * max + 1) - max;
    const kept = new SpikeBuffer(units.length);
    for (let i = 0; i < units.length; i++) {
      const unit = units[i] + shift;
      if (unit >= 0 && unit < channels) kept.push(timesMs[i], unit);
    }
    return kept.finish();
  };
}

export interface ShiftPlacesOptions {
  /** Largest shift along every axis, places. Default 2. */
  readonly max?: number;
}

/**
 * All spikes of a sample by the same whole number of places along every axis of space, -max .. max, each equally likely;
 * what leaves the edges is dropped.
 * @param shape of the set's channels
 */
export function shiftPlaces(shape: readonly number[] | undefined, { max = 2 }: ShiftPlacesOptions = {}): Augmentation {
  checkNumber('augmentation "shiftPlaces": max', max, { min: 0, whole: true });
  if (shape === undefined) {
    throw new UserError(
      'augmentation "shiftPlaces" needs channels in space, but nothing is known of this set\'s; say how they lie ' +
        '(data.reading.shape), or use "shiftChannels"',
    );
  }
  const space = shape.slice(0, -1);
  const inPlace = shape[shape.length - 1];
  // Channels from one place to the next along each axis.
  const strides = space.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  return ({ timesMs, units }, draws) => {
    const shifts = space.map(() => below(draws, 2 * max + 1) - max);
    const by = shifts.reduce((sum, shift, axis) => sum + shift * strides[axis], 0);
    const stays = (unit: number): boolean => {
      let rest = Math.floor(unit / inPlace);
      for (let axis = space.length - 1; axis >= 0; axis--) {
        const place = (rest % space[axis]) + shifts[axis];
        if (place < 0 || place >= space[axis]) return false;
        rest = Math.floor(rest / space[axis]);
      }
      return true;
    };
    const kept = new SpikeBuffer(units.length);
    for (let i = 0; i < units.length; i++) if (stays(units[i])) kept.push(timesMs[i], units[i] + by);
    return kept.finish();
  };
}

export interface JitterChannelsOptions {
  /** Standard deviation, channels. Default 20 (Cramer et al. 2022, for the 700 of SHD). */
  readonly sd?: number;
}

/** Every spike by its own normally distributed number of channels, rounded to the nearest. */
export function jitterChannels(channels: number, { sd = 20 }: JitterChannelsOptions = {}): Augmentation {
  checkNumber('augmentation "jitterChannels": sd', sd, { min: 0 });
  return ({ timesMs, units }, draws) => {
    const kept = new SpikeBuffer(units.length);
    for (let i = 0; i < units.length; i++) {
      const unit = Math.floor(units[i] + sd * draws.normal() + 0.5);
      if (unit >= 0 && unit < channels) kept.push(timesMs[i], unit);
    }
    return kept.finish();
  };
}

/**
 * `by` neighbouring channels become one (5 and 10 are in use for SHD); draws nothing. There are then `mergedCount(channels,
 * by)` of them. In an experiment this is `mergeChannels` of the encoder, because it must hold for samples that are tested
 * too.
 */
export function mergeChannels(channels: number, by: number): Augmentation {
  checkNumber("mergeChannels: by", by, { min: 1, max: Math.max(1, channels), whole: true });
  return ({ timesMs, units }) => ({ kind: "spikes", timesMs, units: units.map((unit) => Math.floor(unit / by)) });
}
