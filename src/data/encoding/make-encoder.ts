/** Encoders by name: the words of an experiment file. */

import { didYouMean, UserError } from "../../base/errors.ts";
import { type BinEncoderOptions, binEncoder } from "./bin-encoder.ts";
import { type CurrentOptions, currentEncoder } from "./current.ts";
import { type DeltaModulationOptions, deltaModulationEncoder } from "./delta-modulation.ts";
import type { Encoder, SetInfo } from "./encoder.ts";
import { type LatencyOptions, latencyEncoder } from "./latency.ts";
import { type PoissonOptions, poissonEncoder } from "./poisson.ts";
import { type ThresholdCrossingOptions, thresholdCrossingEncoder } from "./threshold-crossing.ts";

export type EncoderDescription =
  | ({ readonly type: "bin" } & BinEncoderOptions)
  | ({ readonly type: "current" } & CurrentOptions)
  /** `current` of an image row by row: 28 inputs and 28 steps for MNIST. */
  | ({ readonly type: "rows" } & Omit<CurrentOptions, "present">)
  /** `current` of an image pixel by pixel: one input and 784 steps for MNIST. */
  | ({ readonly type: "pixels" } & Omit<CurrentOptions, "present">)
  | ({ readonly type: "thresholdCrossing" } & ThresholdCrossingOptions)
  | ({ readonly type: "deltaModulation" } & DeltaModulationOptions)
  | ({ readonly type: "latency" } & LatencyOptions)
  | ({ readonly type: "poisson" } & PoissonOptions);

const types: readonly EncoderDescription["type"][] = [
  "bin",
  "current",
  "rows",
  "pixels",
  "thresholdCrossing",
  "deltaModulation",
  "latency",
  "poisson",
];

/** @throws UserError for an unknown type, an option out of range, or a set of the other kind. */
export function makeEncoder(description: EncoderDescription, info: SetInfo): Encoder {
  switch (description.type) {
    case "bin":
      return binEncoder(info, description);
    case "current":
      return currentEncoder(info, description);
    case "rows":
      return currentEncoder(info, { ...description, present: "frames" });
    case "pixels":
      return currentEncoder(info, { ...description, present: "values" });
    case "thresholdCrossing":
      return thresholdCrossingEncoder(info, description);
    case "deltaModulation":
      return deltaModulationEncoder(info, description);
    case "latency":
      return latencyEncoder(info, description);
    case "poisson":
      return poissonEncoder(info, description);
    default: {
      const { type } = description as { type: string };
      throw new UserError(
        `there is no encoder "${type}"; there are ${types.join(", ")}${didYouMean(String(type), types)}`,
      );
    }
  }
}
