/** From what a person wrote for a constant (number, list, distribution) to what the engine takes: a number or an array. */
import { exitCode, UserError } from "../base/errors.ts";
import type { PerNeuron } from "../learning/rls/spec.ts";
import { exp, log } from "../math/elementary.ts";
import { type Draws, openDraws } from "./draws.ts";
import type { Constant, Distribution } from "./schema-words.ts";

/**
 * Gamma variate of mean `shape` (scale 1), by Marsaglia and Tsang (2000): squeeze-free form, one normal and one uniform
 * per attempt, 95 % or more of the attempts accepted. Shapes below 1 are boosted: gamma(a) = gamma(a + 1) u^(1/a).
 */
function gammaVariate(shape: number, draws: Draws): number {
  if (shape < 1) return gammaVariate(shape + 1, draws) * exp(log(draws.uniform()) / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = draws.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && log(draws.uniform()) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
  }
}

function draw(from: Distribution, draws: Draws): number {
  switch (from.distribution) {
    case "uniform":
      return from.min + (from.max - from.min) * draws.uniform();
    case "normal":
      return from.mean + from.std * draws.normal();
    case "lognormal":
      return from.median * exp(from.sigma * draws.normal());
    case "gamma":
      return (from.mean / from.shape) * gammaVariate(from.shape, draws);
    default:
      throw new Error(`unknown distribution ${(from satisfies never as Distribution).distribution}`);
  }
}

/**
 * @param path where the constant stands in the experiment: named in messages, and the name of its random stream, so
 *   that adding one heterogeneous constant leaves the draws of the others as they were.
 * @param count neurons of the population that the constant belongs to.
 */
export function resolveConstant(value: Constant, path: string, count: number, seed: number): PerNeuron {
  if (typeof value === "number") return value;
  if ("distribution" in value) {
    const draws = openDraws(seed, path);
    const low = value.min ?? Number.NEGATIVE_INFINITY;
    const high = value.max ?? Number.POSITIVE_INFINITY;
    return Float32Array.from({ length: count }, () => Math.min(high, Math.max(low, draw(value, draws))));
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
