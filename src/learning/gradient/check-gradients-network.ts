/** The small networks whose gradients are checked: made around a model, with weights that bring it near its threshold. */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { parameter } from "../../expression/build.ts";
import { leavesOf, topologicalOrder } from "../../expression/node.ts";
import { substitute } from "../../expression/substitute.ts";
import { surrogates } from "../../expression/surrogates.ts";
import type { Model, ParameterDefinition } from "../../model/define.ts";
import { evaluateOverParameters, type HoistedModel } from "../../model/hoist.ts";
import { type ResolvedModel, resolveModel } from "../../model/resolve.ts";
import { type Draws, openDraws } from "../../random/draws.ts";
import { parametersOf, SteppedPopulation, type Values } from "./forward-eprop-network.ts";
import {
  connectionCount,
  type GradientNetwork,
  inputOf,
  type NetworkValues,
  type PopulationSpec,
  type ProjectionSpec,
  synapseCount,
} from "./spec.ts";

const size = 3;
const inputs = 2;
const outputs = 3;

const learned = { connectivity: "dense", trained: true } as const;

const equationsOf = ({ step, margin, reset }: Model | HoistedModel) => [
  ...Object.values(step),
  margin,
  ...Object.values(reset),
];

/** Parameters that the equations use; the refractory period is a whole number of steps and has no derivative. */
function differentiable(model: Model): string[] {
  const used = leavesOf(equationsOf(model)).map(({ name }) => name);
  return Object.keys(model.parameters).filter((name) => used.includes(name) && name !== "refractoryMs");
}

/**
 * Inputs, three recurrent neurons of the model, a readout; everything trained, delays 0, 1 and 1. Where a model has several
 * inputs, all sources lead into each of them.
 */
export function networkAround(model: Model, readout: Model, dtMs: number): GradientNetwork {
  const resolved = resolveModel({ type: model.name, parameters: {} }, undefined, model);
  const into = (target: Model, projection: ProjectionSpec): ProjectionSpec[] =>
    target.inputs.map((input, i) =>
      i === 0 ? projection : { ...projection, name: `${projection.name} ${input}`, into: input },
    );
  return {
    dtMs,
    inputs,
    populations: [
      {
        name: "hidden",
        size,
        model: resolved,
        surrogate: surrogates.fastSigmoid(2 / marginScale(resolved, dtMs)),
        detachReset: true,
        trainable: differentiable(model),
        bias: true,
      },
      {
        name: "readout",
        size: outputs,
        model: resolveModel({ type: readout.name, parameters: {} }, undefined, readout),
        surrogate: surrogates.none(),
        detachReset: true,
        trainable: differentiable(readout),
        bias: true,
      },
    ],
    projections: [
      ...into(model, { ...learned, name: "in", source: "input", target: 0, delaySteps: 0, backward: "none" }),
      ...into(model, { ...learned, name: "rec", source: 0, target: 0, delaySteps: 1, backward: "weights" }),
      ...into(readout, { ...learned, name: "out", source: 0, target: 1, delaySteps: 1, backward: "weights" }),
    ],
    readout: 1,
  };
}

/** The network that learns everything it can: all ways back are the exact ones, all parameters are trainable. */
export function exactly(network: GradientNetwork): GradientNetwork {
  return {
    ...network,
    populations: network.populations.map((spec) => ({ ...spec, trainable: differentiable(spec.model.model) })),
    projections: network.projections.map((projection) => ({
      ...projection,
      trained: true,
      backward: projection.source === "input" ? "none" : "weights",
    })),
  };
}

/** The same with e-prop: no way back between hidden populations. */
export function cutForEprop(network: GradientNetwork): GradientNetwork {
  return {
    ...network,
    projections: network.projections.map((projection) => ({
      ...projection,
      backward: projection.source === "input" || projection.target !== network.readout ? "none" : "weights",
    })),
  };
}

/** Some steps of one neuron with a constant input, from the start: number of spikes, and its first margin. */
function probe(
  model: ResolvedModel,
  dtMs: number,
  current: number,
  input = 0,
): { readonly spikes: number; readonly margin: number } {
  const spec = {
    name: "probe",
    size: 1,
    model,
    surrogate: surrogates.none(),
    detachReset: true,
    trainable: [],
    bias: false,
  };
  const neuron = new SteppedPopulation(spec, dtMs);
  neuron.setConstants({});
  let spikes = 0;
  let margin = 0;
  for (let t = 0; t < 6; t++) {
    neuron.inputs[input][0] = current;
    neuron.advance();
    spikes += neuron.z[0];
    if (t === 0) margin = neuron.margins[0];
  }
  return { spikes, margin };
}

/** How far a neuron at rest is from its threshold: the unit of its voltage. */
function marginScale(model: ResolvedModel, dtMs: number): number {
  const { margin } = probe(model, dtMs, 0);
  return margin !== 0 && Number.isFinite(margin) ? Math.abs(margin) : 1;
}

