/** From a parsed experiment to everything a training needs, before any memory of the network is taken. */
import { exitCode, UserError } from "../../base/errors.ts";
import { type AugmentationDescription, makeAugmentation } from "../../data/encoding/make-augmentation.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import type { LossDescription } from "../../learning/losses/loss.ts";
import {
  type OpenSet,
  openTrainingData,
  SampleReader,
  type Samples,
  type TrainingData,
  trainingReader,
} from "./data.ts";
import type { Scoring } from "./evaluate.ts";
import { TrainingLoop } from "./loop.ts";
import { type ResolvedNetwork, resolveNetwork } from "./resolve.ts";
import { type DataFacts, resolveEncoder, resolveSettings } from "./resolve-settings.ts";
import type { ClassifyExperiment } from "./schema.ts";
import { type DataSummary, encoderOf, infoOf, summariseData } from "./summary.ts";

export interface Prepared extends ResolvedNetwork {
  /** Without any "auto". */
  readonly experiment: ClassifyExperiment;
  readonly data: TrainingData;
  readonly summary: DataSummary;
  readonly scoring: Scoring;
  readonly notes: readonly string[];
}

/** @throws UserError for settings and data that do not go together; nothing stays open then */
export async function prepareClassification(given: ClassifyExperiment, open: OpenSet): Promise<Prepared> {
  const data = await openTrainingData(given, open);
  try {
    checkDisturbances(given, data);
    const encoder = resolveEncoder(given, infoOf(data.training.set));
    const encoded = { ...given, data: { ...given.data, encoder } };
    const summary = await summariseData(encoded, data);
    const facts = factsOf(encoded, data, summary);
    const experiment = await resolveSettings(encoded, facts);
    const network = await resolveNetwork(experiment, summary);
    return {
      ...network,
      experiment,
      data,
      summary,
      scoring: scoringOf(experiment, data.training, facts),
      notes: data.notes,
    };
  } catch (error) {
    data.close();
    throw error;
  }
}

/** @param encoded with the encoder of `resolveEncoder` */
function factsOf(
  encoded: ClassifyExperiment,
  { outputs, traces }: Pick<TrainingData, "outputs" | "traces">,
  { rateHz, info }: DataSummary,
): DataFacts {
  return { outputs, hasClasses: traces === null, rateHz, inputShape: encoderOf(encoded, info).shape };
}

/** How losses become figures. */
export function scoringOf(
  { network, learning }: ClassifyExperiment,
  training: Samples,
  { outputs, hasClasses }: { readonly outputs: number; readonly hasClasses: boolean },
): Scoring {
  const { dtMs } = network;
  if (hasClasses) return { hasClasses, outputs: network.readout.neurons as number, dtMs, errorPerLoss: 0 };
  const { fromStep = 0, toStep, overSteps } = learning.loss as LossDescription;
  const target = training.target(0);
  if (!("trace" in target)) throw new Error("a network without classes has no trace to follow");
  const to = Math.min(toStep ?? Number.POSITIVE_INFINITY, target.trace.length / outputs);
  let deviation = 0;
  for (let k = 0; k < outputs; k++) {
    let [sum, squares] = [0, 0];
    for (let t = fromStep; t < to; t++) {
      const value = target.trace[t * outputs + k];
      sum += value;
      squares += value * value;
    }
    deviation += squares - (sum * sum) / (to - fromStep);
  }
  // The loss is half the sum (or mean) of squared errors.
  const errorPerLoss = (2 * (overSteps === "mean" ? to - fromStep : 1)) / deviation;
  return { hasClasses, outputs, dtMs, errorPerLoss };
}

/** A reader of samples as they are, for validation and tests. */
export function plainReader({ experiment, summary }: Pick<Prepared, "experiment" | "summary">, samples: Samples) {
  return new SampleReader(samples, encoderOf(experiment, summary.info), experiment.seed);
}

/** A reader of samples that are changed: at another speed, with spikes missing, with noise. */
export function disturbedReader(
  { experiment, summary }: Pick<Prepared, "experiment" | "summary">,
  samples: Samples,
  change: readonly AugmentationDescription[],
) {
  const plan = makeAugmentation(change, samples.set);
  return new SampleReader(samples, encoderOf(experiment, summary.info), experiment.seed, plan);
}

/** One for each disturbance of the experiment. */
export function disturbedReaders(prepared: Pick<Prepared, "experiment" | "summary">, samples: Samples) {
  return prepared.experiment.data.disturbances.map(({ name, change }) => ({
    name,
    reader: disturbedReader(prepared, samples, change),
  }));
}

/** @throws UserError for disturbances that these samples cannot have, before anything is trained */
function checkDisturbances({ data }: ClassifyExperiment, { training }: TrainingData): void {
  const names = data.disturbances.map(({ name }) => name);
  for (const [i, { name, change }] of data.disturbances.entries()) {
    if (names.indexOf(name) !== i) {
      throw new UserError(`data.disturbances has two called "${name}"; name them differently`, exitCode.usage);
    }
    makeAugmentation(change, training.set);
  }
  if (names.length > 0 && data.test === null) {
    throw new UserError(
      "data.disturbances are tests on changed samples, but data.test is null; give test samples, or leave them out",
      exitCode.usage,
    );
  }
}

export function makeLoop(prepared: Prepared, trainer: GradientTrainer): TrainingLoop {
  const { experiment, data, summary, scoring } = prepared;
  return new TrainingLoop(trainer, {
    experiment,
    scoring,
    training: trainingReader(experiment, data.training, encoderOf(experiment, summary.info)),
    validation: data.validation === null ? null : plainReader(prepared, data.validation),
  });
}
