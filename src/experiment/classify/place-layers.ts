/** Which layers a layer receives from, and the shape that follows from theirs. */
import { didYouMean, exitCode, UserError } from "../../base/errors.ts";
import { type SpaceWindow, windowedShape } from "../../network/convolution.ts";
import { channelsOf, type Shape, shapeText, sizeOf, spaceOf } from "../../network/shape.ts";
import { type ConvolutionalLayer, isSpiking, type LayerSettings, type PoolLayer } from "./schema.ts";

/** Stands for the channels of the samples in the place of the index of a layer. */
export const input = -1;

export interface PlacedLayer {
  /** Indices of layers, or `input`. */
  readonly from: readonly number[];
  readonly shape: Shape;
}

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

const words = { dense: "hidden", conv1d: "conv", conv2d: "conv", pool: "pool", flatten: "flatten" };
const taken = ["input", "readout", "output", "recurrent"];

/** Names of all layers, none twice. */
export function layerNames(layers: readonly LayerSettings[]): string[] {
  const names = layers.map(({ name, type }, i) =>
    name === "auto" ? `${words[type]}${layers.length === 1 ? "" : i + 1}` : name,
  );
  for (const [i, name] of names.entries()) {
    if (!/^[A-Za-z][\w-]*$/.test(name) || taken.includes(name)) {
      refuse(`network.layers.${i}.name is "${name}"; use letters, digits, - and _, and not a word such as "readout"`);
    }
    if (names.indexOf(name) !== i) refuse(`two layers have the name "${name}"; name them differently`);
  }
  return names;
}

const nameOf = (names: readonly string[], index: number): string => (index === input ? "input" : names[index]);

function sourcesOf({ from, type }: LayerSettings, i: number, names: readonly string[]): number[] {
  if (from === "auto") return [i - 1];
  const path = `network.layers.${i}.from`;
  const sources = from.map((name, at) => {
    const index = name === "input" ? input : names.indexOf(name);
    if (index === input && name !== "input") {
      const known = ["input", ...names.slice(0, i)];
      const hint = didYouMean(name, known) || `; before it come ${known.join(", ")}`;
      refuse(`${path} names "${name}", but there is no such layer${hint}`);
    }
    if (index >= i) {
      refuse(
        `${path} names "${name}", which is computed ${index === i ? "as this layer is" : "after it"}; name layers before ` +
          'it (connections of a layer with itself are "recurrent")',
      );
    }
    if (from.indexOf(name) !== at) refuse(`${path} names "${name}" twice`);
    return index;
  });
  if (sources.length > 1 && (type === "pool" || type === "flatten")) {
    refuse(
      `${path} names ${sources.length} layers, but a layer of type "${type}" sees one; add up in a layer with weights`,
    );
  }
  return sources;
}

/** One number per axis of space. @param key of the layer, for messages */
export function perAxis(given: number | readonly number[], shape: Shape, path: string): readonly number[] {
  const axes = spaceOf(shape);
  if (typeof given === "number") return axes.map(() => given);
  if (given.length === axes.length) return given;
  return refuse(
    `${path} is [${given.join(", ")}], but the layer below has ${axes.length === 1 ? "one axis" : `${axes.length} axes`}; ` +
      "give one number, or one for every axis",
  );
}

/** The window that a layer sees the first of its sources through. */
export function windowOf(layer: ConvolutionalLayer | PoolLayer, i: number, shape: Shape): SpaceWindow {
  const path = `network.layers.${i}`;
  const [name, size, stride] =
    layer.type === "pool"
      ? ["size", layer.size, layer.stride === "auto" ? layer.size : layer.stride]
      : ["kernel", layer.kernel, layer.stride];
  const window = {
    kernel: perAxis(size, shape, `${path}.${name}`),
    stride: perAxis(stride, shape, `${path}.stride`),
    padding: perAxis(layer.padding, shape, `${path}.padding`),
  };
  const wide = window.padding.findIndex((padding, axis) => padding >= window.kernel[axis]);
  if (wide >= 0) {
    refuse(
      `${path}.padding is ${window.padding[wide]}, but a window of ${window.kernel[wide]} places would then see none ` +
        `at the ends; give less than ${window.kernel[wide]}`,
    );
  }
  return window;
}

