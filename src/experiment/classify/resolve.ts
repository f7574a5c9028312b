/**
 * From the experiment a person wrote to what the engine takes.
 *
 * First `resolveSettings` replaces every `"auto"`; the result is kept in the run folder and resolves to itself. Then
 * `resolveNetwork` makes populations, projections and the plan of learning of it.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import type { SetInfo } from "../../data/encoding/encoder.ts";
import { type EncoderDescription, makeEncoder } from "../../data/encoding/make-encoder.ts";
import { findModel } from "../../learning/gradient/compile.ts";
import { type InitialWeights, initialWeightKinds } from "../../learning/gradient/initial-weights.ts";
import type { BackwardPath, ProjectionSpec } from "../../learning/gradient/spec.ts";
import type { LearningPlan, ProjectionPlan } from "../../learning/gradient/trainer.ts";
import type { PopulationChoice, TrainingSpec } from "../../learning/gradient/training-spec.ts";
import { type Complete, complete } from "../../learning/losses/description.ts";
import { type LossDescription, lossKinds } from "../../learning/losses/loss.ts";
import type { ParametrisationDescription } from "../../learning/optimisers/parametrisation.ts";
import { readoutModels } from "../../model/built-in.ts";
import type { Model, PerNeuron } from "../../model/define.ts";
import { resolveConstant } from "../constants.ts";
import { drawConnections } from "./connections.ts";
import { type DataSummary, encoderOf } from "./data.ts";
import type { ClassifyExperiment, LayerSettings, ReadoutSettings } from "./schema.ts";

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

/** What the data decide: with it an experiment has no "auto" left. */
export interface DataFacts {
  /** Readout neurons: classes, or curves. */
  readonly outputs: number;
  readonly hasClasses: boolean;
  /** Mean rate of an input channel, Hz; null where inputs are currents. */
  readonly rateHz: number | null;
}

/** The encoder with the time step of the network, and with the window of the training data. */
export function resolveEncoder({ data, network }: ClassifyExperiment, info: SetInfo): EncoderDescription {
  const given: EncoderDescription =
    data.encoder === "auto" ? (info.kind === "spikes" ? { type: "bin" } : { type: "rows" }) : data.encoder;
  const timed = given.type === "bin" || given.type === "latency" || given.type === "poisson";
  const { dtMs } = network;
  if (timed && given.dtMs !== undefined && given.dtMs !== dtMs) {
    refuse(
      `data.encoder.dtMs is ${given.dtMs} ms, but network.dtMs is ${dtMs} ms; leave it out: the network's step is used`,
    );
  }
  const encoder = timed ? { ...given, dtMs } : given;
  if (encoder.type !== "bin" || encoder.steps !== undefined || encoder.durationMs !== undefined) return encoder;
  return { ...encoder, steps: makeEncoder(encoder, info).maxSteps };
}

function defaultLoss(rule: "bptt" | "eprop", hasClasses: boolean): LossDescription {
  if (!hasClasses) return { type: "squaredError", readout: "perStep" };
  if (rule === "bptt") return { type: "crossEntropy", readout: "max" };
  return { type: "crossEntropy", readout: "perStep", overSteps: "mean" };
}

function resolveLoss({ learning }: ClassifyExperiment, hasClasses: boolean): Complete<LossDescription> {
  if (learning.loss === "auto") return complete("learning.loss", defaultLoss(learning.rule, hasClasses), lossKinds);
  if (!hasClasses && (learning.loss.type !== "squaredError" || learning.loss.readout !== "perStep")) {
    refuse(
      `learning.loss is ${learning.loss.type} of the readout "${learning.loss.readout}", but the data are curves to ` +
        'follow; use {"type": "squaredError", "readout": "perStep"}, or leave it out',
    );
  }
  return learning.loss;
}

/** Numbers or lists of a constant: its smallest and largest value. */
function rangeOf(value: PerNeuron): { smallest: number; largest: number } {
  if (typeof value === "number") return { smallest: value, largest: value };
  return value.reduce(
    ({ smallest, largest }, one) => ({ smallest: Math.min(smallest, one), largest: Math.max(largest, one) }),
    { smallest: Number.POSITIVE_INFINITY, largest: Number.NEGATIVE_INFINITY },
  );
}

