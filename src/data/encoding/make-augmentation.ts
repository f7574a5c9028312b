/** Augmentations by name: the words of an experiment file, applied in the order of the list. */

import { didYouMean, UserError } from "../../base/errors.ts";
import { type Augmentation, compose } from "./augmentation.ts";
import {
  type JitterChannelsOptions,
  jitterChannels,
  type ShiftChannelsOptions,
  type ShiftPlacesOptions,
  shiftChannels,
  shiftPlaces,
} from "./channel-augmentations.ts";
import { checkNumber } from "./check.ts";
import type { SetInfo } from "./encoder.ts";
import {
  type BlendOptions,
  blend,
  type DropSpikesOptions,
  dropSpikes,
  type InsertSpikesOptions,
  insertSpikes,
} from "./spike-augmentations.ts";
import {
  type CropOptions,
  crop,
  type JitterTimesOptions,
  jitterTimes,
  type ScaleTimesOptions,
  type StretchTimesOptions,
  scaleTimes,
  stretchTimes,
} from "./time-augmentations.ts";

export type AugmentationDescription =
  | ({ readonly type: "shiftChannels" } & ShiftChannelsOptions)
  | ({ readonly type: "shiftPlaces" } & ShiftPlacesOptions)
  | ({ readonly type: "jitterChannels" } & JitterChannelsOptions)
  | ({ readonly type: "jitterTimes" } & JitterTimesOptions)
  | ({ readonly type: "scaleTimes" } & ScaleTimesOptions)
  | ({ readonly type: "stretchTimes" } & StretchTimesOptions)
  | ({ readonly type: "crop" } & CropOptions)
  | ({ readonly type: "dropSpikes" } & DropSpikesOptions)
  | ({ readonly type: "insertSpikes" } & InsertSpikesOptions)
  | ({
      readonly type: "blend";
      /** Share of the samples that are blended. Default 0.5: as many blends as originals. */
      readonly share?: number;
    } & BlendOptions);

const types: readonly AugmentationDescription["type"][] = [
  "shiftChannels",
  "shiftPlaces",
  "jitterChannels",
  "jitterTimes",
  "scaleTimes",
  "stretchTimes",
  "crop",
  "dropSpikes",
  "insertSpikes",
  "blend",
];

/** All augmentations of an experiment. */
export interface AugmentationPlan {
  readonly augment: Augmentation;
  /** Share of the samples to be given a partner (`choosePartner`); 0 when nothing is blended. */
  readonly blendShare: number;
}

function augmentationOf(description: AugmentationDescription, { channels, shape }: SetInfo): Augmentation {
  switch (description.type) {
    case "shiftChannels":
      return shiftChannels(channels, description);
    case "shiftPlaces":
      return shiftPlaces(shape, description);
    case "jitterChannels":
      return jitterChannels(channels, description);
    case "jitterTimes":
      return jitterTimes(description);
    case "scaleTimes":
      return scaleTimes(description);
    case "stretchTimes":
      return stretchTimes(description);
    case "crop":
      return crop(description);
    case "dropSpikes":
      return dropSpikes(description);
    case "insertSpikes":
      return insertSpikes(channels, description);
    case "blend":
      return blend(channels, description);
    default: {
      const { type } = description as { type: string };
      throw new UserError(
        `there is no augmentation "${type}"; there are ${types.join(", ")}${didYouMean(String(type), types)}`,
      );
    }
  }
}

/**
 * @throws UserError for an unknown type, an option out of range, a set of frames, and for a blend that is not the first:
 *   samples are blended as they were recorded
 */
export function makeAugmentation(descriptions: readonly AugmentationDescription[], info: SetInfo): AugmentationPlan {
  if (descriptions.length > 0 && info.kind !== "spikes") {
    throw new UserError("augmentations change spikes, but the set holds frames of numbers; remove them");
  }
  let blendShare = 0;
  for (const [place, description] of descriptions.entries()) {
    if (description.type !== "blend") continue;
    if (place > 0)
      throw new UserError('augmentation "blend" must be the first of the list: it takes unchanged samples');
    blendShare = checkNumber('augmentation "blend": share', description.share ?? 0.5, { min: 0, max: 1 });
  }
  return { augment: compose(descriptions.map((description) => augmentationOf(description, info))), blendShare };
}
