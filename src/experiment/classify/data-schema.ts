/** Where the samples of a classifier are from, which are held out, and how they become what arrives at each step. */
import { z } from "zod";
import { wrong } from "../../base/faults.ts";
import type { EvidenceAccumulationOptions } from "../../data/encoding/generators/evidence-accumulation.ts";
import type { PatternGenerationOptions } from "../../data/encoding/generators/pattern-generation.ts";
import type { RandmanOptions } from "../../data/encoding/generators/randman.ts";
import type { ShdLikeOptions } from "../../data/encoding/generators/shd-like.ts";
import type { AugmentationDescription } from "../../data/encoding/make-augmentation.ts";
import type { EncoderDescription } from "../../data/encoding/make-encoder.ts";
import type { HoldOutDescription } from "../../data/encoding/splits.ts";
import {
  autoOr,
  choice,
  columnValues,
  flag,
  list,
  number,
  object,
  seedNumber,
  text,
  variants,
  whole,
  within,
} from "../schema-words.ts";

const anyNumber = number({}).optional();
const numbers = list(number({}), "numbers");

/** The options of a generator; without a seed of their own they take that of the experiment. */
type Generated<Name extends string, Options extends { readonly seed: number }> = {
  readonly generate: Name;
  readonly seed?: number;
} & Omit<Options, "seed">;

/** Spikes and images that Volley makes itself (data/encoding/generators, which hold the ranges and defaults). */
export type GeneratedSource =
  | Generated<"randman", RandmanOptions>
  | Generated<"shdLike", ShdLikeOptions>
  | Generated<"evidence", EvidenceAccumulationOptions>
  | Generated<"pattern", PatternGenerationOptions>;

const generated = variants<GeneratedSource>("generate", {
  randman: {
    seed: seedNumber.optional(),
    manifolds: anyNumber,
    stretches: numbers.optional(),
    units: anyNumber,
    steps: anyNumber,
    dtMs: anyNumber,
    stepFraction: anyNumber,
    dimensions: anyNumber,
    alpha: anyNumber,
    spikesPerUnit: anyNumber,
    samplesPerClass: anyNumber,
  },
  shdLike: {
    seed: seedNumber.optional(),
    samples: number({}),
    classes: anyNumber,
    channels: anyNumber,
    durationMs: anyNumber,
    spikes: anyNumber,
    speakers: anyNumber,
  },
  evidence: {
    seed: seedNumber.optional(),
    trials: number({}),
    cues: anyNumber,
    delayMs: anyNumber,
    groupSize: anyNumber,
    rateHz: anyNumber,
  },
  pattern: {
    seed: seedNumber.optional(),
    inputs: anyNumber,
    outputs: anyNumber,
    trialMs: anyNumber,
    rateHz: anyNumber,
  },
});

const split = variants<HoldOutDescription>("type", {
  fraction: { fraction: anyNumber, stratified: flag().optional() },
  everyNth: { n: anyNumber, place: anyNumber },
  column: { column: text("the name of a column"), values: numbers },
});

const present = choice(["frames", "values", "whole"]).optional();
const range = numbers.length(2, { error: "must be two numbers, the lower one first" }).optional();
const encoder = variants<EncoderDescription>("type", {
  bin: {
    dtMs: anyNumber,
    steps: anyNumber,
    durationMs: anyNumber,
    mergeChannels: anyNumber,
    downsample: anyNumber,
    mergePolarities: flag().optional(),
    duplicates: choice(["clip", "count"]).optional(),
    rounding: choice(["floor", "nearest"]).optional(),
  },
  current: { present, stepsPerFrame: anyNumber, range, gain: anyNumber },
  rows: { stepsPerFrame: anyNumber, range, gain: anyNumber },
  pixels: { stepsPerFrame: anyNumber, range, gain: anyNumber },
  thresholdCrossing: {
    present,
    levels: z.union([number({}), numbers], { error: "must be a number or a list of numbers" }).optional(),
    full: flag().optional(),
    range,
    stepsPerFrame: anyNumber,
  },
  deltaModulation: {
    threshold: number({}),
    present,
    duplicates: choice(["clip", "count"]).optional(),
    stepsPerFrame: anyNumber,
  },
  latency: { tauMs: anyNumber, threshold: anyNumber, dtMs: anyNumber, steps: anyNumber, range },
  poisson: { rateHz: anyNumber, dtMs: anyNumber, present, stepsPerFrame: anyNumber, range },
});

