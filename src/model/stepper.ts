/** Neurons advanced one by one in float64: the plain twin that fast engines are compared with. */
import { hoisted, input, parameter, state } from "../expression/build.ts";
import { compileJs, type NumericFunction } from "../expression/evaluate.ts";
import { composeStep, evaluateOverParameters, hoistModel, pauseSteps } from "./hoist.ts";
import type { ResolvedModel } from "./resolve.ts";

/**
 * ```ts
 * const neurons = new ModelStepper(resolveModel({ type: "LIF", parameters: {} }), 100, 0.1);
 * neurons.states.v.fill(0);
 * const spiked = neurons.advance(7, 1.5);
 * ```
 */
export class ModelStepper {
  /** By name, one value per neuron; zero at first. Free to be written between steps. */
  readonly states: Readonly<Record<string, Float64Array<ArrayBuffer>>>;
  /** Steps that a neuron pauses after a spike. Counting them is the caller's part. */
  readonly refractorySteps: Int32Array<ArrayBuffer>;
  readonly #columns: Float64Array[];
  readonly #perNeuron: { slot: number; values: ArrayLike<number> }[] = [];
  readonly #values: Float64Array;
  readonly #results: Float64Array;
  readonly #currentSlot: number;
  readonly #compute: NumericFunction;
  readonly #holds: boolean;

  /**
   * @param n neurons. @param dtMs time step in ms.
   * @param into the input that currents flow into; others get nothing. Default: the first.
   */
  constructor(resolved: ResolvedModel, n: number, dtMs: number, into = resolved.model.inputs[0]) {
    const { inputs } = resolved.model;
    const split = hoistModel(resolved.model);
    const { next, margin, afterSpike } = composeStep(split);
    const names = Object.keys(resolved.model.states);
    this.#holds = resolved.model.refractory === "hold";
    const constants = { ...evaluateOverParameters(split.hoisted, resolved.parameters, dtMs, n) };
    const leaves = [
      ...names.map(state),
      ...inputs.map(input),
      ...split.parameters.map(parameter),
      ...split.hoisted.map((h) => hoisted(h.name)),
    ];
    this.#compute = compileJs([margin, ...Object.values(next), ...Object.values(afterSpike)], leaves);
    this.#values = new Float64Array(leaves.length);
    this.#results = new Float64Array(1 + 2 * names.length);
    this.#currentSlot = names.length + inputs.indexOf(into);
    const fixed = [
      ...split.parameters.map((name) => resolved.parameters[name]),
      ...split.hoisted.map(({ name }) => constants[name]),
    ];
    for (const [i, value] of fixed.entries()) {
      const slot = names.length + inputs.length + i;
      if (typeof value === "number") this.#values[slot] = value;
      else this.#perNeuron.push({ slot, values: value });
    }
    this.states = Object.fromEntries(names.map((name) => [name, new Float64Array(n)]));
    this.#columns = Object.values(this.states);
    const pause = pauseSteps(resolved.model, resolved.parameters, dtMs);
    this.refractorySteps = typeof pause === "number" ? new Int32Array(n).fill(pause) : pause;
  }

  /**
   * One step of neuron i: states <- step; if margin > 0, states <- reset. A refractory neuron keeps its states, or runs on
   * without spiking, as its model says.
   * @param current total input of this step, in the model's unit
   * @returns whether it spiked
   */
  advance(i: number, current: number, refractory = false): boolean {
    if (refractory && this.#holds) return false;
    const values = this.#values;
    const columns = this.#columns;
    for (let s = 0; s < columns.length; s++) values[s] = columns[s][i];
    values[this.#currentSlot] = current;
    for (const { slot, values: column } of this.#perNeuron) values[slot] = column[i];
    this.#compute(values, this.#results);
    const spiked = this.#results[0] > 0 && !refractory;
    const from = spiked ? 1 + columns.length : 1;
    for (let s = 0; s < columns.length; s++) columns[s][i] = this.#results[from + s];
    return spiked;
  }
}
