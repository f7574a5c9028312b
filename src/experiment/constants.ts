/** From what a person wrote for a constant (number, list, distribution) to what the engine takes: a number or an array. */
import { exitCode, UserError } from "../base/errors.ts";
import type { PerNeuron } from "../learning/rls/spec.ts";
import { log } from "../math/elementary.ts";
import { gamma, logNormal } from "../random/distributions.ts";
import { streamOfName } from "../random/draws.ts";
import { Philox } from "../random/philox.ts";
import type { Constant, Distribution } from "./schema-words.ts";

function draw(from: Distribution, seed: number, stream: number, out: Float64Array): void {
  const source = new Philox(seed);
  switch (from.distribution) {
    case "uniform":
      source.uniform(stream, 0, out);
      for (let i = 0; i < out.length; i++) out[i] = from.min + (from.max - from.min) * out[i];
      return;
    case "normal":
      source.normal(stream, 0, out);
      for (let i = 0; i < out.length; i++) out[i] = from.mean + from.std * out[i];
      return;
    case "lognormal":
      logNormal(source, stream, { mu: log(from.median), sigma: from.sigma }, 0, out);
      return;
    case "gamma":
      gamma(source, stream, { shape: from.shape, scale: from.mean / from.shape }, 0, out);
      return;
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
    const drawn = new Float64Array(count);
    draw(value, seed, streamOfName(path), drawn);
    const low = value.min ?? Number.NEGATIVE_INFINITY;
    const high = value.max ?? Number.POSITIVE_INFINITY;
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
