/** Reads a sweep file and the experiment it varies, and makes sure that everything in it goes together. */
import { readdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { didYouMean, exitCode, UserError } from "../../base/errors.ts";
import { kindOf } from "../kind.ts";
import { absolutePaths, loadExperiment } from "../load-experiment.ts";
import { allPresets, bundledFile } from "../presets.ts";
import type { Settings } from "./assign.ts";
import { type Axis, axisNamed } from "./axes.ts";
import { type Expanded, expandSweep } from "./cells.ts";
import { type Reference, referencesOf } from "./references.ts";
import { parseSweep, type Sweep } from "./schema.ts";

export interface LoadedSweep extends Expanded {
  readonly sweep: Sweep;
  /** Figures of others, in the order of the file. */
  readonly references: readonly Reference[];
  /** As it was written. */
  readonly value: unknown;
}

async function baseOf(given: Sweep["experiment"], folder: string): Promise<Settings> {
  if (typeof given !== "string") return absolutePaths(given, folder);
  if (!Object.hasOwn(allPresets, given)) return (await loadExperiment(resolve(folder, given))).value as Settings;
  // Where `volley train` looks for the files of a preset.
  return absolutePaths((await loadExperiment(given)).value as Record<string, unknown>, process.cwd());
}

/** Names in table and figures, and that figures leave no axis out. */
function checkNames(sweep: Sweep, axes: readonly Axis[], source: string): void {
  const { table, figure, measure } = sweep;
  if (table.columns !== null) axisNamed(axes, table.columns, `${source}: table.columns`);
  const paths = measure.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw new UserError(`${source}: "${twice}" is measured twice; leave one out`);
  const files = figureNames(sweep);
  const same = files.find((file, f) => files.indexOf(file) !== f);
  if (same !== undefined)
    throw new UserError(`${source}: two figures go to ${same}.svg; give one of them another name`);
  for (const [f, { x, y, lines, logX }] of figure.entries()) {
    const where = `${source}: figure${figure.length > 1 ? `.${f}` : ""}`;
    const used = [x, ...lines];
    axisNamed(axes, x, `${where}.x`);
    for (const line of lines) axisNamed(axes, line, `${where}.lines`);
    const missing = axes.find(({ name, values }) => values.length > 1 && !used.includes(name));
    if (missing !== undefined) {
      throw new UserError(
        `${where} says nothing of the axis "${missing.name}", so its values would fall together; add it to lines`,
      );
    }
    const numbers = axisNamed(axes, x, where).values.map(({ value }) => value);
    if (logX && !numbers.every((value) => typeof value === "number" && value > 0)) {
      throw new UserError(`${where}.logX is true, but not all values of "${x}" are numbers above 0; leave logX out`);
    }
    if (y !== null && !paths.includes(y)) {
      const hint = didYouMean(y, paths) || ` — measured are ${paths.map((path) => `"${path}"`).join(", ")}`;
      throw new UserError(`${where}.y is "${y}", which is not measured${hint}`);
    }
  }
}

/** The files of the figures, without their ending. */
export function figureNames({ name, figure }: Sweep): string[] {
  return figure.map((one, f) => one.name ?? (f === 0 ? name : `${name}-${f + 1}`));
}

const ending = ".json";

/** The file that was given, or that of a sweep which comes with Volley. */
function fileOf(given: string): string {
  if (statSync(given, { throwIfNoEntry: false })?.isFile() || !/^[\w-]+$/.test(given)) return given;
  const names = readdirSync(bundledFile("sweeps")).flatMap((file) =>
    file.endsWith(ending) ? [file.slice(0, -ending.length)] : [],
  );
  if (names.includes(given)) return bundledFile(`sweeps/${given}${ending}`);
  if (Object.hasOwn(allPresets, given)) return given;
  const hint = didYouMean(given, names) || ` — the sweeps are ${names.join(", ")}`;
  throw new UserError(`"${given}" is neither a sweep that comes with Volley nor a file${hint}`, exitCode.noInput);
}

/**
 * @param given a sweep of `examples/sweeps` by its name, or a file .json, .js, .mjs, .ts, as for experiments
 * @param change what is done to the experiment before it is varied; its paths are absolute, and have to stay so
 * @throws UserError for a sweep that cannot be run
 */
export async function loadSweep(
  given: string,
  change: (experiment: Settings) => Settings = (experiment) => experiment,
): Promise<LoadedSweep> {
  const file = fileOf(given);
  const { value, source } = await loadExperiment(file);
  if ((value as { kind?: unknown }).kind !== "sweep") {
    kindOf(value, source);
    throw new UserError(
      `${source} is one experiment, not a sweep (its kind is not "sweep"); train it with: volley train ${file}`,
      exitCode.usage,
    );
  }
  const sweep = parseSweep(value, source);
  const folder = dirname(resolve(file));
  const expanded = expandSweep(sweep, change(await baseOf(sweep.experiment, folder)), { folder, source });
  checkNames(sweep, expanded.axes, source);
  return { sweep, value, references: referencesOf(sweep, expanded.axes, source), ...expanded };
}
