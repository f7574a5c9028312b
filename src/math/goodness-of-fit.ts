/**
 * Do these numbers follow that distribution? The p-values behind the tests of everything random in Volley.
 */

import { chiSquareSurvival, kolmogorovSurvival } from "./special-functions.ts";
import type { Numbers } from "./statistics.ts";

/**
 * Kolmogorov and Smirnov's test: p-value of the largest distance between the empirical distribution and `cdf`, which
 * must be continuous. Uses Stephens's correction for finite n (J. R. Stat. Soc. B 32, 1970), good from n = 5.
 */
export function kolmogorovSmirnov(values: Numbers, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const expected = cdf(sorted[i]);
    distance = Math.max(distance, expected - i / n, (i + 1) / n - expected);
  }
  const root = Math.sqrt(n);
  return kolmogorovSurvival((root + 0.12 + 0.11 / root) * distance);
}

/**
 * Pearson's test: p-value of sum (observed - expected)^2 / expected. Expected counts should be about 5 or more.
 *
 * @param constraints how many sums of `observed` are fixed beforehand: 1 when only the total is.
 */
export function chiSquare(observed: Numbers, expected: Numbers, constraints = 1): number {
  let sum = 0;
  for (let i = 0; i < expected.length; i++) sum += (observed[i] - expected[i]) ** 2 / expected[i];
  return chiSquareSurvival(sum, expected.length - constraints);
}
