/**
 * The gradient engine in plain float64: forward in time, then backward over per-neuron adjoints. The twin of the fast
 * engine, and the page to read first; `model/adjoint.ts` has the equations of one neuron.
 *
 * Forward, t = 0 .. T-1, population p after population:
 *   I_p(t) = bias + sum over projections into p, over spikes i of the source at t - delay: gain value_i W[i][:]
 *            (for each input of the model, from the projections that lead into it; the bias is part of the first)
 *   states <- step;  z_p(t) = [margin > 0 and not refractory];  states <- reset where z
 * Backward, t = T-1 .. 0, populations in reverse:
 *   a_z,p(t) = cost_p(t) + m_p sum over projections out of p to q: gain W a_I,q(t + delay)   (or B in place of W, or nothing)
 *   a_I,p(t), adjoints of the states before t: model/adjoint.ts
 *   dW[i][:] += gain value_i a_I,q(t) for every spike i that arrived at t;  dbias += a_I;  dconstants += ...
 *
 * value_i is the amplitude of an input event, or m_i: 1, and with dropout 0 or 1/(1 - p).
 * So no trace per synapse is needed, and cutting paths gives e-prop: docs/learning-rules.md.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import { hoisted, input, parameter, state } from "../../expression/build.ts";
import { compileJs, type NumericFunction } from "../../expression/evaluate.ts";
import { alongRow } from "../../kernels/rows/reference.ts";
import { exp } from "../../math/elementary.ts";
import { type AdjointProgram, deriveAdjoint, leafOf, refractoryMargin } from "../../model/adjoint.ts";
import { constantGradients } from "../../model/constant-gradients.ts";
import { evaluateOverParameters, pauseSteps } from "../../model/hoist.ts";
import { setStartStates, startStates } from "./programs.ts";
import {
  type GradientNetwork,
  inputOf,
  type NetworkValues,
  type PopulationSpec,
  shapeOf,
  sourceRange,
  synapseCount,
} from "./spec.ts";

/** Loss of one sample and its derivative by the outputs, both `[step * outputs + output]`. */
export type OutputLoss = (outputs: Float64Array, steps: number) => { loss: number; derivative: Float64Array };

export interface ReferenceOptions {
  /** Own matrices of projections with `backward: "feedback"`, by projection, dense `[source * targets + target]`. */
  readonly feedback?: readonly (ArrayLike<number> | null)[];
  /**
   * z = 1/(1 + exp(-slope margin)) in place of a step, and nothing detached: the gradient is then exact and can be checked
   * by finite differences. Surrogates must be `sigmoid(slope)`.
   */
  readonly smoothSlope?: number;
  /** Steps after which adjoints are not carried back any further; default: not truncated. */
  readonly truncateSteps?: number;
  /** Dropout: by population, what a spike of each neuron counts for where it arrives; null or left out: 1. */
  readonly sent?: readonly (ArrayLike<number> | null)[];
}

export interface ReferenceResult {
  readonly loss: number;
  /** [step * outputs + output] */
  readonly outputs: Float64Array;
  /** By population: z, [step * size + neuron]. */
  readonly spikes: readonly Float64Array[];
  /** By population: the first state after the step, before its reset; the first input where there are no states. */
  readonly membranes: readonly Float64Array[];
  /** By population: distance to threshold at every step, `refractoryMargin` while refractory. */
  readonly margins: readonly Float64Array[];
  /** Surrogate adjoints: by population and input, a_I of every step. */
  readonly inputAdjoints: readonly (readonly Float64Array[])[];
  readonly gradients: NetworkValues<Float64Array>;
}

/** One population: its compiled step and adjoint, its constants, what it keeps of a sample. */
class ReferencePopulation {
  readonly spec: PopulationSpec;
  readonly program: AdjointProgram;
  readonly states: string[];
  readonly inputNames: readonly string[];
  readonly constantNames: string[];
  readonly period: Int32Array;
  readonly #forward: NumericFunction;
  readonly #backward: NumericFunction;
  readonly #constants: Float64Array[];
  readonly #values: Float64Array;
  readonly #results: Float64Array;
  readonly gradientNames: string[];
  readonly gradients: Float64Array[];
  /** Kept of every step: inputs, margin, states before the step and after it. */
  inputs!: Float64Array[];
  margins!: Float64Array;
  before!: Float64Array[];
  after!: Float64Array[];
  z!: Float64Array;
  /** Of the running pass: states, or adjoints of states. */
  readonly current: Float64Array[];
  readonly #left: Int32Array;
  readonly #starts: (number | Float32Array)[];

