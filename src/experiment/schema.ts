/**
 * The experiment file that people write: what may stand in it, in which range, and what is assumed when it is absent.
 *
 * Defaults are those of the method's specification (docs/method.md): the E/I network of 4096 neurons that learns
 * sinusoids. Values written `"auto"` depend on others and are filled in by `resolve.ts`.
 */
import { z } from "zod";
import { heldOutRange } from "../data/targets/psth.ts";
import { builtInModels } from "../model/built-in.ts";
import {
  choice,
  columnValues,
  constant,
  experimentName,
  flag,
  modelParameters,
  number,
  object,
  parse,
  seedNumber,
  text,
} from "./schema-words.ts";

const auto = z.literal("auto");
/** `"auto"` or what the schema says; the message is the schema's. */
const autoOr = <Schema extends z.ZodType>(schema: Schema, must: string) =>
  z.union([auto, schema], {
    error: (issue) => `is ${JSON.stringify(issue.input)}; it must be "auto" or ${must}`,
  });

const ms = { unit: "ms" } as const;
const duration = autoOr(number({ above: 0, ...ms }), "a number above 0 ms");

const rule = object({
  /** A module beside the experiment file. */
  module: text("the path of a module"),
  export: text("the name of the function it exports").default("default"),
});

const model = object({
  type: text(`the name of a neuron model (${Object.keys(builtInModels).join(", ")}) or the path of a module`).default(
    "LIF",
  ),
  parameters: modelParameters,
});

const timing = object({
  dtMs: number({ above: 0, max: 10, ...ms }).default(0.1),
  stimulusOnMs: number({ min: 0, ...ms }).default(800),
  stimulusOffMs: number({ min: 0, ...ms }).default(1000),
  /** "auto": 1000 ms for sinusoids, rows x interval for a recording. */
  trainMs: duration.default("auto"),
  /** "auto": 10 ms for sinusoids, the interval of a recording. */
  learnEveryMs: duration.default("auto"),
});

/** Constants where nothing is said, and the mean of a distribution that names none. */
export const standardConstants = { tauExcMs: 3, tauInhMs: 3, tauPlasticMs: 150, lambda: 0.8 } as const;

const synapses = object({
  tauExcMs: constant({ above: 0, ...ms }).default(standardConstants.tauExcMs),
  tauInhMs: constant({ above: 0, ...ms }).default(standardConstants.tauInhMs),
  tauPlasticMs: constant({ above: 0, ...ms }).default(standardConstants.tauPlasticMs),
});

const staticNetwork = object({
  /** 2K outgoing synapses per neuron. "auto": round(excitatory neurons x probability). */
  K: autoOr(number({ min: 1, integer: true }), "a whole number of at least 1").default("auto"),
  probability: number({ above: 0, max: 1 }).default(0.1),
  g: number({ above: 0 }).default(1),
  /** The automatic drive: jx = jxFactor g sqrt(K). */
  jxFactor: number({ min: 0 }).default(0.08),
  weights: object({
    EE: number({}).default(0.15),
    IE: number({}).default(1),
    EI: number({}).default(-0.75),
    II: number({}).default(-1),
  }).prefault({}),
  rule: rule.optional(),
});

const drive = z.union(
  [
    auto,
    object({
      excitatory: constant({ unit: "units of threshold" }),
      inhibitory: constant({ unit: "units of threshold" }),
    }),
  ],
  {
    error: (issue) =>
      `is ${JSON.stringify(issue.input)}; it must be "auto" or an object with the numbers "excitatory" and "inhibitory"`,
  },
);

const trained = z.union(
  [
    z.literal("all"),
    object({ fraction: number({ above: 0, max: 1 }) }),
    object({ indices: z.array(number({ min: 0, integer: true })).min(1) }),
  ],
  {
    error: (issue) =>
      `is ${JSON.stringify(issue.input)}; it must be "all", {"fraction": from 0 to 1} or {"indices": [neurons]}`,
  },
);

const plastic = object({
  /** L inputs from E and as many from I. "auto": round(2 sqrt(K)). */
  inputsPerType: autoOr(number({ min: 1, max: 4096, integer: true }), "a whole number from 1 to 4096").default("auto"),
  weightScale: number({ min: 0 }).default(1),
  inhibitoryScale: number({ min: 0 }).default(1),
  activeFraction: number({ above: 0, max: 1 }).default(1),
  trained: trained.default("all"),
  rule: rule.optional(),
});

const feedforward = object({
  size: number({ min: 1, max: 65536, integer: true }),
  meanHz: number({ min: 0, unit: "Hz" }).default(5),
  tauMs: number({ above: 0, ...ms }).default(400),
  sigma: number({ min: 0, unit: "Hz per sqrt(ms)" }).default(0.2),
  weightsPerTask: flag().default(false),
  initialWeight: number({}).default(0),
});

const noise = object({
  model: choice(["voltage", "current"]).default("voltage"),
  sigma: constant({ min: 0, unit: "units of threshold" }).default(0),
});

const stimulus = object({
  tauMs: number({ above: 0, ...ms }).default(20),
  sigma: number({ min: 0, unit: "per sqrt(ms)" }).default(0.2),
});

const sinusoids = object({
  type: z.literal("sinusoids"),
  amplitude: number({ min: 0, unit: "units of threshold" }).default(0.5),
  periodMs: number({ above: 0, ...ms }).default(1000),
  bias: choice(["none", "ou", "ramp"]).default("none"),
  tasks: number({ min: 1, max: 1000, integer: true }).default(1),
});

