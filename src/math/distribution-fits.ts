/**
 * Gamma and log-normal distributions (location 0) of greatest likelihood for positive numbers such as time constants, and
 * Pearson's test of how well they describe them.
 *
 *   gamma        density x^(k-1) e^(-x/s) / (Gamma(k) s^k);  k solves ln k - psi(k) = ln mean(x) - mean(ln x), s = mean(x)/k
 *   log-normal   ln x is normal;  mu = mean(ln x), sigma^2 = mean((ln x - mu)^2)
 *
 * The goodness follows the heterogeneity study (Perez-Nieves et al., Nat. Commun. 12:5791, 2021): bins up to 80 ms, at
 * least 20 neurons in each.
 */
import { exp, log } from "./elementary.ts";
import { chiSquareSurvival, digamma, gammaQ, logGamma, normalSurvival, trigamma } from "./special-functions.ts";
import { mean, median, type Numbers, variance } from "./statistics.ts";

export interface GammaDistribution {
  readonly shape: number;
  /** mean / shape */
  readonly scale: number;
}

export interface LogNormalDistribution {
  /** Mean of the logarithm; the median is e^mu. */
  readonly mu: number;
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
}

/** Pearson's test. */
export interface Goodness {
  readonly bins: number;
  readonly statistic: number;
  /** Bins less one for the total and one for each fitted number. */
  readonly degrees: number;
  /** Probability of a worse fit if the distribution were right. */
  readonly p: number;
}

/** Null for numbers without spread, for which no such distribution is best. */
function logarithms(values: Numbers): { readonly logs: Float64Array; readonly centre: number } | null {
  const logs = Float64Array.from(values, (x) => {
    if (!(x > 0 && x < Infinity)) throw new RangeError(`a fit needs finite numbers above 0, not ${x}`);
    return log(x);
  });
  return logs.length < 2 || logs.every((l) => l === logs[0]) ? null : { logs, centre: mean(logs) };
}

/** @throws RangeError for numbers that are not positive and finite */
export function fitGamma(values: Numbers): GammaDistribution | null {
  const own = logarithms(values);
  if (own === null) return null;
  const centre = mean(values);
  const s = log(centre) - own.centre;
  // Numbers that differ in their last digits only.
  if (!(s > 1e-14)) return null;
  // Off by 1.5 % at most (Minka, "Estimating a gamma distribution", 2002); then Newton's method.
  let shape = (3 - s + Math.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s);
  for (let i = 0; i < 20; i++) {
    const step = (log(shape) - digamma(shape) - s) / (1 / shape - trigamma(shape));
    shape -= step;
    if (Math.abs(step) <= 1e-13 * shape) break;
  }
  return { shape, scale: centre / shape };
}

/** @throws RangeError for numbers that are not positive and finite */
export function fitLogNormal(values: Numbers): LogNormalDistribution | null {
  const own = logarithms(values);
  if (own === null) return null;
  const { logs, centre: mu } = own;
  const sigma = Math.sqrt(logs.reduce((sum, l) => sum + (l - mu) ** 2, 0) / logs.length);
  return { mu, sigma };
}

export const gammaDensity = ({ shape, scale }: GammaDistribution, x: number): number =>
  x <= 0 ? 0 : exp((shape - 1) * log(x / scale) - x / scale - logGamma(shape)) / scale;

/** P(X <= x) */
export const gammaBelow = ({ shape, scale }: GammaDistribution, x: number): number =>
  x <= 0 ? 0 : 1 - gammaQ(shape, x / scale);

export const logNormalDensity = ({ mu, sigma }: LogNormalDistribution, x: number): number =>
  x <= 0 ? 0 : exp(-0.5 * ((log(x) - mu) / sigma) ** 2) / (x * sigma * Math.sqrt(2 * Math.PI));

/** P(X <= x) */
export const logNormalBelow = ({ mu, sigma }: LogNormalDistribution, x: number): number =>
  x <= 0 ? 0 : normalSurvival((mu - log(x)) / sigma);

export interface GoodnessOptions {
  /** Numbers of the distribution that were fitted to the values. Default 2. */
  readonly fitted?: number;
  /** End of the bins, beyond which one holds the rest. Default 80. */
  readonly end?: number;
  /** Width of a bin before it is joined with its neighbours. Default 2. */
  readonly width?: number;
  /** Values in a bin at least; fuller bins stay, others are joined with the next. Default 20. */
  readonly atLeast?: number;
}

/**
 * @param below P(X <= x) of the distribution
 * @returns null where the values fill too few bins to test anything
 */
export function binnedGoodness(
  values: Numbers,
  below: (x: number) => number,
  { fitted = 2, end = 80, width = 2, atLeast = 20 }: GoodnessOptions = {},
): Goodness | null {
  const last = Math.ceil(end / width);
  const counts = new Float64Array(last + 1);
  for (let i = 0; i < values.length; i++) counts[Math.min(last, Math.floor(values[i] / width))]++;
  const bins: { count: number; probability: number }[] = [];
  let [count, from] = [0, 0];
  for (let b = 0; b <= last; b++) {
    count += counts[b];
    const to = b === last ? 1 : below((b + 1) * width);
    if (count >= atLeast) {
      bins.push({ count, probability: to - from });
      [count, from] = [0, to];
    }
  }
  if (bins.length === 0) return null;
  // What is left beyond the last full bin belongs to it.
  bins[bins.length - 1].count += count;
  bins[bins.length - 1].probability += 1 - from;
  const degrees = bins.length - 1 - fitted;
  if (degrees < 1) return null;
  const statistic = bins.reduce((sum, { count: observed, probability }) => {
    const expected = values.length * probability;
    return sum + (observed - expected) ** 2 / expected;
  }, 0);
  return { bins: bins.length, statistic, degrees, p: chiSquareSurvival(statistic, degrees) };
}

/** Numbers above 0 in short, with the distributions that fit them best; those are null where all numbers are alike. */
export interface PositiveSummary {
  readonly count: number;
  readonly mean: number;
  /** Of the values themselves: sums divided by count. */
  readonly sd: number;
  readonly median: number;
  readonly gamma: (GammaDistribution & { readonly goodness: Goodness | null }) | null;
  readonly logNormal: (LogNormalDistribution & { readonly goodness: Goodness | null }) | null;
}

/** @throws RangeError for numbers that are not positive and finite */
export function summarisePositive(values: Numbers): PositiveSummary {
  const gamma = fitGamma(values);
  const logNormal = fitLogNormal(values);
  return {
    count: values.length,
    mean: mean(values),
    sd: Math.sqrt(variance(values)),
    median: median(values),
    gamma: gamma && { ...gamma, goodness: binnedGoodness(values, (x) => gammaBelow(gamma, x)) },
    logNormal: logNormal && { ...logNormal, goodness: binnedGoodness(values, (x) => logNormalBelow(logNormal, x)) },
  };
}
