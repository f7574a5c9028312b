/**
 * A small network with everything that depth needs: a convolution, max pooling, a convolution in groups behind average
 * pooling, a recurrent convolution, dropout, and a skip connection past all of it.
 */
import type { Surrogate } from "../../src/expression/node.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import {
  type GradientNetwork,
  type NetworkValues,
  type ProjectionSpec,
  synapseCount,
} from "../../src/learning/gradient/spec.ts";
import { readoutModels } from "../../src/model/built-in.ts";
import { Or, straightThrough } from "../../src/model/pooling.ts";
import { resolveModel } from "../../src/model/resolve.ts";
import { convolution, type SpaceWindow, windowedShape } from "../../src/network/convolution.ts";
import { asTheyAre, fromGathered, gather, poolingConnections } from "../../src/network/pooling.ts";
import { type Shape, sizeOf } from "../../src/network/shape.ts";
import { openDraws } from "../../src/random/draws.ts";

const window = (kernel: number, stride: number, padding: number): SpaceWindow => ({
  kernel: [kernel, kernel],
  stride: [stride, stride],
  padding: [padding, padding],
});

/** @param options.shape of the input. Default 6 x 6 places with 2 channels. */
export function deepNetwork(options: { readonly dropout?: number; readonly shape?: Shape } = {}): GradientNetwork {
  const { dropout = 0.25, shape: inputShape = [6, 6, 2] } = options;
  const firstWindow = window(3, 1, 1);
  const first = convolution(inputShape, { window: firstWindow, filters: 8, groups: 1 }, "first");
  const firstShape = windowedShape(inputShape, firstWindow, 8, "first");
  const poolWindow = window(2, 2, 0);
  const pooled = windowedShape(firstShape, poolWindow, 8, "pool");
  const gathered = gather(asTheyAre(pooled), window(2, 1, 0), "average", "average");
  const secondWindow = window(2, 1, 1);
  const second = convolution(gathered.shape, { window: secondWindow, filters: 6, groups: 2 }, "second");
  const secondShape = windowedShape(gathered.shape, secondWindow, 6, "second");
  const projection = (
    name: string,
    source: number | "input",
    target: number,
    connectivity: ProjectionSpec["connectivity"],
    more: Partial<ProjectionSpec> = {},
  ): ProjectionSpec => ({
    name,
    source,
    target,
    delaySteps: 0,
    connectivity,
    backward: source === "input" ? "none" : "weights",
    trained: true,
    ...more,
  });
  const neurons = (name: string, size: number, surrogate: Surrogate) => ({
    name,
    size,
    model: resolveModel({ type: "CuBaLIF", parameters: {} }, size),
    surrogate,
    detachReset: true,
    trainable: ["tauMemMs"],
    bias: false,
    dropout,
  });
  return {
    dtMs: 1,
    inputs: sizeOf(inputShape),
    populations: [
      neurons("first", sizeOf(firstShape), surrogates.triangle(0.5, 0.8)),
      {
        name: "pool",
        size: sizeOf(pooled),
        model: resolveModel({ type: "Or", parameters: {} }, sizeOf(pooled), Or),
        surrogate: straightThrough,
        detachReset: true,
        trainable: [],
        bias: false,
      },
      neurons("second", sizeOf(secondShape), surrogates.fastSigmoid(3)),
      {
        name: "readout",
        size: 3,
        model: resolveModel({ type: "LI", parameters: {} }, 3, readoutModels.LI),
        surrogate: surrogates.none(),
        detachReset: true,
        trainable: [],
        bias: true,
      },
    ],
    projections: [
      projection("convolution", "input", 0, first),
      projection(
        "recurrent",
        0,
        0,
        convolution(firstShape, { window: window(3, 1, 1), filters: 8, groups: 1 }, "first"),
        { delaySteps: 1 },
      ),
      projection("pooling", 0, 1, poolingConnections(asTheyAre(firstShape), poolWindow, "pool"), { trained: false }),
      projection("grouped", 1, 2, fromGathered(gathered, second, "second"), { gain: gathered.gain }),
      projection("skip", "input", 2, "dense", { delaySteps: 2 }),
      projection("output", 2, 3, "dense"),
      projection("second skip", 0, 3, "dense", { delaySteps: 1 }),
    ],
    readout: 3,
  };
}

/** Weights that keep every layer alive; those of the pooling are 1. */
export function deepValues(network: GradientNetwork, seed: number): NetworkValues<Float32Array<ArrayBuffer>> {
  const draws = openDraws(seed, "deep network");
  const scales = [2.2, 0.3, 0, 4, 0.5, 0.3, 0.1];
  return {
    weights: network.projections.map((projection, k) =>
      Float32Array.from({ length: synapseCount(network, projection) }, () =>
        projection.trained ? scales[k] * (0.3 + draws.normal()) : 1,
      ),
    ),
    bias: network.populations.map(({ bias, size }) => (bias ? new Float32Array(size) : null)),
    constants: network.populations.map(({ trainable, size, model }) =>
      Object.fromEntries(
        trainable.map((name) => [name, new Float32Array(size).fill(model.parameters[name] as number)]),
      ),
    ),
  };
}
