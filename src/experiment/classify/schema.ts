/**
 * The experiment file of kind "classify": labelled data, layers of spiking neurons, a readout, and how they learn by
 * gradients. A network that follows traces instead of telling classes apart (pattern generation) is of this kind too.
 *
 * Values written `"auto"` depend on others and are filled in by `resolve-settings.ts`.
 */
import { z } from "zod";
import { inRange, wrong } from "../../base/faults.ts";
import { surrogateKinds } from "../../learning/gradient/surrogate.ts";
import { type InitialWeights, initialWeightKinds } from "../../learning/initialisation/descriptions.ts";
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
  variants,
  whole,
} from "../schema-words.ts";
import { data } from "./data-schema.ts";
import { heterogeneityWords } from "./heterogeneity-words.ts";

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

/** Experiments from before rates had words say `rateHz`: a number, or null for that of the data. */
const withRate = ({ rateHz, ...rest }: InitialWeights & { readonly rateHz?: number | null }): InitialWeights =>
  (rateHz === undefined ? rest : { ...rest, rate: rateHz ?? "data" }) as InitialWeights;
const initialRule = checked<InitialWeights, Complete<InitialWeights>>((path, given) =>
  complete(path, withRate(given), initialWeightKinds),
);
const initial = autoOr(initialRule).default("auto");
const model = (type: string) =>
  object({
    type: text("the name of a neuron model or the path of a module").default(type),
    parameters: modelParameters,
  }).prefault({});

const weightsInto = {
  /** Steps from a spike below to its arrival. */
  delaySteps: whole(0, 65536).default(0),
  /**
   * "auto": "fluctuation" ("daleFluctuation" where the constraint is "dale" and some sources inhibit) where the sources
   * spike, at the rate of the data or 10 Hz; else, and into the readout, "normal".
   */
  initial,
  constraint: described(constraintKinds).nullable().default(null),
};

const connectionsInto = {
  ...weightsInto,
  /** Fraction of the connections from below that exist, drawn at random. */
  connections: fraction.default(1),
  /** Deep rewiring of sparse connections: strength of the pull of weights to 0. null: they stay where they are. */
  deepR: number({ min: 0 }).nullable().default(null),
};

const placed = {
  /** "auto": `hidden`, `conv`, ..., with a number where there are several layers: `hidden1`, `conv2`. */
  name: text("a name").default("auto"),
  /** Names of layers before it, or "input", whose currents add up. "auto": the one before. */
  from: autoOr(
    list(text("the name of a layer"), "names of layers").min(1, { error: "is an empty list; name a layer" }),
  ).default("auto"),
};

const spiking = {
  ...placed,
  model: model("StorkLIF"),
  recurrentDelaySteps: whole(1, 65536).default(1),
  recurrentInitial: initial,
  surrogate: described(surrogateKinds).prefault({ type: "fastSigmoid", beta: 20 }),
  /** Whether gradients leave the reset of a spike out. */
  detachReset: flag().default(true),
  bias: flag().default(false),
  trainable: trainable.default({}),
  /** With the constraint "dale": share of the neurons, or filters, the first ones, whose outgoing weights are positive. */
  excitatoryFraction: number({ min: 0, max: 1 }).nullable().default(null),
  /** Probability that what a neuron sends does not arrive, drawn for every neuron and training sample. */
  dropout: number({ min: 0, below: 1 }).default(0),
};

const dense = {
  ...spiking,
  ...connectionsInto,
  neurons: whole(1, 1_000_000),
  recurrent: flag().default(true),
  recurrentConnections: fraction.default(1),
};

/** Neurons that follow from the shape of the layer below, its places times its channels. */
const sized = { neurons: autoOr(whole(1)).default("auto") };

/** One number for every axis, or a list with one for each. */
const extents = (min: number) =>
  z.custom<number | readonly number[]>(
    (value) => {
      const isExtent = (one: unknown) => inRange(one, { min, max: 4096, integer: true });
      return Array.isArray(value) ? value.length > 0 && value.every(isExtent) : isExtent(value);
    },
    { error: (issue) => wrong(issue.input, `a whole number from ${min} to 4096, or a list with one for every axis`) },
  );

const convolutional = {
  ...spiking,
  ...weightsInto,
  ...sized,
  filters: whole(1, 65536),
  kernel: extents(1),
  stride: extents(1).default(1),
  /** Places beyond the ends, where nothing is. */
  padding: extents(0).default(0),
  /** Filters and the channels below are cut into so many groups; a filter sees those of its own. */
  groups: whole(1).default(1),
  recurrent: flag().default(false),
  /** Odd: the layer keeps its shape. */
  recurrentKernel: extents(1).default(3),
};

