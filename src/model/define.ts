/**
 * Neuron models, described once: parameters with units and ranges, states, one step, when to spike, what a spike resets.
 *
 * ```ts
 * export default defineModel({
 *   name: "LIF", description: "...", source: "...",
 *   parameters: { tauMemMs: { unit: "ms", default: 10, exclusiveMin: 0, doc: "membrane time constant" }, ... },
 *   states: { v: { unit: "threshold", initial: 0, doc: "membrane voltage" } },
 *   step: ({ v, current, dtMs, tauMemMs }) => ({ v: v.plus(dtMs.over(tauMemMs).times(current.minus(v))) }),
 *   margin: ({ v, threshold }) => v.minus(threshold),
 *   reset: ({ reset }) => ({ v: reset }),
 * });
 * ```
 * One step of a neuron that is not refractory, in this order: all states <- step(old states, current); if margin(new
 * states) > 0 (strictly) the neuron spikes and states <- reset(new states). A refractory neuron keeps all states, or runs
 * on without spiking where the definition says `refractory: "silent"`.
 */
import { didYouMean, UserError } from "../base/errors.ts";
import { constant, input, parameter, state } from "../expression/build.ts";
import { type Condition, Expression, leavesOf, type Operand } from "../expression/node.ts";

/** One number per population or one per neuron. */
export type PerNeuron = number | Float32Array;

export interface ParameterDefinition {
  /** `ms`, `threshold`, `1/ms`, ...; "1" for a plain number. */
  readonly unit: string;
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
  readonly exclusiveMin?: number;
  readonly exclusiveMax?: number;
  readonly doc: string;
}

/** Expressions by name: every parameter and state, `dtMs` (time step), and where allowed the inputs. */
export type Names<K extends string> = Readonly<Record<K, Expression>>;

/** A value at the start of a trial: fixed, or drawn anew for each neuron and trial. */
export type Initial<X = Operand> =
  | { readonly kind: "constant"; readonly value: X }
  | { readonly kind: "normal"; readonly mean: X; readonly sd: X }
  | { readonly kind: "uniform"; readonly low: X; readonly high: X };

export interface StateDefinition<P extends string> {
  readonly unit: string;
  /** A number, or a function of the parameters giving an expression or a distribution. */
  readonly initial: number | ((names: Names<P>) => Expression | Initial);
  readonly doc: string;
}

/** A relation between parameters that must hold for every neuron. */
export interface Constraint<P extends string> {
  readonly holds: (names: Names<P>) => Condition;
  /** Ends the sentence "parameters of model X: ..."; says what must hold and what to do. */
  readonly message: string;
}

/** Supplied to every model besides its own parameters. */
export type Supplied = "dtMs" | "refractorySteps";

/**
 * What an author writes. All functions are called once, with expressions; they must not depend on anything else.
 * A parameter named `refractoryMs` gives the model a refractory period of round(refractoryMs / dtMs) whole steps, available
 * to the equations as `refractorySteps` (0 if there is no such parameter).
 */
export interface ModelDefinition<P extends string, S extends string, I extends string = "current"> {
  readonly name: string;
  readonly description: string;
  /** Paper or program the equations are from. */
  readonly source: string;
  readonly parameters: Readonly<Record<P, ParameterDefinition>>;
  /** The membrane first: the first state is what voltage noise and voltage plots use. */
  readonly states: Readonly<Record<S, StateDefinition<NoInfer<P>>>>;
  /**
   * Names of what arrives in a step, each a sum of weighted spikes of its own, for synapses that act differently; a bias
   * is part of the first. Default: one input, `current` (drive + synaptic). Recurrent networks trained by RLS know only
   * that one.
   */
  readonly inputs?: readonly I[];
  /** New value of every state, from old states and the inputs of this step. */
  readonly step: (names: Names<NoInfer<P | S | I> | Supplied>) => Readonly<Record<NoInfer<S>, Operand>>;
  /** Spike when this is > 0, over the new states. */
  readonly margin: (names: Names<NoInfer<P | S> | Supplied>) => Operand;
  /** States after a spike, over the new states; what is not named keeps its value. */
  readonly reset: (names: Names<NoInfer<P | S> | Supplied>) => Readonly<Partial<Record<NoInfer<S>, Operand>>>;
  readonly constraints?: readonly Constraint<NoInfer<P>>[];
  /** What a refractory neuron does: "hold" keeps all states (default), "silent" runs on and only cannot spike. */
  readonly refractory?: "hold" | "silent";
  /**
   * States that carry the memory of a spike beyond the reset of the membrane, such as a threshold that rises. Learning by
   * gradients follows the spike into these even where the reset is detached (Bellec et al. 2020). Default none.
   */
  readonly adaptation?: readonly NoInfer<S>[];
}