/** The least power of two that makes a neuron spike more often than without input, at one of its inputs. */
function firingCurrent(model: ResolvedModel, dtMs: number, input: number): number {
  const alone = probe(model, dtMs, 0).spikes;
  for (let current = 2 ** -12; current < 2 ** 24; current *= 2) {
    if (probe(model, dtMs, current, input).spikes > alone) return current;
  }
  return 1;
}

/** Slope of smooth spikes: at rest z is some 5 %, so that all neurons act on all others. */
export function smoothSlopeOf({ populations, readout, dtMs }: GradientNetwork): number {
  const scales = populations.filter((_, p) => p !== readout).map(({ model }) => marginScale(model, dtMs));
  return 3 / Math.max(...scales);
}

/** A value within the range of a parameter, a little beside its default and different in every neuron. */
function besideDefault(definition: ParameterDefinition, value: number, draws: Draws): number {
  const { min, max, exclusiveMin, exclusiveMax } = definition;
  const span = Math.max(Math.abs(value), 0.1);
  const low = Math.max(min ?? -Infinity, exclusiveMin ?? -Infinity) + 1e-3 * span;
  const high = Math.min(max ?? Infinity, exclusiveMax ?? Infinity) - 1e-3 * span;
  return Math.min(Math.max(value + 0.1 * span * (2 * draws.uniform() - 1), low), high);
}

/** Weights and constants to check at. */
export function drawValues(network: GradientNetwork, seed: number): NetworkValues<Float64Array> {
  const draws = openDraws(seed, "check gradients");
  const gains = network.populations.map(({ model }, p) =>
    model.model.inputs.map((_, i) => (p === network.readout ? 1 : firingCurrent(model, network.dtMs, i))),
  );
  const around = (mean: number, count: number) =>
    Float64Array.from({ length: count }, () => mean * (0.5 + draws.normal()));
  return {
    weights: network.projections.map((projection) => {
      const fanIn = Math.max(1, connectionCount(network, projection) / network.populations[projection.target].size);
      const gain = gains[projection.target][inputOf(network, projection)];
      return around(gain / Math.sqrt(fanIn), synapseCount(network, projection));
    }),
    bias: network.populations.map(({ bias, size }, p) => (bias ? around(0.5 * gains[p][0], size) : null)),
    constants: network.populations.map(({ model, size, trainable }) =>
      Object.fromEntries(
        trainable.map((name) => {
          const given = model.parameters[name];
          const ofNeuron = (i: number) => (typeof given === "number" ? given : given[i]);
          const definition = model.model.parameters[name];
          return [name, Float64Array.from({ length: size }, (_, i) => besideDefault(definition, ofNeuron(i), draws))];
        }),
      ),
    ),
  };
}

/** Events with amplitudes on half of the channels in every step. */
export function drawSample(network: GradientNetwork, steps: number, seed: number): StepEvents {
  const draws = openDraws(seed, "check gradients sample");
  const offsets = new Uint32Array(steps + 1);
  const channels: number[] = [];
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < network.inputs; i++) if (draws.uniform() < 0.5) channels.push(i);
    offsets[t + 1] = channels.length;
  }
  const values = Float32Array.from(channels, () => 0.5 + draws.uniform());
  return { steps, offsets, channels: Uint32Array.from(channels), values };
}

/**
 * The network with every stopGradient(x) replaced by the number that x is at these values: what it means for a derivative
 * that x is held fixed.
 * @throws UserError where that cannot be had: x depends on states, or a spike is among the equations
 */
export function freezeStopped(network: GradientNetwork, values: Values): GradientNetwork {
  const freeze = (spec: PopulationSpec, p: number): PopulationSpec => {
    const { model } = spec.model;
    const parameters = { ...parametersOf(spec, values.constants[p]) };
    const own: Record<string, ParameterDefinition> = { ...model.parameters };
    const names = new Map<unknown, string>();
    const where = `model ${model.name} cannot be checked by finite differences`;
    for (const node of topologicalOrder(equationsOf(model))) {
      if (node.op === "spike") throw new UserError(`${where}: its equations contain spike(), which is a jump`);
      if (node.op !== "stopGradient") continue;
      const [expression] = node.args;
      if (expression.kind !== "number" || leavesOf([expression]).some(({ op }) => op !== "parameter")) {
        throw new UserError(`${where}: it has a stopGradient() of something that changes from step to step`);
      }
      const name = `stopped ${names.size}`;
      const { stopped } = evaluateOverParameters(
        [{ name: "stopped", expression }],
        parameters,
        network.dtMs,
        spec.size,
      );
      names.set(node, name);
      own[name] = { unit: "1", default: 0, doc: "" };
      parameters[name] = stopped as unknown as Float32Array;
    }
    if (names.size === 0) return spec;
    const frozen = substitute(equationsOf(model), (node) => {
      const name = names.get(node);
      return name === undefined ? null : parameter(name);
    });
    const states = Object.keys(model.states);
    const record = (from: number) => Object.fromEntries(states.map((state, k) => [state, frozen[from + k]]));
    const margin = frozen[states.length];
    const fixed: Model = { ...model, parameters: own, step: record(0), margin, reset: record(states.length + 1) };
    return { ...spec, model: { model: fixed, parameters } };
  };
  return { ...network, populations: network.populations.map(freeze) };
}
