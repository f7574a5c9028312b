/** Labelled samples from a Neurodata Without Borders file: the spikes of all units in each trial; a column is the class. */

import { dataError, UserError } from "../../base/errors.ts";
import type { Hdf5File } from "../formats/hdf5-file.ts";
import { type NwbTable, type NwbUnit, readIntervals, readUnits, rowsWhere, unitsWhere } from "../formats/nwb.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { isCovered } from "../targets/psth.ts";
import { integerColumn, labelsOfSome } from "./labels.ts";
import type { LabelledOptions, NwbTrialOptions, Reading } from "./options.ts";
import { buildSpikeSet } from "./spike-set.ts";

interface Trial {
  readonly row: number;
  readonly startS: number;
  readonly stopS: number;
  /** Undefined where it has none and need not. */
  readonly label: string | undefined;
}

function timesOf(table: NwbTable, column: string, file: string): Float64Array {
  const found = table.column(column);
  if (found.kind === "number") return found.values;
  throw dataError(`column "${column}" of ${file} holds words; a time in s is needed`);
}

/** A window in ms that makes sense, or undefined for the end of the trial. */
function windowMs({ beforeMs = 0, afterMs }: NwbTrialOptions): { beforeMs: number; afterMs: number | undefined } {
  if (!Number.isFinite(beforeMs) || (afterMs !== undefined && !(Number.isFinite(afterMs) && beforeMs + afterMs > 0))) {
    throw new UserError(
      `samples from ${beforeMs} ms before to ${afterMs ?? "?"} ms after the event are not longer than 0 ms; give other times`,
    );
  }
  return { beforeMs, afterMs };
}

/** Trials that have a time and, where they must, a class; and notes on the others. */
function usableTrials(
  table: NwbTable,
  options: NwbTrialOptions,
  { classNames: wanted, allowUnlabelled = false }: LabelledOptions,
  file: string,
) {
  const { beforeMs, afterMs } = windowMs(options);
  const events = timesOf(table, options.event ?? "start_time", file);
  const stops = afterMs === undefined ? timesOf(table, "stop_time", file) : undefined;
  const labels =
    allowUnlabelled && !table.columns.includes(options.label)
      ? new Array<string>(table.rows).fill("")
      : Array.from<string | number, string>(table.column(options.label).values, String);
  const keep = rowsWhere(table, options.trialsWhere ?? {});
  let untimed = 0;
  let unlabelled = 0;
  let others = 0;
  const trials: Trial[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (!keep[row]) continue;
    const startS = events[row] - beforeMs / 1000;
    const stopS = stops === undefined ? events[row] + (afterMs ?? 0) / 1000 : stops[row];
    const label = labels[row];
    const isKnown = label !== "" && label !== "NaN";
    if (!Number.isFinite(startS) || !(stopS > startS && stopS < Number.POSITIVE_INFINITY)) untimed++;
    else if (isKnown && (wanted === undefined || wanted.includes(label))) trials.push({ row, startS, stopS, label });
    else if (allowUnlabelled) trials.push({ row, startS, stopS, label: undefined });
    else if (isKnown) others++;
    else unlabelled++;
  }
  const notes: string[] = [];
  const unwanted = keep.filter((kept) => !kept).length;
  if (unwanted > 0) notes.push(`trials left out by trialsWhere: ${unwanted}`);
  if (untimed > 0) notes.push(`trials left out for having no time: ${untimed}`);
  if (unlabelled > 0) notes.push(`trials left out for having no value in "${options.label}": ${unlabelled}`);
  if (others > 0) notes.push(`trials left out for being of another class: ${others}`);
  if (trials.length === 0) throw dataError(`no trial of ${file} can be used; ${notes.join("; ")}`);
  return { trials, notes };
}