/** A checked model: plain data and expressions over leaves `parameter`, `state` and `input`. */
export interface Model {
  readonly kind: "model";
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  readonly states: Readonly<
    Record<string, { readonly unit: string; readonly doc: string; readonly initial: Initial<Expression> }>
  >;
  /** At least one. */
  readonly inputs: readonly string[];
  /** Over old states and inputs. Same keys and order as `states`, as has `reset`. */
  readonly step: Readonly<Record<string, Expression>>;
  /** Over new states, and the inputs where there are none. */
  readonly margin: Expression;
  /** Over new states. */
  readonly reset: Readonly<Record<string, Expression>>;
  readonly constraints: readonly { readonly holds: Condition; readonly message: string }[];
  readonly refractory: "hold" | "silent";
  readonly adaptation: readonly string[];
}

const supplied = ["dtMs", "refractorySteps"];
/** The input of models that do not name theirs. */
export const usualInput = "current";

/** A record that refuses names it does not have, with a suggestion. */
function namesFor(where: string, known: Record<string, Expression>): Names<string> {
  return new Proxy(known, {
    get(target, key) {
      if (typeof key !== "string" || Object.hasOwn(target, key)) return target[key as string];
      const hint = didYouMean(key, Object.keys(target));
      throw new UserError(`${where} uses "${key}", which is no parameter, state or input of the model${hint}`);
    },
  });
}

function toExpression(where: string, given: unknown): Expression {
  if (given instanceof Expression) return given;
  if (typeof given === "number" && !Number.isNaN(given)) return constant(given);
  const what = typeof given === "number" ? "NaN" : given === undefined ? "nothing" : typeof given;
  throw new UserError(
    `${where} is ${what}, not an expression; combine names with .plus(), .minus(), .times(), .over() and the functions of the expression module (JavaScript's own + - * / do not work on them)`,
  );
}

function checkNames(model: string, parameters: string[], states: string[], inputs: readonly string[]): void {
  if (states.length === 0) throw new UserError(`model ${model} has no states; it needs at least a membrane voltage`);
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw new UserError(`model ${model} has no inputs; list their names, or leave inputs out for one, "${usualInput}"`);
  }
  const twice = inputs.find((name, i) => inputs.indexOf(name) < i);
  if (twice !== undefined) throw new UserError(`model ${model} lists the input "${twice}" twice; choose another name`);
  const seen = new Set<string>(supplied);
  // The usual name of an input means nothing else, whatever the inputs are called.
  for (const name of [...new Set([...inputs, usualInput]), ...parameters, ...states]) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
      throw new UserError(
        `model ${model}: "${name}" is no valid name; use letters, digits and _ and start with a letter`,
      );
    }
    if (seen.has(name)) {
      const isInput = inputs.includes(name) || name === usualInput;
      const why = supplied.includes(name)
        ? "is supplied to every model"
        : isInput
          ? "is the name of an input"
          : "is both a parameter and a state";
      throw new UserError(`model ${model}: "${name}" ${why}; choose another name`);
    }
    seen.add(name);
  }
}