/** A tenth to ten times the values at the start; time constants on a logarithmic scale and not below the time step. */
function defaultRange(model: Model, parameter: string, start: PerNeuron, dtMs: number): ParametrisationDescription {
  const { unit, min, max, exclusiveMin, exclusiveMax } = model.parameters[parameter];
  const { smallest, largest } = rangeOf(start);
  if (unit === "ms")
    return { type: "log", min: smallest > dtMs ? Math.max(dtMs, smallest / 10) : smallest / 10, max: 10 * largest };
  const [low, high] = smallest > 0 ? [smallest / 10, 10 * largest] : [-1, 1];
  return {
    type: "clamp",
    min: Math.max(low, min ?? exclusiveMin ?? low),
    max: Math.min(high, max ?? exclusiveMax ?? high),
  };
}

/** Parameters of a population, numbers drawn where a distribution was given. */
function drawParameters(settings: LayerSettings["model"], path: string, neurons: number, seed: number) {
  return Object.fromEntries(
    Object.entries(settings.parameters).map(([name, value]) => [
      name,
      resolveConstant(value, `${path}.model.parameters.${name}`, neurons, seed),
    ]),
  );
}

type Trainable = LayerSettings["trainable"];

async function resolveTrainable(
  settings: Pick<LayerSettings, "model" | "trainable">,
  path: string,
  neurons: number,
  { seed, network: { dtMs } }: ClassifyExperiment,
): Promise<Trainable> {
  const names = Object.keys(settings.trainable);
  if (names.length === 0) return {};
  const model = await findModel(settings.model.type);
  const parameters = drawParameters(settings.model, path, neurons, seed);
  return Object.fromEntries(
    Object.entries(settings.trainable).map(([name, { range, shared }]) => {
      if (!Object.hasOwn(model.parameters, name)) {
        refuse(
          `${path}.trainable names "${name}", which is no parameter of ${model.name}; it has ${Object.keys(model.parameters).join(", ")}`,
        );
      }
      if (name === "refractoryMs") {
        refuse(`${path}.trainable names "refractoryMs", a whole number of steps without a gradient; leave it out`);
      }
      const start = parameters[name] ?? model.parameters[name].default;
      const { smallest, largest } = rangeOf(start);
      if (shared && smallest !== largest) {
        refuse(`${path}.trainable.${name} is shared, but the layer starts with different values; give one number`);
      }
      return [name, { range: range === "auto" ? defaultRange(model, name, start, dtMs) : range, shared }];
    }),
  ) as Trainable;
}

function layerNames(layers: readonly LayerSettings[]): string[] {
  const names = layers.map(({ name }, i) =>
    name === "auto" ? (layers.length === 1 ? "hidden" : `hidden${i + 1}`) : name,
  );
  for (const [i, name] of names.entries()) {
    if (!/^[A-Za-z][\w-]*$/.test(name) || ["input", "readout", "output", "recurrent"].includes(name)) {
      refuse(`network.layers.${i}.name is "${name}"; use letters, digits, - and _, and not a word such as "readout"`);
    }
    if (names.indexOf(name) !== i) refuse(`two layers have the name "${name}"; name them differently`);
  }
  return names;
}

/** Which words exclude each other, whatever the data. */
function checkRule({ data, learning, network }: ClassifyExperiment): void {
  const { rule, feedback } = learning;
  if (rule === "bptt" && feedback !== "symmetric") {
    refuse(
      `learning.feedback is "${feedback}", but with the rule "bptt" errors flow back through the weights themselves; ` +
        'use the rule "eprop", or leave feedback out',
    );
  }
  if (rule === "eprop" && network.readout.from === "last" && network.layers.length > 1) {
    refuse(
      'network.readout.from is "last", but with the rule "eprop" a layer that does not feed the readout learns nothing; ' +
        'use "all", or the rule "bptt"',
    );
  }
  if (feedback !== "symmetric" && network.readout.connections < 1) {
    refuse(
      `learning.feedback is "${feedback}", which needs all connections to the readout; set network.readout.connections to 1`,
    );
  }
  for (const [i, { deepR, connections, recurrent, recurrentConnections }] of network.layers.entries()) {
    if (deepR !== null && connections === 1 && (!recurrent || recurrentConnections === 1)) {
      refuse(
        `network.layers.${i}.deepR is ${deepR}, but the layer has all connections, so none can move; ` +
          "give connections or recurrentConnections below 1",
      );
    }
  }
  if (network.readout.deepR !== null && network.readout.connections === 1) {
    refuse("network.readout.deepR is given, but the readout has all connections; give connections below 1");
  }
  if (data.validation === null && learning.earlyStopping !== null) {
    refuse("learning.earlyStopping stops by validation, but data.validation is null; give a split or leave it out");
  }
  if (!Number.isInteger(Math.log2(learning.lanes))) {
    refuse(`learning.lanes is ${learning.lanes}; it must be a power of two, such as 8`);
  }
}

