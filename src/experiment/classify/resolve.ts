/** The second half of resolving an experiment: populations, projections and the plan of learning, as the engine takes them. */
import { exitCode, UserError } from "../../base/errors.ts";
import type { InitialWeights } from "../../learning/gradient/initial-weights.ts";
import type { BackwardPath, ProjectionSpec } from "../../learning/gradient/spec.ts";
import type { LearningPlan, ProjectionPlan } from "../../learning/gradient/trainer.ts";
import type { PopulationChoice, TrainingSpec } from "../../learning/gradient/training-spec.ts";
import type { LossDescription } from "../../learning/losses/loss.ts";
import type { ParametrisationDescription } from "../../learning/optimisers/parametrisation.ts";
import { readoutModels } from "../../model/built-in.ts";
import { drawConnections } from "./connections.ts";
import { drawParameters } from "./resolve-settings.ts";
import type { ClassifyExperiment, LayerSettings, ReadoutSettings } from "./schema.ts";
import { type DataSummary, encoderOf } from "./summary.ts";

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
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
