/**
 * Writes out what a condition of the heterogeneity study stands for (`heterogeneity-words.ts`): parameters and trainable of
 * every layer, whatever its model calls the time constants of membrane and synapse. A readout starts as the layers do and
 * its time constants are never trained, as in the authors' program.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import { derivative } from "../../expression/derivative.ts";
import { type Expression, leavesOf } from "../../expression/node.ts";
import { findModel } from "../../learning/gradient/compile.ts";
import { type ParametrisationDescription, publishedRange } from "../../learning/optimisers/parametrisation.ts";
import type { Model } from "../../model/define.ts";
import { completeConstant, defaultShape } from "../constants.ts";
import type { Constant } from "../schema-words.ts";
import type { Heterogeneity } from "./heterogeneity-words.ts";
import { type ClassifyExperiment, isSpiking, type SpikingLayer } from "./schema.ts";

type Constants = Pick<SpikingLayer, "model" | "trainable">;

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

const names = (expression: Expression, kind: "parameter" | "input"): string[] =>
  leavesOf([expression]).flatMap((leaf) => (leaf.op === kind ? [leaf.name] : []));

/**
 * Time constants of the membrane and of synaptic currents, whatever the model calls them: parameters in ms on which it
 * depends how much of the membrane, or of a state into which an input flows, is left after a step.
 */
export function timeConstants({ parameters, states, step, adaptation }: Model): string[] {
  const [membrane, ...others] = Object.keys(states);
  const synaptic = others.filter((name) => !adaptation.includes(name) && names(step[name], "input").length > 0);
  const found = [membrane, ...synaptic].flatMap((name) => {
    const own = leavesOf([step[name]]).find((leaf) => leaf.op === "state" && leaf.name === name);
    return own === undefined ? [] : names(derivative(step[name], own), "parameter");
  });
  // The time step is among the names, but no parameter.
  return [...new Set(found)].filter((name) => Object.hasOwn(parameters, name) && parameters[name].unit === "ms");
}

/** From 3.26 to 199.5 steps, as published, or far enough that the value of the experiment lies inside. */
function rangeAround(mean: number | null, dtMs: number): { readonly min: number; readonly max: number } {
  const { min, max } = publishedRange(dtMs);
  return mean === null ? { min, max } : { min: Math.min(min, mean / 2), max: Math.max(max, 2 * mean) };
}

/** The value that all neurons start from; null where the experiment says that they differ. */
const homogeneousValue = (given: Constant | undefined, standard: number): number | null =>
  given === undefined ? standard : typeof given === "number" ? given : null;

async function applyTo<Settings extends Constants>(
  settings: Settings,
  path: string,
  condition: Heterogeneity,
  dtMs: number,
  isReadout: boolean,
): Promise<Settings> {
  const model = await findModel(settings.model.type);
  const own = timeConstants(model);
  const [start, train] = condition.split("/");
  const switched = `network.heterogeneity is "${condition}"`;
  if (own.length === 0) {
    if (isReadout || condition === "hom/standard") return settings;
    refuse(
      `${switched}, but ${path} has the model ${model.name}, which has no time constant of a membrane or synapse in ms; ` +
        "take another model, or leave heterogeneity out and name parameters in trainable",
    );
  }
  const parameters: Record<string, Constant> = { ...settings.model.parameters };
  const trainable = { ...settings.trainable };
  for (const name of own) {
    const given = parameters[name];
    const mean = homogeneousValue(given, model.parameters[name].default);
    const range = rangeAround(mean, dtMs);
    if (start === "hom" && mean === null) {
      refuse(
        `${switched}, but ${path}.model.parameters.${name} differs from neuron to neuron; give one number, ` +
          `or "het/${train === "shared" ? "het" : train}"`,
      );
    }
    if (start === "het" && mean !== null) {
      parameters[name] = { distribution: "gamma", mean, shape: defaultShape, ...range };
    }
    if (isReadout) continue;
    const explicit = Object.hasOwn(trainable, name) ? trainable[name] : undefined;
    if (train === "standard") {
      if (explicit !== undefined) {
        refuse(`${switched}, which trains weights alone, but ${path}.trainable names "${name}"; leave one of them out`);
      }
      continue;
    }
    const shared = train === "shared";
    if (explicit !== undefined && explicit.shared !== shared) {
      refuse(`${switched}, but ${path}.trainable.${name}.shared is ${explicit.shared}; leave one of them out`);
    }
    const decay: ParametrisationDescription = { type: "decay", ...range };
    trainable[name] = {
      range: explicit === undefined || explicit.range === "auto" ? decay : explicit.range,
      shared,
    } as Settings["trainable"][string];
  }
  return { ...settings, model: { ...settings.model, parameters }, trainable };
}

/** A distribution without a mean is about the model's default. */
async function completeParameters<Settings extends Pick<Constants, "model">>(
  settings: Settings,
  path: string,
): Promise<Settings> {
  const { type, parameters } = settings.model;
  if (Object.values(parameters).every((value) => typeof value === "number")) return settings;
  const known = (await findModel(type)).parameters;
  const complete = Object.entries(parameters).map(([name, value]) => {
    const standard = Object.hasOwn(known, name) ? known[name].default : undefined;
    return [name, completeConstant(value, `${path}.model.parameters.${name}`, standard)] as const;
  });
  return { ...settings, model: { ...settings.model, parameters: Object.fromEntries(complete) } };
}

/**
 * The experiment with what `network.heterogeneity` stands for written out, and every distribution with all its numbers.
 * Completing it again changes nothing.
 * @throws UserError where the experiment says something else of a time constant
 */
export async function completeConstants(experiment: ClassifyExperiment): Promise<ClassifyExperiment> {
  const { heterogeneity: condition, dtMs, layers, readout } = experiment.network;
  const complete = async <Settings extends Constants>(settings: Settings, path: string, isReadout: boolean) => {
    const applied = condition === null ? settings : await applyTo(settings, path, condition, dtMs, isReadout);
    return completeParameters(applied, path);
  };
  return {
    ...experiment,
    network: {
      ...experiment.network,
      layers: await Promise.all(
        layers.map((layer, i) => (isSpiking(layer) ? complete(layer, `network.layers.${i}`, false) : layer)),
      ),
      readout: await complete(readout, "network.readout", true),
    },
  };
}
