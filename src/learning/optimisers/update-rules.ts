/**
 * Update rules: how one array of parameters w moves along its gradient g. Arithmetic is float64, kept as float32.
 *
 *   sgd       v = mu v + g;  w -= r v                                                          (PyTorch's convention)
 *   adam      m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *             w -= r m/(1-b1^n) / (sqrt(v/(1-b2^n)) + eps)                   (Kingma & Ba, ICLR 2015, algorithm 1)
 *   adamw     w -= r d w, then adam                                          (Loshchilov & Hutter, ICLR 2019)
 *   adamax    m as adam;  u = max(b2 u, |g|);  w -= r m/(1-b1^n) / (u + eps)   (Kingma & Ba, algorithm 2)
 *   rmsprop   v = d v + (1-d) g^2;  w -= r g / (sqrt(v) + eps)                   (Tieleman & Hinton 2012)
 *   smorms3   k = 1/(M+1);  m += k (g-m);  v += k (g^2-v);  q = m^2/(v+eps);  M = M (1-q) + 1
 *             w -= min(r, q) g / (sqrt(v) + eps)                                 (S. Funk 2015, as in stork)
 *
 * n counts steps from 1. State that has decayed below the normal numbers of float32 is set to 0: processors are many
 * times slower with subnormal numbers, and every neuron that stays silent would produce them.
 */
import { integerPower } from "../../math/elementary.ts";
import { complete, type Kinds } from "../losses/description.ts";

export type OptimiserDescription =
  | {
      readonly type: "sgd";
      /** Learning rate r. Default 0.01. */
      readonly rate?: number;
      /** mu. Default 0.9. */
      readonly momentum?: number;
    }
  | ({ readonly type: "adam" } & AdamSettings)
  | ({
      readonly type: "adamw";
      /** d. Default 0.01. */
      readonly weightDecay?: number;
    } & AdamSettings)
  | ({ readonly type: "adamax" } & AdamSettings)
  | {
      readonly type: "rmsprop";
      /** Default 1e-3. */
      readonly rate?: number;
      /** d. Default 0.99. */
      readonly decay?: number;
      /** Default 1e-8. */
      readonly epsilon?: number;
    }
  | {
      readonly type: "smorms3";
      /** Upper limit of the learning rate. Default 5e-3. */
      readonly rate?: number;
      /** Default 1e-16. */
      readonly epsilon?: number;
    };