const pool = {
  ...placed,
  ...sized,
  /** Sums and averages take no neurons; with "max" a neuron spikes when any of its window does. */
  method: choice(["sum", "average", "max"]),
  size: extents(1),
  /** "auto": `size`. */
  stride: autoOr(extents(1)).default("auto"),
  padding: extents(0).default(0),
};

const flatten = { ...placed, ...sized };

const layerKinds = { dense, conv1d: convolutional, conv2d: convolutional, pool, flatten };

type Given<Type, Shape extends z.ZodRawShape> = z.input<z.ZodObject<Shape>> & { readonly type: Type };
type Settled<Type, Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>> & { readonly type: Type };

export type LayerInput =
  | (z.input<z.ZodObject<typeof dense>> & { readonly type?: "dense" })
  | Given<"conv1d" | "conv2d", typeof convolutional>
  | Given<"pool", typeof pool>
  | Given<"flatten", typeof flatten>;
export type DenseLayer = Settled<"dense", typeof dense>;
export type ConvolutionalLayer = Settled<"conv1d" | "conv2d", typeof convolutional>;
export type PoolLayer = Settled<"pool", typeof pool>;
export type FlattenLayer = Settled<"flatten", typeof flatten>;
/** Neurons with weights of their own. */
export type SpikingLayer = DenseLayer | ConvolutionalLayer;
export type LayerSettings = SpikingLayer | PoolLayer | FlattenLayer;

const layer = variants<LayerInput, LayerSettings>("type", layerKinds, "dense");

/** Whether a layer has weights and neurons that learn. */
export const isSpiking = (one: LayerSettings): one is SpikingLayer => one.type !== "pool" && one.type !== "flatten";

/** One sums or averages and takes no neurons, the other does. */
type MaximumLayer = PoolLayer & { readonly method: "max" };

/** Whether a layer has neurons; sums, averages and other shapes are only other ways to see those below. */
export const hasNeurons = (one: LayerSettings): one is SpikingLayer | MaximumLayer =>
  isSpiking(one) || (one.type === "pool" && one.method === "max");

const initialisation = object({
  /** What "auto" means for the weights into layers that see spikes, instead of "fluctuation"; null: that. */
  weights: initialRule.nullable().default(null),
  /** Training samples that are looked at by rules with the rate "sequential", by `exact` and by each homeostatic change. */
  samples: whole(1, 65536).default(64),
  /** Multiply the weights of every layer until its free membrane has the standard deviation aimed at, in these samples. */
  exact: flag().default(false),
  /** A phase before training that brings every layer to rates within bounds; null: none. */
  homeostasis: object({
    /** "scaling": by factors on the weights into each neuron; "regularisers": by gradients of rate regularisers alone. */
    by: choice(["scaling", "regularisers"]).default("scaling"),
    /** Bounds of the mean rate of every layer. */
    lowHz: number({ above: 0, unit: "Hz" }).default(2),
    highHz: number({ above: 0, unit: "Hz" }).default(50),
    /** Largest share of neurons of a layer that do not fire in a batch. */
    silentShare: number({ min: 0, max: 1 }).default(0.05),
    /** Rate that scaling steers every neuron to. null: the geometric mean of the bounds. */
    targetHz: number({ above: 0, unit: "Hz" }).nullable().default(null),
    /** Most changes. null: 20 of scaling, 200 of regularisers. */
    batches: whole(1, 100_000).nullable().default(null),
  })
    .nullable()
    .default(null),
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
  /** How what the way back needs is kept of a sample: bfloat16 halves it, and rounds it to 8 bits of precision. */
  tape: choice(["float32", "bfloat16"]).default("float32"),
  /** Numbers in which errors are multiplied by dense weights on their way back: int16 is faster, and rounds to 15 bits. */
  products: choice(["float32", "int16"]).default("float32"),
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
    /** How time constants start and what is trained, as one word (`heterogeneity.ts`). null: as the layers say. */
    heterogeneity: choice(heterogeneityWords).nullable().default(null),
    layers: list(layer, "layers").min(1, { error: "is an empty list; give at least one layer" }),
    initialisation: initialisation.prefault({}),
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
export type ReadoutSettings = ClassifyExperiment["network"]["readout"];

/** @param source what to call it in messages: the file or preset. */
export function parseClassify(value: unknown, source: string): ClassifyExperiment {
  return parse(classifySchema, value, source);
}
