/**
 * A model cut in two: what is computed once when parameters are set, and what remains for every step.
 */
import { hoisted as hoistedLeaf, parameter } from "../expression/build.ts";
import { compileJs } from "../expression/evaluate.ts";
import { type Hoisted, hoist } from "../expression/hoist.ts";
import { type Expression, type Leaf, leavesOf } from "../expression/node.ts";
import { substitute } from "../expression/substitute.ts";
import type { Model, PerNeuron } from "./define.ts";

/** Leaves of `step`, `margin` and `reset`: states, the inputs, the parameters listed here, and hoisted values. */
export interface HoistedModel {
  readonly model: Model;
  /** To be computed by `evaluateHoisted`; over parameters, `dtMs` and `refractorySteps`. */
  readonly hoisted: readonly Hoisted[];
  /** Names of the model's parameters that the step still reads as they are (a threshold, say). */
  readonly parameters: readonly string[];
  /** Over old states: new states, all at once. Keys in the order of `model.states`, as in `reset`. */
  readonly step: Readonly<Record<string, Expression>>;
  /** Over new states: spike where > 0. */
  readonly margin: Expression;
  /** Over new states: states after a spike. A state that the spike leaves alone is its own leaf. */
  readonly reset: Readonly<Record<string, Expression>>;
}

export function hoistModel(model: Model): HoistedModel {
  const names = Object.keys(model.states);
  const result = hoist([...Object.values(model.step), model.margin, ...Object.values(model.reset)]);
  const hoisted = [...result.hoisted];
  // dtMs and refractorySteps used bare are handed over as hoisted values: engines know parameters and hoisted, no more.
  const outputs = substitute(result.outputs, (node) => {
    if (node.op !== "parameter" || Object.hasOwn(model.parameters, node.name)) return null;
    if (!hoisted.some((h) => h.name === node.name)) hoisted.push({ name: node.name, expression: parameter(node.name) });
    return hoistedLeaf(node.name);
  });
  const record = (from: number) => Object.fromEntries(names.map((name, i) => [name, outputs[from + i]]));
  return {
    model,
    hoisted,
    parameters: leavesOf(outputs)
      .filter((leaf) => leaf.op === "parameter")
      .map((leaf) => leaf.name),
    step: record(0),
    margin: outputs[names.length],
    reset: record(names.length + 1),
  };
}

/**
 * The same step with new states put in place: everything over *old* states, so that one `emitVector` or `compileJs` of
 * [next..., margin, afterSpike...] computes shared parts once. Only for engines that do nothing to new states in between.
 */
export function composeStep(hoisted: HoistedModel): {
  readonly next: Readonly<Record<string, Expression>>;
  readonly margin: Expression;
  readonly afterSpike: Readonly<Record<string, Expression>>;
} {
  const names = Object.keys(hoisted.step);
  const [margin, ...reset] = substitute([hoisted.margin, ...Object.values(hoisted.reset)], (node) =>
    node.op === "state" ? hoisted.step[node.name] : null,
  );
  return { next: hoisted.step, margin, afterSpike: Object.fromEntries(names.map((name, i) => [name, reset[i]])) };
}

/** Length of the refractory period in whole steps: round(refractoryMs / dtMs), 0 for models without `refractoryMs`. */
export function refractorySteps(
  parameters: Readonly<Record<string, PerNeuron>>,
  dtMs: number,
): number | Int32Array<ArrayBuffer> {
  const period = parameters.refractoryMs ?? 0;
  const steps = (ms: number): number => Math.max(0, Math.round(ms / dtMs));
  return typeof period === "number" ? steps(period) : Int32Array.from(period, steps);
}

/**
 * Steps after a spike in which a neuron cannot spike. A neuron that holds its states pauses for the whole period after the
 * step of the spike (as in TrainSpikingNet); for one that runs on silently the period counts from the spike, so that it
 * may fire again after `refractorySteps` steps (as in GeNN and Bellec et al.).
 */
export function pauseSteps(
  model: Model,
  parameters: Readonly<Record<string, PerNeuron>>,
  dtMs: number,
): number | Int32Array<ArrayBuffer> {
  const period = refractorySteps(parameters, dtMs);
  if (model.refractory === "hold") return period;
  const less = (steps: number): number => Math.max(0, steps - 1);
  return typeof period === "number" ? less(period) : period.map(less);
}

/**
 * Values of expressions over parameters, in float64.
 * @param n neurons
 * @returns by name, a number where all parameters involved are numbers, else n values
 */
export function evaluateOverParameters(
  entries: readonly Hoisted[],
  parameters: Readonly<Record<string, PerNeuron>>,
  dtMs: number,
  n: number,
): Record<string, number | Float64Array<ArrayBuffer>> {
  const known: Record<string, number | Float32Array | Int32Array> = {
    ...parameters,
    dtMs,
    refractorySteps: refractorySteps(parameters, dtMs),
  };
  const result: Record<string, number | Float64Array<ArrayBuffer>> = {};
  for (const { name, expression } of entries) {
    const leaves = leavesOf([expression]);
    const columns = leaves.map((leaf) => columnOf(leaf, known));
    const compute = compileJs([expression], leaves);
    const row = new Float64Array(columns.length);
    const value = [0];
    const at = (i: number): number => {
      for (let k = 0; k < columns.length; k++) {
        const column = columns[k];
        row[k] = typeof column === "number" ? column : column[i];
      }
      compute(row, value);
      return value[0];
    };
    if (columns.every((column) => typeof column === "number")) result[name] = at(0);
    else {
      const values = new Float64Array(n);
      for (let i = 0; i < n; i++) values[i] = at(i);
      result[name] = values;
    }
  }
  return result;
}

function columnOf<T>(leaf: Leaf, known: Readonly<Record<string, T>>): T {
  if (!Object.hasOwn(known, leaf.name)) throw new Error(`no value is given for the parameter "${leaf.name}"`);
  return known[leaf.name];
}

/**
 * Values of the hoisted expressions: computed in float64, rounded once to float32 where there is one per neuron.
 * @param parameters of a resolved model
 * @returns by name, a number (float64) where all parameters involved are numbers, else n values
 */
export function evaluateHoisted(
  hoisted: readonly Hoisted[],
  parameters: Readonly<Record<string, PerNeuron>>,
  dtMs: number,
  n: number,
): Record<string, number | Float32Array<ArrayBuffer>> {
  const exact = evaluateOverParameters(hoisted, parameters, dtMs, n);
  return Object.fromEntries(
    Object.entries(exact).map(([name, value]) => [name, typeof value === "number" ? value : new Float32Array(value)]),
  );
}
