/** Spike trains as they are, in steps: the encoder of sets of spikes. */

import { UserError } from "../../base/errors.ts";
import { type BinOptions, binSpikes, mergedCount, stepsOf } from "./bin-spikes.ts";
import { checkNumber } from "./check.ts";
import { type Encoder, placesOf, type SetInfo, spikesOf } from "./encoder.ts";

/** `durationMs` is by default the time of the set's last spike, and `dtMs` 1. */
export type BinEncoderOptions = Omit<BinOptions, "channels" | "dtMs" | "gather"> &
  Partial<Pick<BinOptions, "dtMs">> & {
    /**
     * Of a set whose channels lie in space: squares of so many places a side become one, at the right and lower edges
     * fewer. Default 1.
     */
    readonly downsample?: number;
    /** Of a set whose channels lie in space: those of one place, such as both polarities of events, become one. Default false. */
    readonly mergePolarities?: boolean;
  };

export function binEncoder(info: SetInfo, options: BinEncoderOptions = {}): Encoder {
  if (info.kind !== "spikes") {
    throw new UserError('encoder "bin" takes spikes, but the set holds frames of numbers; use "rows" or "current"');
  }
  const { dtMs = 1, rounding, steps: givenSteps, durationMs } = options;
  const window = givenSteps === undefined && durationMs === undefined ? lastSpikeWindow(info, dtMs, rounding) : {};
  const { shape, gather } = inSpace(info, options);
  const binning: BinOptions = {
    ...options,
    ...window,
    dtMs,
    channels: info.channels,
    ...(gather === null ? {} : { gather: { into: gather, count: placesOf(shape) } }),
  };
  return {
    channels: placesOf(shape),
    shape,
    maxSteps: stepsOf(binning),
    random: false,
    encode: (sample) => binSpikes(spikesOf("bin", sample), binning),
  };
}

/** The shape that is left of the set's, and which input each channel becomes; null: neighbours in the order of numbers. */
function inSpace(
  { shape, channels }: SetInfo,
  { mergeChannels = 1, downsample = 1, mergePolarities = false }: BinEncoderOptions,
): { shape: readonly number[]; gather: Uint32Array | null } {
  checkNumber('encoder "bin": downsample', downsample, { min: 1, whole: true });
  const reduces = downsample > 1 || mergePolarities;
  if (!reduces) {
    if (mergeChannels === 1 && shape !== undefined) return { shape, gather: null };
    return { shape: [mergedCount(channels, mergeChannels), 1], gather: null };
  }
  if (shape === undefined) {
    throw new UserError(
      `encoder "bin": ${downsample > 1 ? "downsample" : "mergePolarities"} needs channels in space, but nothing is known ` +
        "of this set's; say how they lie (data.reading.shape), or use mergeChannels",
    );
  }
  if (mergeChannels !== 1) {
    throw new UserError('encoder "bin": give mergeChannels, or downsample and mergePolarities, but not both');
  }
  const last = shape.length - 1;
  const kept = shape.map((extent, axis) =>
    axis < last ? mergedCount(extent, downsample) : mergePolarities ? 1 : extent,
  );
  const gather = new Uint32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    let [rest, stride, into] = [channel, 1, 0];
    for (let axis = last; axis >= 0; axis--) {
      const place = rest % shape[axis];
      rest = (rest - place) / shape[axis];
      into += stride * (axis < last ? Math.floor(place / downsample) : mergePolarities ? 0 : place);
      stride *= kept[axis];
    }
    gather[channel] = into;
  }
  return { shape: kept, gather };
}

/** As many steps as make the set's last spike, too, fall inside. */
function lastSpikeWindow({ durationMs }: SetInfo, dtMs: number, rounding: BinOptions["rounding"]): { steps: number } {
  if (durationMs === undefined) {
    throw new UserError('encoder "bin" needs durationMs (or steps): the set does not say when its last spike falls');
  }
  return { steps: Math.floor(durationMs / dtMs + (rounding === "nearest" ? 0.5 : 0)) + 1 };
}
