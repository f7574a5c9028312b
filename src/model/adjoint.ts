/**
 * The adjoint of one step of any neuron model, derived from its equations: what backpropagation through time and e-prop
 * compute per neuron and step, going backwards in time.
 *
 * A step, with old states s, inputs I, constants c:
 *
 *   N = step(s, I, c);   x = margin(N, c);   z = H(x);   S = z ? reset(N, c) : N
 *
 * With a_S the derivative of the loss by S, a_z by the spike (through everything it was sent to), and h(x) the surrogate:
 *
 *   a_x = h(x) (a_z + sum_k a_S,k (reset_k(N) - N_k))       the sum: over states whose reset is differentiated
 *   a_N = (z ? (d reset/d N)' a_S : a_S) + (d margin/d N)' a_x
 *   a_s = (d step/d s)' a_N;   a_I = (d step/d I)' a_N     (without states: a_I = (d margin/d I)' a_x)
 *   a_c = (d step/d c)' a_N + (d margin/d c)' a_x + (z ? (d reset/d c)' a_S : 0)
 *
 * Detaching the reset leaves out of the sum what is not `adaptation` of the model: a spike then acts on the loss through
 * its targets and through adaptation only, as in e-prop (Bellec et al. 2020, eq. 4; Zenke & Vogels 2021 on detaching).
 */
import { constant, input, select } from "../expression/build.ts";
import { adjoints } from "../expression/derivative.ts";
import { type Expression, type Leaf, leavesOf, type Operand, type Surrogate } from "../expression/node.ts";
import { substitute } from "../expression/substitute.ts";
import type { Model } from "./define.ts";
import { type HoistedModel, hoistModel } from "./hoist.ts";

export interface AdjointOptions {
  readonly surrogate: Surrogate;
  /** No derivative through the reset of the membrane. */
  readonly detachReset: boolean;
  /** Parameters of the model whose gradient is wanted. */
  readonly trainable: readonly string[];
  /** Whether a neuron can be refractory at all (its period is at least one step). */
  readonly canBeRefractory: boolean;
  /** `smooth`: z is a number between 0 and 1 and S = N + z (reset(N) - N), for checks by finite differences. Default `step`. */
  readonly spikes?: "step" | "smooth";
}

/** What the forward pass keeps of a step: names of states before it and after it (before the reset), x, and inputs. */
export interface Tape {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly margin: boolean;
  readonly inputs: readonly string[];
}

/**
 * Expressions over leaves `input(leafOf.adjoint(state))`, `input(leafOf.spike)`, the tape, and hoisted or parameter
 * leaves.
 */
export interface AdjointProgram {
  readonly split: HoistedModel;
  /** States whose adjoint influences anything that is wanted; others are not carried. */
  readonly live: readonly string[];
  /** Adjoint of each live state before the step. */
  readonly previous: Readonly<Record<string, Expression>>;
  /** Adjoint of each input, in the order of the model. */
  readonly inputs: Readonly<Record<string, Expression>>;
  /** Adjoint of each constant (hoisted value or parameter, by name) that a trainable parameter moves. */
  readonly constants: Readonly<Record<string, Expression>>;
  readonly tape: Tape;
  /** Whether the adjoint of the spike is used at all. */
  readonly feelsSpike: boolean;
  readonly canBeRefractory: boolean;
}

/** Names of input leaves besides the model's own inputs; no parameter, state or input of a model can have one of these. */
export const leafOf = {
  /** Adjoint of a state after the step. */
  adjoint: (state: string) => `adjoint of ${state}`,
  /** Adjoint of the spike. */
  spike: "adjoint of the spike",
  before: (state: string) => `${state} before`,
  after: (state: string) => `${state} after`,
  margin: "the margin",
  /** The spike itself, a number, where spikes are smooth. */
  z: "the spike",
} as const;

/** The margin on the tape of a neuron that was refractory: no spike, no surrogate. */
export const refractoryMargin = -1e15;
const refractoryBelow = -1e14;

/** Which constants of the step (hoisted values and parameters used as they are) depend on these parameters. */
export function constantsMovedBy(split: HoistedModel, trainable: readonly string[]): string[] {
  const moved = split.hoisted
    .filter(({ expression }) => leavesOf([expression]).some((leaf) => trainable.includes(leaf.name)))
    .map(({ name }) => name);
  return [...split.parameters.filter((name) => trainable.includes(name)), ...moved];
}

/** reset - state, without the rounding (and the tape entry) of (state + c) - state. */
function jump(reset: Expression, state: Expression): Expression {
  const [a, b] = reset.args as Expression[];
  if (reset.op === "add" && a === state) return b;
  if (reset.op === "add" && b === state) return a;
  if (reset.op === "sub" && a === state) return b.negated();
  return reset.minus(state);
}

