/**
 * The experiment file of kind "classify": labelled data, layers of spiking neurons, a readout, and how they learn by
 * gradients. A network that follows traces instead of telling classes apart (pattern generation) is of this kind too.
 *
 * Values written `"auto"` depend on others and are filled in by `resolve-settings.ts`.
 */
import { z } from "zod";
import { initialWeightKinds } from "../../learning/gradient/initial-weights.ts";
import { surrogateKinds } from "../../learning/gradient/surrogate.ts";
import { type CountRegulariserDescription, countRegulariserKinds } from "../../learning/losses/count-regulariser.ts";
import { type Complete, complete, type Kinds } from "../../learning/losses/description.ts";
import { type FilteredRateDescription, filteredRateKinds } from "../../learning/losses/filtered-rate.ts";
import { lossKinds } from "../../learning/losses/loss.ts";
import { weightPenaltyKinds } from "../../learning/losses/weight-penalty.ts";
import { constraintKinds } from "../../learning/optimisers/constraints.ts";
import { parametrisationKinds } from "../../learning/optimisers/parametrisation.ts";
import { scheduleKinds } from "../../learning/optimisers/schedule.ts";
import { optimiserKinds } from "../../learning/optimisers/update-rules.ts";
import {
  autoOr,
  checked,
  choice,
  experimentName,
  flag,
  list,
  modelParameters,
  number,
  object,
  parse,
  seedNumber,
  text,
  whole,
} from "../schema-words.ts";
import { data } from "./data-schema.ts";

export type { DataSource, GeneratedSource, TestSource } from "./data-schema.ts";

const described = <Description extends { type: string }>(kinds: Kinds<Description>) =>
  checked<Description, Complete<Description>>((path, given) => complete(path, given, kinds));

const fraction = number({ above: 0, max: 1 });
const trainable = z.record(
  z.string(),
  object({
    /** "auto": a tenth to ten times the values at the start; of time constants the logarithm moves. */
    range: autoOr(described(parametrisationKinds)).default("auto"),
    /** One value for the whole layer. */
    shared: flag().default(false),
  }),
  { error: 'must be an object by name of the parameter, such as {"tauMemMs": {}}' },
);

const initial = autoOr(described(initialWeightKinds)).default("auto");
const model = (type: string) =>
  object({
    type: text("the name of a neuron model or the path of a module").default(type),
    parameters: modelParameters,
  }).prefault({});

const connectionsInto = {
  /** Steps from a spike below to its arrival. */
  delaySteps: whole(0, 65536).default(0),
  /** Fraction of the connections from below that exist, drawn at random. */
  connections: fraction.default(1),
  /** "auto": "fluctuation" where the sources spike, at the rate of the data or 10 Hz; else, and into the readout, "normal". */
  initial,
  constraint: described(constraintKinds).nullable().default(null),
  /** Deep rewiring of sparse connections: strength of the pull of weights to 0. null: they stay where they are. */
  deepR: number({ min: 0 }).nullable().default(null),
};

const layer = object({
  /** "auto": `hidden`, or `hidden1`, `hidden2`, ... */
  name: text("a name").default("auto"),
  neurons: whole(1, 1_000_000),
  model: model("StorkLIF"),
  ...connectionsInto,
  recurrent: flag().default(true),
  recurrentDelaySteps: whole(1, 65536).default(1),
  recurrentConnections: fraction.default(1),
  recurrentInitial: initial,
  surrogate: described(surrogateKinds).prefault({ type: "fastSigmoid", beta: 20 }),
  /** Whether gradients leave the reset of a spike out. */
  detachReset: flag().default(true),
  bias: flag().default(false),
  trainable: trainable.default({}),
  /** With the constraint "dale": share of the neurons, the first ones, whose outgoing weights are positive. */
  excitatoryFraction: number({ min: 0, max: 1 }).nullable().default(null),
});

const readout = object({
  /** "auto": one per class, or per curve to follow. */
  neurons: autoOr(whole(1, 1_000_000)).default("auto"),
  model: model("LI"),
  ...connectionsInto,
  /** "auto": the last layer, and with e-prop all of them. */
  from: choice(["auto", "last", "all"]).default("auto"),
  bias: flag().default(true),
  trainable: trainable.default({}),
});

