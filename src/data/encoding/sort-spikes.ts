/** Spikes into the order of their times; equal times keep their order. */

import type { SpikeTrains } from "../labelled-set.ts";

const digitBits = 11;
const digits = 2 ** digitBits;
const counts = new Uint32Array(digits);

/**
 * Sorts by the bits of the times, 11 at a time, the lowest first: the bits of floats that are not negative ascend with
 * the floats.
 * @param timesMs finite, >= 0; not changed, as `units`.
 */
export function sortByTime(timesMs: Float32Array, units: Uint32Array): SpikeTrains {
  const { length } = timesMs;
  let ascending = true;
  for (let i = 1; i < length && ascending; i++) ascending = timesMs[i - 1] <= timesMs[i];
  if (ascending) return { kind: "spikes", timesMs, units };

  let times = new Float32Array(timesMs);
  let bits = new Uint32Array(times.buffer);
  // -0 would come last; adding 0 makes it +0.
  for (let i = 0; i < length; i++) times[i] += 0;
  let channels = new Uint32Array(units);
  let otherTimes = new Float32Array(length);
  let otherBits = new Uint32Array(otherTimes.buffer);
  let otherChannels = new Uint32Array(length);
  for (let shift = 0; shift < 32; shift += digitBits) {
    counts.fill(0);
    for (let i = 0; i < length; i++) counts[(bits[i] >>> shift) & (digits - 1)]++;
    let start = 0;
    for (let digit = 0; digit < digits; digit++) {
      const members = counts[digit];
      counts[digit] = start;
      start += members;
    }
    for (let i = 0; i < length; i++) {
      const at = counts[(bits[i] >>> shift) & (digits - 1)]++;
      otherBits[at] = bits[i];
      otherChannels[at] = channels[i];
    }
    [times, otherTimes] = [otherTimes, times];
    [bits, otherBits] = [otherBits, bits];
    [channels, otherChannels] = [otherChannels, channels];
  }
  return { kind: "spikes", timesMs: times, units: channels };
}

/** Two trains as one; of equal times those of `a` come first. */
export function mergeByTime(a: SpikeTrains, b: SpikeTrains): SpikeTrains {
  const length = a.timesMs.length + b.timesMs.length;
  const timesMs = new Float32Array(length);
  const units = new Uint32Array(length);
  let i = 0;
  let j = 0;
  for (let at = 0; at < length; at++) {
    const fromA = j === b.timesMs.length || (i < a.timesMs.length && a.timesMs[i] <= b.timesMs[j]);
    timesMs[at] = fromA ? a.timesMs[i] : b.timesMs[j];
    units[at] = fromA ? a.units[i++] : b.units[j++];
  }
  return { kind: "spikes", timesMs, units };
}
