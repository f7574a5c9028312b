/**
 * The tangent of one step of any neuron model, derived from its equations: how a small change ds of the states before the
 * step, dI of an input and dc of a constant move the spike and the states after it. e-prop in its forward form multiplies
 * eligibility vectors with it, step by step (Bellec et al. 2020, Methods); transposed, it is the adjoint of
 * `model/adjoint.ts`, where the names are explained.
 *
 *   dN = (d step/d s) ds + (d step/d I) dI + (d step/d c) dc
 *   e  = h(x) ((d margin/d N) dN + (d margin/d c) dc)                       the eligibility trace, what stands for dz
 *   dS = z ? (d reset/d N) dN + (d reset/d c) dc : dN,  and of states whose reset is differentiated  + (reset - N) e
 *
 * A refractory neuron has e = 0; one that holds its states has dS = ds.
 */
import { always, constant, hoisted, input, parameter, select, state } from "../../expression/build.ts";
import { adjoints } from "../../expression/derivative.ts";
import { compileJs, type NumericFunction } from "../../expression/evaluate.ts";
import { type Expression, type Leaf, leavesOf } from "../../expression/node.ts";
import { substitute } from "../../expression/substitute.ts";
import { constantsMovedBy, leafOf, refractoryMargin } from "../../model/adjoint.ts";
import type { HoistedModel } from "../../model/hoist.ts";
import type { SteppedPopulation } from "./forward-eprop-network.ts";
import { periodsOf } from "./programs.ts";
import type { PopulationSpec } from "./spec.ts";

/** Columns of every row: the carried states in their order, then the inputs, then the constants. */
export interface TangentProgram {
  /** States whose change an input or a constant can cause, and which act on the spike (a readout: on the output). */
  readonly states: readonly string[];
  /** Constants (hoisted values and parameters, by name) that trainable parameters move. */
  readonly constants: readonly string[];
  /** The row of e; all 0 in a readout. */
  readonly spike: readonly Expression[];
  /** The rows of dS. */
  readonly next: readonly (readonly Expression[])[];
  /** Whether no entry depends on states or input: the population is a linear filter. */
  readonly isLinear: boolean;
}

const isZero = (x: Expression): boolean => x.op === "constant" && x.value === 0;

/** d(output)/d(leaf) for some leaves. */
function slopes(output: Expression, leaves: readonly Expression[]): Expression[] {
  const found = adjoints([{ output, adjoint: 1 }]);
  return leaves.map((leaf) => found.get(leaf as Leaf) ?? constant(0));
}

const sum = (terms: readonly Expression[]): Expression => terms.reduce((total, term) => total.plus(term), constant(0));

