/**
 * Balance of every neuron of its own. Random weights whose mean over all neurons is right still give every neuron a mean
 * membrane of its own, off by sigma ebar sqrt(nu / ehat) however many inputs there are. Shifting the weights of a neuron
 * by what their mean, weighted by the rates of the sources, is off makes its mean exact:
 *
 *   w <- m + c (w - sum d w / sum d)      c = 1 / sqrt(1 - sum d^2 / (sum d)^2) keeps the expected variance
 *
 * d: drive of each weight (rate of its source), m: the mean that weights should have.
 */
import type { Units } from "./afferents.ts";

/** A neuron that hears one source only has no weights to balance. */
const aloneBelow = 1e-9;

/**
 * @param weights changed in place
 * @param drive by weight (`driveOf`)
 * @param meanOf mean of the weights of a unit
 */
export function balanceUnits(
  weights: Float64Array,
  { count, ofWeight }: Pick<Units, "count" | "ofWeight">,
  drive: ArrayLike<number>,
  meanOf: (unit: number) => number,
): void {
  const sums = new Float64Array(count);
  const drives = new Float64Array(count);
  const squares = new Float64Array(count);
  for (let w = 0; w < weights.length; w++) {
    const unit = ofWeight[w];
    sums[unit] += drive[w] * weights[w];
    drives[unit] += drive[w];
    squares[unit] += drive[w] * drive[w];
  }
  for (let w = 0; w < weights.length; w++) {
    const unit = ofWeight[w];
    const left = 1 - squares[unit] / (drives[unit] * drives[unit]);
    if (!(left > aloneBelow)) continue;
    weights[w] = meanOf(unit) + (weights[w] - sums[unit] / drives[unit]) / Math.sqrt(left);
  }
}
