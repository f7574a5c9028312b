/** From a user's choice (a name and some values) to a model with every parameter filled and checked. */
import { didYouMean, UserError } from "../base/errors.ts";
import { select } from "../expression/build.ts";
import { builtInModels } from "./built-in.ts";
import { type Initial, type Model, type PerNeuron, rangeProblem } from "./define.ts";
import { evaluateOverParameters } from "./hoist.ts";

/** A model by name, or by the address of a module (see `loadModel`), with values for its parameters. */
export interface ModelChoice {
  readonly type: string;
  readonly parameters: Readonly<Record<string, PerNeuron>>;
}

export interface ResolvedModel {
  readonly model: Model;
  /** Every parameter of the model; values that were not chosen are the defaults. */
  readonly parameters: Readonly<Record<string, PerNeuron>>;
}

/** True for names that mean a module: a path or an address rather than a built-in name. */
export function isModuleAddress(type: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(type) || /[/\\]/.test(type) || /\.[cm]?[jt]s$/.test(type);
}

export function builtInModel(type: string): Model {
  if (Object.hasOwn(builtInModels, type)) return builtInModels[type];
  const names = Object.keys(builtInModels);
  throw new UserError(
    `"${type}" is not a neuron model${didYouMean(type, names) || "."} Models: ${names.join(", ")}, or the path of a module whose default export is one`,
  );
}

/**
 * @param count neurons of the population: per-neuron arrays must have that many values (default: any length)
 * @param model the loaded module's model, for a choice that names a module (default: the built-in of that name)
 * @throws UserError for unknown models and parameters, values out of range, arrays of the wrong length
 */
export function resolveModel(choice: ModelChoice, count?: number, model = builtInModel(choice.type)): ResolvedModel {
  for (const [name, given] of Object.entries(choice.parameters)) {
    const definition = Object.hasOwn(model.parameters, name) ? model.parameters[name] : undefined;
    if (definition === undefined) {
      const names = Object.keys(model.parameters);
      const hint = didYouMean(name, names);
      throw new UserError(
        `model ${model.name} has no parameter "${name}"${hint || `; its parameters are ${names.join(", ")}`}`,
      );
    }
    checkValues(model, name, given, count);
  }
  const parameters: Record<string, PerNeuron> = {};
  for (const [name, definition] of Object.entries(model.parameters)) {
    parameters[name] = choice.parameters[name] ?? definition.default;
  }
  checkConstraints(model, parameters);
  return { model, parameters };
}

function checkValues(model: Model, name: string, given: PerNeuron, count: number | undefined): void {
  const definition = model.parameters[name];
  const unit = definition.unit === "1" ? "" : ` ${definition.unit}`;
  const refuse = (value: unknown, problem: string, neuron?: number): never => {
    const where = neuron === undefined ? "" : ` for neuron ${neuron}`;
    const shown = typeof value === "number" ? `${value}${unit}` : JSON.stringify(value);
    throw new UserError(`"${name}" of model ${model.name} is ${shown}${where}; ${problem}`);
  };
  if (!(given instanceof Float32Array)) {
    const problem = rangeProblem(definition, given);
    if (problem) refuse(given, problem);
    return;
  }
  if (count !== undefined && given.length !== count) {
    throw new UserError(
      `"${name}" of model ${model.name} has ${given.length} values for ${count} neurons; give one number or one per neuron`,
    );
  }
  for (let i = 0; i < given.length; i++) {
    const problem = rangeProblem(definition, given[i]);
    if (problem) refuse(given[i], problem, i);
  }
}

/** Neurons covered by the arrays among the parameters, 1 if there are none. */
function lengthOf(parameters: Readonly<Record<string, PerNeuron>>): number {
  const lengths = Object.values(parameters).map((value) => (typeof value === "number" ? 1 : value.length));
  return Math.max(1, ...lengths);
}

function checkConstraints(model: Model, parameters: Readonly<Record<string, PerNeuron>>): void {
  for (const { holds, message } of model.constraints) {
    const entry = { name: "holds", expression: select(holds, 1, 0) };
    const { holds: values } = evaluateOverParameters([entry], parameters, 1, lengthOf(parameters));
    const failing = typeof values === "number" ? (values === 1 ? -1 : 0) : values.indexOf(0);
    if (failing < 0) continue;
    const where = typeof values === "number" ? "" : ` (neuron ${failing})`;
    throw new UserError(`parameters of model ${model.name}${where}: ${message}`);
  }
}

/**
 * How each state starts a trial, with numbers in place of expressions: a constant, or what to draw from.
 * @returns by state; each number is one for all or n values
 */
export function initialStates(resolved: ResolvedModel, n: number): Record<string, Initial<PerNeuron>> {
  const result: Record<string, Initial<PerNeuron>> = {};
  for (const [name, { initial }] of Object.entries(resolved.model.states)) {
    const { kind, ...expressions } = initial;
    const entries = Object.entries(expressions).map(([key, expression]) => ({ name: key, expression }));
    const values = evaluateOverParameters(entries, resolved.parameters, 1, n);
    const rounded = Object.entries(values).map(([key, v]) => [key, typeof v === "number" ? v : new Float32Array(v)]);
    result[name] = { kind, ...Object.fromEntries(rounded) } as Initial<PerNeuron>;
  }
  return result;
}
