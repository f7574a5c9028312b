/** From what a person wrote for a constant (number, list, distribution) to what the engine takes: a number or an array. */
import { exitCode, UserError } from "../base/errors.ts";
import { log } from "../math/elementary.ts";
import type { PerNeuron } from "../model/define.ts";
import { gamma, logNormal } from "../random/distributions.ts";
import { streamOfName } from "../random/draws.ts";
import { Philox } from "../random/philox.ts";
import { type Constant, type Distribution, isFileConstant } from "./schema-words.ts";

/** Shape of the gamma distribution that others are as wide as where nothing is said: s.d. = mean / sqrt 3. */
export const defaultShape = 3;
/** The log-normal with the same coefficient of variation: e^(sigma^2) - 1 = 1/3. */
const defaultSigma = Math.sqrt(log(1 + 1 / defaultShape));

/**
 * A constant whose distribution says all that it must.
 *
 * @param path where the constant stands in the experiment, for messages
 * @param standard what the constant is where nothing is said: the mean or median of a distribution that names none
 */
export function completeConstant(value: Constant, path: string, standard: number | undefined): Constant {
  if (typeof value !== "object" || !("distribution" in value)) return value;
  const centre = (key: "mean" | "median", given: number | undefined): number => {
    if (given !== undefined) return given;
    if (standard !== undefined && (standard > 0 || value.distribution === "normal")) return standard;
    throw new UserError(
      `${path} is a ${value.distribution} distribution without ${key}, and nothing else says how large the constant is; ` +
        `give ${key}`,
      exitCode.usage,
    );
  };
  switch (value.distribution) {
    case "gamma":
      return { ...value, mean: centre("mean", value.mean), shape: value.shape ?? defaultShape };
    case "lognormal":
      return { ...value, median: centre("median", value.median), sigma: value.sigma ?? defaultSigma };
    case "normal": {
      const mean = centre("mean", value.mean);
      const std = value.std ?? Math.abs(mean) / Math.sqrt(defaultShape);
      if (std > 0) return { ...value, mean, std };
      throw new UserError(`${path} is a normal distribution about 0 without std; give std`, exitCode.usage);
    }
    default:
      return value;
  }
}

/** As many neurons have each value as its share says, to within one; which ones is drawn. */
function deal(
  { values, shares }: Extract<Distribution, { distribution: "choice" }>,
  source: Philox,
  stream: number,
  out: Float64Array,
): void {
  const order = source.sample(stream, out.length, out.length);
  let share = 0;
  let rank = 0;
  for (const [k, value] of values.entries()) {
    share += shares?.[k] ?? 1 / values.length;
    const end = k === values.length - 1 ? out.length : Math.round(share * out.length);
    for (; rank < end; rank++) out[order[rank]] = value;
  }
}

function draw(from: Distribution, path: string, seed: number, out: Float64Array): void {
  const source = new Philox(seed);
  const stream = streamOfName(path);
  switch (from.distribution) {
    case "uniform":
      source.uniform(stream, 0, out);
      for (let i = 0; i < out.length; i++) out[i] = from.min + (from.max - from.min) * out[i];
      return;
    case "normal":
      source.normal(stream, 0, out);
      for (let i = 0; i < out.length; i++) out[i] = from.mean! + from.std! * out[i];
      return;
    case "lognormal":
      logNormal(source, stream, { mu: log(from.median!), sigma: from.sigma! }, 0, out);
      return;
    case "gamma":
      gamma(source, stream, { shape: from.shape!, scale: from.mean! / from.shape! }, 0, out);
      return;
    case "choice":
      deal(from, source, stream, out);
      return;
    default:
      throw new Error(`unknown distribution ${(from satisfies never as Distribution).distribution}`);
  }
}

/**
 * @param path where the constant stands in the experiment: named in messages, and the name of its random stream, so
 *   that adding one heterogeneous constant leaves the draws of the others as they were.
 * @param count neurons of the population that the constant belongs to.
 * @param standard as in `completeConstant`
 */
export function resolveConstant(
  given: Constant,
  path: string,
  count: number,
  seed: number,
  standard?: number,
): PerNeuron {
  const value = completeConstant(given, path, standard);
  if (typeof value === "number") return value;
  if (isFileConstant(value)) throw new Error(`${path} is still a file; files are read before experiments are resolved`);
  if ("distribution" in value) {
    const drawn = new Float64Array(count);
    draw(value, path, seed, drawn);
    const { min: low = Number.NEGATIVE_INFINITY, max: high = Number.POSITIVE_INFINITY } = value as {
      readonly min?: number;
      readonly max?: number;
    };
    return Float32Array.from(drawn, (x) => Math.min(high, Math.max(low, x)));
  }
  if (value.length !== count) {
    throw new UserError(
      `${path} is a list of ${value.length} numbers, but ${count} neurons need one each; ` +
        "give as many, one number for all, or a distribution",
      exitCode.usage,
    );
  }
  return Float32Array.from(value);
}
