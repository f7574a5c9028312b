/** The two kinds of experiment: following a recording by RLS, which is what an experiment without a kind is, and classifying. */
import type { ClassifyExperiment, ClassifyInput } from "./classify/schema.ts";
import type { Experiment, ExperimentInput } from "./schema.ts";

export type ExperimentKind = "follow" | "classify";
export type AnyExperiment = Experiment | ClassifyExperiment;
export type AnyInput = ExperimentInput | ClassifyInput;

/** The kind of something that wants to be an experiment; a word that is none is left to the schema to refuse. */
export function kindOf(value: unknown): ExperimentKind {
  const isObject = typeof value === "object" && value !== null;
  return isObject && (value as { kind?: unknown }).kind === "classify" ? "classify" : "follow";
}
