/** From an experiment to the neuron's compiled equations and the constants of every population. */
import { UserError } from "../../base/errors.ts";
import type { NeuronKernelOptions } from "../../kernels/neuron/equations.ts";
import { type NeuronProgram, neuronProgram } from "../../kernels/neuron/program.ts";
import {
  checkUsualInput,
  evaluateHoisted,
  isModuleAddress,
  loadModel,
  type PerNeuron,
  pauseSteps,
  type ResolvedModel,
  resolveModel,
} from "../../model/index.ts";
import { type Population, populationsOf } from "../../network/partition.ts";
import { type RlsSpec, valueAt } from "./spec.ts";

export interface CompiledNetwork {
  readonly spec: RlsSpec;
  readonly populations: readonly Population[];
  readonly model: ResolvedModel;
  readonly options: NeuronKernelOptions;
  readonly program: NeuronProgram;
  /** By population: value of every constant of the program and of `drive`; arrays have one value per neuron of it. */
  readonly constants: readonly Readonly<Record<string, PerNeuron>>[];
  /** By population: refractory period in steps. */
  readonly refractory: readonly (number | Int32Array)[];
  /** M. */
  readonly inputs: number;
  /** Neurons plus feed-forward neurons: whatever can send a spike. */
  readonly sources: number;
}

const longestRefractory = 255;

/** @throws UserError when the model and the noise do not fit, or constants are out of range. */
export async function compileNetwork(spec: RlsSpec): Promise<CompiledNetwork> {
  const loaded = isModuleAddress(spec.model.type) ? await loadModel(spec.model.type) : undefined;
  const model = resolveModel(spec.model, spec.neurons, loaded);
  checkUsualInput(model.model, "a recurrent network trained by RLS");
  const sigma = spec.noise.sigma;
  const silent = typeof sigma === "number" && sigma === 0;
  const { tauExcMs, tauInhMs } = spec.synapses;
  const options: NeuronKernelOptions = {
    membrane: {
      states: Object.keys(model.model.states),
      step: model.model.step,
      margin: model.model.margin,
      reset: model.model.reset,
      refractory: model.model.refractory,
    },
    static: spec.static === null ? "none" : tauExcMs === tauInhMs ? "merged" : "separate",
    arrivals: spec.static?.rule ? "weights" : "counts",
    plastic: true,
    noise: silent ? "none" : spec.noise.model,
  };
  if (!silent && !Object.hasOwn(model.parameters, "tauMemMs")) {
    throw new UserError(
      `noise is scaled with the membrane time constant, but model ${model.model.name} has no parameter "tauMemMs"; ` +
        "set noise.sigma to 0 or use a model that has one",
    );
  }
  if (options.noise === "voltage" && !options.membrane.states.includes("v")) {
    throw new UserError(
      `voltage noise is added to the state "v", which model ${model.model.name} does not have; use noise.model "current"`,
    );
  }
  if (spec.learning.window > 0 && typeof spec.learning.lambda !== "number") {
    throw new UserError(
      "learning.window keeps one P for all neurons, so learning.lambda cannot differ between them; give one number, " +
        "or set learning.window to 0",
    );
  }
  const program = neuronProgram(options);
  const populations = populationsOf(spec.neurons, spec.excitatory);
  return {
    spec,
    populations,
    model,
    options,
    program,
    constants: populations.map((population) => populationConstants(spec, model, options, program, population)),
    refractory: populations.map((population) => refractoryOf(spec, model, population)),
    inputs: 2 * spec.plastic.inputsPerType + (spec.feedforward?.size ?? 0),
    sources: spec.neurons + (spec.feedforward?.size ?? 0),
  };
}

/** The values of one population out of values for the whole network. */
function slice(value: PerNeuron, { first, size }: Population): PerNeuron {
  return typeof value === "number" ? value : value.subarray(first, first + size);
}

function sliceAll(values: Readonly<Record<string, PerNeuron>>, population: Population): Record<string, PerNeuron> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, slice(value, population)]));
}

function refractoryOf(spec: RlsSpec, model: ResolvedModel, population: Population): number | Int32Array {
  const steps = pauseSteps(model.model, sliceAll(model.parameters, population), spec.timing.dtMs);
  const longest = typeof steps === "number" ? steps : steps.reduce((a, b) => Math.max(a, b), 0);
  if (longest > longestRefractory) {
    throw new UserError(
      `a refractory period of ${longest} steps is longer than the ${longestRefractory} that are supported; ` +
        "lower refractoryMs or raise timing.dtMs",
    );
  }
  return steps;
}

/**
 * Weight of one static spike by type of source: je = 2 g tauMem / sqrt(K) times the factor of (to, from), negative from I.
 */
function staticWeights(spec: RlsSpec, tauMemMs: number, excitatory: boolean): { weightExc: number; weightInh: number } {
  if (spec.static === null) return { weightExc: 0, weightInh: 0 };
  const { g, K, weights } = spec.static;
  const unit = (2 * g * tauMemMs) / Math.sqrt(K);
  return excitatory
    ? { weightExc: weights.EE * unit, weightInh: weights.EI * unit }
    : { weightExc: weights.IE * unit, weightInh: weights.II * unit };
}

/** The membrane time constant that weights and noise are scaled with: the mean where it differs between neurons. */
export function meanTauMem(model: ResolvedModel): number {
  const tau = model.parameters.tauMemMs ?? 10;
  return typeof tau === "number" ? tau : tau.reduce((sum, x) => sum + x, 0) / tau.length;
}

/** sigma sqrt(dt/tau) for noise on the voltage, sigma sqrt(tau/dt) for noise in the current. */
function noiseSteps(spec: RlsSpec, model: ResolvedModel, population: Population): PerNeuron {
  const sigma = slice(spec.noise.sigma, population);
  const tau = slice(model.parameters.tauMemMs ?? 10, population);
  const { dtMs } = spec.timing;
  const factor = (tauMs: number) => Math.sqrt(spec.noise.model === "voltage" ? dtMs / tauMs : tauMs / dtMs);
  if (typeof sigma === "number" && typeof tau === "number") return sigma * factor(tau);
  return Float32Array.from({ length: population.size }, (_, i) => valueAt(sigma, i) * factor(valueAt(tau, i)));
}

function populationConstants(
  spec: RlsSpec,
  model: ResolvedModel,
  options: NeuronKernelOptions,
  program: NeuronProgram,
  population: Population,
): Record<string, PerNeuron> {
  const parameters: Record<string, PerNeuron> = {
    ...sliceAll(model.parameters, population),
    ...sliceAll({ ...spec.synapses }, population),
    ...staticWeights(spec, meanTauMem(model), population.excitatory),
    ...(options.noise === "none" ? {} : { noiseStep: noiseSteps(spec, model, population) }),
  };
  const values: Record<string, PerNeuron> = evaluateHoisted(
    program.hoisted,
    parameters,
    spec.timing.dtMs,
    population.size,
  );
  const steps = refractoryOf(spec, model, population);
  const supplied: Record<string, PerNeuron> = {
    ...parameters,
    dtMs: spec.timing.dtMs,
    refractorySteps: typeof steps === "number" ? steps : new Float32Array(steps),
    ...values,
  };
  const constants = Object.fromEntries(program.constants.map((name) => [name, supplied[name]]));
  constants.drive = slice(population.excitatory ? spec.drive.excitatory : spec.drive.inhibitory, {
    ...population,
    first: 0,
  });
  return constants;
}
