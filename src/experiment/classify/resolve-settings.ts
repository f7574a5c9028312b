/**
 * The first half of resolving an experiment: every `"auto"` is replaced, and what excludes each other is refused. The
 * result is kept in the run folder and resolves to itself.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import type { SetInfo } from "../../data/encoding/encoder.ts";
import { type EncoderDescription, makeEncoder } from "../../data/encoding/make-encoder.ts";
import { findModel } from "../../learning/gradient/compile.ts";
import { type InitialWeights, initialWeightKinds } from "../../learning/initialisation/descriptions.ts";
import { type Complete, complete } from "../../learning/losses/description.ts";
import { type LossDescription, lossKinds } from "../../learning/losses/loss.ts";
import type { ParametrisationDescription } from "../../learning/optimisers/parametrisation.ts";
import type { Model, PerNeuron } from "../../model/define.ts";
import { channelsOf, type Shape, sizeOf } from "../../network/shape.ts";
import { resolveConstant } from "../constants.ts";
import { completeConstants } from "./heterogeneity.ts";
import { input, layerNames, type PlacedLayer, placeLayers } from "./place-layers.ts";
import { type ClassifyExperiment, hasNeurons, isSpiking, type LayerSettings, type SpikingLayer } from "./schema.ts";

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
  /** How the channels lie in space. */
  readonly inputShape: Shape;
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

/**
 * Parameters of a population, numbers drawn where a distribution was given.
 * @param shape of the layer: where it has places, one number belongs to each channel, wherever it lies
 */
export function drawParameters(settings: SpikingLayer["model"], path: string, shape: Shape, seed: number) {
  const channels = channelsOf(shape);
  const everywhere = (values: PerNeuron): PerNeuron =>
    typeof values === "number" || shape.length === 1
      ? values
      : Float32Array.from({ length: sizeOf(shape) }, (_, i) => values[i % channels]);
  return Object.fromEntries(
    Object.entries(settings.parameters).map(([name, value]) => [
      name,
      everywhere(resolveConstant(value, `${path}.model.parameters.${name}`, channels, seed)),
    ]),
  );
}

type Trainable = SpikingLayer["trainable"];

