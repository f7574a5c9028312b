/**
 * Numbers as input currents: at every step of time point p, input i receives
 *
 *   gain (x_pi - low) / (high - low)
 *
 * Nothing arrives where this is 0.
 */

import type { StepEvents } from "../labelled-set.ts";
import { checkNumber } from "./check.ts";
import { type Encoder, heldSteps, layoutOf, type Presentation, rangeOf, type SetInfo } from "./encoder.ts";

export interface CurrentOptions {
  /** Default "frames". */
  readonly present?: Presentation;
  /** Steps for which each time point is held. Default 1. */
  readonly stepsPerFrame?: number;
  /** Numbers that become the amplitudes 0 and `gain`. Default: the set's, else 0 to 1. */
  readonly range?: readonly [number, number];
  /** Default 1. */
  readonly gain?: number;
}

export function currentEncoder(info: SetInfo, options: CurrentOptions = {}): Encoder {
  const { present = "frames", stepsPerFrame = 1, gain = 1 } = options;
  const layout = layoutOf("current", info, present);
  const maxSteps = heldSteps("current", layout, stepsPerFrame);
  const [low, high] = rangeOf("current", info, options.range);
  checkNumber('encoder "current": gain', gain, {});
  const scale = gain / (high - low);
  const { inputs } = layout;
  return {
    channels: inputs,
    shape: layout.shape,
    maxSteps,
    random: false,
    encode(sample): StepEvents {
      const numbers = layout.values(sample);
      const points = layout.points(sample);
      let nonZero = 0;
      for (let i = 0; i < numbers.length; i++) if ((numbers[i] - low) * scale !== 0) nonZero++;
      const steps = points * stepsPerFrame;
      const offsets = new Uint32Array(steps + 1);
      const channels = new Uint32Array(nonZero * stepsPerFrame);
      const values = new Float32Array(nonZero * stepsPerFrame);
      let at = 0;
      for (let step = 0; step < steps; step++) {
        const from = Math.floor(step / stepsPerFrame) * inputs;
        for (let input = 0; input < inputs; input++) {
          const amplitude = (numbers[from + input] - low) * scale;
          if (amplitude === 0) continue;
          channels[at] = input;
          values[at++] = amplitude;
        }
        offsets[step + 1] = at;
      }
      return { steps, offsets, channels, values };
    },
  };
}
