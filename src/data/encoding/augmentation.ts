/**
 * Augmentation: spike trains changed at random while training, before they are binned. An augmentation is a function from
 * spike trains to new ones; it never changes what it is given. Whatever one takes from `draws` follows what those before
 * it took, so the list as a whole is a function of the seed, the epoch and the sample (see SampleDraws).
 */

import type { Draws } from "../../random/draws.ts";
import type { SpikeTrains } from "../labelled-set.ts";

/** @param partner another sample of the class, of those that are to be blended. */
export type Augmentation = (spikes: SpikeTrains, draws: Draws, partner?: SpikeTrains) => SpikeTrains;

/** One after the other, the first first. The partner goes to each of them. */
export function compose(augmentations: readonly Augmentation[]): Augmentation {
  return (spikes, draws, partner) => augmentations.reduce((result, change) => change(result, draws, partner), spikes);
}

/** Room for spikes to come, of which perhaps not all will. */
export class SpikeBuffer {
  readonly timesMs: Float32Array<ArrayBuffer>;
  readonly units: Uint32Array<ArrayBuffer>;
  count = 0;

  constructor(size: number) {
    this.timesMs = new Float32Array(size);
    this.units = new Uint32Array(size);
  }

  push(timeMs: number, unit: number): void {
    this.timesMs[this.count] = timeMs;
    this.units[this.count++] = unit;
  }

  /** The spikes so far, which must have come in the order of their times. */
  finish(): SpikeTrains {
    return { kind: "spikes", timesMs: this.timesMs.subarray(0, this.count), units: this.units.subarray(0, this.count) };
  }
}
