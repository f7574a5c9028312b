/**
 * All that defines a training by gradients, as plain data that can be sent to workers: the network in words, what is
 * minimised, and how a batch is summed. `compile.ts` makes the network of it.
 */
import type { ProductFormat } from "../../kernels/rows/integer-dots.ts";
import type { TapeFormat } from "../../kernels/tape.ts";
import type { ModelChoice } from "../../model/resolve.ts";
import type { CountRegulariserDescription } from "../losses/count-regulariser.ts";
import type { FilteredRateDescription } from "../losses/filtered-rate.ts";
import type { LossDescription } from "../losses/loss.ts";
import type { ProjectionSpec } from "./spec.ts";
import type { SurrogateDescription } from "./surrogate.ts";

export interface PopulationChoice {
  readonly name: string;
  readonly size: number;
  /** A name or a module's address, with values for parameters. The readout's model never spikes: `LI`, `CuBaLI`. */
  readonly model: ModelChoice;
  /** Of a population that spikes. Default `fastSigmoid`. */
  readonly surrogate?: SurrogateDescription;
  readonly detachReset: boolean;
  readonly trainable: readonly string[];
  readonly bias: boolean;
  /** See `PopulationSpec`. Default 0. */
  readonly dropout?: number;
  /** See `PopulationSpec`. */
  readonly filters?: number;
}

export interface RegulariserChoice {
  readonly population: number;
  readonly description: CountRegulariserDescription | FilteredRateDescription;
}

export interface TrainingSpec {
  readonly seed: number;
  readonly dtMs: number;
  readonly inputs: number;
  readonly populations: readonly PopulationChoice[];
  readonly projections: readonly ProjectionSpec[];
  readonly readout: number;
  readonly loss: LossDescription;
  readonly regularisers: readonly RegulariserChoice[];
  /** Adjoints do not cross multiples of this many steps; 0: never cut. */
  readonly truncateSteps: number;
  /**
   * Sums of gradients: sample i of a batch goes to lane i mod lanes, lanes are added in a fixed tree. A power of two, at
   * least the number of threads; part of the result, unlike the number of threads.
   */
  readonly lanes: number;
  readonly relaxed: boolean;
  /** How what the way back needs is kept of a sample. Default `float32`. */
  readonly tape?: TapeFormat;
  /** Numbers in which errors are multiplied by dense weights on their way back. Default `float32`. */
  readonly products?: ProductFormat;
}