interface AdamSettings {
  /** Default 1e-3; 2e-3 for adamax. */
  readonly rate?: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

const adam = {
  rate: { default: 1e-3, min: 0 },
  beta1: { default: 0.9, min: 0, below: 1 },
  beta2: { default: 0.999, min: 0, below: 1 },
  epsilon: { default: 1e-8, above: 0 },
} as const;

export const optimiserKinds: Kinds<OptimiserDescription> = {
  sgd: { rate: { default: 0.01, min: 0 }, momentum: { default: 0.9, min: 0, below: 1 } },
  adam,
  adamw: { ...adam, weightDecay: { default: 0.01, min: 0 } },
  adamax: { ...adam, rate: { default: 2e-3, min: 0 } },
  rmsprop: {
    rate: { default: 1e-3, min: 0 },
    decay: { default: 0.99, min: 0, below: 1 },
    epsilon: { default: 1e-8, above: 0 },
  },
  smorms3: { rate: { default: 5e-3, min: 0 }, epsilon: { default: 1e-16, above: 0 } },
};

export interface UpdateRule {
  /** Learning rate of groups without their own. */
  readonly rate: number;
  /** Arrays of state, one number per parameter each: name and value at the start. */
  readonly state: readonly { readonly name: string; readonly initial: number }[];
  /**
   * Moves w and the state (arrays in the order of `state`) by one step.
   * @param n number of this step, from 1
   * @param decays false: no weight decay for these parameters
   */
  update(
    w: Float32Array,
    g: Float32Array,
    state: readonly Float32Array[],
    rate: number,
    n: number,
    decays: boolean,
  ): void;
}

const SMALLEST_NORMAL = 1.1754943508222875e-38;
const flush = (x: number): number => (x < SMALLEST_NORMAL && x > -SMALLEST_NORMAL ? 0 : x);

function sgd(rate: number, momentum: number): UpdateRule {
  return {
    rate,
    state: [{ name: "velocity", initial: 0 }],
    update(w, g, [velocity], r) {
      for (let i = 0; i < w.length; i++) {
        const v = flush(momentum * velocity[i] + g[i]);
        velocity[i] = v;
        w[i] -= r * v;
      }
    },
  };
}

function adamWith({ rate, beta1, beta2, epsilon }: Required<AdamSettings>, weightDecay: number): UpdateRule {
  return {
    rate,
    state: [
      { name: "firstMoment", initial: 0 },
      { name: "secondMoment", initial: 0 },
    ],
    update(w, g, [first, second], r, n, decays) {
      const scaledRate = r / (1 - integerPower(beta1, n));
      const secondScale = 1 / (1 - integerPower(beta2, n));
      const kept = decays ? 1 - r * weightDecay : 1;
      for (let i = 0; i < w.length; i++) {
        const slope = g[i];
        const m = flush(beta1 * first[i] + (1 - beta1) * slope);
        const v = flush(beta2 * second[i] + (1 - beta2) * slope * slope);
        first[i] = m;
        second[i] = v;
        w[i] = kept * w[i] - (scaledRate * m) / (Math.sqrt(v * secondScale) + epsilon);
      }
    },
  };
}

function adamax({ rate, beta1, beta2, epsilon }: Required<AdamSettings>): UpdateRule {
  return {
    rate,
    state: [
      { name: "firstMoment", initial: 0 },
      { name: "largest", initial: 0 },
    ],
    update(w, g, [first, largest], r, n) {
      const scaledRate = r / (1 - integerPower(beta1, n));
      for (let i = 0; i < w.length; i++) {
        const slope = g[i];
        const m = flush(beta1 * first[i] + (1 - beta1) * slope);
        const u = flush(Math.max(beta2 * largest[i], Math.abs(slope)));
        first[i] = m;
        largest[i] = u;
        w[i] -= (scaledRate * m) / (u + epsilon);
      }
    },
  };
}

function rmsprop(rate: number, decay: number, epsilon: number): UpdateRule {
  return {
    rate,
    state: [{ name: "meanSquare", initial: 0 }],
    update(w, g, [meanSquare], r) {
      for (let i = 0; i < w.length; i++) {
        const slope = g[i];
        const v = flush(decay * meanSquare[i] + (1 - decay) * slope * slope);
        meanSquare[i] = v;
        w[i] -= (r * slope) / (Math.sqrt(v) + epsilon);
      }
    },
  };
}

function smorms3(rate: number, epsilon: number): UpdateRule {
  return {
    rate,
    state: [
      { name: "memory", initial: 1 },
      { name: "mean", initial: 0 },
      { name: "meanSquare", initial: 0 },
    ],
    update(w, g, [memory, mean, meanSquare], r) {
      for (let i = 0; i < w.length; i++) {
        const slope = g[i];
        const k = 1 / (memory[i] + 1);
        const m = flush(mean[i] + k * (slope - mean[i]));
        const v = flush(meanSquare[i] + k * (slope * slope - meanSquare[i]));
        const q = (m * m) / (v + epsilon);
        mean[i] = m;
        meanSquare[i] = v;
        memory[i] = memory[i] * (1 - q) + 1;
        w[i] -= (Math.min(r, q) * slope) / (Math.sqrt(v) + epsilon);
      }
    },
  };
}

/** @throws UserError for settings that are unknown or out of range; `path` is where they stand. */
export function updateRule(description: OptimiserDescription, path: string): UpdateRule {
  const settings = complete(path, description, optimiserKinds);
  switch (settings.type) {
    case "sgd":
      return sgd(settings.rate, settings.momentum);
    case "adam":
      return adamWith(settings, 0);
    case "adamw":
      return adamWith(settings, settings.weightDecay);
    case "adamax":
      return adamax(settings);
    case "rmsprop":
      return rmsprop(settings.rate, settings.decay, settings.epsilon);
    case "smorms3":
      return smorms3(settings.rate, settings.epsilon);
  }
}
