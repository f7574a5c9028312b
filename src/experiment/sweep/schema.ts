/**
 * The sweep file: one experiment, the settings that are varied in it, and what is measured. Every combination of a
 * condition, a value of each axis of the grid, and a seed is a cell: an ordinary run.
 */
import { z } from "zod";
import { show } from "../../base/faults.ts";
import { choice, experimentName, flag, list, number, object, parse, seedNumber, text } from "../schema-words.ts";

/** One place on an axis. */
export interface AxisValue {
  /** In tables, figures and names of runs. */
  readonly label: string;
  /** Any JSON: what the setting becomes. Of a bundle of settings its name, or the number that the name is. */
  readonly value: unknown;
  /** The settings of a bundle, by path. */
  readonly set?: Readonly<Record<string, unknown>>;
}

export interface GridEntry {
  /** Settings that all take the value, none where values are bundles; null: the key of the entry is the path. */
  readonly paths: readonly string[] | null;
  readonly values: readonly AxisValue[];
}

export interface Measure {
  /** Path in the result of a run. */
  readonly path: string;
  /** "auto": from the path. */
  readonly label: string;
}

export interface FigureMark {
  /** A line across the figure at this x, or at this y. */
  readonly x?: number;
  readonly y?: number;
  readonly label: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const mostValues = 10_000;
/** Values of a range are rounded to so many digits: what is written in files and names is what was used. */
const digits = 6;

type Fault = (message: string) => never;

/** `{"log10": [-2, 1.5, 8]}`: 8 values from 10^-2 to 10^1.5, evenly spaced on a logarithmic scale; or `linear`. */
function rangeValues(range: Record<string, unknown>, fault: Fault): number[] {
  const [kind, ...others] = Object.keys(range);
  const given = range[kind];
  if (others.length > 0 || (kind !== "log10" && kind !== "linear") || !Array.isArray(given)) {
    return fault(`is ${show(range)}; a range is {"log10": [from, to, count]} or {"linear": [from, to, count]}`);
  }
  const [from, to, count] = given as unknown[];
  const numbers = typeof from === "number" && Number.isFinite(from) && typeof to === "number" && Number.isFinite(to);
  if (given.length !== 3 || !numbers || !Number.isInteger(count) || (count as number) < 2) {
    return fault(
      `has ${kind} ${show(given)}; it must be two different numbers, from and to, and a count of at least 2`,
    );
  }
  if ((count as number) > mostValues) return fault(`has ${count} values; ${mostValues} are the most`);
  return Array.from({ length: count as number }, (_, i) => {
    const at = from + (i * (to - from)) / ((count as number) - 1);
    return Number((kind === "log10" ? 10 ** at : at).toPrecision(digits));
  });
}

/** What to call a value that has no name. */
function labelOf(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  const kind = isObject(value) ? (value.type ?? value.distribution) : undefined;
  return typeof kind === "string" ? kind : undefined;
}

const isNamed = (value: unknown): value is { name: string; value: unknown } =>
  isObject(value) && Object.keys(value).length === 2 && typeof value.name === "string" && Object.hasOwn(value, "value");

const isBundle = (value: unknown): value is { name: string; set: Record<string, unknown> } =>
  isObject(value) && Object.keys(value).length === 2 && typeof value.name === "string" && isObject(value.set);

/** A name as the value of an axis: a number where it is one, so that it can be drawn as one. */
const bundleValue = (name: string): string | number =>
  name.trim() !== "" && Number.isFinite(Number(name)) ? Number(name) : name;

function bundles(given: unknown, fault: Fault): AxisValue[] {
  if (!Array.isArray(given) || given.length === 0 || !given.every(isBundle)) {
    return fault('has no path; give one, or values that are bundles of settings: {"name": "...", "set": {...}}');
  }
  return apart(
    given.map(({ name, set }) => ({ label: name, value: bundleValue(name), set })),
    fault,
  );
}

function apart(values: AxisValue[], fault: Fault): AxisValue[] {
  const labels = values.map(({ label }) => label);
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice === undefined) return values;
  return fault(`has two values called "${twice}"; leave one out, or name them: {"name": "...", "value": ...}`);
}

function axisValues(given: unknown, fault: Fault): AxisValue[] {
  if (isObject(given)) return rangeValues(given, fault).map((value) => ({ label: String(value), value }));
  if (!Array.isArray(given) || given.length === 0) {
    return fault(`is ${show(given)}; it must be a list of values, {"log10": [from, to, count]} or {"linear": ...}`);
  }
  const values = given.map((value, i): AxisValue => {
    if (isNamed(value)) return { label: value.name, value: value.value };
    const label = labelOf(value);
    if (label !== undefined) return { label, value };
    return fault(`has ${show(value)} at place ${i}, which needs a name: {"name": "...", "value": ...}`);
  });
  return apart(values, fault);
}

class Faulty extends Error {}