/** The values of a column in order: numbers by size, else words by letters. A dataError for a measurement. */
function classesOf(labels: readonly (string | undefined)[], column: string, file: string): string[] {
  const words = labels.filter((label) => label !== undefined);
  const classes = [...new Set(words)];
  if (classes.length > 2 && 2 * classes.length > words.length) {
    throw dataError(
      `column "${column}" of ${file} has ${classes.length} different values in ${words.length} trials; that is a ` +
        "measurement, not a class — choose another column",
    );
  }
  const numeric = classes.every((value) => Number.isFinite(Number(value)));
  return classes.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
}

/** First place of a rising list that is not below a time. */
function firstFrom(timesS: Float64Array, time: number): number {
  let low = 0;
  let high = timesS.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timesS[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Spikes of all units from start to stop, unit after unit; the builder puts them into the order of time. */
function spikesOf(units: readonly NwbUnit[], { startS, stopS }: Trial) {
  const spans = units.map(({ spikesS }) => [firstFrom(spikesS, startS), firstFrom(spikesS, stopS)]);
  const count = spans.reduce((sum, [from, to]) => sum + to - from, 0);
  const spikes = spans.flatMap(([from, to], unit) =>
    Array.from({ length: to - from }, (_, i) => ({ ms: 1000 * (units[unit].spikesS[from + i] - startS), unit })),
  );
  spikes.sort((a, b) => a.ms - b.ms || a.unit - b.unit);
  const timesMs = new Float32Array(count);
  const channels = new Uint32Array(count);
  spikes.forEach(({ ms, unit }, i) => {
    timesMs[i] = Math.max(0, ms);
    channels[i] = unit;
  });
  return { timesMs, channels };
}

/** Whole numbers of the table, for the trials used. */
function columnsOf(table: NwbTable, trials: readonly Trial[], label: string): Record<string, Int32Array> {
  const columns: Record<string, Int32Array> = {};
  for (const name of table.columns) {
    if (name === label || /_time$/.test(name)) continue;
    const column = table.column(name);
    if (column.kind !== "number") continue;
    const numbers = integerColumn(
      Float64Array.from(trials, ({ row }) => column.values[row]),
      trials.length,
    );
    if (numbers !== undefined) columns[name] = numbers;
  }
  return columns;
}

/**
 * Cuts the spikes of units into trials. Channel i is row i of the units table, or of what `unitsWhere` leaves of it.
 * @throws UserError when units, trials or columns are missing, or no unit or trial remains.
 */
export function readNwbSet(file: Hdf5File, reading: Reading): LabelledSet {
  const { trials: options, classNames: wanted } = reading.options;
  const all = readUnits(file);
  const table = readIntervals(file, options?.table ?? "trials");
  if (options === undefined) {
    const others = table.columns.filter((column) => !/_time$/.test(column));
    throw dataError(
      `${file.name} does not say which column of its trials is the class; choose one (label): ` +
        (others.join(", ") || "but the table has no columns besides times"),
    );
  }
  const units = unitsWhere(file, all, options.unitsWhere);
  if (units.length === 0) throw dataError(`no unit of ${file.name} has all values of unitsWhere; ask for fewer`);
  const { trials, notes } = usableTrials(table, options, reading.options, file.name);
  if (units.length < all.length) notes.push(`units left out by unitsWhere: ${all.length - units.length}`);
  const words = trials.map(({ label }) => label);
  const classes = wanted ?? classesOf(words, options.label, file.name);
  const labelling = labelsOfSome(words, classes, `"${options.label}"`);
  const columns = columnsOf(table, trials, options.label);
  return buildSpikeSet(file.name, reading, units.length, (sink) => {
    let unobserved = 0;
    for (const trial of trials) {
      const { timesMs, channels } = spikesOf(units, trial);
      sink.add(timesMs, channels);
      const { startS, stopS } = trial;
      if (units.some(({ observedS }) => observedS !== undefined && !isCovered(observedS, startS, stopS))) unobserved++;
    }
    if (unobserved > 0) {
      notes.push(`trials in which some unit was not recorded all the time, and looks silent: ${unobserved}`);
    }
    return { ...labelling, columns, notes };
  });
}