export function deriveTangent(
  split: HoistedModel,
  spec: PopulationSpec,
  dtMs: number,
  isReadout: boolean,
): TangentProgram {
  const names = Object.keys(split.step);
  const constants = constantsMovedBy(split, spec.trainable);
  const constantLeaves = constants.map((name) => (split.parameters.includes(name) ? parameter(name) : hoisted(name)));
  const columns = [...names.map(state), ...split.model.inputs.map(input), ...constantLeaves];
  const after = names.map((name) => input(leafOf.after(name)));
  const toAfter = (node: Expression) => (node.op === "state" ? input(leafOf.after(node.name)) : null);
  const [x, ...reset] = substitute([split.margin, ...Object.values(split.reset)], toAfter);
  const margin = input(leafOf.margin);

  const dN = Object.values(split.step).map((output) => slopes(output, columns));
  /** Derivative of something over `after` by each column. */
  const chained = (output: Expression): Expression[] => {
    const byAfter = slopes(output, after);
    return slopes(output, columns).map((direct, c) =>
      sum([...byAfter.map((slope, k) => slope.times(dN[k][c])), direct]),
    );
  };
  const canBeRefractory = periodsOf(spec, dtMs).some((steps) => steps > 0);
  const isFree = canBeRefractory ? margin.gt(refractoryMargin) : always;
  const mayStep = split.model.refractory === "hold" ? isFree : always;
  const h = select(isFree, spec.surrogate.derivative(margin), 0);
  const spike = isReadout ? columns.map(() => constant(0)) : chained(x).map((slope) => h.times(slope));
  const next = reset.map((expression, k) => {
    const isDetached = spec.detachReset && !spec.model.model.adaptation.includes(names[k]);
    return chained(expression).map((slope, c) => {
      const moved = select(margin.gt(0), slope, dN[k][c]);
      const whole = isDetached ? moved : moved.plus(expression.minus(after[k]).times(spike[c]));
      return select(mayStep, whole, k === c ? 1 : 0);
    });
  });

  // Carried: what inputs or constants reach, and what in turn reaches the spike or the output.
  const grow = (seeds: number[], isReached: (k: number, from: readonly number[]) => boolean): Set<number> => {
    const set = new Set(seeds);
    for (let size = -1; size < set.size; ) {
      size = set.size;
      for (const k of names.keys()) if (isReached(k, [...set])) set.add(k);
    }
    return set;
  };
  const caused = grow(
    [...names.keys()].filter((k) => next[k].slice(names.length).some((entry) => !isZero(entry))),
    (k, from) => from.some((l) => !isZero(next[k][l])),
  );
  const acting = grow(isReadout ? [0] : [...names.keys()].filter((k) => !isZero(spike[k])), (k, from) =>
    from.some((l) => !isZero(next[l][k])),
  );
  const carried = [...names.keys()].filter((k) => caused.has(k) && acting.has(k));
  const pick = (row: readonly Expression[]) => [...carried.map((k) => row[k]), ...row.slice(names.length)];
  const rows = carried.map((k) => pick(next[k]));
  const leaves = leavesOf(rows.flat());
  return {
    states: carried.map((k) => names[k]),
    constants,
    spike: pick(spike),
    next: rows,
    isLinear: leaves.every(({ op }) => op === "hoisted" || op === "parameter"),
  };
}

/** The numbers of a tangent, for every neuron of a population, after each of its steps. */
export class Tangent {
  readonly program: TangentProgram;
  /** Entry of the row of e by column, one number per neuron; null where it is 0 for any state and input. */
  readonly spike: readonly (Float64Array | null)[];
  readonly next: readonly (readonly (Float64Array | null)[])[];
  /** Column of the first input and of the first constant. */
  readonly firstInput: number;
  readonly firstConstant: number;
  readonly #size: number;
  readonly #compute: NumericFunction;
  readonly #columns: readonly Float64Array[];
  readonly #entries: readonly Float64Array[];
  readonly #row: Float64Array;
  readonly #results: Float64Array;

  constructor(population: SteppedPopulation, dtMs: number, isReadout: boolean) {
    const { spec, split } = population;
    this.#size = spec.size;
    this.program = deriveTangent(split, spec, dtMs, isReadout);
    const { states, spike, next } = this.program;
    this.firstInput = states.length;
    this.firstConstant = states.length + population.inputs.length;
    const place = (row: readonly Expression[]) =>
      row.map((entry) => (isZero(entry) ? null : new Float64Array(spec.size)));
    this.spike = place(spike);
    this.next = next.map(place);
    const outputs = [...spike, ...next.flat()].filter((entry) => !isZero(entry));
    this.#entries = [...this.spike, ...this.next.flat()].filter((entry) => entry !== null);
    const names = Object.keys(split.step);
    const constants = [...split.parameters.map(parameter), ...split.hoisted.map(({ name }) => hoisted(name))];
    const leaves = [
      ...names.map(state),
      ...names.map((name) => input(leafOf.after(name))),
      ...split.model.inputs.map(input),
      input(leafOf.margin),
      ...constants,
    ];
    this.#columns = [
      ...population.before,
      ...population.after,
      ...population.inputs,
      population.margins,
      ...constants.map(({ name }) => population.constants[name]),
    ];
    this.#compute = compileJs(outputs, leaves);
    this.#row = new Float64Array(leaves.length);
    this.#results = new Float64Array(outputs.length);
  }

  /** Of the step that the population has just made. */
  update(): void {
    const row = this.#row;
    const columns = this.#columns;
    const results = this.#results;
    const entries = this.#entries;
    for (let j = 0; j < this.#size; j++) {
      for (let c = 0; c < columns.length; c++) row[c] = columns[c][j];
      this.#compute(row, results);
      for (let i = 0; i < entries.length; i++) entries[i][j] = results[i];
    }
  }
}
