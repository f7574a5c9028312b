/** Training targets from an NWB file: units' spikes around an event of each trial, averaged per condition. */

import { dataError, UserError } from "../../base/errors.ts";
import { checkRecording } from "../check-recording.ts";
import type { Recording } from "../recording.ts";
import type { PsthGrid, Spans } from "../targets/psth.ts";
import { alignSpikes, isCovered, psthGrid, psthRates, splitTrials, windowOf } from "../targets/psth.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import type { ColumnValues, NwbTable, NwbUnit } from "./nwb.ts";
import { readIntervals, readUnits, rowsWhere, unitsWhere } from "./nwb.ts";

export interface NwbPsthOptions {
  /** Table under /intervals. Default `trials`. */
  readonly table?: string;
  /** Column with the time, in s, that trials are aligned to. Default `start_time`. */
  readonly event?: string;
  /** Start of the window before the event, ms. Default 0. */
  readonly beforeMs?: number;
  /** End of the window after the event, ms. Default 1000. */
  readonly afterMs?: number;
  /** Bin width and interval between rows, ms. Default 20. */
  readonly binMs?: number;
  /** Standard deviation of the Gaussian that smooths rates, ms; 0 for none. Default 50. */
  readonly smoothingSdMs?: number;
  /** Column whose values become tasks. Default: all trials are one task. */
  readonly condition?: string;
  /** Which values of the condition column to use, in this order. Default all, sorted. */
  readonly conditions?: readonly (string | number)[];
  /** Only trials where these columns have these values, such as `{ outcome: "hit" }`. Default all trials. */
  readonly trialsWhere?: ColumnValues;
  /** Only units where these columns have these values, such as `{ quality: "good" }`. Default all units. */
  readonly unitsWhere?: ColumnValues;
  /** Units whose mean rate over tasks and rows is lower are dropped, Hz. Default 1. */
  readonly minimumRateHz?: number;
  /** Keep this fraction (`heldOutRange`) of each condition's trials out of the targets, for testing. Default none. */
  readonly heldOutFraction?: number;
}

/** More conditions than any experiment trains: the column is a measurement, such as a reaction time. */
const mostConditions = 64;

interface Trial {
  readonly eventS: number;
  readonly condition: string;
}

/** When the session was recorded: from 0 or the first time known to the last. */
function sessionSpan(units: readonly NwbUnit[], table: NwbTable): Spans {
  let start = 0;
  let stop = 0;
  const include = (time: number): void => {
    if (Number.isFinite(time)) [start, stop] = [Math.min(start, time), Math.max(stop, time)];
  };
  for (const { spikesS } of units)
    if (spikesS.length > 0) for (const at of [0, spikesS.length - 1]) include(spikesS[at]);
  for (const name of ["start_time", "stop_time"]) {
    if (!table.columns.includes(name)) continue;
    const column = table.column(name);
    if (column.kind === "number") column.values.forEach(include);
  }
  return [start, stop];
}

function labels(table: NwbTable, condition: string | undefined): string[] {
  if (condition === undefined) return new Array<string>(table.rows).fill("all trials");
  const { values } = table.column(condition);
  return Array.from(values as ArrayLike<string | number>, (value) => String(value));
}

/** Conditions in the order of tasks: as asked, else numbers by size, else words by letters. */
function orderConditions(present: Set<string>, options: NwbPsthOptions, file: string): string[] {
  const found = [...present];
  if (options.conditions !== undefined) {
    const wanted = options.conditions.map(String);
    const unknown = wanted.find((value) => !present.has(value));
    if (unknown !== undefined || wanted.length === 0) {
      throw dataError(
        `no usable trial of ${file} has ${options.condition ?? "the condition"} = "${unknown ?? ""}"; values are ` +
          found.slice(0, 12).join(", "),
      );
    }
    return [...new Set(wanted)];
  }
  if (found.length > mostConditions) {
    throw dataError(
      `column "${options.condition}" of ${file} has ${found.length} different values; that is a measurement, not a ` +
        "condition — choose another column by targets.nwb.condition, or list the values by targets.nwb.conditions",
    );
  }
  const numeric = found.every((value) => Number.isFinite(Number(value)));
  return found.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0));
}

/** Trials whose event is known and whose window was recorded, and notes on the others. */
function usableTrials(table: NwbTable, options: NwbPsthOptions, grid: PsthGrid, session: Spans, file: string) {
  const event = options.event ?? "start_time";
  const times = table.column(event);
  if (times.kind !== "number")
    throw dataError(`column "${event}" of ${file} holds words; the event must be a time in s`);
  const keep = rowsWhere(table, options.trialsWhere ?? {});
  const names = labels(table, options.condition);
  const trials: Trial[] = [];
  const skipped = { nan: 0, outside: 0, unlabelled: 0 };
  for (let i = 0; i < table.rows; i++) {
    if (!keep[i]) continue;
    const eventS = times.values[i];
    const [start, stop] = windowOf(eventS, grid);
    if (!Number.isFinite(eventS)) skipped.nan++;
    else if (names[i] === "" || names[i] === "NaN") skipped.unlabelled++;
    else if (!isCovered(session, start - 1e-9, stop + 1e-9) && !isCovered(session, start + 1e-9, stop - 1e-9))
      skipped.outside++;
    else trials.push({ eventS, condition: names[i] });
  }
  const notes: string[] = [];
  if (skipped.nan > 0) notes.push(`skipped ${skipped.nan} trials without a time in "${event}"`);
  if (skipped.outside > 0) notes.push(`skipped ${skipped.outside} trials whose window leaves the recorded time`);
  if (skipped.unlabelled > 0)
    notes.push(`skipped ${skipped.unlabelled} trials without a value in "${options.condition}"`);
  if (trials.length === 0) {
    throw dataError(`no trial of ${file} can be used; ${notes.join("; ") || "none matches targets.nwb.trialsWhere"}`);
  }
  return { trials: trials.sort((a, b) => a.eventS - b.eventS), notes };
}

