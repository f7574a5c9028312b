/** Penalties on weights, mean_i w_i^2 or mean_i |w_i| times a strength, added to the loss and its gradient. */
import { complete, type Kinds } from "./description.ts";
import type { Floats } from "./softmax.ts";

export type WeightPenaltyDescription =
  | {
      readonly type: "meanSquare";
      /** Required. */
      readonly strength: number;
    }
  | {
      readonly type: "meanAbsolute";
      /** Required. */
      readonly strength: number;
    };

export const weightPenaltyKinds: Kinds<WeightPenaltyDescription> = {
  meanSquare: { strength: { min: 0 } },
  meanAbsolute: { strength: { min: 0 } },
};

/** Adds the penalty's gradient for one group of weights and returns the penalty. The gradient of |w| at 0 is 0. */
export type WeightPenalty = (weights: Floats, gradient: Floats) => number;

/** @throws UserError for settings that are unknown or out of range; `path` is where they stand. */
export function makeWeightPenalty(description: WeightPenaltyDescription, path = "weightPenalty"): WeightPenalty {
  const { type, strength } = complete(path, description, weightPenaltyKinds);
  if (type === "meanSquare") {
    return (weights, gradient) => {
      const factor = strength / weights.length;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        sum += weights[i] * weights[i];
        gradient[i] += 2 * factor * weights[i];
      }
      return factor * sum;
    };
  }
  return (weights, gradient) => {
    const factor = strength / weights.length;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      sum += Math.abs(weights[i]);
      gradient[i] += factor * Math.sign(weights[i]);
    }
    return factor * sum;
  };
}
