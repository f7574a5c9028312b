/**
 * Encoders: how one sample of a labelled set becomes what arrives at each step of the network.
 *
 * Frames of numbers are laid out over time in one of three ways (`Presentation`); whichever it is, the number at time
 * point p and input i is `values[p * inputs + i]`, so an encoder only needs to know `inputs`.
 */

import { dataError, UserError } from "../../base/errors.ts";
import type { Draws } from "../../random/draws.ts";
import type { LabelledSet, Sample, SpikeTrains, StepEvents } from "../labelled-set.ts";
import { stepLimit } from "./bin-spikes.ts";
import { checkNumber } from "./check.ts";

/** What an encoder must know of the set whose samples it will meet. */
export type SetInfo = Pick<LabelledSet, "kind" | "channels" | "shape" | "frames" | "durationMs" | "range">;

export interface Encoder {
  /** Inputs of the network. */
  readonly channels: number;
  /** How they lie in space: [height, width, channels] or [length, channels], the last index running fastest. */
  readonly shape: readonly number[];
  /** Steps of the longest sample. */
  readonly maxSteps: number;
  /** Whether `encode` takes random numbers; if not, a sample always becomes the same events. */
  readonly random: boolean;
  /** @param draws the numbers of this sample in this epoch; taken only if `random`. */
  encode(sample: Sample, draws: Draws): StepEvents;
}

/**
 * - "frames": a frame at a time; inputs are the channels. An image: row after row.
 * - "values": a number at a time, one input. An image: pixel after pixel.
 * - "whole": all numbers of a sample at once; inputs are frames x channels.
 */
export type Presentation = "frames" | "values" | "whole";

const presentations: readonly Presentation[] = ["frames", "values", "whole"];

export interface Layout {
  readonly inputs: number;
  /** As in `Encoder`. */
  readonly shape: readonly number[];
  /** Time points of the longest sample. */
  readonly maxPoints: number;
  /** Number of time points of a sample; throws when the sample does not fit the layout. */
  points(sample: Sample): number;
  /** The numbers of a sample, `[point][input]`. */
  values(sample: Sample): Float32Array;
}

/** @param who names the encoder in messages. */
export function layoutOf(who: string, info: SetInfo, present: Presentation): Layout {
  const { kind, channels, frames } = info;
  if (kind !== "frames") {
    throw new UserError(`encoder "${who}" takes frames of numbers, but the set holds spikes; use encoder "bin"`);
  }
  if (frames === undefined) throw new Error("a set of frames without their number");
  if (!presentations.includes(present)) {
    throw new UserError(`encoder "${who}": present is "${present}"; it must be one of ${presentations.join(", ")}`);
  }
  const inputs = { frames: channels, values: 1, whole: frames * channels }[present];
  const values = (sample: Sample): Float32Array => {
    if (sample.kind !== "frames") throw new Error(`encoder "${who}" was given spikes`);
    return sample.values;
  };
  const maxPoints = (frames * channels) / inputs;
  return {
    inputs,
    shape: shapeOf(info, present, inputs),
    maxPoints,
    values,
    points(sample) {
      const points = values(sample).length / inputs;
      if (Number.isInteger(points) && points >= 1 && points <= maxPoints) return points;
      throw dataError(
        `a sample holds ${values(sample).length} numbers, where encoder "${who}" expects ${frames} frames of ` +
          `${channels}${present === "whole" ? "" : " or fewer"}`,
      );
    },
  };
}

/** Space of the inputs: that of the set where it has as many places; else frames are rows, and channels lie in a line. */
function shapeOf({ shape, frames, channels }: SetInfo, present: Presentation, inputs: number): readonly number[] {
  if (shape !== undefined && placesOf(shape) === inputs) return shape;
  return present === "whole" ? [frames!, channels, 1] : [inputs, 1];
}

export const placesOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** So many neurons in the place of each input: they are its channels. */
export const multiplied = (shape: readonly number[], by: number): readonly number[] =>
  shape.map((extent, axis) => (axis === shape.length - 1 ? by * extent : extent));

/** Steps of the longest sample when each time point is held for `hold` steps; refuses what is too long. */
export function heldSteps(who: string, layout: Layout, hold: number): number {
  checkNumber(`encoder "${who}": stepsPerFrame`, hold, { min: 1, whole: true });
  return checkNumber(`encoder "${who}": the number of steps`, layout.maxPoints * hold, { max: stepLimit });
}

/** The range of the options, else of the set, else 0 to 1. */
export function rangeOf(
  who: string,
  info: SetInfo,
  range: readonly [number, number] = info.range ?? [0, 1],
): readonly [number, number] {
  const [low, high] = range;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new UserError(`encoder "${who}": range is ${low} to ${high}; give two finite numbers, the lower one first`);
  }
  return range;
}

/** The spikes of a sample, for encoders of spikes. */
export function spikesOf(who: string, sample: Sample): SpikeTrains {
  if (sample.kind !== "spikes") throw new Error(`encoder "${who}" was given frames`);
  return sample;
}