/** Rates of one unit, tasks after one another; undefined when it was not recorded throughout. */
function unitRates(
  unit: NwbUnit,
  events: readonly number[][],
  grid: PsthGrid,
  session: Spans,
): Float64Array | undefined {
  const rates = new Float64Array(events.length * grid.rows);
  for (let task = 0; task < events.length; task++) {
    const counts = alignSpikes(unit.spikesS, events[task], grid, unit.observedS ?? session);
    const one = psthRates(counts, grid);
    if (one === undefined) return undefined;
    rates.set(one, task * grid.rows);
  }
  return rates;
}

/**
 * Averages the spikes of an NWB file into rates: one task per condition, one row per bin, one neuron per kept unit.
 *
 * @returns rates in Hz with `intervalMs = binMs`; `heldOut` when a held-out fraction was asked for. Notes say how many
 *   trials were skipped and units dropped, and why.
 * @throws UserError when units, trials or columns are missing or nothing remains.
 */
export function psthFromNwb(file: Hdf5File, options: NwbPsthOptions = {}): Recording {
  const { beforeMs = 0, afterMs = 1000, binMs = 20, smoothingSdMs = 50, minimumRateHz = 1, heldOutFraction } = options;
  if (!(minimumRateHz >= 0)) throw new UserError(`targets.nwb.minimumRateHz is ${minimumRateHz}; give a rate >= 0 Hz`);
  const grid = psthGrid({ beforeMs, afterMs, binMs, smoothingSdMs });
  const units = readUnits(file);
  const table = readIntervals(file, options.table ?? "trials");
  const session = sessionSpan(units, table);
  const { trials, notes } = usableTrials(table, options, grid, session, file.name);

  const present = new Set(trials.map(({ condition }) => condition));
  const conditions = orderConditions(present, options, file.name);
  const events: number[][] = [];
  const heldOutEvents: number[][] = [];
  for (const condition of conditions) {
    const own = trials.filter((trial) => trial.condition === condition).map(({ eventS }) => eventS);
    if (heldOutFraction === undefined) events.push(own);
    else {
      const { kept, heldOut } = splitTrials(own, heldOutFraction);
      if (heldOut.length === 0) {
        throw dataError(
          `condition "${condition}" of ${file.name} has ${own.length} usable trials, too few to keep ` +
            `${heldOutFraction} of them out; raise targets.nwb.heldOutFraction, or leave the condition out by ` +
            "targets.nwb.conditions",
        );
      }
      events.push(kept);
      heldOutEvents.push(heldOut);
    }
  }
  notes.push(`averaged ${conditions.map((name, i) => `${events[i].length} trials of ${name}`).join(", ")}`);

  const chosen = unitsWhere(file, units, options.unitsWhere);
  if (chosen.length < units.length)
    notes.push(`left out ${units.length - chosen.length} units by targets.nwb.unitsWhere`);
  const kept: Float64Array[] = [];
  const keptHeldOut: Float64Array[] = [];
  let slow = 0;
  let unobserved = 0;
  for (const unit of chosen) {
    const rates = unitRates(unit, events, grid, session);
    const test = heldOutFraction === undefined ? undefined : unitRates(unit, heldOutEvents, grid, session);
    if (rates === undefined || (heldOutFraction !== undefined && test === undefined)) unobserved++;
    else if (unit.spikesS.length === 0 || rates.reduce((a, b) => a + b, 0) / rates.length < minimumRateHz) slow++;
    else {
      kept.push(rates);
      if (test !== undefined) keptHeldOut.push(test);
    }
  }
  if (slow > 0) notes.push(`dropped ${slow} of ${chosen.length} units with a mean rate below ${minimumRateHz} Hz`);
  if (unobserved > 0) notes.push(`dropped ${unobserved} units that were not recorded during a whole window`);
  if (kept.length === 0) {
    throw dataError(
      `no unit of ${file.name} remains; ${notes.slice(-2).join("; ")} — lower targets.nwb.minimumRateHz?`,
    );
  }
  const recording: Recording = {
    quantity: "rateHz",
    tasks: conditions.length,
    rows: grid.rows,
    neurons: kept.length,
    values: interleave(kept),
    taskNames: conditions.map((value) => (options.condition === undefined ? value : `${options.condition}=${value}`)),
    intervalMs: binMs,
    heldOut: heldOutFraction === undefined ? undefined : interleave(keptHeldOut),
    notes,
  };
  return checkRecording(recording, file.name);
}

/** Per-unit courses to the order of a Recording: neurons run fastest. */
function interleave(units: readonly Float64Array[]): Float64Array {
  const steps = units[0].length;
  const values = new Float64Array(steps * units.length);
  units.forEach((rates, i) => {
    for (let step = 0; step < steps; step++) values[step * units.length + i] = rates[step];
  });
  return values;
}
