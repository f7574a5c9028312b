/** Weights before training. One random stream per projection: value i belongs to weight i. */
import { UserError } from "../../base/errors.ts";
import { ModelStepper } from "../../model/stepper.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { complete, type Kinds } from "../losses/description.ts";
import { type GradientNetwork, type PopulationSpec, type ProjectionSpec, sourceSize, synapseCount } from "./spec.ts";

export type InitialWeights =
  /** Normal with mean 0 and standard deviation gain / sqrt(fan-in). Default gain 1. */
  | { readonly type: "normal"; readonly gain?: number }
  /** Uniform within +-gain / sqrt(fan-in). Default gain 1. */
  | { readonly type: "uniform"; readonly gain?: number }
  /** Normal with these moments, whatever the fan-in. */
  | { readonly type: "fixed"; readonly mean: number; readonly sd: number }
  /**
   * Normal with mean 0 and the standard deviation that gives the free membrane fluctuations of `sigma` thresholds, when
   * the sources fire as Poisson trains of `rateHz`: sigma sqrt(share / (fan-in rate ehat)), ehat = dt sum_t eps(t)^2 over
   * the response eps of the membrane to one spike (Rossbroich, Gygax & Zenke 2022). Defaults sigma 1; rate null: that of
   * the training data; share null: 0.9 for projections from below and 0.1 for recurrent ones where there are both.
   */
  | {
      readonly type: "fluctuation";
      readonly sigma?: number;
      readonly rateHz?: number | null;
      readonly share?: number | null;
    };

export const initialWeightKinds: Kinds<InitialWeights> = {
  normal: { gain: { default: 1, min: 0 } },
  uniform: { gain: { default: 1, min: 0 } },
  fixed: { mean: {}, sd: { min: 0 } },
  fluctuation: {
    sigma: { default: 1, above: 0 },
    rateHz: { default: null, above: 0 },
    share: { default: null, above: 0, max: 1 },
  },
};

/** Synapses per target neuron, on average. */
export function fanIn(network: GradientNetwork, projection: ProjectionSpec): number {
  if (projection.connectivity === "dense") return sourceSize(network, projection);
  return Math.max(1, synapseCount(network, projection) / network.populations[projection.target].size);
}

/**
 * Integral of the squared response of the free membrane to one unit of current in one step, in seconds, per neuron.
 * The response is simulated with the model's own equations and dt; the threshold is out of reach.
 */
export function squaredResponse(spec: PopulationSpec, dtMs: number): Float64Array {
  const parameters = { ...spec.model.parameters };
  if (Object.hasOwn(parameters, "threshold")) parameters.threshold = 1e9;
  const cells = new ModelStepper({ model: spec.model.model, parameters }, spec.size, dtMs);
  const membrane = Object.values(cells.states)[0];
  const sums = new Float64Array(spec.size);
  for (let i = 0; i < spec.size; i++) {
    let peak = 0;
    for (let t = 0; t < 100_000; t++) {
      cells.advance(i, t === 0 ? 1 : 0);
      const v = Math.abs(membrane[i]);
      peak = Math.max(peak, v);
      sums[i] += (v * v * dtMs) / 1000;
      // Far below the largest response nothing adds up any more.
      if (t > 10 && v < 1e-6 * peak) break;
    }
  }
  return sums;
}

/** Where a layer is reached from below and by itself, nine tenths of the variance come from below (same paper). */
function defaultShare(network: GradientNetwork, projection: ProjectionSpec): number {
  const into = network.projections.filter(({ target }) => target === projection.target);
  const isRecurrent = ({ source, target }: ProjectionSpec) => source !== "input" && source >= target;
  const own = into.filter((other) => isRecurrent(other) === isRecurrent(projection)).length;
  const total = own === into.length ? 1 : isRecurrent(projection) ? 0.1 : 0.9;
  return total / own;
}

/**
 * @param k index of the projection. @param dataRateHz mean rate of an input channel over the training data
 * @returns weights as the projection keeps them: `[source * targets + target]`, or one per synapse
 */
export function drawWeights(
  network: GradientNetwork,
  k: number,
  description: InitialWeights,
  seed: number,
  dataRateHz: number | null,
  path = "initial",
): Float32Array<ArrayBuffer> {
  const projection = network.projections[k];
  const settings = complete(path, description, initialWeightKinds);
  const count = synapseCount(network, projection);
  const draws = new Float64Array(count);
  const source = new Philox(seed);
  const stream = streamOf(streamKind.gradientInitial, k);
  const root = Math.sqrt(fanIn(network, projection));
  if (settings.type === "uniform") {
    source.uniform(stream, 0, draws);
    return Float32Array.from(draws, (u) => ((2 * u - 1) * settings.gain) / root);
  }
  source.normal(stream, 0, draws);
  if (settings.type === "normal") return Float32Array.from(draws, (g) => (g * settings.gain) / root);
  if (settings.type === "fixed") return Float32Array.from(draws, (g) => settings.mean + settings.sd * g);
  const rateHz = settings.rateHz ?? dataRateHz;
  if (rateHz === null || !(rateHz > 0)) {
    throw new UserError(`${path} is "fluctuation", but no rate is known; give rateHz, the mean rate of a source in Hz`);
  }
  const share = settings.share ?? defaultShare(network, projection);
  const target = network.populations[projection.target];
  const sd = squaredResponse(target, network.dtMs).map(
    (ehat) => (settings.sigma / root) * Math.sqrt(share / (rateHz * ehat)),
  );
  const { connectivity } = projection;
  return Float32Array.from(
    draws,
    (g, i) => g * sd[connectivity === "dense" ? i % target.size : connectivity.targets[i]],
  );
}