export function deriveAdjoint(model: Model, options: AdjointOptions): AdjointProgram {
  const split = hoistModel(model);
  const names = Object.keys(model.states);
  const smooth = options.spikes === "smooth";
  const after = names.map((name) => input(leafOf.after(name)));
  const toAfter = (node: Expression) => (node.op === "state" ? input(leafOf.after(node.name)) : null);
  const toBefore = (node: Expression) => (node.op === "state" ? input(leafOf.before(node.name)) : null);
  const step = substitute(Object.values(split.step), toBefore);
  const [x, ...reset] = substitute([split.margin, ...Object.values(split.reset)], toAfter);
  const adjointAfter = names.map((name) => input(leafOf.adjoint(name)));
  const margin = input(leafOf.margin);
  const z = input(leafOf.z);
  /** `spiked` where the neuron spiked, else `silent`. */
  const bySpike = (spiked: Operand, silent: Operand): Expression => {
    if (!smooth) return select(margin.gt(0), spiked, silent);
    const from = constant(0).plus(silent);
    return from.plus(z.times(constant(0).plus(spiked).minus(from)));
  };

  let throughSpike: Expression = input(leafOf.spike);
  for (const [k, name] of names.entries()) {
    if (options.detachReset && !model.adaptation.includes(name)) continue;
    throughSpike = throughSpike.plus(adjointAfter[k].times(jump(reset[k], after[k])));
  }
  let ofMargin = options.surrogate.derivative(margin).times(throughSpike);
  if (options.canBeRefractory) ofMargin = select(margin.gt(refractoryBelow), ofMargin, 0);

  const constants = new Map<string, Expression>();
  const addConstant = (leaf: Leaf, amount: Expression): void => {
    constants.set(leaf.name, (constants.get(leaf.name) ?? constant(0)).plus(amount));
  };
  const isConstant = (leaf: Leaf): boolean => leaf.op === "hoisted" || leaf.op === "parameter";

  // a_N from the states after the reset, then from the margin.
  const ofAfter = after.map(() => constant(0));
  for (const [k, expression] of reset.entries()) {
    const partial = adjoints([{ output: expression, adjoint: 1 }]);
    for (const [i, leaf] of after.entries()) {
      const share = bySpike(partial.get(leaf as Leaf) ?? 0, i === k ? 1 : 0);
      ofAfter[i] = ofAfter[i].plus(share.times(adjointAfter[k]));
    }
    for (const [leaf, share] of partial) {
      if (isConstant(leaf)) addConstant(leaf, bySpike(share, 0).times(adjointAfter[k]));
    }
  }
  // Only where there are no states the margin is over the inputs.
  const throughMargin = new Map<string, Expression>();
  for (const [leaf, amount] of adjoints([{ output: x, adjoint: ofMargin }])) {
    if (isConstant(leaf)) addConstant(leaf, amount);
    else if (model.inputs.includes(leaf.name)) throughMargin.set(leaf.name, amount);
    else {
      const i = after.indexOf(leaf);
      ofAfter[i] = ofAfter[i].plus(amount);
    }
  }

  const back = adjoints(step.map((output, k) => ({ output, adjoint: ofAfter[k] })));
  for (const [leaf, amount] of back) if (isConstant(leaf)) addConstant(leaf, amount);
  // A held neuron did not step: its adjoints pass by.
  const holds = options.canBeRefractory && model.refractory === "hold";
  const unlessHeld = (moved: Expression, held: Operand): Expression =>
    holds ? select(margin.gt(refractoryBelow), moved, held) : moved;
  const get = (leaf: Expression): Expression => back.get(leaf as Leaf) ?? constant(0);
  const previous = names.map((name, k) => unlessHeld(get(input(leafOf.before(name))), adjointAfter[k]));
  const wanted = constantsMovedBy(split, options.trainable);
  const gradients = Object.fromEntries(wanted.map((name) => [name, unlessHeld(constants.get(name) ?? constant(0), 0)]));
  const inputs = model.inputs.map((name) =>
    unlessHeld(get(input(name)).plus(throughMargin.get(name) ?? constant(0)), 0),
  );

  // Adjoints that influence what is wanted, and so on backwards, until nothing is added.
  const outputs = [...inputs, ...Object.values(gradients)];
  const live = new Set<string>();
  for (let grown = true; grown; ) {
    grown = false;
    const used = new Set(leavesOf(outputs).map((leaf) => leaf.name));
    for (const [k, name] of names.entries()) {
      if (live.has(name) || !used.has(leafOf.adjoint(name))) continue;
      live.add(name);
      outputs.push(previous[k]);
      grown = true;
    }
  }
  const used = new Set(leavesOf(outputs).map((leaf) => leaf.name));
  return {
    split,
    live: names.filter((name) => live.has(name)),
    previous: Object.fromEntries(names.flatMap((name, k) => (live.has(name) ? [[name, previous[k]]] : []))),
    inputs: Object.fromEntries(model.inputs.map((name, i) => [name, inputs[i]])),
    constants: gradients,
    tape: {
      before: names.filter((name) => used.has(leafOf.before(name))),
      after: names.filter((name) => used.has(leafOf.after(name))),
      margin: used.has(leafOf.margin),
      inputs: model.inputs.filter((name) => used.has(name)),
    },
    feelsSpike: used.has(leafOf.spike),
    canBeRefractory: options.canBeRefractory,
  };
}
