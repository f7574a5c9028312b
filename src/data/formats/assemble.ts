/** From the arrays of a file to a Recording: which axis is what, which unit, which names. */

import { dataError } from "../../base/errors.ts";
import { checkRecording, requireFinite } from "../check-recording.ts";
import type { Recording } from "../recording.ts";
import { shapeText } from "./limits.ts";
import type { NamedArray } from "./numeric-array.ts";
import { toFloat64 } from "./numeric-array.ts";
import type { Orientation, TimeAxis } from "./orientation.ts";
import { orientationBySmoothness } from "./orientation.ts";

export interface AssembleOptions {
  readonly quantity?: Recording["quantity"];
  readonly orientation?: Orientation | "auto";
  readonly intervalMs?: number;
}

export interface AssembleContext {
  readonly source: string;
  /** Unit that the names of the arrays suggest. */
  readonly quantity?: Recording["quantity"];
  readonly times: readonly TimeAxis[];
  /** How this kind of file lays matrices out, when it has a convention. */
  readonly convention?: Orientation;
  readonly neuronNames?: readonly string[];
  readonly taskNames?: readonly string[];
  readonly notes: readonly string[];
}

/** `rate_left`, `rate_right` -> `left`, `right`. */
function shortNames(names: readonly string[]): string[] {
  if (names.length < 2) return [...names];
  let common = 0;
  while (names.every((name) => name.length > common + 1 && name[common] === names[0][common])) common++;
  const cut = names[0].slice(0, common).search(/[^_/.-]*$/);
  const short = names.map((name) => name.slice(cut));
  return short.every((name) => name !== "") ? short : [...names];
}

function decideOrientation(
  array: NamedArray,
  data: Float64Array,
  options: AssembleOptions,
  context: AssembleContext,
  notes: string[],
): Orientation {
  const [first, second] = array.shape.slice(-2);
  const { source, convention, times } = context;
  if (options.orientation !== undefined && options.orientation !== "auto") return options.orientation;
  const axis = times.find(({ length }) => (length === first) !== (length === second));
  const smooth = orientationBySmoothness(data, first, second);
  const transposed =
    `"${array.name}" of ${source} (${shapeText(array.shape)}) changes smoothly along the axis where neurons were ` +
    'expected; say which axis is time by targets.orientation: "neurons-by-rows" or "rows-by-neurons"';
  if (axis !== undefined) return axis.length === second ? "neurons-by-rows" : "rows-by-neurons";
  if (convention !== undefined) {
    if (smooth !== undefined && smooth !== convention) throw dataError(transposed);
    return convention;
  }
  if (smooth === undefined) {
    throw dataError(
      `cannot tell which axis of "${array.name}" of ${source} (${shapeText(array.shape)}) is time; give targets.orientation: ` +
        '"neurons-by-rows" or "rows-by-neurons"',
    );
  }
  notes.push(`took "${array.name}" as ${smooth.replaceAll("-", " ")}, because it is smooth along that axis of time`);
  return smooth;
}

function decideQuantity(values: Float64Array, options: AssembleOptions, context: AssembleContext, notes: string[]) {
  const said = options.quantity ?? context.quantity;
  if (said !== undefined) return said;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  // Currents in units of threshold stay below 5; rates of a population do not.
  if (lowest >= 0 && highest > 5) {
    notes.push(
      `took the numbers (0 to ${Number(highest.toPrecision(3))}) as rates in Hz; say so by targets.quantity: "rateHz"`,
    );
    return "rateHz";
  }
  throw dataError(
    `cannot tell whether ${context.source} holds rates in Hz or currents in units of threshold (numbers from ` +
      `${Number(lowest.toPrecision(3))} to ${Number(highest.toPrecision(3))}); give targets.quantity: "rateHz" or "current"`,
  );
}

/**
 * Joins arrays, one matrix per task or one block tasks x (neurons x rows), into a checked Recording.
 * @throws UserError when shapes differ, the time axis or the unit is unclear, or a number breaks a rule.
 */
