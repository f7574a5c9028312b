/** Networks and Poisson samples for tests of what weights do to membranes. */
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import type { GradientNetwork, PopulationSpec, ProjectionSpec } from "../../src/learning/gradient/spec.ts";
import type { InitialWeights } from "../../src/learning/initialisation/descriptions.ts";
import type { Start } from "../../src/learning/initialisation/draw.ts";
import { poolingModels, readoutModels } from "../../src/model/built-in.ts";
import type { PerNeuron } from "../../src/model/define.ts";
import { builtInModel, resolveModel } from "../../src/model/resolve.ts";
import { Philox } from "../../src/random/philox.ts";
import { streamKind, streamOf } from "../../src/random/streams.ts";

export function population(
  size: number,
  parameters: Record<string, PerNeuron> = { tauMemMs: 20, tauSynMs: 10 },
  type = "StorkLIF",
  name = "hidden",
): PopulationSpec {
  const model = readoutModels[type] ?? poolingModels[type] ?? builtInModel(type);
  return {
    name,
    size,
    model: resolveModel({ type, parameters }, size, model),
    surrogate: surrogates.fastSigmoid(20),
    detachReset: true,
    trainable: [],
    bias: false,
  };
}

export const projection = (
  source: number | "input",
  target: number,
  change: Partial<ProjectionSpec> = {},
): ProjectionSpec => ({
  name: `${source}-${target}`,
  source,
  target,
  delaySteps: source !== "input" && source >= target ? 1 : 0,
  connectivity: "dense",
  backward: "weights",
  trained: true,
  ...change,
});

/** Layers one above the other behind `inputs` channels, and a leaky readout of 2 neurons. */
export function stack(
  inputs: number,
  layers: readonly PopulationSpec[],
  options: { readonly recurrent?: boolean; readonly dtMs?: number } = {},
): GradientNetwork {
  const { recurrent = false, dtMs = 1 } = options;
  return {
    dtMs,
    inputs,
    populations: [
      ...layers.map((layer, p) => ({ ...layer, name: `${layer.name}${p + 1}` })),
      population(2, {}, "LI", "readout"),
    ],
    projections: [
      ...layers.flatMap((_, p) => [projection(p === 0 ? "input" : p - 1, p), ...(recurrent ? [projection(p, p)] : [])]),
      projection(layers.length - 1, layers.length),
    ],
    readout: layers.length,
  };
}

/** The same rule for all projections but those into the readout, which start as `normal`. */
export const startsWith = (network: GradientNetwork, initial: InitialWeights): Start[] =>
  network.projections.map(({ target }) => ({
    initial: target === network.readout ? { type: "normal" } : initial,
    signs: null,
  }));

/** Independent trains: every channel spikes in every step with the same probability. */
export function poissonSample(
  seed: number,
  sample: number,
  shape: { readonly inputs: number; readonly steps: number; readonly rateHz: number; readonly dtMs?: number },
): StepEvents {
  const { inputs, steps, rateHz, dtMs = 1 } = shape;
  const draws = new Float64Array(steps * inputs);
  new Philox(seed).uniform(streamOf(streamKind.test, sample), 0, draws);
  const channels: number[] = [];
  const offsets = new Uint32Array(steps + 1);
  for (let t = 0; t < steps; t++) {
    for (let c = 0; c < inputs; c++) if (draws[t * inputs + c] < (rateHz * dtMs) / 1000) channels.push(c);
    offsets[t + 1] = channels.length;
  }
  return { steps, offsets, channels: Uint32Array.from(channels), values: null };
}
