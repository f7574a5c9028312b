/** Rules for weights before training, as an experiment names them. Standard deviations and means of a rule are per weight. */
import type { Kinds } from "../losses/description.ts";

/**
 * Rate of the sources: in Hz; that of the training data for every layer; or measured layer by layer, from some training
 * samples that run through the layers below.
 */
export type SourceRate = number | "data" | "sequential";

interface FluctuationSettings {
  /**
   * Standard deviation of the free membrane (its threshold out of reach) over time, in thresholds. Default null: 1, or what
   * xi says.
   */
  readonly sigma?: number | null;
  /** Instead of sigma: distance from the mean to the threshold in standard deviations, (1 - mean) / sigma. */
  readonly xi?: number | null;
  /** Default "data". */
  readonly rate?: SourceRate;
  /**
   * Of the variance of the membrane, what these connections carry. Default null: all of it; where a layer is reached from
   * below and by itself, 0.9 are shared by the connections from below and 0.1 by the recurrent ones.
   */
  readonly share?: number | null;
}

export type InitialWeights =
  /** Normal with mean 0 and standard deviation gain / sqrt(fan-in). Default gain 1. */
  | { readonly type: "normal"; readonly gain?: number }
  /** Uniform within +-gain / sqrt(fan-in). Default gain 1. */
  | { readonly type: "uniform"; readonly gain?: number }
  /**
   * He et al. 2015: standard deviation gain / sqrt(fan-in). Defaults: gain sqrt(2), distribution "normal"; "uniform" is
   * within +-sqrt(3) standard deviations.
   */
  | { readonly type: "kaiming"; readonly gain?: number; readonly distribution?: "normal" | "uniform" }
  /** Glorot & Bengio 2010: standard deviation gain sqrt(2 / (fan-in + fan-out)). Defaults: gain 1, distribution "uniform". */
  | { readonly type: "glorot"; readonly gain?: number; readonly distribution?: "normal" | "uniform" }
  /** Gain times a random matrix with orthonormal rows or columns (Saxe et al. 2014). Default gain 1. */
  | { readonly type: "orthogonal"; readonly gain?: number }
  /** Normal with standard deviation scale (1 - exp(-dt/tauMem)) / sqrt(fan-in) (SpyTorch, Zenke 2019). Default scale 7. */
  | { readonly type: "spyTorch"; readonly scale?: number }
  /**
   * These moments, divided by nothing (default), by the fan-in, or by its square root. Default distribution "normal";
   * "uniform" is within +-sqrt(3) sd of the mean.
   */
  | {
      readonly type: "fixed";
      readonly mean: number;
      readonly sd: number;
      readonly distribution?: "normal" | "uniform";
      readonly over?: "one" | "fanIn" | "rootFanIn";
    }
  /**
   * Normal, so that the free membrane fluctuates about `mean` thresholds as it should (Rossbroich, Gygax & Zenke 2022;
   * fluctuation.ts). Defaults: mean 0; balance "none". "rows": the weights of every neuron are shifted so that its own mean
   * is what it should be, not only that of all neurons.
   */
  | ({
      readonly type: "fluctuation";
      readonly mean?: number;
      readonly balance?: "none" | "rows";
    } & FluctuationSettings)
  /**
   * The same by Dale's law, with mean 0: positive weights of excitatory sources and negative ones of inhibitory sources
   * (dale.ts). All connections into a layer need this rule. Default distribution "exponential".
   */
  | ({ readonly type: "daleFluctuation"; readonly distribution?: "exponential" | "logNormal" } & FluctuationSettings);

export type FluctuationRule = Extract<InitialWeights, { readonly type: "fluctuation" | "daleFluctuation" }>;

const fluctuation = {
  sigma: { default: null, above: 0 },
  xi: { default: null, above: 0 },
  rate: { numberOrWords: ["data", "sequential"], range: { above: 0 }, default: "data" },
  share: { default: null, above: 0, max: 1 },
} as const;
const shapes = ["normal", "uniform"] as const;

export const initialWeightKinds: Kinds<InitialWeights> = {
  normal: { gain: { default: 1, min: 0 } },
  uniform: { gain: { default: 1, min: 0 } },
  kaiming: { gain: { default: Math.SQRT2, min: 0 }, distribution: { words: shapes, default: "normal" } },
  glorot: { gain: { default: 1, min: 0 }, distribution: { words: shapes, default: "uniform" } },
  orthogonal: { gain: { default: 1, min: 0 } },
  spyTorch: { scale: { default: 7, min: 0 } },
  fixed: {
    mean: {},
    sd: { min: 0 },
    distribution: { words: shapes, default: "normal" },
    over: { words: ["one", "fanIn", "rootFanIn"], default: "one" },
  },
  fluctuation: {
    ...fluctuation,
    mean: { default: 0, below: 1 },
    balance: { words: ["none", "rows"], default: "none" },
  },
  daleFluctuation: {
    ...fluctuation,
    distribution: { words: ["exponential", "logNormal"], default: "exponential" },
  },
};
