/** What holds for the weights of a training besides that they lower the loss: constraints and penalties. */
import { signsOfRows } from "../../network/shared-rows.ts";
import { makeWeightPenalty, type WeightPenalty } from "../losses/weight-penalty.ts";
import { type Constraint, makeConstraint } from "../optimisers/constraints.ts";
import type { ValueLayout } from "./layout.ts";
import type { ProjectionPlan } from "./learning-plan.ts";
import type { ParameterGroupView } from "./parameters.ts";
import { type GradientNetwork, isShared, isSparse } from "./spec.ts";

export class WeightRules {
  readonly #constraints: { values: Float32Array; constraint: Constraint }[] = [];
  readonly #penalties: { group: string; values: Float32Array; penalty: WeightPenalty }[] = [];

  constructor(
    network: GradientNetwork,
    layout: ValueLayout,
    groups: readonly ParameterGroupView[],
    plans: readonly ProjectionPlan[],
  ) {
    for (const { name, values, projection } of groups) {
      if (projection === null) continue;
      const { constraint, signs, penalty } = plans[projection];
      if (constraint !== null) {
        const { connectivity } = network.projections[projection];
        const { rows, stride } = layout.weights[projection];
        const rowStarts = isSparse(connectivity)
          ? connectivity.offsets
          : Array.from({ length: rows + 1 }, (_, i) => i * stride);
        const ofRows = signs !== null && isShared(connectivity) ? signsOfRows(connectivity, signs, name) : signs;
        const made = makeConstraint(constraint, { rowStarts, ...(ofRows === null ? {} : { signs: ofRows }) });
        this.#constraints.push({ values, constraint: made });
      }
      if (penalty !== null) this.#penalties.push({ group: name, values, penalty: makeWeightPenalty(penalty) });
    }
  }

  addPenalties(gradients: Readonly<Record<string, Float32Array>>): void {
    for (const { group, values, penalty } of this.#penalties) penalty(values, gradients[group]);
  }

  /** Puts the constraints back in force. */
  constrain(): void {
    for (const { values, constraint } of this.#constraints) constraint(values);
  }
}