  constructor(
    spec: PopulationSpec,
    constants: Readonly<Record<string, ArrayLike<number>>>,
    dtMs: number,
    smooth: boolean,
  ) {
    this.spec = spec;
    const { model } = spec.model;
    const parameters = { ...spec.model.parameters };
    for (const [name, values] of Object.entries(constants)) parameters[name] = values as Float32Array;
    const pause = pauseSteps(model, parameters, dtMs);
    this.period = typeof pause === "number" ? new Int32Array(spec.size).fill(pause) : pause;
    this.program = deriveAdjoint(model, {
      surrogate: spec.surrogate,
      detachReset: smooth ? false : spec.detachReset,
      trainable: spec.trainable,
      canBeRefractory: this.period.some((steps) => steps > 0),
      spikes: smooth ? "smooth" : "step",
    });
    const { split } = this.program;
    this.states = Object.keys(model.states);
    this.inputNames = model.inputs;
    const evaluated = evaluateOverParameters(split.hoisted, parameters, dtMs, spec.size);
    const leaves = [...split.parameters.map(parameter), ...split.hoisted.map((h) => hoisted(h.name))];
    this.constantNames = leaves.map((leaf) => leaf.name);
    this.#constants = this.constantNames.map((name) => {
      const value: number | ArrayLike<number> = evaluated[name] ?? parameters[name];
      return typeof value === "number" ? new Float64Array(spec.size).fill(value) : Float64Array.from(value);
    });
    const fixed = [
      ...this.states.map(state),
      ...this.inputNames.map(input),
      input(leafOf.margin),
      input(leafOf.z),
      input(leafOf.spike),
      ...this.states.flatMap((name) => [
        input(leafOf.adjoint(name)),
        input(leafOf.before(name)),
        input(leafOf.after(name)),
      ]),
      ...leaves,
    ];
    this.#forward = compileJs([...Object.values(split.step)], fixed);
    this.#decide = compileJs([split.margin, ...Object.values(split.reset)], fixed);
    this.gradientNames = Object.keys(this.program.constants);
    this.#backward = compileJs(
      [this.program.inputs, this.program.previous, this.program.constants].flatMap(Object.values),
      fixed,
    );
    this.#values = new Float64Array(fixed.length);
    const ofInputs = this.inputNames.length;
    this.#results = new Float64Array(1 + this.states.length + ofInputs + this.gradientNames.length);
    this.gradients = this.gradientNames.map(() => new Float64Array(spec.size));
    this.current = this.states.map(() => new Float64Array(spec.size));
    this.#left = new Int32Array(spec.size);
    this.#starts = startStates(spec);
  }

  readonly #decide: NumericFunction;

  begin(steps: number): void {
    const rows = () => new Float64Array(steps * this.spec.size);
    this.inputs = this.inputNames.map(rows);
    this.margins = rows();
    this.z = rows();
    this.before = this.states.map(rows);
    this.after = this.states.map(rows);
    setStartStates(this.#starts, this.current);
    this.#left.fill(0);
  }

  /** Where adjoints, old and new values of the states stand among the values; before them margin, spike and its adjoint. */
  get #firstOfStates(): number {
    return this.states.length + this.inputNames.length + 3;
  }

  #load(neuron: number): void {
    const first = this.#firstOfStates + 3 * this.states.length;
    for (let c = 0; c < this.#constants.length; c++) this.#values[first + c] = this.#constants[c][neuron];
  }

  /** Step t with these inputs. */
  step(t: number, inputs: readonly Float64Array[], smoothSlope: number | undefined): void {
    const { size } = this.spec;
    const count = this.states.length;
    const values = this.#values;
    const results = this.#results;
    const hold = this.spec.model.model.refractory === "hold";
    for (let j = 0; j < size; j++) {
      const at = t * size + j;
      const refractory = this.#left[j] > 0;
      if (refractory) this.#left[j]--;
      this.#load(j);
      for (let s = 0; s < count; s++) {
        values[s] = this.current[s][j];
        this.before[s][at] = values[s];
      }
      for (const [i, arrived] of inputs.entries()) {
        values[count + i] = arrived[j];
        this.inputs[i][at] = arrived[j];
      }
      if (!(refractory && hold)) {
        this.#forward(values, results);
        for (let s = 0; s < count; s++) values[s] = results[s];
      }
      for (let s = 0; s < count; s++) this.after[s][at] = values[s];
      this.#decide(values, results);
      const margin = refractory ? refractoryMargin : results[0];
      const z = smoothSlope === undefined ? (margin > 0 ? 1 : 0) : 1 / (1 + exp(-smoothSlope * margin));
      this.margins[at] = margin;
      this.z[at] = z;
      if (z === 1) this.#left[j] = this.period[j];
      for (let s = 0; s < count; s++) this.current[s][j] = values[s] + (z === 0 ? 0 : z * (results[1 + s] - values[s]));
    }
  }

  beginBackward(): void {
    for (const values of this.current) values.fill(0);
  }

  /** Adjoints of step t: from those of the spikes to those of the inputs; `ofOutput` adds to the first state's. */
  stepBack(
    t: number,
    spikeAdjoints: Float64Array,
    ofOutput: Float64Array | null,
    inputAdjoints: readonly Float64Array[],
  ): void {
    const { size } = this.spec;
    const firstOfStates = this.#firstOfStates;
    const [firstPrevious, firstConstant] = [inputAdjoints.length, inputAdjoints.length + this.program.live.length];
    const count = this.states.length;
    const values = this.#values;
    const results = this.#results;
    const { live } = this.program;
    for (let j = 0; j < size; j++) {
      const at = t * size + j;
      this.#load(j);
      for (const [i, arrived] of this.inputs.entries()) values[count + i] = arrived[at];
      values[firstOfStates - 3] = this.margins[at];
      values[firstOfStates - 2] = this.z[at];
      values[firstOfStates - 1] = spikeAdjoints[j];
      for (let s = 0; s < count; s++) {
        const extra = s === 0 && ofOutput !== null ? ofOutput[at] : 0;
        values[firstOfStates + 3 * s] = this.current[s][j] + extra;
        values[firstOfStates + 1 + 3 * s] = this.before[s][at];
        values[firstOfStates + 2 + 3 * s] = this.after[s][at];
      }
      this.#backward(values, results);
      for (const [i, adjoints] of inputAdjoints.entries()) adjoints[at] = results[i];
      for (let k = 0; k < live.length; k++) this.current[this.states.indexOf(live[k])][j] = results[firstPrevious + k];
      for (let g = 0; g < this.gradients.length; g++) this.gradients[g][j] += results[firstConstant + g];
    }
  }

  /** Gradient by the trainable parameters. */
  constantGradients(
    constants: Readonly<Record<string, ArrayLike<number>>>,
    dtMs: number,
  ): Record<string, Float64Array> {
    const byConstant = Object.fromEntries(this.gradientNames.map((name, g) => [name, this.gradients[g]]));
    const parameters = { ...this.spec.model.parameters, ...(constants as Record<string, Float32Array>) };
    return constantGradients(this.program.split, this.spec.trainable, parameters, dtMs, this.spec.size, byConstant);
  }
}

