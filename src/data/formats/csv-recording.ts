/**
 * A Recording from a table: one line per row, one column per neuron. A column `task` divides the lines into tasks, a
 * column `time_ms` (or `time_s`, ...) gives the interval, and the unnamed first column that pandas writes is left out.
 */

import { dataError, didYouMean } from "../../base/errors.ts";
import type { Recording } from "../recording.ts";
import type { AssembleOptions } from "./assemble.ts";
import { assembleRecording } from "./assemble.ts";
import { quantityOfName } from "./choose-arrays.ts";
import type { NumericTable } from "./csv.ts";
import { readCsv } from "./csv.ts";
import type { NamedArray } from "./numeric-array.ts";
import { isTimeName, timeAxis } from "./orientation.ts";

export interface CsvRecordingOptions extends AssembleOptions {
  /** Columns that are neurons, `*` standing for anything: `["unit_*"]`. Default: all but task, time and index. */
  readonly columns?: readonly string[];
}

function column(table: NumericTable, index: number, lines: readonly number[]): Float64Array {
  return Float64Array.from(lines, (line) => table.values[line * table.columns.length + index]);
}

/** Positions of the columns that are neurons. */
function neuronColumns(table: NumericTable, wanted: readonly string[] | undefined, source: string, notes: string[]) {
  if (wanted !== undefined) {
    const found = new Set<number>();
    for (const pattern of wanted) {
      const escaped = pattern.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
      const regex = new RegExp(`^${escaped.join(".*")}$`);
      const before = found.size;
      table.columns.forEach((name, i) => {
        if (regex.test(name) && !table.words.has(name)) found.add(i);
      });
      if (found.size === before) {
        throw dataError(
          `${source} has no further column "${pattern}" for targets.columns${didYouMean(pattern, table.columns)}`,
        );
      }
    }
    return [...found].sort((a, b) => a - b);
  }
  const used: number[] = [];
  const left: string[] = [];
  table.columns.forEach((name, i) => {
    const index = table.named && i === 0 && /^(?:|unnamed: 0|index)$/i.test(name);
    if (index || (table.named && (table.words.has(name) || isTimeName(name))))
      left.push(name === "" ? "(unnamed)" : name);
    else used.push(i);
  });
  const silent = left.filter((name) => name.toLowerCase() !== "task");
  if (silent.length > 0) notes.push(`took the columns ${silent.join(", ")} as time or index, not as neurons`);
  if (used.length === 0) throw dataError(`${source} has no column of neurons, only ${table.columns.join(", ")}`);
  return used;
}

/** Lines of each task, tasks in order of first appearance. */
function tasksOf(table: NumericTable): Map<string, number[]> {
  const tasks = new Map<string, number[]>();
  const name = [...table.words.keys()][0];
  const cells = name === undefined ? undefined : table.words.get(name);
  for (let line = 0; line < table.rows; line++) {
    const task = cells === undefined ? "task" : cells[line];
    const lines = tasks.get(task);
    if (lines === undefined) tasks.set(task, [line]);
    else lines.push(line);
  }
  return tasks;
}

/**
 * Reads a table as targets.
 * @throws UserError when tasks differ in their number of lines, and for everything `readCsv` and `checkRecording` refuse.
 */
export function recordingFromCsv(bytes: Uint8Array, source: string, options: CsvRecordingOptions): Recording {
  const table = readCsv(bytes, source);
  const notes: string[] = [];
  const columns = neuronColumns(table, options.columns, source, notes);
  const tasks = tasksOf(table);
  const [[firstTask, firstLines]] = tasks;
  const arrays: NamedArray[] = [];
  for (const [name, lines] of tasks) {
    if (name === "") throw dataError(`line ${lines[0] + 1} of the numbers of ${source} has an empty task`);
    if (lines.length !== firstLines.length) {
      throw dataError(
        `tasks must have the same number of rows, but in ${source} "${firstTask}" has ${firstLines.length} and ` +
          `"${name}" has ${lines.length}`,
      );
    }
    const data = new Float64Array(lines.length * columns.length);
    lines.forEach((line, row) => {
      columns.forEach((from, i) => {
        data[row * columns.length + i] = table.values[line * table.columns.length + from];
      });
    });
    arrays.push({ name, shape: [lines.length, columns.length], data, dtype: "text" });
  }
  const times = table.columns.flatMap((name, i) => {
    const axis = table.named && isTimeName(name) ? timeAxis(name, { data: column(table, i, firstLines) }) : undefined;
    return axis === undefined ? [] : [axis];
  });
  const names = columns.map((i) => table.columns[i]);
  const quantities = new Set(names.map(quantityOfName));
  const oneLinePerNeuron = options.orientation === "neurons-by-rows";
  return assembleRecording(arrays, options, {
    source,
    times,
    convention: "rows-by-neurons",
    quantity: table.named && quantities.size === 1 ? [...quantities][0] : undefined,
    neuronNames: table.named && !oneLinePerNeuron ? names : undefined,
    taskNames: [...tasks.keys()],
    notes,
  });
}