export const augmentation = variants<AugmentationDescription>("type", {
  shiftChannels: { max: anyNumber },
  shiftPlaces: { max: anyNumber },
  jitterChannels: { sd: anyNumber },
  jitterTimes: { sdMs: number({}) },
  scaleTimes: { min: number({}), max: number({}) },
  stretchTimes: { factors: numbers.optional() },
  crop: { durationMs: anyNumber },
  dropSpikes: { probability: anyNumber },
  insertSpikes: { rateHz: number({}), durationMs: anyNumber },
  blend: { share: anyNumber, keep: anyNumber },
});

/** A path, or what to generate. */
export type DataSource = string | GeneratedSource;
export type TestSource = DataSource | { readonly holdOut: HoldOutDescription } | null;

const path = text("the path of a file or folder");

/** A path, or an object that the schema chosen by `other` accepts. */
const pathOr = <Given>(other: (value: object) => z.ZodType, must: string) =>
  z
    .custom<string | Given>(() => true)
    .transform((value, context): string | Given => {
      if (typeof value === "object" && value !== null) return within(other(value), value, context) as Given;
      if (path.safeParse(value).success) return value;
      context.addIssue({ code: "custom", message: wrong(value, must) });
      return z.NEVER;
    });

const trainSource = pathOr<GeneratedSource>(
  () => generated,
  'the path of a file (HDF5, NWB, idx, events, npz) or an object such as {"generate": "randman"}',
);
const heldOut = object({ holdOut: split });
const testSource = pathOr<GeneratedSource | { readonly holdOut: HoldOutDescription }>(
  (value) => (Object.hasOwn(value, "holdOut") ? heldOut : generated),
  'null, the path of a file, {"holdOut": a split of the training samples}, or {"generate": ...}',
).nullable();

/** What a file does not say of itself (data/labelled/options). */
const reading = object({
  /** idx: file of the labels. Absent: the one beside the images. */
  labels: path.optional(),
  testLabels: path.optional(),
  /** Events: pixels of the sensor. */
  sensor: object({ width: whole(1, 65536), height: whole(1, 65536) }).optional(),
  /** NWB: which trials are samples, and which column is the class. */
  trials: object({
    label: text("the name of a column"),
    table: text("the name of a table").optional(),
    event: text("the name of a column").optional(),
    beforeMs: anyNumber,
    afterMs: anyNumber,
    trialsWhere: columnValues('{"outcome": "hit"}').optional(),
    unitsWhere: columnValues('{"quality": "good"}').optional(),
  }).optional(),
  /** Number of channels, where the highest one may be silent. */
  channels: whole(1).optional(),
  /** How channels lie in space: [height, width, channels] or [length, channels], the last index running fastest. */
  shape: list(whole(1), "extents such as [34, 34, 2]")
    .refine((extents) => extents.length === 2 || extents.length === 3, {
      error: (issue) => `is [${issue.input}]; it must be [height, width, channels] or [length, channels]`,
    })
    .optional(),
});

/**
 * A tenth of every class, drawn: files have an order of their own. Every tenth sample of MNIST is of one of its two
 * sources, which come in turn, and easier than the rest.
 */
const usualValidation: HoldOutDescription = { type: "fraction", fraction: 0.1 };

export const data = object({
  train: trainSource,
  test: testSource.default(null),
  /** Held out of the training samples, to choose by. null: none. Absent: `usualValidation`. */
  validation: split.nullable().optional(),
  /** Only so many of the training samples, the first ones. null: all. */
  limit: whole(2).nullable().default(null),
  /** "auto": spikes are binned, frames are shown one by one as currents. */
  encoder: autoOr(encoder).default("auto"),
  /** Of training samples only, in this order. */
  augmentation: list(augmentation, "augmentations").default([]),
  /** The test once more for each of these, on changed samples: at another speed, with spikes missing, with noise. */
  disturbances: list(
    object({
      name: text("a name"),
      change: list(augmentation, "augmentations").min(1, { error: "is an empty list; give at least one augmentation" }),
    }),
    'objects such as {"name": "half speed", "change": [{"type": "stretchTimes", "factors": [2]}]}',
  ).default([]),
  reading: reading.prefault({}),
}).transform(({ train, test, validation = usualValidation, ...rest }) => ({ train, test, validation, ...rest }));