/** Weights that suit the rates of the data where these are known, into neurons whose threshold gives them a scale. */
function resolveInitial(given: LayerSettings["initial"], intoReadout: boolean, rateHz: number | null) {
  if (given !== "auto") return given;
  const scaled = !intoReadout && rateHz !== null && rateHz > 0;
  return complete<InitialWeights>("initial", { type: scaled ? "fluctuation" : "normal" }, initialWeightKinds);
}

/**
 * The experiment without any "auto".
 * @param given with the encoder of `resolveEncoder`
 * @throws UserError for settings that exclude each other
 */
export async function resolveSettings(given: ClassifyExperiment, facts: DataFacts): Promise<ClassifyExperiment> {
  checkRule(given);
  const { network, learning } = given;
  const names = layerNames(network.layers);
  const neurons = network.readout.neurons === "auto" ? facts.outputs : network.readout.neurons;
  const fits = facts.hasClasses ? neurons >= facts.outputs : neurons === facts.outputs;
  if (!fits) {
    const what = facts.hasClasses ? "classes" : "curves";
    refuse(`network.readout.neurons is ${neurons}, but the data have ${facts.outputs} ${what}; leave it out`);
  }
  const from = network.readout.from === "auto" ? (learning.rule === "eprop" ? "all" : "last") : network.readout.from;
  for (const [r, { layers = [] }] of learning.regularise.entries()) {
    const unknown = layers.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      refuse(`learning.regularise.${r}.layers names "${unknown}"; the layers are ${names.join(", ")}`);
    }
  }
  return {
    ...given,
    network: {
      ...network,
      layers: await Promise.all(
        network.layers.map(async (layer, i) => ({
          ...layer,
          name: names[i],
          initial: resolveInitial(layer.initial, false, facts.rateHz),
          recurrentInitial: resolveInitial(layer.recurrentInitial, false, facts.rateHz),
          trainable: await resolveTrainable(layer, `network.layers.${i}`, layer.neurons, given),
        })),
      ),
      readout: {
        ...network.readout,
        neurons,
        from,
        initial: resolveInitial(network.readout.initial, true, facts.rateHz),
        trainable: await resolveTrainable(network.readout, "network.readout", neurons, given),
      },
    },
    learning: { ...learning, loss: resolveLoss(given, facts.hasClasses) },
  };
}

/** An experiment as the engine takes it. */
export interface ResolvedNetwork {
  readonly spec: TrainingSpec;
  readonly plan: LearningPlan;
}

/** A connection before it is numbered: what it is called, and where its settings stand. */
interface Connection {
  readonly projection: ProjectionSpec;
  readonly plan: ProjectionPlan;
}

/**
 * Populations, projections and plan.
 * @param resolved from `resolveSettings`
 */
