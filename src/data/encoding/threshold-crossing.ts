/**
 * Threshold crossings: every input has a neuron pair per level. When the number goes from x to y between two time
 * points, the "on" neuron of every level with x < level <= y spikes, or the "off" neuron of every level with
 * y < level <= x. Spikes fall on the first step of the time point that has crossed; there are none at the first point.
 * A "full" neuron per input, if there is one, spikes at every step while the number is at the top of the range.
 *
 * With the defaults and the pixels of an image one by one, this is the spiking sequential MNIST of tonic (`SMNIST`, 79
 * neurons, no duplicates) and of Knight and Nowotny (NICE 2022): 39 grey levels, 784 steps. The lowest level is 0, which
 * no grey value is below, so its two neurons never spike. (tonic dates a crossing to the pixel before it, one step
 * earlier, and numbers the neurons otherwise.)
 *
 * Channels of input i start at i times the neurons of an input: on neurons by ascending level, off neurons, full.
 */

import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../labelled-set.ts";
import { checkNumber } from "./check.ts";
import { type Encoder, heldSteps, layoutOf, multiplied, type Presentation, rangeOf, type SetInfo } from "./encoder.ts";

export interface ThresholdCrossingOptions {
  /** Default "values": pixel after pixel. For traces of sensors: "frames". */
  readonly present?: Presentation;
  /**
   * The levels, ascending, in units of the set's numbers; or how many (from 2), which are then the grey levels
   * floor(254 i / (count - 1)) of 255, stretched over the range. Default 39.
   */
  readonly levels?: number | readonly number[];
  /** A neuron per input for the top of the range. Default true. */
  readonly full?: boolean;
  /** Numbers that stand for black and white. Default: the set's, else 0 to 1. */
  readonly range?: readonly [number, number];
  /** Steps for which each time point lasts. Default 1. */
  readonly stepsPerFrame?: number;
}

const who = "thresholdCrossing";
const levelLimit = 4096;

/** The levels as the float32 numbers that samples are made of, so that a number can equal a level. */
function levelsOf(levels: number | readonly number[], low: number, high: number): Float32Array {
  if (typeof levels !== "number") {
    const list = Float32Array.from(levels);
    const ascending = list.every((level, i) => Number.isFinite(level) && (i === 0 || level > list[i - 1]));
    if (list.length > 0 && list.length <= levelLimit && ascending) return list;
    throw new UserError(
      `encoder "${who}": levels are [${levels.join(", ")}]; give at least one, each above the one before it`,
    );
  }
  checkNumber(`encoder "${who}": levels`, levels, { min: 2, max: levelLimit, whole: true });
  return Float32Array.from(
    { length: levels },
    (_, i) => low + ((high - low) * Math.floor((254 * i) / (levels - 1))) / 255,
  );
}

/** How many levels are at or below a number. */
function levelsReached(levels: Float32Array, number: number): number {
  let low = 0;
  let high = levels.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[middle] <= number) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function thresholdCrossingEncoder(info: SetInfo, options: ThresholdCrossingOptions = {}): Encoder {
  const { present = "values", full = true, stepsPerFrame = 1 } = options;
  const layout = layoutOf(who, info, present);
  const maxSteps = heldSteps(who, layout, stepsPerFrame);
  const [low, high] = rangeOf(who, info, options.range);
  const levels = levelsOf(options.levels ?? 39, low, high);
  const top = Math.fround(high);
  const { inputs } = layout;
  const neurons = 2 * levels.length + (full ? 1 : 0);
  return {
    channels: inputs * neurons,
    shape: multiplied(layout.shape, neurons),
    maxSteps,
    random: false,
    encode(sample): StepEvents {
      const numbers = layout.values(sample);
      const steps = layout.points(sample) * stepsPerFrame;
      const offsets = new Uint32Array(steps + 1);
      const channels: number[] = [];
      const reached = new Uint16Array(inputs);
      for (let step = 0; step < steps; step++) {
        const from = Math.floor(step / stepsPerFrame) * inputs;
        const arrives = step % stepsPerFrame === 0;
        for (let input = 0; input < inputs; input++) {
          const number = numbers[from + input];
          const first = input * neurons;
          if (arrives) {
            const before = reached[input];
            const now = levelsReached(levels, number);
            reached[input] = now;
            if (step > 0) {
              for (let level = before; level < now; level++) channels.push(first + level);
              for (let level = now; level < before; level++) channels.push(first + levels.length + level);
            }
          }
          if (full && number >= top) channels.push(first + 2 * levels.length);
        }
        offsets[step + 1] = channels.length;
      }
      return { steps, offsets, channels: Uint32Array.from(channels), values: null };
    },
  };
}
