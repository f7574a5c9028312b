/** Augmentations that take spikes away, add spikes, or make one sample of two. */

import { log } from "../../math/elementary.ts";
import type { Draws } from "../../random/draws.ts";
import type { SpikeTrains } from "../labelled-set.ts";
import { type Augmentation, SpikeBuffer } from "./augmentation.ts";
import { checkNumber } from "./check.ts";
import { below } from "./sample-draws.ts";
import { mergeByTime } from "./sort-spikes.ts";

export interface DropSpikesOptions {
  /** With which every spike is left out. Default 0.5 (stork, for DVS gestures). */
  readonly probability?: number;
}

/** Every spike is left out with the same probability. */
export function dropSpikes({ probability = 0.5 }: DropSpikesOptions = {}): Augmentation {
  checkNumber('augmentation "dropSpikes": probability', probability, { min: 0, max: 1 });
  return ({ timesMs, units }, draws) => {
    const kept = new SpikeBuffer(units.length);
    for (let i = 0; i < units.length; i++) if (draws.uniform() > probability) kept.push(timesMs[i], units[i]);
    return kept.finish();
  };
}

export interface InsertSpikesOptions {
  /** Rate of each channel, Hz. */
  readonly rateHz: number;
  /** Spikes are inserted from 0 to here, ms. Default: the time of the sample's last spike. */
  readonly durationMs?: number;
}

const insertedLimit = 1e8;

/** Poisson spikes of the same rate on all channels, besides those that there are. */
export function insertSpikes(channels: number, { rateHz, durationMs }: InsertSpikesOptions): Augmentation {
  checkNumber('augmentation "insertSpikes": rateHz', rateHz, { min: 0, max: 1e6 });
  if (durationMs !== undefined) checkNumber('augmentation "insertSpikes": durationMs', durationMs, { above: 0 });
  const ratePerMs = (rateHz / 1000) * channels;
  return (spikes, draws) => {
    const { timesMs } = spikes;
    const end = durationMs ?? (timesMs.length === 0 ? 0 : timesMs[timesMs.length - 1]);
    checkNumber('augmentation "insertSpikes": spikes to insert', ratePerMs * end, { max: insertedLimit });
    const times: number[] = [];
    const units: number[] = [];
    // Intervals between the spikes of all channels together are exponential, -ln(u) / rate.
    if (ratePerMs > 0) {
      for (let time = 0; ; ) {
        time -= log(draws.uniform()) / ratePerMs;
        const rounded = Math.fround(time);
        if (!(rounded < end)) break;
        times.push(rounded);
        units.push(below(draws, channels));
      }
    }
    const inserted = { kind: "spikes", timesMs: Float32Array.from(times), units: Uint32Array.from(units) } as const;
    return mergeByTime(spikes, inserted);
  };
}

export interface BlendOptions {
  /** With which every spike of either sample is kept. Default 0.5. */
  readonly keep?: number;
}

/**
 * Two samples of a class as one (Nowotny et al. 2025): both are moved, by the same time and by whole channels, until their
 * centres of mass meet half-way, and every spike is kept with probability `keep`. A sample stays as it is without a partner,
 * and when it or the partner has no spikes.
 */
export function blend(channels: number, { keep = 0.5 }: BlendOptions = {}): Augmentation {
  checkNumber('augmentation "blend": keep', keep, { above: 0, max: 1 });
  return (spikes, draws, partner) => {
    if (partner === undefined || spikes.units.length === 0 || partner.units.length === 0) return spikes;
    const a = centre(spikes);
    const b = centre(partner);
    const timeMs = (a.timeMs + b.timeMs) / 2;
    const channel = (a.channel + b.channel) / 2;
    const moved = (train: SpikeTrains, from: Centre) =>
      thinnedAndMoved(train, timeMs - from.timeMs, Math.floor(channel - from.channel + 0.5), channels, keep, draws);
    const own = moved(spikes, a);
    return mergeByTime(own, moved(partner, b));
  };
}

interface Centre {
  readonly timeMs: number;
  readonly channel: number;
}

/** Mean time and mean channel. */
function centre({ timesMs, units }: SpikeTrains): Centre {
  let time = 0;
  let channel = 0;
  for (let i = 0; i < units.length; i++) {
    time += timesMs[i];
    channel += units[i];
  }
  return { timeMs: time / units.length, channel: channel / units.length };
}

function thinnedAndMoved(
  { timesMs, units }: SpikeTrains,
  byMs: number,
  byChannels: number,
  channels: number,
  keep: number,
  draws: Draws,
): SpikeTrains {
  const kept = new SpikeBuffer(units.length);
  for (let i = 0; i < units.length; i++) {
    const unit = units[i] + byChannels;
    const time = timesMs[i] + byMs;
    if (draws.uniform() <= keep && time >= 0 && unit >= 0 && unit < channels) kept.push(time, unit);
  }
  return kept.finish();
}
