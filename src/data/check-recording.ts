/**
 * The rules every recording obeys before it reaches a network: finite, of sensible size, in the unit it claims. A
 * network trained on Hz read as currents, or on spikes per bin read as Hz, learns nonsense without complaint.
 */

import { dataError } from "../base/errors.ts";
import type { Recording } from "./recording.ts";

/** No neuron fires faster, averaged over trials; a higher number is in another unit. */
export const highestRateHz = 1000;
/** When no neuron ever exceeds this, all of them would be treated as silent. */
const lowestPeakHz = 0.1;
/** In units of threshold; larger numbers are mV or pA. */
const largestCurrent = 100;

type Numbers = Pick<Recording, "tasks" | "rows" | "neurons" | "values" | "taskNames">;

/** Names a place of the array as a person would look it up; neuron names may come from the file. */
function place(recording: Omit<Numbers, "values">, index: number, neuronNames?: readonly string[]): string {
  const { rows, neurons, taskNames } = recording;
  const neuron = index % neurons;
  const row = Math.floor(index / neurons) % rows;
  const task = Math.floor(index / (neurons * rows));
  const who = neuronNames?.[neuron] === undefined ? `neuron ${neuron}` : `neuron ${neuron} ("${neuronNames[neuron]}")`;
  return `${who}, row ${row}, task "${taskNames[task]}" (counted from 0)`;
}

/** Refuses the first number that is not finite, naming its place. */
export function requireFinite(numbers: Numbers, source: string, neuronNames?: readonly string[]): void {
  const bad = numbers.values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const where = place(numbers, bad, neuronNames);
  throw dataError(`${source} holds ${numbers.values[bad]} at ${where}; fill or drop such neurons first`);
}

/**
 * Returns the recording, with notes on neurons that never change.
 *
 * @param source name of the file, for messages.
 * @throws UserError naming the first neuron, row and task that breaks a rule.
 */
export function checkRecording(recording: Recording, source: string, neuronNames?: readonly string[]): Recording {
  const { quantity, tasks, rows, neurons, values, taskNames, heldOut } = recording;
  if (tasks < 1 || neurons < 1) throw dataError(`${source} holds ${tasks} tasks and ${neurons} neurons; it needs some`);
  if (rows < 2) throw dataError(`${source} holds a single time row; a target needs at least two`);
  const size = tasks * rows * neurons;
  if (values.length !== size || taskNames.length !== tasks || (heldOut !== undefined && heldOut.length !== size)) {
    throw new Error(`recording of ${tasks} x ${rows} x ${neurons} with ${values.length} values`);
  }
  const rates = quantity === "rateHz";
  for (const array of heldOut === undefined ? [values] : [values, heldOut]) {
    requireFinite({ ...recording, values: array }, source, neuronNames);
    for (let i = 0; i < size; i++) {
      const value = array[i];
      if (rates ? value < 0 : Math.abs(value) > largestCurrent) {
        throw dataError(
          rates
            ? `${source} holds a rate of ${value} Hz at ${place(recording, i, neuronNames)}; rates cannot be negative — ` +
                'are these z-scores, changes from baseline or currents (targets.quantity: "current")?'
            : `${source} holds a current of ${value} at ${place(recording, i, neuronNames)}; currents are in units of ` +
                "threshold, about -2 to 5 — divide mV or pA by the distance from rest to threshold",
        );
      }
      if (rates && value > highestRateHz) {
        throw dataError(
          `${source} holds a rate of ${value} Hz at ${place(recording, i, neuronNames)}, above ${highestRateHz} Hz; ` +
            "is the unit something else than Hz?",
        );
      }
    }
  }
  if (rates) {
    let peak = 0;
    for (let i = 0; i < size; i++) if (values[i] > peak) peak = values[i];
    if (peak < lowestPeakHz) {
      throw dataError(
        `${source}: no rate exceeds ${peak} Hz, so every neuron would be silent; are the rates in spikes per ms or per ` +
          "bin? Convert them to Hz",
      );
    }
  }
  const constant = countConstant(recording);
  if (constant === 0) return recording;
  const note = `${constant} of ${neurons} neurons never change in any task; their correlation is undefined`;
  return { ...recording, notes: [...recording.notes, note] };
}

function countConstant({ tasks, rows, neurons, values }: Recording): number {
  let constant = 0;
  for (let i = 0; i < neurons; i++) {
    let changes = false;
    for (let task = 0; task < tasks && !changes; task++) {
      const start = task * rows * neurons + i;
      for (let row = 1; row < rows && !changes; row++) changes = values[start + row * neurons] !== values[start];
    }
    if (!changes) constant++;
  }
  return constant;
}