export function assembleRecording(
  arrays: readonly NamedArray[],
  options: AssembleOptions,
  context: AssembleContext,
): Recording {
  const { source } = context;
  const notes = [...context.notes];
  const [head] = arrays;
  const block = head.shape.length === 3;
  for (const { name, shape } of arrays) {
    if (shape.length !== 2 && shape.length !== 3) {
      throw dataError(
        `"${name}" of ${source} is ${shapeText(shape)}; a target is a matrix (neurons x rows) or a block (tasks x ` +
          "neurons x rows)",
      );
    }
    if (shape.join() !== head.shape.join()) {
      throw dataError(
        `tasks must have the same shape, but in ${source} "${head.name}" is ${shapeText(head.shape)} and "${name}" is ` +
          shapeText(shape),
      );
    }
    if (shape.some((extent) => extent === 0)) throw dataError(`"${name}" of ${source} is empty (${shapeText(shape)})`);
  }
  if (block && arrays.length > 1) {
    throw dataError(`give one block of tasks or several matrices for ${source}, not several blocks`);
  }
  if (block && head.shape[0] > 20 && head.shape[2] < head.shape[0]) {
    throw dataError(
      `"${head.name}" of ${source} is ${shapeText(head.shape)}; the first axis must be tasks, and ${head.shape[0]} ` +
        "tasks is unlikely — move the axis of tasks to the front",
    );
  }
  const tasks = block ? head.shape[0] : arrays.length;
  const [first, second] = head.shape.slice(-2);
  const matrices = block
    ? Array.from({ length: tasks }, (_, task) =>
        toFloat64(head.data).subarray(task * first * second, (task + 1) * first * second),
      )
    : arrays.map(({ data }) => toFloat64(data));
  const orientation = decideOrientation(head, matrices[0], options, context, notes);
  const [neurons, rows] = orientation === "neurons-by-rows" ? [first, second] : [second, first];

  const values = new Float64Array(tasks * rows * neurons);
  matrices.forEach((matrix, task) => {
    const start = task * rows * neurons;
    if (orientation === "rows-by-neurons") values.set(matrix, start);
    else {
      for (let i = 0; i < neurons; i++) {
        for (let row = 0; row < rows; row++) values[start + row * neurons + i] = matrix[i * rows + row];
      }
    }
  });
  const taskNames =
    context.taskNames ??
    (block ? matrices.map((_, task) => `task ${task + 1}`) : shortNames(arrays.map(({ name }) => name)));
  const intervalMs = decideInterval(rows, options, context, notes);
  const partial = { tasks, rows, neurons, values, taskNames, intervalMs };
  // Before the unit is guessed from the numbers, so that the guess is not blamed for a NaN.
  requireFinite(partial, source, context.neuronNames);
  const quantity = decideQuantity(values, options, context, notes);
  return checkRecording({ ...partial, quantity, notes }, source, context.neuronNames);
}

function decideInterval(
  rows: number,
  options: AssembleOptions,
  context: AssembleContext,
  notes: string[],
): number | undefined {
  const axis = context.times.find(({ length }) => length === rows);
  if (options.intervalMs !== undefined) {
    if (!(options.intervalMs > 0 && options.intervalMs < Number.POSITIVE_INFINITY)) {
      throw dataError(`targets.intervalMs is ${options.intervalMs} ms; it must be above 0 ms`);
    }
    if (axis?.intervalMs !== undefined && Math.abs(axis.intervalMs - options.intervalMs) > 0.01 * axis.intervalMs) {
      notes.push(`"${axis.name}" says ${axis.intervalMs} ms between rows; ${options.intervalMs} ms is used as asked`);
    }
    return options.intervalMs;
  }
  if (axis !== undefined && axis.intervalMs === undefined) {
    notes.push(
      `"${axis.name}" is uneven or names no unit (time_ms, time_s), so the interval between rows is not known`,
    );
  }
  return axis?.intervalMs;
}