/**
 * The window of a convolution on another of its sources: the same where that has the height and width of the first, else a
 * kernel of one place whose stride brings it to those of the layer (He et al., CVPR 2016, option B).
 */
export function skipWindow(shape: Shape, first: Shape, own: Shape, window: SpaceWindow): SpaceWindow | null {
  const [places, wanted] = [spaceOf(shape), spaceOf(own)];
  if (places.length !== wanted.length) return null;
  if (spaceOf(first).every((extent, axis) => extent === places[axis])) return window;
  const stride = places.map((extent, axis) => Math.ceil(extent / wanted[axis]));
  const fits = places.every((extent, axis) => Math.ceil(extent / stride[axis]) === wanted[axis]);
  return fits ? { kernel: places.map(() => 1), stride, padding: places.map(() => 0) } : null;
}

/** Words for a shape in a message. */
const described = (name: string, shape: Shape): string =>
  shape.length === 1 ? `"${name}" has ${shape[0]} neurons without neighbours` : `"${name}" has ${shapeText(shape)}`;

/** Axes that a layer needs, channels included: as people write them. */
const needs = { conv1d: "[length, channels]", conv2d: "[height, width, channels]", pool: "space" };

function checkAxes(type: keyof typeof needs, i: number, name: string, shape: Shape): void {
  const fits = type === "pool" ? shape.length > 1 : shape.length === (type === "conv1d" ? 2 : 3);
  if (fits) return;
  refuse(
    `network.layers.${i} is a layer of type "${type}", which needs ${needs[type]} below it, but ${described(name, shape)}; ` +
      "choose another type, or say the shape of the samples in data.reading.shape",
  );
}

/**
 * Sources and shape of every layer.
 * @param names from `layerNames`
 * @param inputShape of the encoder
 * @throws UserError for layers that cannot follow each other
 */
export function placeLayers(
  layers: readonly LayerSettings[],
  names: readonly string[],
  inputShape: Shape,
): PlacedLayer[] {
  if (!layers.some(isSpiking)) {
    refuse("network.layers has no layer that learns, only other views of the input; add a dense or convolutional one");
  }
  const placed: PlacedLayer[] = [];
  const shapeAt = (index: number): Shape => (index === input ? inputShape : placed[index].shape);
  for (const [i, layer] of layers.entries()) {
    const from = sourcesOf(layer, i, names);
    const shape = shapeOf(
      layer,
      i,
      from.map(shapeAt),
      from.map((index) => nameOf(names, index)),
    );
    if (layer.neurons !== "auto" && layer.neurons !== sizeOf(shape)) {
      refuse(
        `network.layers.${i}.neurons is ${layer.neurons}, but its shape is ${shapeText(shape)} = ${sizeOf(shape)}; ` +
          "leave it out",
      );
    }
    placed.push({ from, shape });
  }
  return placed;
}

function shapeOf(layer: LayerSettings, i: number, sources: readonly Shape[], names: readonly string[]): Shape {
  const [first] = sources;
  switch (layer.type) {
    case "dense":
      return [layer.neurons];
    case "flatten":
      return [sizeOf(first)];
    case "pool":
      checkAxes("pool", i, names[0], first);
      return windowedShape(first, windowOf(layer, i, first), channelsOf(first), `network.layers.${i}`);
    default: {
      for (const [k, shape] of sources.entries()) checkAxes(layer.type, i, names[k], shape);
      const window = windowOf(layer, i, first);
      const own = windowedShape(first, window, layer.filters, `network.layers.${i}`);
      const apart = sources.findIndex((shape) => skipWindow(shape, first, own, window) === null);
      if (apart >= 0) {
        refuse(
          `network.layers.${i}.from names "${names[apart]}" of ${shapeText(sources[apart])}, which no stride brings to the ` +
            `${shapeText(spaceOf(own))} places of the layer; pool or pad so that they fit`,
        );
      }
      return own;
    }
  }
}
