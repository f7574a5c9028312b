/**
 * Delta modulation ("send on delta"): a neuron for every threshold that a number has gained since the last spike, and one
 * for every threshold lost. With the reference r, at first the number itself, at every further time point
 *
 *   n = trunc((x - r) / threshold),   r <- r + n threshold
 *
 * and the "up" neuron (channel 2i of input i) spikes n times, or the "down" neuron (2i + 1) -n times. Spikes fall on the
 * first step of the time point.
 */

import type { StepEvents } from "../labelled-set.ts";
import type { Duplicates } from "./bin-spikes.ts";
import { checkNumber } from "./check.ts";
import { type Encoder, heldSteps, layoutOf, multiplied, type Presentation, type SetInfo } from "./encoder.ts";

export interface DeltaModulationOptions {
  /** In units of the set's numbers. */
  readonly threshold: number;
  /** Default "frames". */
  readonly present?: Presentation;
  /** Several thresholds at once: "count" them in `values` (default) or "clip" to one spike. */
  readonly duplicates?: Duplicates;
  /** Steps for which each time point lasts. Default 1. */
  readonly stepsPerFrame?: number;
}

const who = "deltaModulation";

export function deltaModulationEncoder(info: SetInfo, options: DeltaModulationOptions): Encoder {
  const { threshold, present = "frames", duplicates = "count", stepsPerFrame = 1 } = options;
  const layout = layoutOf(who, info, present);
  const maxSteps = heldSteps(who, layout, stepsPerFrame);
  checkNumber(`encoder "${who}": threshold`, threshold, { above: 0 });
  const { inputs } = layout;
  return {
    channels: 2 * inputs,
    shape: multiplied(layout.shape, 2),
    maxSteps,
    random: false,
    encode(sample): StepEvents {
      const numbers = layout.values(sample);
      const points = layout.points(sample);
      const offsets = new Uint32Array(points * stepsPerFrame + 1);
      const channels: number[] = [];
      const counts: number[] = [];
      const reference = Float64Array.from(numbers.subarray(0, inputs));
      for (let point = 0; point < points; point++) {
        for (let input = 0; input < inputs; input++) {
          const n = Math.trunc((numbers[point * inputs + input] - reference[input]) / threshold);
          if (n === 0) continue;
          reference[input] += n * threshold;
          channels.push(2 * input + (n > 0 ? 0 : 1));
          counts.push(Math.abs(n));
        }
        offsets.fill(channels.length, point * stepsPerFrame + 1, (point + 1) * stepsPerFrame + 1);
      }
      const plain = duplicates === "clip" || counts.every((count) => count === 1);
      return {
        steps: points * stepsPerFrame,
        offsets,
        channels: Uint32Array.from(channels),
        values: plain ? null : Float32Array.from(counts),
      };
    },
  };
}
