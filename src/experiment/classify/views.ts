/** What every layer passes on: whose spikes, and how layers above see them. */
import { asTheyAre, flattened, type Gathered, gather } from "../../network/pooling.ts";
import type { Shape } from "../../network/shape.ts";
import { input, type PlacedLayer, windowOf } from "./place-layers.ts";
import { hasNeurons, isSpiking, type LayerSettings } from "./schema.ts";

/** The model of max pooling: it spikes when anything arrives. */
export const maximumModel = "Or";

export interface View {
  /** Of the layer, or "input". */
  readonly name: string;
  /** Index of the population whose spikes these are. */
  readonly source: number | "input";
  /** Index of the layer with weights that they come from, through pools; `input`. */
  readonly origin: number;
  readonly gathered: Gathered;
}

export interface Views {
  /** Of a layer, or of `input`. */
  at(index: number): View;
  /** Index of the population of a layer that has neurons. */
  population(index: number): number;
  /** Populations of layers; the readout's index. */
  readonly populations: number;
}

/** @param layers of an experiment without "auto". @param placed of these layers */
export function viewsOf(layers: readonly LayerSettings[], placed: readonly PlacedLayer[], inputShape: Shape): Views {
  const ofInput: View = { name: "input", source: "input", origin: input, gathered: asTheyAre(inputShape) };
  const views: View[] = [];
  const at = (index: number): View => (index === input ? ofInput : views[index]);
  let populations = 0;
  for (const [i, layer] of layers.entries()) {
    const below = at(placed[i].from[0]);
    const { name } = layer;
    if (hasNeurons(layer)) {
      const origin = isSpiking(layer) ? i : below.origin;
      views.push({ name, source: populations++, origin, gathered: asTheyAre(placed[i].shape) });
    } else if (layer.type === "pool") {
      const window = windowOf(layer, i, below.gathered.shape);
      const method = layer.method === "average" ? "average" : "sum";
      views.push({ ...below, name, gathered: gather(below.gathered, window, method, `network.layers.${i}`) });
    } else views.push({ ...below, name, gathered: flattened(below.gathered) });
  }
  return { at, population: (index) => views[index].source as number, populations };
}

/**
 * Indices of the views that a readout of all layers sees: every layer with weights, through the pools that follow it, so
 * that it need not look at every place.
 */
export function lastViewOfEach(layers: readonly LayerSettings[], placed: readonly PlacedLayer[]): number[] {
  return layers.flatMap((layer, i) => {
    if (!isSpiking(layer)) return [];
    let last = i;
    while (last + 1 < layers.length && !isSpiking(layers[last + 1]) && placed[last + 1].from[0] === last) last++;
    return [last];
  });
}

/** A layer that has neurons, as people should read of it. */
export interface NeuronLayer {
  readonly name: string;
  readonly neurons: number;
  /** As it is named: perhaps the address of a module. */
  readonly model: string;
}

/** In the order of populations. @param layers of an experiment without "auto" */
export const neuronLayers = (layers: readonly LayerSettings[]): NeuronLayer[] =>
  layers.filter(hasNeurons).map((layer) => ({
    name: layer.name,
    neurons: layer.neurons as number,
    model: isSpiking(layer) ? layer.model.type : maximumModel,
  }));
