/** What a finished run has come to, as one object in which measures are looked up by path. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { didYouMean } from "../../base/errors.ts";
import type { TestReport } from "../../learning/rls/results.ts";
import type { Outcome, TestedEpoch } from "../classify/outcome.ts";
import { RunFolder } from "../run-folder.ts";
import { median } from "../training.ts";

type Result = Readonly<Record<string, unknown>>;

/** The three sets of an epoch, one figure of each. */
const bySet = <Key extends "accuracy" | "loss" | "normalisedError">(
  { train, validation, test }: TestedEpoch,
  key: Key,
) => ({
  train: train?.[key] ?? null,
  validation: validation?.[key] ?? null,
  test: test?.[key] ?? null,
});

const figuresOf = (epoch: TestedEpoch): Result => ({
  accuracy: bySet(epoch, "accuracy"),
  loss: bySet(epoch, "loss"),
  normalisedError: bySet(epoch, "normalisedError"),
  disturbed: Object.fromEntries((epoch.disturbed ?? []).map(({ name, ...figures }) => [name, figures])),
});

/** Without the times of single parts, so that the object is what a table may hold. */
const timesOf = (reports: readonly { readonly seconds: number }[]) => ({
  seconds: reports.reduce((sum, { seconds }) => sum + seconds, 0),
  secondsEach: median(reports.map(({ seconds }) => seconds)),
});

async function classifierResult(run: RunFolder): Promise<Result | undefined> {
  const outcome = await run.readResult<Outcome>("outcome.json");
  if (outcome === undefined) return undefined;
  const epochs = await run.epochs();
  return {
    ...figuresOf(outcome.last),
    best: outcome.best === null ? null : { epoch: outcome.best.epoch, ...figuresOf(outcome.best) },
    epochs: epochs.length,
    ...timesOf(epochs),
    first: epochs[0],
    last: epochs.at(-1),
  };
}

const figuresOfTest = ({ current, psth, rateHz, rateInWindowHz, highestTrialRateHz }: TestReport): Result => ({
  current,
  psth,
  rateHz,
  rateInWindowHz,
  highestTrialRateHz,
});

async function followResult(run: RunFolder): Promise<Result> {
  const iterations = await run.metrics();
  const test = await run.test();
  const measured = iterations.findLast(({ correlation }) => correlation !== null);
  return {
    correlation: measured?.correlation ?? null,
    test: test === undefined ? null : figuresOfTest(test),
    iterations: iterations.length,
    ...timesOf(iterations),
    first: iterations[0],
    last: iterations.at(-1),
  };
}

/** The result of a finished run; undefined when there is none yet. @throws UserError for damaged files */
export async function resultOf(path: string): Promise<Result | undefined> {
  const run = await RunFolder.open(path);
  return (await run.kind()) === "classify" ? classifierResult(run) : followResult(run);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Whether a run has come to its end, its test included. */
export async function isFinished(path: string): Promise<boolean> {
  const run = await RunFolder.open(path);
  if ((await run.kind()) === "classify") return exists(join(path, "outcome.json"));
  const { iterations, test } = await run.experiment();
  const done = (await run.metrics()).at(-1)?.iteration ?? 0;
  return done >= iterations && (test.trials === 0 || (await run.test())?.iteration === done);
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/**
 * The number at a path of a result. In a list a place is counted from 0, or from its end: `first.layers.-1.rateHz`. Names
 * may hold dots themselves.
 *
 * @returns null for a figure that does not exist in this run, undefined when the result has no such path
 */
export function measured(result: unknown, path: string): number | null | undefined {
  if (result === null) return null;
  if (!isTree(result)) return undefined;
  if (Array.isArray(result)) {
    const [place, ...rest] = path.split(".");
    if (!/^-?\d+$/.test(place)) return undefined;
    const item = result.at(Number(place));
    return rest.length === 0 ? numberOf(item) : measured(item, rest.join("."));
  }
  if (Object.hasOwn(result, path)) return numberOf(result[path]);
  for (const [key, value] of Object.entries(result)) {
    if (!path.startsWith(`${key}.`)) continue;
    const found = measured(value, path.slice(key.length + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function numberOf(value: unknown): number | null | undefined {
  if (value === null) return null;
  if (typeof value !== "number") return undefined;
  return Number.isFinite(value) ? value : null;
}

/** Every path of a result that leads to a number. */
function pathsOf(result: unknown, before = ""): string[] {
  if (!isTree(result)) return typeof result === "number" || result === null ? [before.slice(0, -1)] : [];
  return Object.entries(result).flatMap(([key, value]) => pathsOf(value, `${before}${key}.`));
}

/** ` — did you mean "accuracy.test"?`, for a path that a result does not have. */
export function nearestMeasure(result: unknown, path: string): string {
  const paths = pathsOf(result);
  const short = paths.filter((known) => known.split(".").length <= 2).slice(0, 12);
  return didYouMean(path, paths) || ` — it has ${short.map((known) => `"${known}"`).join(", ")} and others`;
}
