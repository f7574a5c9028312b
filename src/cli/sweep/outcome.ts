/** What a sweep has come to: read from its runs, printed, and written beside them. */
import { join } from "node:path";
import { makeFolder, replaceText } from "../../experiment/file-system.ts";
import type { Cell } from "../../experiment/sweep/cells.ts";
import type { SweepFolder } from "../../experiment/sweep/folder.ts";
import type { LoadedSweep } from "../../experiment/sweep/load-sweep.ts";
import { measured, nearestMeasure, resultOf } from "../../experiment/sweep/result.ts";
import type { Measure } from "../../experiment/sweep/schema.ts";
import {
  type CellOutcome,
  csvOf,
  groupsOf,
  labelOf,
  markdownTable,
  plainTable,
  tablesOf,
  unitOf,
} from "../../experiment/sweep/table.ts";
import { plotSvg } from "../../report/figure/plot.ts";
import { plotsOf } from "./figures.ts";

/** Reads the figures of finished cells, each once. */
export class Results {
  readonly #folder: SweepFolder;
  readonly #measures: readonly Measure[];
  readonly #warn: (message: string) => void;
  readonly #known = new Map<Cell, (number | null)[]>();
  #warned = false;

  constructor(folder: SweepFolder, measures: readonly Measure[], warn: (message: string) => void) {
    this.#folder = folder;
    this.#measures = measures;
    this.#warn = warn;
  }

  /** The measures of a finished cell. Says once which of them its result does not have. */
  async of(cell: Cell): Promise<(number | null)[]> {
    const known = this.#known.get(cell);
    if (known !== undefined) return known;
    const result = await resultOf(this.#folder.runPath(cell));
    const found = this.#measures.map(({ path }) => measured(result, path));
    for (const [m, value] of found.entries()) {
      if (value !== undefined || this.#warned) continue;
      const { path } = this.#measures[m];
      this.#warn(`the result of ${cell.name} has no "${path}"${nearestMeasure(result, path)}`);
    }
    this.#warned = true;
    const values = found.map((value) => value ?? null);
    this.#known.set(cell, values);
    return values;
  }

  /** Of all cells, those of other shards included. */
  async outcomes(cells: readonly Cell[]): Promise<CellOutcome[]> {
    const none = this.#measures.map(() => null);
    const outcomes: CellOutcome[] = [];
    for (const cell of cells) {
      const failure = await this.#folder.failureOf(cell);
      const state = await this.#folder.stateOf(cell);
      if (state === "finished") outcomes.push({ cell, state, values: await this.of(cell) });
      else if (failure !== undefined) outcomes.push({ cell, state: "failed", values: none, message: failure.message });
      else outcomes.push({ cell, state: "missing", values: none });
    }
    return outcomes;
  }
}

/** The first measure of a cell: `test accuracy 96.3 %`. */
export function figureText([measure]: readonly Measure[], [value]: readonly (number | null)[]): string {
  const { factor, name } = unitOf(measure.path);
  const text = value === null ? "-" : `${Number((factor * value).toPrecision(4))}${name === "" ? "" : ` ${name}`}`;
  return `${labelOf(measure)} ${text}`;
}

const count = (outcomes: readonly CellOutcome[], state: CellOutcome["state"]) =>
  outcomes.filter((outcome) => outcome.state === state).length;

/** `90 of 96 cells finished, 2 failed, 4 missing` */
export function countText(outcomes: readonly CellOutcome[]): string {
  const [failed, missing] = [count(outcomes, "failed"), count(outcomes, "missing")];
  return [
    `${count(outcomes, "finished")} of ${outcomes.length} cells finished`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(missing > 0 ? [`${missing} missing`] : []),
  ].join(", ");
}

const reading = "Mean +- standard deviation over seeds (number of seeds).";

export function plainOutcome({ sweep, axes, references }: LoadedSweep, outcomes: readonly CellOutcome[]): string {
  const tables = tablesOf(axes, groupsOf(outcomes), sweep.measure, sweep.table.columns, references);
  return `${tables.map(plainTable).join("\n")}${reading}\n`;
}

function markdownOutcome({ sweep, axes, references }: LoadedSweep, outcomes: readonly CellOutcome[]): string {
  const tables = tablesOf(axes, groupsOf(outcomes), sweep.measure, sweep.table.columns, references, "±");
  const failures = outcomes.flatMap(({ cell, message }) =>
    message === undefined ? [] : [`- ${cell.name}: ${message.split("\n")[0]}`],
  );
  return `${[
    `# ${sweep.name}`,
    ...(sweep.about === "" ? [] : [sweep.about]),
    `${reading.replace("+-", "±")} ${countText(outcomes)}.`,
    ...tables.map((table) => markdownTable(table).trimEnd()),
    ...(failures.length === 0 ? [] : ["Failed:", failures.join("\n")]),
  ].join("\n\n")}\n`;
}

/** Writes the tables into the folder and the figures there or elsewhere. @returns the paths of all of them */
export async function writeOutcome(
  loaded: LoadedSweep,
  folder: SweepFolder,
  outcomes: readonly CellOutcome[],
  figureFolder: string,
): Promise<string[]> {
  const { sweep, axes } = loaded;
  await folder.writeText("sweep.csv", csvOf(axes, outcomes, sweep.measure));
  await folder.writeText("table.md", markdownOutcome(loaded, outcomes));
  const written = [folder.file("sweep.csv"), folder.file("table.md")];
  if (sweep.figure.length > 0) await makeFolder(figureFolder);
  for (const [name, plot] of plotsOf(sweep, axes, outcomes)) {
    const path = join(figureFolder, `${name}.svg`);
    await replaceText(path, plotSvg(plot));
    written.push(path);
  }
  return written;
}

/** Figures of others for one combination of values. */
function referencesAt({ sweep, references }: LoadedSweep, places: readonly number[]) {
  return references.flatMap(({ what, measure, of }) => {
    const figure = of(places);
    return figure === null ? [] : [{ what, measure: sweep.measure[measure].path, mean: figure.mean, sd: figure.sd }];
  });
}

/** The object of `volley sweep --json`. */
export function outcomeObject(
  loaded: LoadedSweep,
  outcomes: readonly CellOutcome[],
  path: string,
  files: readonly string[],
) {
  const { sweep, axes, references } = loaded;
  return {
    sweep: path,
    cells: outcomes.length,
    finished: count(outcomes, "finished"),
    missing: count(outcomes, "missing"),
    failed: outcomes.flatMap(({ cell, message }) => (message === undefined ? [] : [{ cell: cell.name, message }])),
    table: groupsOf(outcomes).map(({ places, statistics }) => ({
      ...Object.fromEntries(axes.map(({ name, values }, a) => [name, values[places[a]].label])),
      measures: Object.fromEntries(
        sweep.measure.map(({ path: measure }, m) => {
          const { n, mean, sd, values } = statistics[m];
          return [measure, { n, mean: n === 0 ? null : mean, sd, values }];
        }),
      ),
      ...(references.length === 0 ? {} : { references: referencesAt(loaded, places) }),
    })),
    files,
  };
}
