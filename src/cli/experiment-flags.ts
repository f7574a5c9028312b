/** Flags that change an experiment before it is checked: `--set`, and the shorter ones that stand for a setting. */
import { basename, extname, resolve } from "node:path";
import { Option } from "commander";
import { absolutePaths } from "../experiment/load-experiment.ts";
import { setPaths } from "../experiment/set-path.ts";

export interface ExperimentFlags {
  readonly set?: string[];
  readonly data?: string;
  /** Of networks that follow a recording. */
  readonly neurons?: number;
  readonly iterations?: number;
  readonly p?: boolean;
  /** Of classifiers. */
  readonly test?: string;
  readonly epochs?: number;
  readonly seed?: number;
}

/** `--set path=value`, as often as one likes. */
export const setOption = (description: string): Option =>
  new Option("--set <path=value>", `${description} (repeatable)`).argParser(
    (value: string, before: string[] | undefined) => [...(before ?? []), value],
  );

/** Flags as assignments, so that they are checked like everything else. `--set` comes last and wins. */
export function applyFlags(value: unknown, flags: ExperimentFlags): unknown {
  const short: string[] = [];
  if (flags.neurons !== undefined) short.push(`neurons=${flags.neurons}`);
  if (flags.iterations !== undefined) short.push(`iterations=${flags.iterations}`);
  if (flags.seed !== undefined) short.push(`seed=${flags.seed}`);
  if (flags.p === false) short.push("checkpoint.withP=false");
  const changed = setPaths(setPaths(applyData(value, flags.data), short), flags.set ?? []);
  return absolutePaths(changed as Record<string, unknown>, process.cwd());
}

/** The same for a classifier. */
export function applyClassifierFlags(value: unknown, flags: ExperimentFlags): unknown {
  const short: string[] = [];
  if (flags.epochs !== undefined) short.push(`learning.epochs=${flags.epochs}`);
  if (flags.seed !== undefined) short.push(`seed=${flags.seed}`);
  const changed = setPaths(setPaths(applyLabelledData(value, flags), short), flags.set ?? []);
  return absolutePaths(changed as Record<string, unknown>, process.cwd());
}

/** `--data` takes the place of the training samples. A test file that belonged to those goes with them; a share held out stays. */
function applyLabelledData(value: unknown, { data, test }: ExperimentFlags): unknown {
  if (data === undefined && test === undefined) return value;
  const experiment = value as { data: Record<string, unknown> };
  const before = experiment.data?.test;
  const heldOut = typeof before === "object" && before !== null && "holdOut" in before;
  return {
    ...experiment,
    data: {
      ...experiment.data,
      ...(data === undefined ? {} : { train: resolve(data), test: heldOut ? before : null }),
      ...(test === undefined ? {} : { test: resolve(test) }),
    },
  };
}

/** `--data` takes the place of the targets; what the experiment says about its own file does not hold for another. */
function applyData(value: unknown, data: string | undefined): unknown {
  if (data === undefined) return value;
  const experiment = value as Record<string, unknown>;
  if (data === "sinusoids") return { ...experiment, targets: { type: "sinusoids" } };
  const name =
    basename(data, extname(data))
      .replace(/[^\w.-]+/g, "-")
      .slice(0, 80) || "recording";
  return { ...experiment, name, targets: { type: "recording", file: resolve(data) } };
}
