/** How a training by gradients learns, as plain data; what is trained says the TrainingSpec. */
import type { InitialWeights } from "../initialisation/descriptions.ts";
import type { WeightPenaltyDescription } from "../losses/weight-penalty.ts";
import type { ConstraintDescription } from "../optimisers/constraints.ts";
import type { ParametrisationDescription } from "../optimisers/parametrisation.ts";
import type { ScheduleDescription } from "../optimisers/schedule.ts";
import type { OptimiserDescription } from "../optimisers/update-rules.ts";

/** How one projection starts and what holds for its weights. */
export interface ProjectionPlan {
  readonly initial: InitialWeights | Float32Array;
  readonly constraint: ConstraintDescription | null;
  /** For Dale's law: 1 or -1 per source. */
  readonly signs: Int8Array | null;
  readonly penalty: WeightPenaltyDescription | null;
  /** Of a sparse projection: strength of the pull to 0 of deep rewiring; null: synapses stay where they are. */
  readonly deepR: number | null;
}

/** A projection that starts so, with weights that nothing holds. */
export const unconstrained = (initial: ProjectionPlan["initial"]): ProjectionPlan => ({
  initial,
  constraint: null,
  signs: null,
  penalty: null,
  deepR: null,
});

export interface LearningPlan {
  readonly optimiser: OptimiserDescription;
  readonly schedules: readonly ScheduleDescription[];
  /** Largest norm of all gradients together; null: no limit. */
  readonly clipNorm: number | null;
  /** Learning rate of constants; null: that of the weights. */
  readonly constantsRate: number | null;
  /** A gradient is the mean over the samples of a batch, or their sum. */
  readonly overBatch: "mean" | "sum";
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly projections: readonly ProjectionPlan[];
  /** Of every trainable parameter. */
  readonly constants: readonly {
    readonly population: number;
    readonly parameter: string;
    readonly range: ParametrisationDescription;
    readonly shared: boolean;
  }[];
  /** For projections with `backward: "feedback"`: a matrix that stays, or one that gets the weights' updates too. */
  readonly feedback: "random" | "adaptive";
  /** Mean rate of an input channel over the training data, for weights that start from it. */
  readonly dataRateHz: number | null;
}