/** How the spikes of an NWB file become rates (data/formats/nwb-psth.ts, which holds the defaults). */
const nwb = object({
  table: text("the name of a table of intervals").optional(),
  event: text("the name of a column with times").optional(),
  beforeMs: number(ms).optional(),
  afterMs: number(ms).optional(),
  binMs: number({ above: 0, ...ms }).optional(),
  smoothingSdMs: number({ min: 0, ...ms }).optional(),
  condition: text("the name of a column").optional(),
  conditions: z.array(z.union([z.string(), z.number()])).optional(),
  trialsWhere: columnValues('{"outcome": "hit"}').optional(),
  unitsWhere: columnValues('{"quality": "good"}').optional(),
  minimumRateHz: number({ min: 0, unit: "Hz" }).optional(),
  heldOutFraction: number(heldOutRange).optional(),
});

const recording = object({
  type: z.literal("recording"),
  /** Relative to the experiment file. */
  file: text("the path of a file: HDF5, NWB, npy, npz, CSV or JLD2"),
  /** What the numbers are. Absent: by names and numbers. */
  quantity: choice(["rateHz", "current"]).optional(),
  /** Which datasets of HDF5 and npz files, one per task. Absent: found by shape and name. */
  datasets: z.array(text("the path of a dataset"), { error: "must be a list of paths of datasets" }).min(1).optional(),
  orientation: choice(["auto", "neurons-by-rows", "rows-by-neurons"]).optional(),
  /** Time between two rows. Absent: what the file says. */
  intervalMs: number({ above: 0, ...ms }).optional(),
  /** CSV: columns that are neurons, `*` standing for anything. */
  columns: z.array(text("the name of a column"), { error: "must be a list of names of columns" }).min(1).optional(),
  nwb: nwb.optional(),
});

const targets = z.discriminatedUnion("type", [sinusoids, recording], {
  error: (issue) => {
    const given = issue.input as { type?: unknown } | undefined;
    if (typeof given !== "object" || given === null) return `is ${JSON.stringify(given)}; it must be an object`;
    return `is ${JSON.stringify(given.type) ?? "missing"}; it must be "sinusoids" or "recording"`;
  },
});

const learning = object({
  lambda: constant({ above: 0 }).default(standardConstants.lambda),
  lambdaFeedforward: number({ above: 0 }).default(1),
  mu: number({ min: 0 }).default(0.01),
  forgetting: number({ above: 0, max: 1 }).default(1),
  precision: choice(["f32", "int16"]).default("f32"),
  block: number({ min: 1, max: 64, integer: true }).default(1),
  window: number({ min: 0, max: 1024, integer: true }).default(0),
  compat: choice(["none", "trainspikingnet"]).default("none"),
  dale: flag().default(false),
  /** null: unbounded. */
  maxWeight: number({ above: 0 }).nullable().default(null),
});

export const experimentSchema = object({
  name: experimentName.default("experiment"),
  seed: seedNumber.default(1),
  /** "auto": 4096 for sinusoids, recorded neurons x copies for a recording. */
  neurons: autoOr(number({ min: 2, max: 16_777_216, integer: true }), "a whole number from 2 to 16777216").default(
    "auto",
  ),
  excitatoryFraction: number({ min: 0, max: 1 }).default(0.5),
  /** Model neurons per recorded neuron. */
  /** "auto": 1, or as many as make a network of some 512 neurons out of a smaller recording. */
  copies: autoOr(number({ min: 1, max: 4096, integer: true }), "a whole number of at least 1").default("auto"),
  model: model.prefault({}),
  timing: timing.prefault({}),
  synapses: synapses.prefault({}),
  /** External current. "auto": 1.5 jx for E and jx for I; 0 without a static network. */
  drive: drive.default("auto"),
  /** The fixed E/I network, or null for the variant in which noise replaces it. */
  static: staticNetwork.nullable().prefault({}),
  plastic: plastic.prefault({}),
  feedforward: feedforward.nullable().default(null),
  noise: noise.prefault({}),
  stimulus: stimulus.prefault({}),
  targets: targets.prefault({ type: "sinusoids" }),
  learning: learning.prefault({}),
  correlationWindowMs: number({ above: 0, ...ms }).default(50),
  /** Training trials, in total. Tasks take turns. */
  iterations: number({ min: 1, max: 1_000_000, integer: true }).default(100),
  /** The correlation is measured in iteration 1 and in every multiple of this. */
  correlationEvery: number({ min: 1, integer: true }).default(1),
  checkpoint: object({
    everySeconds: number({ min: 0, unit: "s" }).default(60),
    /** Keep P. Without it files are small, and resuming starts P anew. */
    withP: flag().default(true),
  }).prefault({}),
  test: object({
    /** Frozen trials per task after training; 0 for none. */
    trials: number({ min: 0, max: 10_000, integer: true }).default(10),
    exampleNeurons: number({ min: 0, max: 1024, integer: true }).default(16),
  }).prefault({}),
  /** Of the other kind, "classify", is classify/schema.ts. */
  kind: choice(["follow"]).optional(),
});

/** What a person may write. */
export type ExperimentInput = z.input<typeof experimentSchema>;
/** The same with every default in place. */
export type Experiment = z.output<typeof experimentSchema>;
export type RecordingTargets = Extract<Experiment["targets"], { type: "recording" }>;

/** @param source what to call it in messages: the file or preset. */
export function parseExperiment(value: unknown, source: string): Experiment {
  return parse(experimentSchema, value, source);
}
