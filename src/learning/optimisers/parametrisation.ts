/**
 * How a trained constant stays in its range: the number that the optimiser moves (raw, p) need not be the constant (x).
 *
 *   clamp           x = p                                    p put back into [min, max] after every step
 *   decay           x = -dt / ln p, p = exp(-dt/x) the decay factor of a time constant, put back likewise
 *                                                            (Perez-Nieves et al., Nat. Commun. 12:5791, 2021)
 *   log             x = exp p                                p put back likewise
 *   sigmoid         x = min + (max - min) / (1 + exp(-p))    every p allowed
 *   inverseSigmoid  1/x = 1 / (dt (1 + exp(-p)))             every p allowed; x > dt (PLIF: Fang et al., ICCV 2021)
 *
 * Every p is allowed within what float32 can tell from the ends of the range, where no gradient would be left. With min 0
 * and max 2 tau0 the sigmoid is stork's: a decay exp(-dt / (2 tau0 sigmoid(p))).
 *
 * The gradient follows the chain rule: dL/dp = dL/dx dx/dp, `slope` being dx/dp.
 */
import { UserError } from "../../base/errors.ts";
import { exp, log } from "../../math/elementary.ts";
import { complete, type Kinds } from "../losses/description.ts";

interface RangeSettings {
  /** Required, in units of the constant. */
  readonly min: number;
  readonly max: number;
}

export type ParametrisationDescription =
  | ({ readonly type: "clamp" } & RangeSettings)
  | {
      /** For time constants in ms; min > 0. Default: those whose decay factor lies from 2/e to 0.995, as published. */
      readonly type: "decay";
      readonly min?: number | null;
      readonly max?: number | null;
    }
  /** min > 0. */
  | ({ readonly type: "log" } & RangeSettings)
  | ({ readonly type: "sigmoid" } & RangeSettings)
  /** For time constants in ms; no range but x > dt. */
  | { readonly type: "inverseSigmoid" };

const range = { min: {}, max: {} } as const;
const positiveRange = { min: { above: 0 }, max: { above: 0 } } as const;

export const parametrisationKinds: Kinds<ParametrisationDescription> = {
  clamp: range,
  decay: { min: { above: 0, default: null }, max: { above: 0, default: null } },
  log: positiveRange,
  sigmoid: range,
  inverseSigmoid: {},
};

export interface Parametrisation {
  /** p of a constant; a constant outside of the range is moved into it first. */
  raw(value: number): number;
  /** x, always within the range. */
  value(raw: number): number;
  /** dx/dp. */
  slope(raw: number): number;
  /** p is put back into [lowest, highest] after every step. */
  readonly lowest: number;
  readonly highest: number;
}

/** A sigmoid reaches its ends only at infinity, where no gradient is left: it starts at least this far from them. */
const MARGIN = 1e-4;
/** And stays this far from them: 1 - 1e-6 is not yet 1 in float32. */
const NEAREST = 1e-6;

const clip = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);
const sigmoid = (p: number): number => 1 / (1 + exp(-p));
const logit = (fraction: number): number => log(fraction / (1 - fraction));

/** Decay factors that the heterogeneity study allows (Perez-Nieves et al. 2021): tau from 3.26 to 199.5 steps. */
const publishedDecays = { lowest: 2 / Math.E, highest: 0.995 } as const;

/** The same as time constants, ms: tau = -dt / ln decay. */
export function publishedRange(dtMs: number): { readonly min: number; readonly max: number } {
  return { min: -dtMs / log(publishedDecays.lowest), max: -dtMs / log(publishedDecays.highest) };
}

/**
 * @param dtMs length of a step
 * @param path where the description stands, for messages
 * @throws UserError for settings that are unknown, out of range or exclude each other
 */
export function makeParametrisation(
  description: ParametrisationDescription,
  dtMs: number,
  path = "range",
): Parametrisation {
  const settings = complete(path, description, parametrisationKinds);
  if (settings.type === "inverseSigmoid") {
    return {
      raw: (x) => logit(clip(dtMs / x, MARGIN, 1 - MARGIN)),
      value: (p) => dtMs / sigmoid(p),
      // d/dp dt (1 + e^-p) = -dt e^-p
      slope: (p) => -dtMs * exp(-p),
      lowest: logit(NEAREST),
      highest: logit(1 - NEAREST),
    };
  }
  const { type } = settings;
  const published = publishedRange(dtMs);
  const [min, max] = [settings.min ?? published.min, settings.max ?? published.max];
  if (min >= max) throw new UserError(`${path}.min is ${min}; it must be below ${path}.max, which is ${max}`);
  const inside = (x: number) => clip(x, min, max);
  switch (type) {
    case "clamp":
      return { raw: inside, value: inside, slope: () => 1, lowest: min, highest: max };
    case "decay": {
      const raw = (x: number) => exp(-dtMs / inside(x));
      const value = (p: number) => inside(-dtMs / log(p));
      // dx/dp = dt / (p ln(p)^2) = x^2 / (p dt)
      const slope = (p: number) => dtMs / (p * log(p) * log(p));
      return { raw, value, slope, lowest: raw(min), highest: raw(max) };
    }
    case "log":
      return {
        raw: (x) => log(inside(x)),
        value: (p) => inside(exp(p)),
        slope: (p) => exp(p),
        lowest: log(min),
        highest: log(max),
      };
    case "sigmoid":
      return {
        raw: (x) => logit(clip((x - min) / (max - min), MARGIN, 1 - MARGIN)),
        value: (p) => min + (max - min) * sigmoid(p),
        slope: (p) => (max - min) * sigmoid(p) * sigmoid(-p),
        lowest: logit(NEAREST),
        highest: logit(1 - NEAREST),
      };
  }
}

/** Writes the constants that belong to `raw`. */
export function writeValues(parametrisation: Parametrisation, raw: Float32Array, values: Float32Array): void {
  for (let i = 0; i < raw.length; i++) values[i] = parametrisation.value(raw[i]);
}

/** Turns a gradient with respect to the constants into one with respect to `raw`, in place. */
export function chainGradient(parametrisation: Parametrisation, raw: Float32Array, gradient: Float32Array): void {
  for (let i = 0; i < raw.length; i++) gradient[i] *= parametrisation.slope(raw[i]);
}

/** Puts `raw` back into its range, in place. */
export function keepInRange({ lowest, highest }: Parametrisation, raw: Float32Array): void {
  for (let i = 0; i < raw.length; i++) raw[i] = clip(raw[i], lowest, highest);
}