export type Regulariser = (CountRegulariserDescription | FilteredRateDescription) & {
  /** Names of layers. Absent: all that spike. */
  readonly layers?: readonly string[];
};
const regulariserKinds = { ...countRegulariserKinds, ...filteredRateKinds };
const regulariser = checked<Regulariser>((where, { layers, ...description }) => ({
  ...complete(where, description, regulariserKinds as Kinds<CountRegulariserDescription | FilteredRateDescription>),
  ...(layers === undefined ? {} : { layers }),
}));

const learning = object({
  /** The gradient: exact (backpropagation through time), or without the paths between hidden neurons (e-prop). */
  rule: choice(["bptt", "eprop"]).default("bptt"),
  /** How errors reach hidden neurons in e-prop: by the readout's weights, by fixed random ones, by ones that learn along. */
  feedback: choice(["symmetric", "random", "adaptive"]).default("symmetric"),
  /** "auto": cross-entropy of the largest readout over time, and with e-prop of every step; squared error of traces. */
  loss: autoOr(described(lossKinds)).default("auto"),
  regularise: list(regulariser, "regularisers").default([]),
  weightPenalty: described(weightPenaltyKinds).nullable().default(null),
  optimiser: described(optimiserKinds).prefault({ type: "adam" }),
  /** Factors on the learning rate; several multiply. */
  schedule: list(described(scheduleKinds), "schedules").default([]),
  /** Largest norm of all gradients together. */
  clipNorm: number({ above: 0 }).nullable().default(null),
  /** Learning rate of trained constants. null: that of the weights. */
  constantsRate: number({ min: 0 }).nullable().default(null),
  batch: whole(1, 1_000_000).default(32),
  overBatch: choice(["mean", "sum"]).default("mean"),
  epochs: whole(1, 1_000_000).default(40),
  /** Training samples that an epoch meets, going on where the last one ended. null: all of them. */
  samplesPerEpoch: whole(1).nullable().default(null),
  /** Gradients do not cross multiples of so many steps. 0: they are exact. */
  truncateSteps: whole(0).default(0),
  /** Stops when so many epochs in a row were not better in validation. */
  earlyStopping: object({ patience: whole(1) })
    .nullable()
    .default(null),
  /** Stops as soon as validation (or, without, training) is this good. */
  stopAt: object({ accuracy: number({ min: 0, max: 1 }).optional(), normalisedError: number({ min: 0 }).optional() })
    .nullable()
    .default(null),
  /** In how many parts a batch is summed; a power of two, and the most threads that can be used. */
  lanes: whole(1, 1024).default(8),
});

export const classifySchema = object({
  kind: choice(["classify"]),
  name: experimentName.default("classifier"),
  seed: seedNumber.default(1),
  data,
  network: object({
    dtMs: number({ above: 0, max: 1000, unit: "ms" }).default(1),
    layers: list(layer, "layers").min(1, { error: "is an empty list; give at least one layer" }),
    readout: readout.prefault({}),
  }),
  learning: learning.prefault({}),
  checkpoint: object({ everySeconds: number({ min: 0, unit: "s" }).default(10) }).prefault({}),
  /** Figures of others, to be printed beside the test. */
  references: list(
    object({
      what: text("what reached it, such as a paper and a network"),
      accuracy: number({ min: 0, max: 1 }),
      sd: number({ min: 0, max: 1 }).optional(),
    }),
    "objects with what, accuracy and sd",
  ).default([]),
  /** Trials that are kept with all their spikes, to be looked at. */
  exampleTrials: whole(0, 64).default(6),
});

/** What a person may write. */
export type ClassifyInput = z.input<typeof classifySchema>;
/** The same with every default in place. */
export type ClassifyExperiment = z.output<typeof classifySchema>;
export type LayerSettings = ClassifyExperiment["network"]["layers"][number];
export type ReadoutSettings = ClassifyExperiment["network"]["readout"];

/** @param source what to call it in messages: the file or preset. */
export function parseClassify(value: unknown, source: string): ClassifyExperiment {
  return parse(classifySchema, value, source);
}