async function resolveTrainable(
  settings: Pick<SpikingLayer, "model" | "trainable">,
  path: string,
  shape: Shape,
  { seed, network: { dtMs } }: ClassifyExperiment,
): Promise<Trainable> {
  const names = Object.keys(settings.trainable);
  if (names.length === 0) return {};
  const model = await findModel(settings.model.type);
  const parameters = drawParameters(settings.model, path, shape, seed);
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

/** Which words exclude each other, whatever the data. */
function checkRule({ data, learning, network }: ClassifyExperiment): void {
  const { rule, feedback } = learning;
  if (rule === "bptt" && feedback !== "symmetric") {
    refuse(
      `learning.feedback is "${feedback}", but with the rule "bptt" errors flow back through the weights themselves; ` +
        'use the rule "eprop", or leave feedback out',
    );
  }
  if (rule === "eprop" && network.readout.from === "last" && network.layers.filter(isSpiking).length > 1) {
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
  for (const [i, layer] of network.layers.entries()) {
    if (layer.type !== "dense") continue;
    const { deepR, connections, recurrent, recurrentConnections } = layer;
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

/** What neurons are taken to fire at where nothing is known of it. */
const assumedRateHz = 10;

/** Weights of layers that are excited and inhibited, by Dale's law. */
const daleScheme = complete("initial", { type: "daleFluctuation" } as InitialWeights, initialWeightKinds);

/**
 * Weights that make the membranes of a layer fluctuate as they should, where what reaches it are spikes; of currents, and
 * into a readout, weights of the plain scale.
 * @param rate of the sources; null: they are currents
 * @param scheme what takes the place of `fluctuation`
 */
function resolveInitial(
  given: SpikingLayer["initial"],
  rate: number | "data" | null,
  scheme: Complete<InitialWeights> | null = null,
) {
  if (given !== "auto") return given;
  if (scheme !== null && !("rate" in scheme && scheme.rate === "data")) return scheme;
  if (scheme !== null && rate !== null) return { ...scheme, rate };
  const description: InitialWeights = rate === null ? { type: "normal" } : { type: "fluctuation", rate };
  return complete("initial", description, initialWeightKinds);
}

/** Whether some of what reaches a layer inhibits it, by Dale's law. */
function isInhibited(layers: readonly LayerSettings[], placed: readonly PlacedLayer[], index: number): boolean {
  const layer = layers[index];
  if (!isSpiking(layer) || layer.constraint?.type !== "dale") return false;
  const inhibits = (one: LayerSettings) => isSpiking(one) && (one.excitatoryFraction ?? 1) < 1;
  return (layer.recurrent && inhibits(layer)) || placed[index].from.some((i) => i !== input && inhibits(layers[i]));
}

/** Whether what a layer passes on is the input, pooled or flattened perhaps. */
function seesInput(layers: readonly LayerSettings[], placed: readonly PlacedLayer[], index: number): boolean {
  if (index === input) return true;
  return !hasNeurons(layers[index]) && placed[index].from.every((below) => seesInput(layers, placed, below));
}

/**
 * The experiment without any "auto".
 * @param asked with the encoder of `resolveEncoder`
 * @throws UserError for settings that exclude each other
 */
export async function resolveSettings(asked: ClassifyExperiment, facts: DataFacts): Promise<ClassifyExperiment> {
  checkRule(asked);
  const given = await completeConstants(asked);
  const { network, learning } = given;
  const names = layerNames(network.layers);
  const placed = placeLayers(network.layers, names, facts.inputShape);
  const neurons = network.readout.neurons === "auto" ? facts.outputs : network.readout.neurons;
  const fits = facts.hasClasses ? neurons >= facts.outputs : neurons === facts.outputs;
  if (!fits) {
    const what = facts.hasClasses ? "classes" : "curves";
    refuse(`network.readout.neurons is ${neurons}, but the data have ${facts.outputs} ${what}; leave it out`);
  }
  const from = network.readout.from === "auto" ? (learning.rule === "eprop" ? "all" : "last") : network.readout.from;
  for (const [r, { layers = [] }] of learning.regularise.entries()) {
    const known = names.filter((_, i) => isSpiking(network.layers[i]));
    const unknown = layers.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      refuse(`learning.regularise.${r}.layers names "${unknown}"; the layers are ${known.join(", ")}`);
    }
  }
  const spikes = facts.rateHz !== null && facts.rateHz > 0;
  // Layers are taken to fire as the data do.
  const ofLayers = spikes ? "data" : assumedRateHz;
  return {
    ...given,
    network: {
      ...network,
      layers: await Promise.all(
        network.layers.map(async (layer, i): Promise<LayerSettings> => {
          const { from, shape } = placed[i];
          const own = {
            name: names[i],
            from: from.map((index) => (index === input ? "input" : names[index])),
            neurons: sizeOf(shape),
          };
          if (layer.type === "pool")
            return { ...layer, ...own, stride: layer.stride === "auto" ? layer.size : layer.stride };
          if (layer.type === "flatten") return { ...layer, ...own };
          const scheme = network.initialisation.weights ?? (isInhibited(network.layers, placed, i) ? daleScheme : null);
          const seesCurrents = !spikes && from.every((index) => seesInput(network.layers, placed, index));
          return {
            ...layer,
            ...own,
            initial: resolveInitial(layer.initial, seesCurrents ? null : ofLayers, scheme),
            recurrentInitial: resolveInitial(layer.recurrentInitial, ofLayers, scheme),
            trainable: await resolveTrainable(layer, `network.layers.${i}`, shape, given),
          };
        }),
      ),
      readout: {
        ...network.readout,
        neurons,
        from,
        initial: resolveInitial(network.readout.initial, null),
        trainable: await resolveTrainable(network.readout, "network.readout", [neurons], given),
      },
    },
    learning: { ...learning, loss: resolveLoss(given, facts.hasClasses) },
  };
}
