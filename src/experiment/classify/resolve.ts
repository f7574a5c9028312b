/** The second half of resolving an experiment: populations, projections and the plan of learning, as the engine takes them. */
import { exitCode, UserError } from "../../base/errors.ts";
import { findModel } from "../../learning/gradient/compile.ts";
import { type LearningPlan, type ProjectionPlan, unconstrained } from "../../learning/gradient/learning-plan.ts";
import { type BackwardPath, isSparse, type ProjectionSpec } from "../../learning/gradient/spec.ts";
import type { PopulationChoice, TrainingSpec } from "../../learning/gradient/training-spec.ts";
import type { InitialWeights } from "../../learning/initialisation/descriptions.ts";
import type { LossDescription } from "../../learning/losses/loss.ts";
import type { ParametrisationDescription } from "../../learning/optimisers/parametrisation.ts";
import { readoutModels } from "../../model/built-in.ts";
import { recurrentConvolution } from "../../network/convolution.ts";
import { poolingConnections } from "../../network/pooling.ts";
import { channelsOf, type Shape, sizeOf } from "../../network/shape.ts";
import { convolutionOf, denseConnections, signsOf } from "./connections.ts";
import { checkInputs, checkReadoutInputs, partsByInput } from "./neuron-inputs.ts";
import { layerNames, perAxis, placeLayers, windowOf } from "./place-layers.ts";
import { drawParameters } from "./resolve-settings.ts";
import { type ClassifyExperiment, hasNeurons, isSpiking, type PoolLayer, type SpikingLayer } from "./schema.ts";
import { type DataSummary, encoderOf } from "./summary.ts";
import { lastViewOfEach, maximumModel, type View, viewsOf } from "./views.ts";

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
export async function resolveNetwork(resolved: ClassifyExperiment, summary: DataSummary): Promise<ResolvedNetwork> {
  const { network, learning, seed } = resolved;
  const { layers, readout } = network;
  const encoder = encoderOf(resolved, summary.info);
  const readoutNeurons = readout.neurons as number;
  for (const [i, layer] of layers.entries()) {
    if (isSpiking(layer) && Object.hasOwn(readoutModels, layer.model.type)) {
      refuse(`network.layers.${i}.model.type is "${layer.model.type}", a readout that never spikes; choose a neuron`);
    }
  }
  /** By layer: inputs of its neurons. */
  const inputsOf = await Promise.all(
    layers.map(async (layer, i): Promise<readonly string[]> => {
      if (!isSpiking(layer)) return [];
      const model = await findModel(layer.model.type);
      checkInputs(model, layer, `network.layers.${i}`);
      return model.inputs;
    }),
  );
  const readoutModel = await findModel(readout.model.type);
  checkReadoutInputs(readoutModel, readout.model.type);
  const placed = placeLayers(layers, layerNames(layers), encoder.shape);
  const views = viewsOf(layers, placed, encoder.shape);
  const exact = learning.rule === "bptt";
  const toReadout: BackwardPath = learning.feedback === "symmetric" ? "weights" : "feedback";
  const alone = layers.filter(isSpiking).length === 1;

  /** A connection with weights that are learned: one, or one for each input of the target. */
  const connect = (
    name: string,
    path: string,
    view: View,
    target: number,
    inputs: readonly string[],
    whole: ProjectionSpec["connectivity"],
    own: {
      readonly initial: SpikingLayer["initial"];
      readonly constraint: SpikingLayer["constraint"];
      readonly deepR: number | null;
      readonly delaySteps: number;
      readonly backward: BackwardPath;
    },
  ): Connection[] => {
    const { gain } = view.gathered;
    const allSigns = own.constraint?.type === "dale" ? signsOf(layers, placed, view, whole, path) : null;
    const parts = partsByInput(inputs, view, whole, allSigns, path);
    return parts.map(({ suffix, ends, connectivity, signs }) => ({
      projection: {
        name: `${name}${suffix}`,
        source: view.source,
        target,
        ...ends,
        delaySteps: own.delaySteps,
        connectivity,
        backward: own.backward,
        trained: true,
        ...(gain === 1 ? {} : { gain }),
      },
      plan: {
        initial: own.initial as InitialWeights,
        constraint: own.constraint,
        signs,
        penalty: learning.weightPenalty,
        deepR: isSparse(connectivity) ? own.deepR : null,
      },
    }));
  };

  const below = (layer: SpikingLayer, i: number): Connection[] =>
    placed[i].from.flatMap((index, k) => {
      const view = views.at(index);
      const path = `network.layers.${i}`;
      const where = k === 0 ? `${path}.connections` : `${path}.connections.${k}`;
      const connectivity =
        layer.type === "dense"
          ? denseConnections(layer.connections, view, layer.neurons, seed, where)
          : convolutionOf(layer, i, view, views.at(placed[i].from[0]), placed[i].shape);
      const name = view.name === "input" && i === 0 ? "input" : `${view.name}-${layer.name}`;
      const backward = view.source === "input" || !exact ? "none" : "weights";
      const deepR = layer.type === "dense" ? layer.deepR : null;
      const target = views.population(i);
      return connect(name, path, view, target, inputsOf[i], connectivity, { ...layer, deepR, backward });
    });

  const within = (layer: SpikingLayer, i: number): Connection[] => {
    if (!layer.recurrent) return [];
    const view = views.at(i);
    const path = `network.layers.${i}`;
    const connectivity =
      layer.type === "dense"
        ? denseConnections(layer.recurrentConnections, view, layer.neurons, seed, `${path}.recurrentConnections`)
        : recurrentConvolution(
            placed[i].shape,
            perAxis(layer.recurrentKernel, placed[i].shape, `${path}.recurrentKernel`),
            path,
          );
    const own = {
      ...layer,
      initial: layer.recurrentInitial,
      delaySteps: layer.recurrentDelaySteps,
      deepR: layer.type === "dense" ? layer.deepR : null,
      backward: exact ? "weights" : "none",
    } as const;
    const name = alone ? "recurrent" : `${layer.name}.recurrent`;
    return connect(name, path, view, views.population(i), inputsOf[i], connectivity, own);
  };

  const connections = [
    ...layers.flatMap((layer, i) => {
      if (isSpiking(layer)) return [...below(layer, i), ...within(layer, i)];
      return hasNeurons(layer) ? [maximumOf(layer, i, views.at(placed[i].from[0]), views.population(i))] : [];
    }),
    ...(readout.from === "last" ? [layers.length - 1] : lastViewOfEach(layers, placed)).flatMap((index) => {
      const view = views.at(index);
      const path = `network.readout.connections.${view.origin}`;
      const connectivity = denseConnections(readout.connections, view, readoutNeurons, seed, path);
      if (toReadout === "feedback" && connectivity !== "dense") {
        refuse(
          `learning.feedback is "${learning.feedback}", which needs a weight from every neuron to the readout, but ` +
            `"${view.name}" gathers them; use "symmetric", or pool with the method "max"`,
        );
      }
      const name = alone ? "output" : `${view.name}-readout`;
      return connect(name, "network.readout", view, views.populations, readoutModel.inputs, connectivity, {
        ...readout,
        backward: toReadout,
      });
    }),
  ];

  const spec: TrainingSpec = {
    seed,
    dtMs: network.dtMs,
    inputs: encoder.channels,
    populations: [
      ...layers.flatMap((layer, i): PopulationChoice[] =>
        hasNeurons(layer) ? [populationOf(layer, placed[i].shape, `network.layers.${i}`, seed)] : [],
      ),
      {
        name: "readout",
        size: readoutNeurons,
        model: {
          type: readout.model.type,
          parameters: drawParameters(readout.model, "network.readout", [readoutNeurons], seed),
        },
        detachReset: true,
        trainable: Object.keys(readout.trainable),
        bias: readout.bias,
      },
    ],
    projections: connections.map(({ projection }) => projection),
    readout: views.populations,
    loss: learning.loss as LossDescription,
    regularisers: layers.flatMap((layer, i) =>
      !isSpiking(layer)
        ? []
        : learning.regularise
            .filter(({ layers: wanted }) => wanted === undefined || wanted.includes(layer.name))
            .map(({ layers: _, ...description }) => ({ population: views.population(i), description })),
    ),
    truncateSteps: learning.truncateSteps,
    lanes: learning.lanes,
    relaxed: false,
    tape: learning.tape,
    products: learning.products,
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
    constants: [
      ...layers.flatMap((layer, i) =>
        isSpiking(layer) ? [{ population: views.population(i), trainable: layer.trainable }] : [],
      ),
      { population: views.populations, trainable: readout.trainable },
    ].flatMap(({ population, trainable }) =>
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

function populationOf(layer: SpikingLayer | PoolLayer, shape: Shape, path: string, seed: number): PopulationChoice {
  const size = sizeOf(shape);
  if (!isSpiking(layer)) {
    return {
      name: layer.name,
      size,
      model: { type: maximumModel, parameters: {} },
      detachReset: true,
      trainable: [],
      bias: false,
    };
  }
  return {
    name: layer.name,
    size,
    ...(shape.length === 1 ? {} : { filters: channelsOf(shape) }),
    model: { type: layer.model.type, parameters: drawParameters(layer.model, path, shape, seed) },
    surrogate: layer.surrogate,
    detachReset: layer.detachReset,
    trainable: Object.keys(layer.trainable),
    bias: layer.bias,
    ...(layer.dropout === 0 ? {} : { dropout: layer.dropout }),
  };
}

/** Spikes of a window to the neuron that spikes when any of them does. */
function maximumOf(layer: PoolLayer, i: number, view: View, target: number): Connection {
  const path = `network.layers.${i}`;
  const rows = poolingConnections(view.gathered, windowOf(layer, i, view.gathered.shape), path);
  return {
    projection: {
      name: `${view.name}-${layer.name}`,
      source: view.source,
      target,
      delaySteps: 0,
      connectivity: rows,
      // A maximum has no state: also for e-prop it is part of what the neurons below send.
      backward: view.source === "input" ? "none" : "weights",
      trained: false,
    },
    plan: unconstrained(new Float32Array(rows.targets.length).fill(1)),
  };
}
