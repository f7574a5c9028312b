/** Spike trains as they are, in steps: the encoder of sets of spikes. */

import { UserError } from "../../base/errors.ts";
import { type BinOptions, binSpikes, mergedCount, stepsOf } from "./bin-spikes.ts";
import { type Encoder, type SetInfo, spikesOf } from "./encoder.ts";

/** `durationMs` is by default the time of the set's last spike, and `dtMs` 1. */
export type BinEncoderOptions = Omit<BinOptions, "channels" | "dtMs"> & Partial<Pick<BinOptions, "dtMs">>;

export function binEncoder(info: SetInfo, options: BinEncoderOptions = {}): Encoder {
  if (info.kind !== "spikes") {
    throw new UserError('encoder "bin" takes spikes, but the set holds frames of numbers; use "rows" or "current"');
  }
  const { dtMs = 1, mergeChannels = 1, rounding, steps: givenSteps, durationMs } = options;
  const window = givenSteps === undefined && durationMs === undefined ? lastSpikeWindow(info, dtMs, rounding) : {};
  const binning: BinOptions = { ...options, ...window, dtMs, channels: info.channels };
  return {
    channels: mergedCount(info.channels, mergeChannels),
    maxSteps: stepsOf(binning),
    random: false,
    encode: (sample) => binSpikes(spikesOf("bin", sample), binning),
  };
}

/** As many steps as make the set's last spike, too, fall inside. */
function lastSpikeWindow({ durationMs }: SetInfo, dtMs: number, rounding: BinOptions["rounding"]): { steps: number } {
  if (durationMs === undefined) {
    throw new UserError('encoder "bin" needs durationMs (or steps): the set does not say when its last spike falls');
  }
  return { steps: Math.floor(durationMs / dtMs + (rounding === "nearest" ? 0.5 : 0)) + 1 };
}