/** Why a value is outside a parameter's range, or null: "it must be > 0". */
export function rangeProblem(definition: ParameterDefinition, value: number): string | null {
  const { min, max, exclusiveMin, exclusiveMax } = definition;
  if (typeof value !== "number" || !Number.isFinite(value)) return "it must be a finite number";
  if (exclusiveMin !== undefined && value <= exclusiveMin) return `it must be > ${exclusiveMin}`;
  if (min !== undefined && value < min) return `it must be >= ${min}`;
  if (exclusiveMax !== undefined && value >= exclusiveMax) return `it must be < ${exclusiveMax}`;
  if (max !== undefined && value > max) return `it must be <= ${max}`;
  return null;
}

function initialOf(where: string, given: unknown): Initial<Expression> {
  if (given instanceof Expression || typeof given === "number") {
    return { kind: "constant", value: toExpression(where, given) };
  }
  const initial = given as Initial;
  const operand = (key: string, x: unknown): Expression => toExpression(`${where}, "${key}",`, x);
  switch (initial?.kind) {
    case "constant":
      return { kind: "constant", value: operand("value", initial.value) };
    case "normal":
      return { kind: "normal", mean: operand("mean", initial.mean), sd: operand("sd", initial.sd) };
    case "uniform":
      return { kind: "uniform", low: operand("low", initial.low), high: operand("high", initial.high) };
    default:
      throw new UserError(
        `${where} must be a number, an expression, or { kind: "normal", mean, sd } or { kind: "uniform", low, high }`,
      );
  }
}

/**
 * Checks a definition and turns its functions into expressions.
 * @throws UserError naming the part, for unknown or missing states, unknown names, values that are no expressions, defaults
 *   out of range
 */
export function defineModel<const P extends string, const S extends string, const I extends string = "current">(
  definition: ModelDefinition<P, S, I>,
): Model {
  for (const key of ["name", "parameters", "states", "step", "margin", "reset"] as const) {
    if (definition?.[key] === undefined) throw new UserError(`a model definition lacks "${key}"`);
  }
  const { name } = definition;
  const inputNames: readonly string[] = definition.inputs ?? [usualInput];
  const parameterNames = Object.keys(definition.parameters);
  const stateNames = Object.keys(definition.states);
  checkNames(name, parameterNames, stateNames, inputNames);
  for (const [key, parameterDefinition] of Object.entries<ParameterDefinition>(definition.parameters)) {
    const problem = rangeProblem(parameterDefinition, parameterDefinition.default);
    if (problem)
      throw new UserError(`model ${name}: the default of "${key}" is ${parameterDefinition.default}; ${problem}`);
  }

  const parameters = Object.fromEntries(parameterNames.map((key) => [key, parameter(key)]));
  const states = Object.fromEntries(stateNames.map((key) => [key, state(key)]));
  const inputs = Object.fromEntries(inputNames.map((key) => [key, input(key)]));
  const call = <T>(what: string, known: Record<string, Expression>, make: (names: never) => T): T =>
    make(namesFor(`${what} of model ${name}`, known) as never);

  const record = (what: string, given: unknown): Record<string, Expression> => {
    if (typeof given !== "object" || given === null || given instanceof Expression) {
      throw new UserError(
        `${what} of model ${name} must return an object with a value per state, such as { ${stateNames[0]}: ... }`,
      );
    }
    for (const key of Object.keys(given)) {
      if (!stateNames.includes(key)) {
        throw new UserError(
          `${what} of model ${name} gives "${key}", which is not a state${didYouMean(key, stateNames)}`,
        );
      }
    }
    const result: Record<string, Expression> = {};
    for (const key of stateNames) {
      const value = (given as Record<string, unknown>)[key];
      if (value === undefined && what === "reset") result[key] = states[key];
      else if (value === undefined) {
        throw new UserError(
          `${what} of model ${name} gives no new value for the state "${key}"; return "${key}" itself if it stays`,
        );
      } else result[key] = toExpression(`"${key}" in ${what} of model ${name}`, value);
    }
    return result;
  };

  const everything = {
    ...parameters,
    ...states,
    ...Object.fromEntries(supplied.map((key) => [key, parameter(key)])),
  };
  const model: Model = {
    kind: "model",
    name,
    description: definition.description ?? "",
    source: definition.source ?? "",
    parameters: definition.parameters,
    states: Object.fromEntries(
      stateNames.map((key) => {
        const { unit, doc, initial } = definition.states[key as S];
        const given = typeof initial === "function" ? call(`the initial ${key}`, parameters, initial) : initial;
        return [key, { unit, doc, initial: initialOf(`the initial "${key}" of model ${name}`, given) }];
      }),
    ),
    inputs: [...inputNames],
    step: record("step", call("step", { ...everything, ...inputs }, definition.step)),
    margin: toExpression(`margin of model ${name}`, call("margin", everything, definition.margin)),
    reset: record("reset", call("reset", everything, definition.reset)),
    constraints: (definition.constraints ?? []).map(({ holds, message }) => ({
      holds: call("a constraint", parameters, holds),
      message,
    })),
    refractory: definition.refractory ?? "hold",
    adaptation: definition.adaptation ?? [],
  };
  for (const key of model.adaptation) {
    if (!stateNames.includes(key)) {
      throw new UserError(
        `adaptation of model ${name} lists "${key}", which is not a state${didYouMean(key, stateNames)}`,
      );
    }
  }
  checkLeaves(model);
  return Object.freeze(model);
}

