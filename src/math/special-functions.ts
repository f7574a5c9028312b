/**
 * The gamma function with the derivatives of its logarithm and the tails of some distributions, as far as sampling, fits
 * and goodness-of-fit tests need them.
 * Sources: Abramowitz and Stegun 6.1, 6.5 and 26.4; Lentz's algorithm for the continued fraction (Appl. Opt. 15, 1976).
 */

import { exp, log } from "./elementary.ts";

const HALF_LOG_2PI = 0.9189385332046728;
/** From here on the series of Stirling, cut after x^-13, is right to the last digits. */
const STIRLING_FROM = 10;

/** ln Gamma(x) for x > 0; relative error about 1e-15 away from the zeros at 1 and 2, absolute error 1e-14 near them. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma is defined here for x > 0, not ${x}`);
  // Gamma(x) = Gamma(x + n) / (x (x + 1) .. (x + n - 1))
  let product = 1;
  let y = x;
  for (; y < STIRLING_FROM; y++) product *= y;
  const z = 1 / (y * y);
  const series =
    (1 / 12 +
      z * (-1 / 360 + z * (1 / 1260 + z * (-1 / 1680 + z * (1 / 1188 + z * (-691 / 360360 + z * (1 / 156))))))) /
    y;
  return (y - 0.5) * log(y) - y + HALF_LOG_2PI + series - log(product);
}

/** psi(x) = d ln Gamma(x) / dx for x > 0; relative error about 1e-15 away from its zero at 1.46. */
export function digamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`digamma is defined here for x > 0, not ${x}`);
  // psi(x) = psi(x + n) - 1/x - .. - 1/(x + n - 1)
  let below = 0;
  let y = x;
  for (; y < STIRLING_FROM; y++) below += 1 / y;
  const z = 1 / (y * y);
  const series =
    z *
    (1 / 12 -
      z *
        (1 / 120 -
          z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * (691 / 32760 - z * (1 / 12 - z * 0.443259803921568)))))));
  return log(y) - 0.5 / y - series - below;
}

/** psi'(x) for x > 0; relative error about 1e-15. */
export function trigamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`trigamma is defined here for x > 0, not ${x}`);
  // psi'(x) = psi'(x + n) + 1/x^2 + .. + 1/(x + n - 1)^2
  let below = 0;
  let y = x;
  for (; y < STIRLING_FROM; y++) below += 1 / (y * y);
  const z = 1 / (y * y);
  const series =
    z *
    (1 / 6 -
      z * (1 / 30 - z * (1 / 42 - z * (1 / 30 - z * (5 / 66 - z * (691 / 2730 - z * (7 / 6 - z * (3617 / 510))))))));
  return (1 + 0.5 / y + series) / y + below;
}

const ENOUGH_TERMS = 100_000;

/** Regularised upper incomplete gamma function Q(a, x) = Gamma(a, x) / Gamma(a), 0..1, for a > 0 and x >= 0. */
export function gammaQ(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) throw new RangeError(`gammaQ needs a > 0 and x >= 0, not ${a} and ${x}`);
  if (x === 0) return 1;
  if (x === Infinity) return 0;
  const front = exp(a * log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - front * lowerSeries(a, x) : front * upperFraction(a, x);
}

/** gamma(a, x) e^x x^-a = sum of x^n / (a (a + 1) .. (a + n)); used for x < a + 1, where terms fall from the start. */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < ENOUGH_TERMS && term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Gamma(a, x) e^x x^-a as a continued fraction, evaluated from the front with Lentz's ratios. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < ENOUGH_TERMS; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / nonZero(numerator * d + b);
    c = nonZero(b + numerator / c);
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return value;

  function nonZero(denominator: number): number {
    return Math.abs(denominator) < tiny ? tiny : denominator;
  }
}

/** P(X > x) of the chi-square distribution with k degrees of freedom. */
export function chiSquareSurvival(x: number, k: number): number {
  return x <= 0 ? 1 : gammaQ(k / 2, x / 2);
}

/** P(Z > z) of the standard normal distribution. */
export function normalSurvival(z: number): number {
  const tail = 0.5 * gammaQ(0.5, 0.5 * z * z);
  return z >= 0 ? tail : 1 - tail;
}

/** P(K > t) of Kolmogorov's distribution, the limit law of sqrt(n) D_n. */
export function kolmogorovSurvival(t: number): number {
  if (!(t > 0)) return 1;
  let sum = 0;
  if (t < 1) {
    // The two forms are the same theta function; this one converges quickly for small t.
    for (let j = 1; j <= 9; j += 2) sum += exp((-j * j * Math.PI * Math.PI) / (8 * t * t));
    return 1 - (Math.sqrt(2 * Math.PI) / t) * sum;
  }
  for (let j = 1; j <= 6; j++) sum += (j % 2 === 1 ? 2 : -2) * exp(-2 * j * j * t * t);
  return sum;
}
