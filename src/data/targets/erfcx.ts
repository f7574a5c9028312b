/**
 * The scaled complementary error function erfcx(x) = exp(x^2) erfc(x), which stays finite where exp(x^2) overflows and
 * erfc(x) underflows: the reason the firing-rate formula can be evaluated far below threshold.
 *
 * For x >= 0, (1 + 2x) erfcx(x) is a smooth function of t = (x - 3.75)/(x + 3.75) on [-1, 1) and is summed as a
 * Chebyshev series (the mapping of Shepherd and Laframboise, Math. Comp. 36, 1981; coefficients computed by us in
 * 40-digit arithmetic). Relative error below 1e-14 for x >= 0.
 */

import { exp } from "../../math/elementary.ts";

const coefficients = [
  1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
  0.009074997670705066, -0.002413163540417608, 0.0004907758365258086, -0.00006916973302501207, 0.00000413902798607301,
  7.74038306619849e-7, -2.1886401049234397e-7, 1.076499946567091e-8, 4.521959811218287e-9, -7.754400208831351e-10,
  -6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
  3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17, 5.068148904796111e-17,
];

/** erfcx for x >= 0. */
function erfcxPositive(x: number): number {
  const t = x > 1e17 ? 1 : (x - 3.75) / (x + 3.75);
  let b1 = 0;
  let b2 = 0;
  for (let n = coefficients.length - 1; n > 0; n--) {
    const b0 = coefficients[n] + 2 * t * b1 - b2;
    b2 = b1;
    b1 = b0;
  }
  return (coefficients[0] + t * b1 - b2) / (1 + 2 * x);
}

/** exp(x^2) without losing the rounding error of x^2, which matters once x^2 is in the hundreds. */
function expOfSquare(x: number): number {
  const high = Math.fround(x);
  return exp(high * high) * exp((x - high) * (x + high));
}

/**
 * erfcx(x) = exp(x^2) erfc(x) for every real x: about 1/(sqrt(pi) x) for large positive x, about 2 exp(x^2) for large
 * negative x (Infinity below -26.6).
 */
export function erfcx(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x >= 0) return x === Number.POSITIVE_INFINITY ? 0 : erfcxPositive(x);
  if (x < -26.7) return Number.POSITIVE_INFINITY;
  return 2 * expOfSquare(x) - erfcxPositive(-x);
}
