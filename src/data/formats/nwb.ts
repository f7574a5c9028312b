/**
 * Neurodata Without Borders 2.x files: sorted units and trials (schema: core/nwb.misc.yaml, hdmf-common table.yaml).
 *
 * `/units` is a table whose `spike_times` are all units' spikes in s, one after the other; `spike_times_index` holds the
 * end of each unit's part. `/intervals/trials` has `start_time` and `stop_time` in s and one dataset per further column.
 */

import { dataError, didYouMean } from "../../base/errors.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import { toFloat64 } from "./numeric-array.ts";

export interface NwbUnit {
  /** Value of the table's `id` column, else the position in the table. */
  readonly id: number;
  /** Position in the units table. */
  readonly index: number;
  /** Spike times in s, rising. Empty for a unit without spikes. */
  readonly spikesS: Float64Array;
  /** start, stop, start, stop, ... in s when the file says when the unit was observed. */
  readonly observedS?: Float64Array;
}

/** A table column: numbers (booleans as 0 and 1) or words. */
export type NwbColumn =
  | { readonly kind: "number"; readonly values: Float64Array }
  | { readonly kind: "text"; readonly values: string[] };

export interface NwbTable {
  /** Path and file, for messages. */
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly string[];
  /** A column by name; a dataError with the nearest name when there is none or it is ragged. */
  column(name: string): NwbColumn;
}

/** Values that columns should have, such as `{ quality: "good" }`. Booleans are 0 and 1 in files. */
export type ColumnValues = Readonly<Record<string, string | number | boolean>>;

/** Whether an HDF5 file is NWB: it carries the version of the schema, or (version 1) the parts of a session. */
export function isNwb(file: Hdf5File): boolean {
  try {
    if (file.attribute("", "nwb_version") !== undefined) return true;
  } catch {
    // A damaged attribute: decide by the contents.
  }
  return file.has("session_start_time") && file.has("identifier") && file.has("acquisition");
}

/** What is there instead, for the message that something is missing. */
function contents(file: Hdf5File): string {
  const groups = ["acquisition", "processing", "intervals", "units", "stimulus"].filter((group) =>
    file.datasets.some(({ path }) => path.startsWith(`${group}/`)),
  );
  return groups.length === 0 ? "it holds no data, only a description" : `it holds data under ${groups.join(", ")}`;
}

function finiteColumn(file: Hdf5File, path: string): Float64Array {
  return toFloat64(file.readNumbers(path).data);
}

/**
 * The parts of a ragged column: `index[i]` is the end of row i's part.
 * @throws UserError when the index does not rise or points beyond the data.
 */
function parts(file: Hdf5File, path: string, dataLength: number): { start: number; end: number }[] {
  const ends = finiteColumn(file, path);
  let start = 0;
  return Array.from(ends, (end, i) => {
    if (!Number.isInteger(end) || end < start || end > dataLength) {
      throw dataError(
        `"${path}" of ${file.name} is damaged: row ${i} ends at ${end}, after ${start}, of ${dataLength} values`,
      );
    }
    const part = { start, end };
    start = end;
    return part;
  });
}

/** Reads a table of NWB: columns are read when asked for. */
export function readTable(file: Hdf5File, path: string): NwbTable {
  const inside = file.datasets.filter(
    (d) => d.path.startsWith(`${path}/`) && !d.path.slice(path.length + 1).includes("/"),
  );
  const names = inside.map((d) => d.path.slice(path.length + 1));
  const damaged = file.damaged.filter((one) => one.startsWith(`${path}/`));
  if (damaged.length > 0) throw dataError(`"${damaged[0]}" of ${file.name} is damaged`);
  const plain = inside.filter(
    (d, i) => d.shape.length === 1 && !names.includes(`${names[i]}_index`) && !/_index$/.test(names[i]),
  );
  const rows = (plain.find((d) => d.path === `${path}/id`) ?? plain[0])?.shape[0] ?? 0;
  const columns = plain.map((d) => d.path.slice(path.length + 1)).filter((name) => name !== "id");
  return {
    name: `"${path}" of ${file.name}`,
    rows,
    columns,
    column(name) {
      if (names.includes(`${name}_index`)) {
        throw dataError(`column "${name}" of "${path}" of ${file.name} has several values per row; use a plain column`);
      }
      const entry = plain.find((d) => d.path === `${path}/${name}`);
      if (entry === undefined) {
        const hint = didYouMean(name, columns) || `; its columns are ${columns.join(", ") || "none"}`;
        throw dataError(`"${path}" of ${file.name} has no column "${name}"${hint}`);
      }
      if (entry.shape[0] !== rows) {
        throw dataError(`column "${name}" of "${path}" of ${file.name} has ${entry.shape[0]} values for ${rows} rows`);
      }
      if (entry.kind === "string") return { kind: "text", values: file.readStrings(entry.path) };
      return { kind: "number", values: toFloat64(file.readNumbers(entry.path).data) };
    },
  };
}

/** Values that a message lists. */
const mostListed = 12;

