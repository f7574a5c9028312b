/** What the cells of a sweep have come to: mean and spread over seeds, as rows to print, to write and to draw. */
import type { Axis } from "./axes.ts";
import type { Cell } from "./cells.ts";
import type { Reference, ReferenceFigure } from "./references.ts";
import type { Measure } from "./schema.ts";

export interface CellOutcome {
  readonly cell: Cell;
  readonly state: "finished" | "failed" | "missing";
  /** Of each measure; null where it does not exist. */
  readonly values: readonly (number | null)[];
  /** Why it failed. */
  readonly message?: string;
}

export interface Statistics {
  /** Seeds that have the figure. */
  readonly n: number;
  /** NaN for none. */
  readonly mean: number;
  /** Of the seeds as a sample: sqrt(sum (x - mean)^2 / (n - 1)); null for fewer than two. */
  readonly sd: number | null;
  readonly values: readonly number[];
}

export function statisticsOf(values: readonly (number | null)[]): Statistics {
  const known = values.filter((value) => value !== null);
  const n = known.length;
  const mean = known.reduce((sum, value) => sum + value, 0) / n;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, sd: n < 2 ? null : Math.sqrt(squares / (n - 1)), values: known };
}

/** One combination of values, over all seeds. */
export interface Group {
  /** Place on each axis. */
  readonly places: readonly number[];
  /** Of each measure. */
  readonly statistics: readonly Statistics[];
}

/** In the order of the grid. */
export function groupsOf(outcomes: readonly CellOutcome[]): Group[] {
  const byPlaces = new Map<string, CellOutcome[]>();
  for (const outcome of outcomes) {
    const key = outcome.cell.places.join(",");
    byPlaces.set(key, [...(byPlaces.get(key) ?? []), outcome]);
  }
  return [...byPlaces.values()].map((alike) => ({
    places: alike[0].cell.places,
    statistics: alike[0].values.map((_, m) => statisticsOf(alike.map(({ values }) => values[m]))),
  }));
}

export interface Unit {
  readonly factor: number;
  readonly name: string;
}

/** Shares are shown in per cent; the names of other figures end with their unit. */
export function unitOf(path: string): Unit {
  const has = (pattern: RegExp) => path.split(".").some((word) => pattern.test(word));
  if (has(/^accuracy$|Share$/)) return { factor: 100, name: "%" };
  if (has(/Hz$/)) return { factor: 1, name: "Hz" };
  if (has(/^seconds/)) return { factor: 1, name: "s" };
  return { factor: 1, name: has(/Ms$/) ? "ms" : "" };
}

/** `test accuracy` for `accuracy.test`; of other paths the path itself. */
export function labelOf({ path, label }: Measure): string {
  if (label !== "auto") return label;
  const [, best, figure, set] = /^(best\.)?(accuracy|loss)\.(train|validation|test)$/.exec(path) ?? [];
  if (figure === undefined) return path;
  const named = `${set === "train" ? "training" : set} ${figure}`;
  return best === undefined ? named : `${named}, best epoch`;
}

export const withUnit = (label: string, { name }: Unit): string => (name === "" ? label : `${label} (${name})`);

/** Digits after the point that show a spread with two significant digits, or a value with three. */
function decimals(mean: number, sd: number | null): number {
  const size = sd !== null && sd > 0 ? sd : Math.abs(mean) / 10;
  return size === 0 ? 0 : Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(size))));
}

/** `96.3 +- 0.4`: mean and standard deviation. */
function figureText({ mean, sd }: ReferenceFigure, unit: Unit, plusMinus: string): string {
  const [centre, spread] = [mean * unit.factor, sd === null ? null : sd * unit.factor];
  const digits = unit.name === "%" ? 1 : decimals(centre, spread);
  const deviation = spread === null ? "" : ` ${plusMinus} ${spread.toFixed(digits)}`;
  return `${centre.toFixed(digits)}${deviation}`;
}

/** `96.3 +- 0.4 (3)`: mean, standard deviation, seeds. */
export function statisticsText(statistics: Statistics, unit: Unit, plusMinus = "+-"): string {
  return statistics.n === 0 ? "-" : `${figureText(statistics, unit, plusMinus)} (${statistics.n})`;
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * As many tables as it takes: one with a column for each measure, or, where an axis is spread over columns, one of each
 * measure. Figures of others follow the measure that they are to be compared with.
 * @param columns name of the axis
 */
export function tablesOf(
  axes: readonly Axis[],
  groups: readonly Group[],
  measures: readonly Measure[],
  columns: string | null,
  references: readonly Reference[] = [],
  plusMinus = "+-",
): Table[] {
  const shown = measures.flatMap((measure, m) => {
    const unit = unitOf(measure.path);
    const ofOthers = references.filter((reference) => reference.measure === m);
    return [
      {
        title: withUnit(labelOf(measure), unit),
        text: ({ statistics }: Group) => statisticsText(statistics[m], unit, plusMinus),
      },
      ...ofOthers.map((reference) => ({
        title: withUnit(reference.what, unit),
        text({ places }: Group) {
          const figure = reference.of(places);
          return figure === null ? "-" : figureText(figure, unit, plusMinus);
        },
      })),
    ];
  });
  const across = axes.findIndex(({ name }) => name === columns);
  const down = axes.flatMap((_, a) => (a === across ? [] : [a]));
  const labels = ({ places }: Group) => down.map((a) => axes[a].values[places[a]].label);
  const names = down.map((a) => axes[a].name);
  if (across < 0) {
    const rows = groups.map((group) => [...labels(group), ...shown.map(({ text }) => text(group))]);
    return [{ title: "", head: [...names, ...shown.map(({ title }) => title)], rows }];
  }
  const firsts = groups.filter(
    (group, i) => groups.findIndex((other) => String(labels(other)) === String(labels(group))) === i,
  );
  return shown.map(({ title, text }) => ({
    title,
    head: [...names, ...axes[across].values.map(({ label }) => `${columns} ${label}`)],
    rows: firsts.map((first) => [
      ...labels(first),
      ...axes[across].values.map((_, place) => {
        const group = groups.find(({ places }) =>
          places.every((p, a) => p === (a === across ? place : first.places[a])),
        );
        return group === undefined ? "-" : text(group);
      }),
    ]),
  }));
}

/** Columns of equal width. */
export function plainTable({ title, head, rows }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  return `${[...(title === "" ? [] : [title]), ...lines].join("\n")}\n`;
}

export function markdownTable({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  const table = [line(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(line)];
  return `${[...(title === "" ? [] : [`**${title}**`, ""]), ...table].join("\n")}\n`;
}

/** A field as RFC 4180 has it. */
const field = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One line per cell, every digit of every figure. */
export function csvOf(axes: readonly Axis[], outcomes: readonly CellOutcome[], measures: readonly Measure[]): string {
  const head = ["cell", ...axes.map(({ name }) => name), "seed", "state", ...measures.map(({ path }) => path)];
  const lines = outcomes.map(({ cell, state, values }) => [
    cell.name,
    ...cell.places.map((place, a) => axes[a].values[place].label),
    String(cell.seed),
    state,
    ...values.map((value) => (value === null ? "" : String(value))),
  ]);
  return `${[head, ...lines].map((line) => line.map(field).join(",")).join("\r\n")}\r\n`;
}