/** Runs one sample forward and backward. Every call starts from the models' initial states and zero gradients. */
export function referenceGradients(
  network: GradientNetwork,
  values: NetworkValues<ArrayLike<number>>,
  sample: StepEvents,
  loss: OutputLoss,
  costs: readonly (ArrayLike<number> | null)[] = [],
  options: ReferenceOptions = {},
): ReferenceResult {
  const { steps } = sample;
  const { smoothSlope, sent = [] } = options;
  const populations = network.populations.map(
    (spec, p) => new ReferencePopulation(spec, values.constants[p], network.dtMs, smoothSlope !== undefined),
  );
  const sizes = populations.map(({ spec }) => spec.size);
  for (const population of populations) population.begin(steps);
  const { projections } = network;
  /** Spikes of the source of projection k at step t, by their number among its sources. */
  const amplitude = (k: number, t: number): { index: number; value: number }[] => {
    const { source } = projections[k];
    const { from, to } = sourceRange(network, projections[k]);
    if (t < 0) return [];
    const list: { index: number; value: number }[] = [];
    if (source === "input") {
      for (let e = sample.offsets[t]; e < sample.offsets[t + 1]; e++) {
        list.push({ index: sample.channels[e], value: sample.values?.[e] ?? 1 });
      }
      return list;
    }
    const { z, spec } = populations[source];
    for (let i = from; i < to; i++) {
      const value = z[t * spec.size + i] * (sent[source]?.[i] ?? 1);
      if (value !== 0) list.push({ index: i - from, value });
    }
    return list;
  };
  const shapes = projections.map((projection) => shapeOf(network, projection));
  const into = projections.map((projection) => inputOf(network, projection));

  const readout = populations[network.readout];
  const outputs = new Float64Array(steps * sizes[network.readout]);
  for (let t = 0; t < steps; t++) {
    for (const [p, population] of populations.entries()) {
      const inputs = population.inputNames.map((_, i) =>
        Float64Array.from({ length: sizes[p] }, (_, j) => (i === 0 ? (values.bias[p]?.[j] ?? 0) : 0)),
      );
      for (const [k, projection] of projections.entries()) {
        if (projection.target !== p) continue;
        const { gain = 1 } = projection;
        for (const { index, value } of amplitude(k, t - projection.delaySteps)) {
          alongRow(shapes[k], index, (weight, target) => {
            inputs[into[k]][target] += gain * value * values.weights[k][weight];
          });
        }
      }
      population.step(t, inputs, smoothSlope);
    }
    outputs.set(readout.current[0], t * sizes[network.readout]);
  }

  const { loss: value, derivative } = loss(outputs, steps);
  const gradients = {
    weights: projections.map((projection) => new Float64Array(synapseCount(network, projection))),
    bias: network.populations.map(({ bias, size }) => (bias ? new Float64Array(size) : null)),
  };
  const inputAdjoints = populations.map(({ inputNames, spec }) =>
    inputNames.map(() => new Float64Array(steps * spec.size)),
  );
  for (const population of populations) population.beginBackward();
  for (let t = steps - 1; t >= 0; t--) {
    if (options.truncateSteps !== undefined && (t + 1) % options.truncateSteps === 0) {
      for (const population of populations) population.beginBackward();
    }
    for (let p = populations.length - 1; p >= 0; p--) {
      const size = sizes[p];
      const spikeAdjoints = new Float64Array(size);
      const cost = costs[p];
      if (cost) for (let j = 0; j < size; j++) spikeAdjoints[j] = cost[cost.length === size ? j : t * size + j];
      for (const [k, projection] of projections.entries()) {
        const { source, target, delaySteps, backward, gain = 1 } = projection;
        if (source !== p || backward === "none" || t + delaySteps >= steps) continue;
        if (options.truncateSteps !== undefined) {
          const window = Math.floor(t / options.truncateSteps);
          if (Math.floor((t + delaySteps) / options.truncateSteps) !== window) continue;
        }
        const matrix = backward === "feedback" ? options.feedback![k]! : values.weights[k];
        const from = (t + delaySteps) * sizes[target];
        const sources = sourceRange(network, projections[k]);
        for (let i = sources.from; i < sources.to; i++) {
          const factor = gain * (sent[p]?.[i] ?? 1);
          alongRow(shapes[k], i - sources.from, (weight, j) => {
            spikeAdjoints[i] += factor * matrix[weight] * inputAdjoints[target][into[k]][from + j];
          });
        }
      }
      populations[p].stepBack(t, spikeAdjoints, p === network.readout ? derivative : null, inputAdjoints[p]);
      const adjoints = inputAdjoints[p].map((rows) => rows.subarray(t * size, (t + 1) * size));
      const bias = gradients.bias[p];
      if (bias) for (let j = 0; j < size; j++) bias[j] += adjoints[0][j];
      for (const [k, projection] of projections.entries()) {
        if (projection.target !== p || !projection.trained) continue;
        const { gain = 1 } = projection;
        for (const { index, value } of amplitude(k, t - projection.delaySteps)) {
          alongRow(shapes[k], index, (weight, target) => {
            gradients.weights[k][weight] += gain * value * adjoints[into[k]][target];
          });
        }
      }
    }
  }
  return {
    loss: value,
    outputs,
    spikes: populations.map(({ z }) => z),
    membranes: populations.map(({ after, inputs }) => after[0] ?? inputs[0]),
    margins: populations.map(({ margins }) => margins),
    inputAdjoints,
    gradients: {
      ...gradients,
      constants: populations.map((population, p) => population.constantGradients(values.constants[p], network.dtMs)),
    },
  };
}