const gridEntry = z
  .custom<unknown>(() => true)
  .transform((given, context): GridEntry => {
    const fault: Fault = (message) => {
      throw new Faulty(message);
    };
    try {
      const isAxis = isObject(given) && (Object.hasOwn(given, "path") || Object.hasOwn(given, "values"));
      if (!isAxis) return { paths: null, values: axisValues(given, fault) };
      const unknown = Object.keys(given).find((key) => key !== "path" && key !== "values");
      if (unknown !== undefined) return fault(`has the unknown key "${unknown}"; an axis has path and values`);
      if (given.path === undefined) return { paths: [], values: bundles(given.values, fault) };
      const paths = Array.isArray(given.path) ? given.path : [given.path];
      if (paths.length === 0 || paths.some((path) => typeof path !== "string" || path === "")) {
        return fault(
          `has the path ${show(given.path)}; it must be a path such as "learning.batch", or a list of paths`,
        );
      }
      return { paths: paths as string[], values: axisValues(given.values, fault) };
    } catch (error) {
      if (!(error instanceof Faulty)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });

const settings = z.record(z.string(), z.unknown(), {
  error: (issue) => `is ${show(issue.input)}; it must be an object of values by path, such as {"learning.batch": 64}`,
});

const measure = z
  .custom<unknown>(() => true)
  .transform((given, context): Measure => {
    if (typeof given === "string" && given !== "") return { path: given, label: "auto" };
    const result = object({ path: text("a path"), label: text("a text").default("auto") }).safeParse(given);
    if (result.success) return result.data;
    context.addIssue({
      code: "custom",
      message: `is ${show(given)}; it must be the path of a result such as "accuracy.test", or {"path": ..., "label": ...}`,
    });
    return z.NEVER;
  });

const figure = object({
  /** File of the picture, without .svg. null: the name of the sweep, with a number after the first figure. */
  name: experimentName.nullable().default(null),
  title: text("a title").nullable().default(null),
  /** An axis. */
  x: text("the name of an axis"),
  /** A measure. null: the first one. */
  y: text("a measure").nullable().default(null),
  /** Axes whose values are told apart by colour. */
  lines: z
    .union([text("an axis"), z.array(text("an axis"))], { error: "must be an axis, or a list of axes" })
    .transform((given) => (typeof given === "string" ? [given] : given))
    .default([]),
  logX: flag().default(false),
  logY: flag().default(false),
  xLabel: text("a label").nullable().default(null),
  yLabel: text("a label").nullable().default(null),
  marks: list(
    object({ x: number({}).optional(), y: number({}).optional(), label: text("a label") }).refine(
      ({ x, y }) => (x === undefined) !== (y === undefined),
      { error: "must have either x or y" },
    ),
    "objects with x or y, and a label",
  ).default([]),
});

const reference = object({
  /** Who found them: the head of their column. */
  what: text("who found them"),
  /** The measure that they are to be compared with. null: the first one. */
  measure: text("a measure").nullable().default(null),
  values: list(
    object({
      /** Names of axes, and a value of each. */
      at: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]), {
        error: (issue) => `is ${show(issue.input)}; it must be an object such as {"depth": 3}`,
      }),
      value: number({}),
      sd: number({ min: 0 }).optional(),
    }),
    "objects with at, value and sd",
  ).min(1, { error: "is an empty list; give at least one figure" }),
});

export const sweepSchema = object({
  kind: choice(["sweep"]),
  name: experimentName.default("sweep"),
  /** What the sweep is for, and what was reduced; kept with the results. */
  about: text("a text").default(""),
  /** A preset, a file beside the sweep file, or the experiment itself. */
  experiment: z.custom<string | Record<string, unknown>>((value) => isObject(value) || labelOf(value) === value, {
    error: (issue) => `is ${show(issue.input)}; it must be a preset, the path of an experiment, or an experiment`,
  }),
  /** Axes: a path and its values, or a name with paths and values. Every combination is a cell. */
  grid: z
    .record(z.string(), gridEntry, { error: 'must be an object such as {"learning.batch": [16, 64]}' })
    .default({}),
  /** Bundles of settings by name; an axis called "condition". */
  conditions: list(
    object({ name: text("a name"), set: settings.default({}) }),
    'objects such as {"name": "large batch", "set": {"learning.batch": 256}}',
  ).default([]),
  /** null: the seed of the experiment. */
  seeds: list(seedNumber, "seeds")
    .min(1, { error: "is an empty list; give at least one seed" })
    .nullable()
    .default(null),
  measure: list(measure, "measures").min(1, {
    error: 'is an empty list; give at least one measure, such as "accuracy.test"',
  }),
  table: object({
    /** An axis that is spread over columns. null: one row for each cell, one column for each measure. */
    columns: text("the name of an axis").nullable().default(null),
  }).prefault({}),
  /** Figures of others, to stand in the table. */
  references: list(reference, "objects with what, measure and values").default([]),
  figure: z
    .custom<unknown>(() => true)
    .transform((given) => (Array.isArray(given) ? given : [given]))
    .pipe(z.array(figure))
    .default([]),
});

export type SweepInput = z.input<typeof sweepSchema>;
export type Sweep = z.output<typeof sweepSchema>;
export type FigureSettings = Sweep["figure"][number];

/** @param source what to call it in messages */
export function parseSweep(value: unknown, source: string): Sweep {
  return parse(sweepSchema, value, source);
}