/**
 * Which rows of a table have all these values.
 * @throws UserError when there is no such column, or a value that no row has; with what there is instead.
 */
export function rowsWhere(table: NwbTable, wanted: ColumnValues): boolean[] {
  const keep = new Array<boolean>(table.rows).fill(true);
  for (const [name, value] of Object.entries(wanted)) {
    const values = Array.from<string | number, string>(table.column(name).values, String);
    const known = [...new Set(values)];
    const text = String(typeof value === "boolean" ? Number(value) : value);
    if (!known.includes(text)) {
      const listed = `${known.slice(0, mostListed).join(", ")}${known.length > mostListed ? ", ..." : ""}`;
      const hint = didYouMean(text, known) || `; its values are ${listed}`;
      throw dataError(`no row of ${table.name} has ${name} = ${JSON.stringify(value)}${hint}`);
    }
    for (const [i, own] of values.entries()) keep[i] &&= own === text;
  }
  return keep;
}

/** Units whose row in the table of units has all these values. */
export function unitsWhere(file: Hdf5File, units: readonly NwbUnit[], wanted: ColumnValues = {}): readonly NwbUnit[] {
  if (Object.keys(wanted).length === 0) return units;
  const keep = rowsWhere(readTable(file, "units"), wanted);
  return units.filter(({ index }) => keep[index]);
}

/**
 * The units of an NWB file.
 * @throws UserError when there is no units table or no unit has spike times, saying what the file holds instead.
 */
export function readUnits(file: Hdf5File): NwbUnit[] {
  const has = (column: string): boolean => file.datasets.some(({ path }) => path === `units/${column}`);
  const damaged = file.damaged.find((path) => path.startsWith("units/"));
  if (damaged !== undefined) throw dataError(`"${damaged}" of ${file.name} is damaged`);
  if (!file.has("units")) {
    throw dataError(`${file.name} has no sorted units (no table "units"); ${contents(file)}`);
  }
  if (!has("spike_times") || !has("spike_times_index")) {
    const missing = has("spike_times") ? "spike_times_index" : "spike_times";
    throw dataError(`the units of ${file.name} have no column "${missing}", so no spikes can be read`);
  }
  const all = finiteColumn(file, "units/spike_times");
  const pieces = parts(file, "units/spike_times_index", all.length);
  const observed = observation(file, pieces.length, has);
  const ids = has("id") ? finiteColumn(file, "units/id") : undefined;
  if (ids !== undefined && ids.length !== pieces.length) {
    throw dataError(`the units table of ${file.name} is damaged: ${ids.length} ids for ${pieces.length} units`);
  }
  return pieces.map(({ start, end }, index) => {
    const spikesS = all.slice(start, end);
    let rising = true;
    for (let i = 0; i < spikesS.length; i++) {
      if (!Number.isFinite(spikesS[i])) {
        throw dataError(`spike ${i} of unit ${ids?.[index] ?? index} of ${file.name} is at ${spikesS[i]} s`);
      }
      if (i > 0 && spikesS[i] < spikesS[i - 1]) rising = false;
    }
    if (!rising) spikesS.sort();
    return { id: ids?.[index] ?? index, index, spikesS, observedS: observed?.[index] };
  });
}

/** `obs_intervals`: n x 2 start and stop times, with an index into its rows. */
function observation(file: Hdf5File, units: number, has: (column: string) => boolean): Float64Array[] | undefined {
  if (!has("obs_intervals") || !has("obs_intervals_index")) return undefined;
  const { shape } = file.describe("units/obs_intervals");
  if (shape.length !== 2 || shape[1] !== 2) return undefined;
  const spans = finiteColumn(file, "units/obs_intervals");
  const pieces = parts(file, "units/obs_intervals_index", shape[0]);
  if (pieces.length !== units) {
    throw dataError(`the units table of ${file.name} is damaged: ${pieces.length} obs_intervals for ${units} units`);
  }
  const bad = spans.findIndex((time) => Number.isNaN(time));
  if (bad >= 0) throw dataError(`row ${bad >> 1} of "units/obs_intervals" of ${file.name} is not a number`);
  return pieces.map(({ start, end }) => spans.slice(2 * start, 2 * end));
}

/**
 * A table of time intervals, by default the trials.
 * @throws UserError when it is missing, naming the tables that exist, or has no rows.
 */
export function readIntervals(file: Hdf5File, table: string): NwbTable {
  const path = `intervals/${table}`;
  if (!file.has(path)) {
    const others = [...new Set(file.datasets.map((d) => /^intervals\/([^/]+)\//.exec(d.path)?.[1]))].filter(
      (name) => name !== undefined,
    );
    const hint = others.length > 0 ? `; it has the tables ${others.join(", ")}` : "; it has no tables of intervals";
    throw dataError(`${file.name} has no table "${path}"${didYouMean(table, others) || hint}`);
  }
  const read = readTable(file, path);
  if (read.rows === 0) throw dataError(`the table "${path}" of ${file.name} has no rows`);
  return read;
}
