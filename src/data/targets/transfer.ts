/**
 * Which mean input makes a LIF neuron fire at a recorded rate, and which noise explains a rate: the inverses of Siegert's
 * formula (siegert.ts).
 */

import { UserError } from "../../base/errors.ts";
import { exp, log } from "../../math/elementary.ts";
import type { Formula, TransferParams } from "./siegert.ts";
import { formulaOf, logRate } from "./siegert.ts";

export type { TransferParams } from "./siegert.ts";
export { lifRateHz } from "./siegert.ts";

/** Rates below this are treated as this: a silent neuron has no finite mean input. */
export const floorRateHz = 0.1;

/** The highest rate that is converted: 1 spike per time step of 0.1 ms. */
const highestRateHz = 10_000;

/** mu with ln nu(mu) = target: Newton's method, guarded by a bracket. ln nu rises strictly with mu. */
function solve(target: number, start: number, formula: Formula): number {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  let mu = start;
  const width = formula.sigma + formula.threshold - formula.reset;
  for (let i = 0; i < 200; i++) {
    const { value, slope } = logRate(mu, formula);
    const error = target - value;
    if (error > 0) low = mu;
    else high = mu;
    let next = mu + error / slope;
    // A long step (flat, far above threshold) is cut; one that leaves the bracket is replaced by its middle.
    const reach = 2 * (width + Math.abs(mu));
    if (!(Math.abs(next - mu) <= reach)) next = mu + (error > 0 ? reach : -reach);
    if (next <= low || next >= high) {
      if (Math.abs(error) < 1e-13) return mu;
      next = 0.5 * (low + high);
    }
    if (next === mu || Math.abs(next - mu) < 1e-15 * (width + Math.abs(mu))) return next;
    if (Math.abs(error) < 1e-9) {
      // Newton doubles the digits: this step was the last one that could matter.
      return next;
    }
    mu = next;
  }
  throw new UserError(`no mean input was found for a rate of ${exp(target)} Hz; check sigma and the time constants`);
}

/** Table nodes per e-fold of rate. Cubic Hermite interpolation between them errs by less than 1e-10 of threshold. */
const nodesPerFold = 128;

/**
 * Mean inputs that make a LIF neuron fire at the given rates.
 *
 * The inverse is tabulated on a fixed grid of ln rate (so a rate gives the same input whatever else is in the array),
 * each node polished by Newton's method, and interpolated in between.
 *
 * @param ratesHz any number of rates, >= 0; rates below 0.1 Hz count as 0.1 Hz.
 * @returns inputs in units of threshold, same length and order.
 * @throws UserError for a rate that is negative, not finite or above 10 000 Hz.
 */
export function inputForRate(ratesHz: ArrayLike<number>, params: TransferParams): Float64Array {
  const formula = formulaOf(params);
  const inputs = new Float64Array(ratesHz.length);
  const places = new Float64Array(ratesHz.length);
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ratesHz.length; i++) {
    const rate = ratesHz[i];
    if (!(rate >= 0 && rate <= highestRateHz)) {
      throw new UserError(`rate ${i} is ${rate} Hz; rates must be finite, >= 0 and at most ${highestRateHz} Hz`);
    }
    const place = log(Math.max(rate, floorRateHz)) * nodesPerFold;
    places[i] = place;
    if (place < first) first = place;
    if (place > last) last = place;
  }
  if (ratesHz.length === 0) return inputs;

  const base = Math.floor(first);
  const count = Math.floor(last) - base + 2;
  const mu = new Float64Array(count);
  const slope = new Float64Array(count);
  const needed = new Uint8Array(count);
  for (let i = 0; i < places.length; i++) {
    const k = Math.floor(places[i]) - base;
    needed[k] = needed[k + 1] = 1;
  }
  const firstGuess = guesses(formula);
  for (let k = 0; k < count; k++) {
    if (needed[k] === 0) continue;
    mu[k] = solve((base + k) / nodesPerFold, firstGuess(base + k), formula);
    slope[k] = 1 / (logRate(mu[k], formula).slope * nodesPerFold);
  }
  for (let i = 0; i < places.length; i++) {
    const k = Math.floor(places[i]) - base;
    const t = places[i] - Math.floor(places[i]);
    const rise = mu[k + 1] - mu[k];
    const a = slope[k] - rise;
    const b = rise - slope[k + 1];
    inputs[i] = mu[k] + t * rise + t * (1 - t) * (a * (1 - t) + b * t);
  }
  return inputs;
}

/**
 * First guesses for the nodes, on the line between every 64th node. A guess depends on the node alone, so the last bit
 * of a node does not depend on which others are in the table.
 */
function guesses(formula: Formula): (node: number) => number {
  const anchors = new Map<number, number>();
  const anchor = (node: number): number => {
    let mu = anchors.get(node);
    if (mu === undefined) {
      mu = solve(node / nodesPerFold, formula.threshold - formula.sigma, formula);
      anchors.set(node, mu);
    }
    return mu;
  };
  return (node) => {
    const left = Math.floor(node / 64) * 64;
    const from = anchor(left);
    return from + ((node - left) / 64) * (anchor(left + 64) - from);
  };
}

/**
 * The sigma for which the formula predicts `rateHz` at mean input `mu`: used for networks whose fluctuations come from
 * recurrent synapses rather than from white noise, so that the formula agrees with the rate seen in a run of the static
 * network. Bisection over ln sigma.
 *
 * @param rateHz the rate to predict, > 0.
 * @param mu mean input in units of threshold; must lie below threshold, where noise is what causes spikes.
 * @throws UserError when no sigma between 0.001 and 100 times (threshold - reset) gives that rate.
 */
export function sigmaForRate(rateHz: number, mu: number, params: Omit<TransferParams, "sigma">): number {
  const { threshold = 1, reset = 0 } = params;
  if (!(rateHz > 0 && rateHz <= highestRateHz)) {
    throw new UserError(`cannot find the noise that gives ${rateHz} Hz; the rate must be above 0 Hz`);
  }
  if (!Number.isFinite(mu)) throw new UserError(`the mean input of the rate formula is ${mu}; give a finite number`);
  if (mu >= threshold) {
    throw new UserError(
      `a mean input of ${mu} lies at or above the threshold ${threshold}: the neuron fires without noise, so its rate ` +
        "does not tell the noise — use a network whose mean input is below threshold, or give sigma",
    );
  }
  const gap = threshold - reset;
  const target = log(rateHz);
  const at = (logSigma: number): number => logRate(mu, formulaOf({ ...params, sigma: exp(logSigma) })).value;
  let low = log(gap * 1.001e-3);
  let high = log(gap * 100);
  if (at(low) > target || at(high) < target) {
    throw new UserError(
      `no noise between ${0.001 * gap} and ${100 * gap} makes a neuron with mean input ${mu} fire at ${rateHz} Hz; ` +
        `possible rates are ${exp(at(low)).toPrecision(3)} to ${exp(at(high)).toPrecision(3)} Hz`,
    );
  }
  for (let i = 0; i < 100; i++) {
    const middle = 0.5 * (low + high);
    if (middle === low || middle === high) break;
    if (at(middle) < target) low = middle;
    else high = middle;
  }
  return exp(0.5 * (low + high));
}
