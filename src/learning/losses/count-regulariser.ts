/**
 * Regularisers of activity that look at spike counts: a loss, and its gradient with respect to every spike z_j(t) of
 * neuron j, which is the same at every step of a sample. With n_j the count of neuron j, N neurons, T steps:
 *
 *   lowerBound   s mean_j max(0, v - n_j)^p          over "population": s max(0, v - mean_j n_j)^p
 *   upperBound   s mean_j max(0, n_j - v)^p          over "population": s max(0, mean_j n_j - v)^p
 *   spikeCount   s1 sum_j n_j + s2 mean_j n_j^2      n_j summed over the batch (SpyTorch, Zenke 2019)
 *   meanRate     s/2 sum_j (n_j / T - f*)^2          f* the target in spikes per step (Bellec et al. 2020, Methods)
 *
 * In a layer with places, "population" stands for the mean over them of each filter: s mean_f max(0, mean_places n - v)^p.
 *
 * `lowerBound` and `upperBound` follow stork (Rossbroich, Gygax & Zenke 2022): counts of each sample. So a regulariser
 * has a scope. "sample": counts of one sample give its gradient, and the mean over the batch is a factor. "batch": counts
 * and steps summed over the batch are needed before any sample's gradient, which is then that of all samples. These sums
 * are of integers, so they do not depend on how a batch is split over workers.
 */
import { complete, type Kinds } from "./description.ts";
import type { Floats } from "./softmax.ts";

interface BoundSettings {
  /** s. Default 100 (lowerBound), 0.1 (upperBound). */
  readonly strength?: number;
  /** v in spikes per sample. Default 1e-3 (lowerBound), 7 (upperBound). */
  readonly spikes?: number;
  /** p: 1 or 2. Default 2. */
  readonly power?: number;
  /** Default "neuron" (lowerBound), "population" (upperBound). */
  readonly over?: "neuron" | "population";
}

export type CountRegulariserDescription =
  /** Revives silent neurons. */
  | ({ readonly type: "lowerBound" } & BoundSettings)
  | ({ readonly type: "upperBound" } & BoundSettings)
  | {
      readonly type: "spikeCount";
      /** s1. Default 2e-6. */
      readonly total?: number;
      /** s2. Default 2e-6. */
      readonly perNeuron?: number;
    }
  | {
      readonly type: "meanRate";
      /** s. Default 1. */
      readonly strength?: number;
      /** Default 10. */
      readonly targetHz?: number;
      /** Whose rate: that of each sample, or the mean over the batch (as published). Default "sample". */
      readonly over?: "sample" | "batch";
    };

const bound = { power: { default: 2, min: 1, max: 2, integer: true } } as const;
const overWords = ["neuron", "population"] as const;

export const countRegulariserKinds: Kinds<CountRegulariserDescription> = {
  lowerBound: {
    strength: { default: 100, min: 0 },
    spikes: { default: 1e-3, min: 0 },
    over: { words: overWords, default: "neuron" },
    ...bound,
  },
  upperBound: {
    strength: { default: 0.1, min: 0 },
    spikes: { default: 7, min: 0 },
    over: { words: overWords, default: "population" },
    ...bound,
  },
  spikeCount: { total: { default: 2e-6, min: 0 }, perNeuron: { default: 2e-6, min: 0 } },
  meanRate: {
    strength: { default: 1, min: 0 },
    targetHz: { default: 10, min: 0 },
    over: { words: ["sample", "batch"], default: "sample" },
  },
};

export interface CountRegulariser {
  readonly scope: "sample" | "batch";
  /**
   * @param counts spikes of every neuron, [neurons]: of one sample, or summed over the batch
   * @param steps length of the sample, or the lengths of all samples summed
   * @param gradient [neurons]; `weight` times d loss / d z_j(t) is added
   * @returns `weight` times the loss
   */
  evaluate(counts: ArrayLike<number>, steps: number, gradient: Floats, weight: number): number;
}

/** Excess beyond a bound to the power p; `side` is 1 for an upper and -1 for a lower bound. */
function boundOf(settings: Required<BoundSettings>, side: 1 | -1): CountRegulariser {
  const { strength, spikes, power, over } = settings;
  const excess = (count: number) => Math.max(0, side * (count - spikes));
  const loss = (count: number) => (power === 1 ? excess(count) : excess(count) * excess(count));
  const slope = (count: number) => (power === 1 ? (excess(count) > 0 ? side : 0) : 2 * side * excess(count));
  return {
    scope: "sample",
    evaluate(counts, _steps, gradient, weight) {
      const neurons = counts.length;
      const factor = (weight * strength) / neurons;
      if (over === "population") {
        let sum = 0;
        for (let j = 0; j < neurons; j++) sum += counts[j];
        const mean = sum / neurons;
        for (let j = 0; j < neurons; j++) gradient[j] += factor * slope(mean);
        return weight * strength * loss(mean);
      }
      let sum = 0;
      for (let j = 0; j < neurons; j++) {
        sum += loss(counts[j]);
        gradient[j] += factor * slope(counts[j]);
      }
      return factor * sum;
    },
  };
}

/** A rule for neurons, of the means of filters; neuron j belongs to filter j mod filters. */
function ofFilters(rule: CountRegulariser, filters: number): CountRegulariser {
  return {
    scope: rule.scope,
    evaluate(counts, steps, gradient, weight) {
      const places = counts.length / filters;
      const means = new Float64Array(filters);
      for (let j = 0; j < counts.length; j++) means[j % filters] += counts[j] / places;
      const slopes = new Float64Array(filters);
      const loss = rule.evaluate(means, steps, slopes, weight);
      for (let j = 0; j < counts.length; j++) gradient[j] += slopes[j % filters] / places;
      return loss;
    },
  };
}

function spikeCount(total: number, perNeuron: number): CountRegulariser {
  return {
    scope: "batch",
    evaluate(counts, _steps, gradient, weight) {
      const share = perNeuron / counts.length;
      let loss = 0;
      for (let j = 0; j < counts.length; j++) {
        loss += (total + share * counts[j]) * counts[j];
        gradient[j] += weight * (total + 2 * share * counts[j]);
      }
      return weight * loss;
    },
  };
}

function meanRate(strength: number, targetPerStep: number, scope: "sample" | "batch"): CountRegulariser {
  return {
    scope,
    evaluate(counts, steps, gradient, weight) {
      let loss = 0;
      for (let j = 0; j < counts.length; j++) {
        const error = counts[j] / steps - targetPerStep;
        loss += error * error;
        gradient[j] += (weight * strength * error) / steps;
      }
      return 0.5 * weight * strength * loss;
    },
  };
}

/**
 * @param dtMs length of a step
 * @param path where the description stands, for messages
 * @param filters of a layer with places; null: every neuron stands for itself
 * @throws UserError for settings that are unknown or out of range
 */
export function makeCountRegulariser(
  description: CountRegulariserDescription,
  dtMs: number,
  path = "regulariser",
  filters: number | null = null,
): CountRegulariser {
  const settings = complete(path, description, countRegulariserKinds);
  switch (settings.type) {
    case "lowerBound":
    case "upperBound": {
      const side = settings.type === "lowerBound" ? -1 : 1;
      if (filters === null || settings.over === "neuron") return boundOf(settings, side);
      return ofFilters(boundOf({ ...settings, over: "neuron" }, side), filters);
    }
    case "spikeCount":
      return spikeCount(settings.total, settings.perNeuron);
    case "meanRate":
      return meanRate(settings.strength, (settings.targetHz * dtMs) / 1000, settings.over);
  }
}
