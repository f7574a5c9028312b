/**
 * A network advanced step by step in float64, remembering no more of the past than its delays need: what the forms of
 * e-prop that run forwards in time learn on, and what finite differences are taken of. Nothing is derived here.
 *
 *   I_p(t) = bias + sum over projections into p, over spikes i of the source at t - delay: gain value_i W[i][:]
 *            (for each input of the model, from the projections that lead into it; the bias is part of the first)
 *   states <- step;  z_p(t) = [margin > 0 and not refractory];  states <- reset where z
 *
 * With a slope, z = 1/(1 + exp(-slope margin)) and states <- N + z (reset - N), as in `reference.ts`.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import { hoisted, input, parameter, state } from "../../expression/build.ts";
import { compileJs, type NumericFunction } from "../../expression/evaluate.ts";
import { alongRow, type RowShape } from "../../kernels/rows/reference.ts";
import { exp } from "../../math/elementary.ts";
import { refractoryMargin } from "../../model/adjoint.ts";
import type { PerNeuron } from "../../model/define.ts";
import { evaluateOverParameters, type HoistedModel, hoistModel, pauseSteps } from "../../model/hoist.ts";
import { setStartStates, startStates } from "./programs.ts";
import { type GradientNetwork, inputOf, type NetworkValues, type PopulationSpec, shapeOf, sourceSize } from "./spec.ts";

export type Values = NetworkValues<ArrayLike<number>>;

/** Parameters as the model has them, with trained ones in their place. */
export function parametersOf(
  { model }: PopulationSpec,
  trained: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, PerNeuron> {
  return { ...model.parameters, ...(trained as Readonly<Record<string, Float32Array>>) };
}

/** Neurons of one population. All arrays hold one number per neuron and are of the last step. */
export class SteppedPopulation {
  readonly spec: PopulationSpec;
  readonly split: HoistedModel;
  /** By state, in the order of the model. `after`: before the reset. */
  readonly states: readonly Float64Array[];
  readonly before: readonly Float64Array[];
  readonly after: readonly Float64Array[];
  /** By input, in the order of the model: what arrives in the step. */
  readonly inputs: readonly Float64Array[];
  readonly margins: Float64Array;
  readonly z: Float64Array;
  /** Values of hoisted values and parameters, by name. */
  readonly constants: Readonly<Record<string, Float64Array>>;
  readonly #dtMs: number;
  readonly #slope: number | undefined;
  readonly #left: Int32Array;
  readonly #starts: (number | Float32Array)[];
  #period: number | Int32Array = 0;
  readonly #step: NumericFunction;
  readonly #decide: NumericFunction;
  readonly #row: Float64Array;
  readonly #results: Float64Array;

  constructor(spec: PopulationSpec, dtMs: number, smoothSlope?: number) {
    this.spec = spec;
    this.split = hoistModel(spec.model.model);
    this.#dtMs = dtMs;
    this.#slope = smoothSlope;
    const names = Object.keys(this.split.step);
    const rows = () => names.map(() => new Float64Array(spec.size));
    this.states = rows();
    this.before = rows();
    this.after = rows();
    this.inputs = spec.model.model.inputs.map(() => new Float64Array(spec.size));
    this.margins = new Float64Array(spec.size);
    this.z = new Float64Array(spec.size);
    this.#left = new Int32Array(spec.size);
    const { split } = this;
    const constants = [...split.parameters.map(parameter), ...split.hoisted.map((h) => hoisted(h.name))];
    this.constants = Object.fromEntries(constants.map(({ name }) => [name, new Float64Array(spec.size)]));
    const leaves = [...names.map(state), ...spec.model.model.inputs.map(input), ...constants];
    this.#step = compileJs(Object.values(split.step), leaves);
    this.#decide = compileJs([split.margin, ...Object.values(split.reset)], leaves);
    this.#row = new Float64Array(leaves.length);
    this.#results = new Float64Array(1 + names.length);
    this.#starts = startStates(spec);
    this.rest();
  }

  /** @param trained values of the trainable parameters, by name */
  setConstants(trained: Readonly<Record<string, ArrayLike<number>>>): void {
    const parameters = parametersOf(this.spec, trained);
    this.#period = pauseSteps(this.spec.model.model, parameters, this.#dtMs);
    const evaluated = evaluateOverParameters(this.split.hoisted, parameters, this.#dtMs, this.spec.size);
    for (const [name, values] of Object.entries(this.constants)) {
      const value: number | ArrayLike<number> = evaluated[name] ?? parameters[name];
      if (typeof value === "number") values.fill(value);
      else values.set(value);
    }
  }

  /** States as at the start of a sample. */
  rest(): void {
    setStartStates(this.#starts, this.states);
    this.#left.fill(0);
  }

  /** One step with `inputs`. */
  advance(): void {
    const { inputs, states, before, after, margins, z } = this;
    const constants = Object.values(this.constants);
    const row = this.#row;
    const results = this.#results;
    const count = states.length;
    const firstConstant = count + inputs.length;
    const holds = this.split.model.refractory === "hold";
    for (let j = 0; j < this.spec.size; j++) {
      const pausing = this.#left[j] > 0;
      if (pausing) this.#left[j]--;
      for (let k = 0; k < count; k++) row[k] = before[k][j] = states[k][j];
      for (let i = 0; i < inputs.length; i++) row[count + i] = inputs[i][j];
      for (let c = 0; c < constants.length; c++) row[firstConstant + c] = constants[c][j];
      if (!(pausing && holds)) {
        this.#step(row, results);
        for (let k = 0; k < count; k++) row[k] = results[k];
      }
      for (let k = 0; k < count; k++) after[k][j] = row[k];
      this.#decide(row, results);
      margins[j] = pausing ? refractoryMargin : results[0];
      z[j] = this.#slope === undefined ? (margins[j] > 0 ? 1 : 0) : 1 / (1 + exp(-this.#slope * margins[j]));
      // Smooth spikes pause nobody: that would be a jump.
      if (this.#slope === undefined && z[j] === 1) {
        this.#left[j] = typeof this.#period === "number" ? this.#period : this.#period[j];
      }
      for (let k = 0; k < count; k++) states[k][j] = row[k] + (z[j] === 0 ? 0 : z[j] * (results[1 + k] - row[k]));
    }
  }
}

/** Spikes of one step: sources and what each counts for, the gain of a projection aside. */
export interface Arrivals {
  readonly sources: Uint32Array;
  readonly values: Float64Array;
  count: number;
}

const arrivalsOf = (most: number): Arrivals => ({
  sources: new Uint32Array(most),
  values: new Float64Array(most),
  count: 0,
});

export class SteppedNetwork {
  readonly network: GradientNetwork;
  readonly populations: readonly SteppedPopulation[];
  readonly shapes: readonly RowShape[];
  readonly #values: Values;
  readonly #sent: readonly (ArrayLike<number> | null)[];
  /** Steps made. */
  #time = 0;
  /** By source (the input last): spikes of the last steps, step t at t mod length. */
  readonly #rings: readonly (readonly Arrivals[])[];
  readonly #none: Arrivals = { sources: new Uint32Array(0), values: new Float64Array(0), count: 0 };
  /** By projection: what a part of a population sent. */
  readonly #parts: readonly (Arrivals | null)[];
  readonly #into: readonly number[];

  /**
   * @param values are read at every step: weights may change between steps. Constants: see `setConstants`.
   * @param sent dropout, as in `ReferenceOptions`
   */
  constructor(
    network: GradientNetwork,
    values: Values,
    smoothSlope?: number,
    sent: readonly (ArrayLike<number> | null)[] = [],
  ) {
    this.network = network;
    this.#values = values;
    this.#sent = sent;
    this.populations = network.populations.map((spec) => new SteppedPopulation(spec, network.dtMs, smoothSlope));
    this.shapes = network.projections.map((projection) => shapeOf(network, projection));
    const ring = (source: number | "input", size: number): Arrivals[] => {
      const delays = network.projections.filter((p) => p.source === source).map((p) => p.delaySteps);
      return Array.from({ length: Math.max(0, ...delays) + 1 }, () => arrivalsOf(size));
    };
    this.#parts = network.projections.map((projection) =>
      projection.sources === undefined ? null : arrivalsOf(sourceSize(network, projection)),
    );
    this.#into = network.projections.map((projection) => inputOf(network, projection));
    this.#rings = [...network.populations.map(({ size }, p) => ring(p, size)), ring("input", network.inputs)];
    this.setConstants();
  }

  /** Computes the constants of the neurons anew from the trainable parameters. */
  setConstants(): void {
    for (const [p, population] of this.populations.entries()) population.setConstants(this.#values.constants[p]);
  }

  /** Back to the start of a sample: initial states, no spikes on their way. */
  rest(): void {
    this.#time = 0;
    for (const population of this.populations) population.rest();
  }

  /** Spikes that arrived through projection k in the last step, by their number among its sources. */
  arrivals(k: number): Arrivals {
    const { source, sources, delaySteps } = this.network.projections[k];
    if (this.#time - 1 < delaySteps) return this.#none;
    const all = this.#slot(source, this.#time - 1 - delaySteps);
    const part = this.#parts[k];
    if (part === null || sources === undefined) return all;
    part.count = 0;
    for (let s = 0; s < all.count; s++) {
      if (all.sources[s] < sources.from || all.sources[s] >= sources.to) continue;
      part.sources[part.count] = all.sources[s] - sources.from;
      part.values[part.count++] = all.values[s];
    }
    return part;
  }

  #slot(source: number | "input", t: number): Arrivals {
    const ring = this.#rings[source === "input" ? this.populations.length : source];
    return ring[t % ring.length];
  }

  /** One step of all populations, with the events of step t of a sample. */
  advance(sample: StepEvents, t: number): void {
    const now = this.#time++;
    const events = this.#slot("input", now);
    events.count = 0;
    for (let e = sample.offsets[t]; e < sample.offsets[t + 1]; e++) {
      events.sources[events.count] = sample.channels[e];
      events.values[events.count++] = sample.values?.[e] ?? 1;
    }
    for (const [p, population] of this.populations.entries()) {
      const bias = this.#values.bias[p];
      for (const arrived of population.inputs) arrived.fill(0);
      if (bias !== null) population.inputs[0].set(bias);
      for (const [k, projection] of this.network.projections.entries()) {
        if (projection.target === p) this.#deliver(k, population.inputs[this.#into[k]]);
      }
      population.advance();
      const spikes = this.#slot(p, now);
      spikes.count = 0;
      for (let j = 0; j < population.z.length; j++) {
        const value = population.z[j] * (this.#sent[p]?.[j] ?? 1);
        if (value === 0) continue;
        spikes.sources[spikes.count] = j;
        spikes.values[spikes.count++] = value;
      }
    }
  }

  #deliver(k: number, arrived: Float64Array): void {
    const weights = this.#values.weights[k];
    const shape = this.shapes[k];
    const { gain = 1 } = this.network.projections[k];
    const { sources, values, count } = this.arrivals(k);
    for (let s = 0; s < count; s++) {
      const [source, value] = [sources[s], gain * values[s]];
      if (shape.connectivity === "dense") {
        const row = source * shape.targets;
        for (let j = 0; j < shape.targets; j++) arrived[j] += value * weights[row + j];
      } else {
        alongRow(shape, source, (weight, target) => {
          arrived[target] += value * weights[weight];
        });
      }
    }
  }
}
