/** `--data`, `--test` and `--set` of `volley sweep`: the experiment that is varied, changed before it is. */
import { shellWord } from "../../base/shell-word.ts";
import { kindOf } from "../../experiment/kind.ts";
import type { Settings } from "../../experiment/sweep/assign.ts";
import { applyClassifierFlags, applyFlags } from "../experiment-flags.ts";
import { refuseFlags } from "../kinds.ts";

/** Flags that belong to a sweep: others go on where it was only with the same ones. */
export interface ChangingFlags {
  readonly data?: string;
  readonly test?: string;
  readonly set?: string[];
  readonly out?: string;
}

/** The flags mean what they mean to `volley train`. What the sweep varies comes after them and wins. */
export function withFlags(experiment: Settings, { data, test, set }: ChangingFlags): Settings {
  const kind = kindOf(experiment, "the experiment of the sweep");
  refuseFlags(kind, { test });
  const changed =
    kind === "classify" ? applyClassifierFlags(experiment, { data, test, set }) : applyFlags(experiment, { data, set });
  return changed as Settings;
}

/** The command that goes on with the same sweep. */
export function commandAgain(file: string, { data, test, set = [], out }: ChangingFlags): string {
  const values = { data: [data], test: [test], set, out: [out] };
  const flags = Object.entries(values).flatMap(([name, given]) =>
    given.flatMap((value) => (value === undefined ? [] : ` --${name} ${shellWord(value)}`)),
  );
  return `volley sweep ${shellWord(file)}${flags.join("")}`;
}