export function resolveNetwork(resolved: ClassifyExperiment, summary: DataSummary): ResolvedNetwork {
  const { network, learning, seed } = resolved;
  const { layers, readout } = network;
  const inputs = encoderOf(resolved, summary.info).channels;
  const readoutNeurons = readout.neurons as number;
  for (const [i, { model }] of layers.entries()) {
    if (Object.hasOwn(readoutModels, model.type)) {
      refuse(`network.layers.${i}.model.type is "${model.type}", a readout that never spikes; choose a neuron`);
    }
  }
  const exact = learning.rule === "bptt";
  const toReadout: BackwardPath = learning.feedback === "symmetric" ? "weights" : "feedback";
  const sizeOf = (source: number | "input") => (source === "input" ? inputs : layers[source].neurons);

  const connect = (
    name: string,
    path: string,
    source: number | "input",
    target: number,
    own: {
      readonly fraction: number;
      readonly initial: LayerSettings["initial"];
      readonly constraint: LayerSettings["constraint"];
      readonly deepR: number | null;
      readonly delaySteps: number;
      readonly backward: BackwardPath;
    },
  ): Connection => {
    const targets = target === layers.length ? readoutNeurons : layers[target].neurons;
    return {
      projection: {
        name,
        source,
        target,
        delaySteps: own.delaySteps,
        connectivity: drawConnections(own.fraction, sizeOf(source), targets, seed, path),
        backward: own.backward,
        trained: true,
      },
      plan: {
        initial: own.initial as InitialWeights,
        constraint: own.constraint,
        signs: own.constraint?.type === "dale" ? signsOf(layers, source, sizeOf(source), path) : null,
        penalty: learning.weightPenalty,
        deepR: own.fraction < 1 ? own.deepR : null,
      },
    };
  };

  const connections = [
    ...layers.flatMap((layer, i) => {
      const path = `network.layers.${i}`;
      const below = i === 0 ? "input" : i - 1;
      const into = connect(i === 0 ? "input" : `${layers[i - 1].name}-${layer.name}`, `${path}.connections`, below, i, {
        ...layer,
        fraction: layer.connections,
        backward: i === 0 || !exact ? "none" : "weights",
      });
      if (!layer.recurrent) return [into];
      const name = layers.length === 1 ? "recurrent" : `${layer.name}.recurrent`;
      const back = connect(name, `${path}.recurrentConnections`, i, i, {
        ...layer,
        fraction: layer.recurrentConnections,
        initial: layer.recurrentInitial,
        delaySteps: layer.recurrentDelaySteps,
        backward: exact ? "weights" : "none",
      });
      return [into, back];
    }),
    ...layers.flatMap((layer, i) => {
      if (readout.from === "last" && i < layers.length - 1) return [];
      const name = layers.length === 1 ? "output" : `${layer.name}-readout`;
      const path = `network.readout.connections.${i}`;
      return [
        connect(name, path, i, layers.length, { ...readout, fraction: readout.connections, backward: toReadout }),
      ];
    }),
  ];

  const spec: TrainingSpec = {
    seed,
    dtMs: network.dtMs,
    inputs,
    populations: [
      ...layers.map(
        (layer, i): PopulationChoice => ({
          name: layer.name,
          size: layer.neurons,
          model: {
            type: layer.model.type,
            parameters: drawParameters(layer.model, `network.layers.${i}`, layer.neurons, seed),
          },
          surrogate: layer.surrogate,
          detachReset: layer.detachReset,
          trainable: Object.keys(layer.trainable),
          bias: layer.bias,
        }),
      ),
      {
        name: "readout",
        size: readoutNeurons,
        model: {
          type: readout.model.type,
          parameters: drawParameters(readout.model, "network.readout", readoutNeurons, seed),
        },
        detachReset: true,
        trainable: Object.keys(readout.trainable),
        bias: readout.bias,
      },
    ],
    projections: connections.map(({ projection }) => projection),
    readout: layers.length,
    loss: learning.loss as LossDescription,
    regularisers: layers.flatMap(({ name }, population) =>
      learning.regularise
        .filter(({ layers: wanted }) => wanted === undefined || wanted.includes(name))
        .map(({ layers: _, ...description }) => ({ population, description })),
    ),
    truncateSteps: learning.truncateSteps,
    lanes: learning.lanes,
    relaxed: false,
  };
  const plan: LearningPlan = {
    optimiser: learning.optimiser,
    schedules: learning.schedule,
    clipNorm: learning.clipNorm,
    constantsRate: learning.constantsRate,
    overBatch: learning.overBatch,
    epochs: learning.epochs,
    stepsPerEpoch: Math.ceil((learning.samplesPerEpoch ?? summary.training) / learning.batch),
    projections: connections.map((connection) => connection.plan),
    constants: [...layers, readout as Pick<ReadoutSettings, "trainable">].flatMap(({ trainable }, population) =>
      Object.entries(trainable).map(([parameter, { range, shared }]) => ({
        population,
        parameter,
        range: range as ParametrisationDescription,
        shared,
      })),
    ),
    feedback: learning.feedback === "adaptive" ? "adaptive" : "random",
    dataRateHz: summary.rateHz,
  };
  return { spec, plan };
}

/** Channels excite; of a layer the first neurons do. */
function signsOf(layers: readonly LayerSettings[], source: number | "input", sources: number, path: string): Int8Array {
  if (source === "input") return new Int8Array(sources).fill(1);
  const { excitatoryFraction, name } = layers[source];
  if (excitatoryFraction === null) {
    refuse(
      `${path}: the constraint is "dale", but it is not said which neurons of "${name}" excite; ` +
        `give network.layers.${source}.excitatoryFraction, for example 0.8`,
    );
  }
  const excitatory = Math.round(excitatoryFraction * sources);
  return Int8Array.from({ length: sources }, (_, i) => (i < excitatory ? 1 : -1));
}
