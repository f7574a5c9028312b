/** Connections into a layer: all of them, a fraction drawn once, or a convolution; and which of their sources excite. */
import { exitCode, UserError } from "../../base/errors.ts";
import { isShared, type ProjectionSpec } from "../../learning/gradient/spec.ts";
import { convolution } from "../../network/convolution.ts";
import { fromGathered, fullRows } from "../../network/pooling.ts";
import { channelsOf, type Shape, sizeOf } from "../../network/shape.ts";
import { streamOfName } from "../../random/draws.ts";
import { Philox } from "../../random/philox.ts";
import { type PlacedLayer, skipWindow, windowOf } from "./place-layers.ts";
import type { ConvolutionalLayer, LayerSettings, SpikingLayer } from "./schema.ts";
import type { View } from "./views.ts";

type Connectivity = ProjectionSpec["connectivity"];

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

const mostPlaces = 2 ** 32 - 1;
const mostSynapses = 2 ** 27;

/**
 * Each set of so many connections is equally likely.
 * @param path the place of the fraction in the experiment, which names the random stream too
 */
function drawConnections(fraction: number, sources: number, targets: number, seed: number, path: string): Connectivity {
  if (fraction === 1) return "dense";
  const total = sources * targets;
  const synapses = Math.max(1, Math.round(fraction * total));
  if (total > mostPlaces || synapses > mostSynapses) {
    throw new UserError(
      `${path} is ${fraction}: ${synapses} of ${sources} x ${targets} connections are more than can be drawn ` +
        `(${mostSynapses} of ${mostPlaces}); lower it, or use fewer neurons`,
    );
  }
  const places = new Philox(seed).sample(streamOfName(path), total, synapses).sort();
  const offsets = new Uint32Array(sources + 1);
  for (const place of places) offsets[Math.floor(place / targets) + 1]++;
  for (let i = 0; i < sources; i++) offsets[i + 1] += offsets[i];
  return { offsets, targets: places.map((place) => place % targets) };
}

/** All connections, or a fraction of them; where neurons are pooled, those of a window share their weights. */
export function denseConnections(
  fraction: number,
  { gathered, name }: View,
  targets: number,
  seed: number,
  path: string,
): Connectivity {
  const places = sizeOf(gathered.shape);
  if (gathered.places === null) return drawConnections(fraction, places, targets, seed, path);
  if (fraction < 1) {
    refuse(`${path} is ${fraction}, but "${name}" is pooled and its connections are shared; set it to 1`);
  }
  return fromGathered(gathered, fullRows(places, targets), path);
}

export function convolutionOf(
  layer: ConvolutionalLayer,
  i: number,
  { gathered }: View,
  first: View,
  own: Shape,
): Connectivity {
  const path = `network.layers.${i}`;
  const window = windowOf(layer, i, first.gathered.shape);
  const seen = skipWindow(gathered.shape, first.gathered.shape, own, window) ?? window;
  const { filters, groups } = layer;
  return fromGathered(gathered, convolution(gathered.shape, { window: seen, filters, groups }, path), path);
}

/** Channels of the samples excite; of a layer the first neurons, or filters, do. One sign per row of weights. */
export function signsOf(
  layers: readonly LayerSettings[],
  placed: readonly PlacedLayer[],
  { source, origin, gathered }: View,
  connectivity: Connectivity,
  path: string,
): Int8Array {
  const rows = isShared(connectivity) ? connectivity.rows : sizeOf(gathered.shape);
  if (source === "input") return new Int8Array(rows).fill(1);
  const { excitatoryFraction, name } = layers[origin] as SpikingLayer;
  if (excitatoryFraction === null) {
    refuse(
      `${path}: the constraint is "dale", but it is not said which neurons of "${name}" excite; ` +
        `give network.layers.${origin}.excitatoryFraction, for example 0.8`,
    );
  }
  // Channels lie last, in every layer and in the rows of a convolution.
  const channels = channelsOf(placed[origin].shape);
  const excitatory = Math.round(excitatoryFraction * channels);
  return Int8Array.from({ length: rows }, (_, i) => (i % channels < excitatory ? 1 : -1));
}