/** What spikes by its input of the step alone: in every step in which `margin` is > 0. */
export interface StatelessDefinition<P extends string> {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly parameters: Readonly<Record<P, ParameterDefinition>>;
  /** Over parameters and the `current` of this step. */
  readonly margin: (names: Names<NoInfer<P> | "dtMs" | "current">) => Operand;
}

/** A model without states, for networks that learn by gradients; of a neuron a membrane is expected elsewhere. */
export function defineStateless<const P extends string>(definition: StatelessDefinition<P>): Model {
  const { name, description, source, parameters } = definition;
  const names = [...Object.keys(parameters), "dtMs"];
  const known = Object.fromEntries(names.map((key) => [key, parameter(key)]));
  const where = `margin of model ${name}`;
  const margin = definition.margin(namesFor(where, { ...known, [usualInput]: input(usualInput) }) as never);
  return Object.freeze({
    kind: "model",
    name,
    description,
    source,
    parameters,
    states: {},
    inputs: [usualInput],
    step: {},
    margin: toExpression(where, margin),
    reset: {},
    constraints: [],
    refractory: "hold",
    adaptation: [],
  });
}

/** Leaves that an author made by hand, past the checked names. */
function checkLeaves(model: Model): void {
  const { parameters, states, inputs } = model;
  const known = new Set([...Object.keys(parameters), ...Object.keys(states), ...supplied, ...inputs]);
  for (const leaf of leavesOf([...Object.values(model.step), model.margin, ...Object.values(model.reset)])) {
    if (!known.has(leaf.name)) {
      throw new UserError(
        `model ${model.name} uses the ${leaf.op} "${leaf.name}", which it does not declare${didYouMean(leaf.name, known)}`,
      );
    }
  }
}

/** @throws UserError for a model with other inputs than `current`. @param who what knows no other, for the message */
export function checkUsualInput({ name, inputs }: Model, who: string): void {
  if (inputs.length === 1 && inputs[0] === usualInput) return;
  throw new UserError(
    `model ${name} has the input${inputs.length > 1 ? "s" : ""} ${inputs.join(" and ")}, but ${who} gives every neuron one, ` +
      `"${usualInput}"; use a model with that one, or train by gradients, where any are possible`,
  );
}
