/**
 * Constraints on weights, put back in force after every optimiser step. A NaN stays a NaN, for the watch on divergence
 * to find.
 */
import { UserError } from "../../base/errors.ts";
import { complete, type Kinds } from "../losses/description.ts";

export type ConstraintDescription =
  | {
      readonly type: "clamp";
      /** Default null: no lower bound. */
      readonly min?: number | null;
      /** Default null: no upper bound. */
      readonly max?: number | null;
    }
  | { readonly type: "nonNegative" }
  /** Dale's law: all weights of a presynaptic neuron have the sign of that neuron. */
  | { readonly type: "dale" };

export const constraintKinds: Kinds<ConstraintDescription> = {
  clamp: { min: { default: null }, max: { default: null } },
  nonNegative: {},
  dale: {},
};

/** Changes weights in place. */
export type Constraint = (weights: Float32Array) => void;

function clamp(min: number, max: number): Constraint {
  return (weights) => {
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] < min) weights[i] = min;
      else if (weights[i] > max) weights[i] = max;
    }
  };
}

/** Weights that have not the sign of their row become 0. */
function keepSigns(signs: Int8Array, rowStarts: ArrayLike<number>): Constraint {
  return (weights) => {
    for (let row = 0; row < signs.length; row++) {
      const sign = signs[row];
      for (let i = rowStarts[row]; i < rowStarts[row + 1]; i++) if (weights[i] * sign < 0) weights[i] = 0;
    }
  };
}

/** What a constraint may need to know about the projection. */
export interface ConstrainedProjection {
  /** 1 or -1 for every presynaptic neuron; needed for "dale". */
  readonly signs?: Int8Array;
  /** The weights of presynaptic neuron i are those from rowStarts[i] to rowStarts[i+1]-1. */
  readonly rowStarts: ArrayLike<number>;
}

/** @throws UserError for settings that are unknown or exclude each other; `path` is where they stand. */
export function makeConstraint(
  description: ConstraintDescription,
  projection: ConstrainedProjection,
  path = "constraint",
): Constraint {
  const settings = complete(path, description, constraintKinds);
  if (settings.type === "nonNegative") return clamp(0, Infinity);
  if (settings.type === "clamp") {
    const { min, max } = settings;
    if (min === null && max === null) throw new UserError(`${path} is a clamp without bounds; give min, max or both`);
    if (min !== null && max !== null && min > max) {
      throw new UserError(`${path}.min is ${min}; it must not be above ${path}.max, which is ${max}`);
    }
    return clamp(min ?? -Infinity, max ?? Infinity);
  }
  const { signs, rowStarts } = projection;
  if (signs === undefined) {
    throw new UserError(
      `${path}.type is "dale", but the presynaptic neurons have no signs; divide them into excitatory and inhibitory or use "nonNegative"`,
    );
  }
  return keepSigns(signs, rowStarts);
}
