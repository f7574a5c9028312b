/** The two kinds of experiment: following a recording by RLS, which is what an experiment without a kind is, and classifying. */
import { didYouMean, exitCode, UserError } from "../base/errors.ts";
import type { ClassifyExperiment, ClassifyInput } from "./classify/schema.ts";
import type { Experiment, ExperimentInput } from "./schema.ts";

const kinds = ["follow", "classify"] as const;
export type ExperimentKind = (typeof kinds)[number];
export type AnyExperiment = Experiment | ClassifyExperiment;
export type AnyInput = ExperimentInput | ClassifyInput;

/**
 * The kind of something that wants to be an experiment.
 * @param source what to call it in messages: the file or preset
 * @throws UserError for a sweep, with the command that takes it, and for words that are no kind
 */
export function kindOf(value: unknown, source: string): ExperimentKind {
  const kind = typeof value === "object" && value !== null ? (value as { kind?: unknown }).kind : undefined;
  if (kind === undefined) return "follow";
  const known = kinds.find((word) => word === kind);
  if (known !== undefined) return known;
  if (kind === "sweep") {
    throw new UserError(
      `${source} is a sweep, which trains many experiments; run it with: volley sweep ${source}`,
      exitCode.usage,
    );
  }
  const hint = typeof kind === "string" ? didYouMean(kind, [...kinds, "sweep"]) : "";
  throw new UserError(
    `${source}: kind is ${JSON.stringify(kind)}; it must be "follow", "classify" or "sweep"${hint}`,
    exitCode.usage,
  );
}
