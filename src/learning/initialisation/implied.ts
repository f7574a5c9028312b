/**
 * What weights mean for the free membrane, whatever rule they are from: its mean and standard deviation when the sources
 * fire as independent Poisson trains at their rates.
 *
 *   neuron j:  mean_j = ebar_j sum_i nu_i w_ij      sigma_j^2 = ehat_j sum_i nu_i w_ij^2
 *
 * with the integrals of the input that a source leads into.
 */
import { type GradientNetwork, inputOf, isShared } from "../gradient/spec.ts";
import { driveOf, noUnit, unitsOf } from "./afferents.ts";
import type { SourceRates } from "./draw.ts";
import type { FreeMembrane } from "./measure.ts";
import { responseIntegrals, thresholdsOf } from "./response.ts";

/** Of a population, in thresholds. */
export interface MembraneMoments {
  /** Over neurons and time. */
  readonly mean: number;
  /** Over time, about the neuron's own mean: root of the mean variance. */
  readonly sigma: number;
  /** (1 - mean) / sigma: distance to the threshold in standard deviations. Infinity: the membrane does not move. */
  readonly xi: number;
  /** Standard deviation of the neurons' own means. */
  readonly spread: number;
}

/** @param means of every neuron, in thresholds. @param variances over time */
export function momentsOf(means: ArrayLike<number>, variances: ArrayLike<number>): MembraneMoments {
  const count = means.length;
  let [sum, variance] = [0, 0];
  for (let j = 0; j < count; j++) {
    sum += means[j] / count;
    variance += variances[j] / count;
  }
  let deviation = 0;
  for (let j = 0; j < count; j++) deviation += (means[j] - sum) ** 2 / count;
  const sigma = Math.sqrt(variance);
  return { mean: sum, sigma, xi: (1 - sum) / sigma, spread: Math.sqrt(deviation) };
}

/** Of a membrane that was measured. */
export const measuredMoments = ({ means, deviations }: FreeMembrane): MembraneMoments =>
  momentsOf(
    means,
    deviations.map((sd) => sd * sd),
  );

export interface ImpliedMembrane extends MembraneMoments {
  /**
   * What the spread would be if every weight were drawn by itself: sigma ebar sqrt(nu / ehat) when all sources fire at
   * the rate nu. Balanced weights spread less.
   */
  readonly independentSpread: number;
}

/**
 * @param weights by projection
 * @param rates by projection; projections whose sources are not known are left out
 */
export function impliedMembrane(
  network: GradientNetwork,
  weights: readonly ArrayLike<number>[],
  rates: readonly (SourceRates | null)[],
  p: number,
): ImpliedMembrane {
  const population = network.populations[p];
  const { size } = population;
  const responses = population.model.model.inputs.map((_, i) => responseIntegrals(population, network.dtMs, i));
  const thresholds = thresholdsOf(population);
  const means = new Float64Array(size);
  const variances = new Float64Array(size);
  let independent = 0;
  for (const [k, projection] of network.projections.entries()) {
    const known = rates[k];
    if (projection.target !== p || known === null) continue;
    const { gain = 1 } = projection;
    const { ebar, ehat } = responses[inputOf(network, projection)];
    const units = unitsOf(network, projection);
    const drive = driveOf(network, projection, units, known.perSourceHz ?? known.meanHz);
    // Of currents, squares per value; of spikes 1.
    const squares = known.perSourceHz === null ? 1 : known.meanHz / meanOf(known.perSourceHz);
    const sums = new Float64Array(units.count);
    const squareSums = new Float64Array(units.count);
    const scatter = new Float64Array(units.count);
    const spreads = variancesOverTargets(network, k, weights[k]);
    for (let w = 0; w < drive.length; w++) {
      const unit = units.ofWeight[w];
      const value = gain * weights[k][w];
      sums[unit] += drive[w] * value;
      squareSums[unit] += drive[w] * value * value;
      scatter[unit] += gain * gain * drive[w] * drive[w] * spreads(w);
    }
    for (let j = 0; j < size; j++) {
      const unit = units.ofNeuron[j];
      if (unit === noUnit) continue;
      const [first, second] = [ebar[j] / thresholds[j], ehat[j] / (thresholds[j] * thresholds[j])];
      means[j] += first * sums[unit];
      variances[j] += second * squares * squareSums[unit];
      independent += (first * first * scatter[unit]) / size;
    }
  }
  return { ...momentsOf(means, variances), independentSpread: Math.sqrt(Math.max(0, independent)) };
}

/** Fewer targets tell no variance. */
const fewTargets = 8;

/** By weight: how much weights of its source differ from target to target; of sparse connections, weights of all sources. */
function variancesOverTargets(
  { projections, populations }: GradientNetwork,
  k: number,
  weights: ArrayLike<number>,
): (w: number) => number {
  const { connectivity, target } = projections[k];
  const own = connectivity === "dense" ? populations[target].size : isShared(connectivity) ? connectivity.width : 0;
  const row = own < fewTargets ? weights.length : own;
  const variances = Array.from({ length: weights.length / row }, (_, i) => {
    let [sum, squares] = [0, 0];
    for (let w = i * row; w < (i + 1) * row; w++) {
      sum += weights[w];
      squares += weights[w] * weights[w];
    }
    return (squares - (sum * sum) / row) / (row - 1);
  });
  return (w) => variances[Math.floor(w / row)];
}

function meanOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // Sources that never fire: their squares are 0 too.
  return mean === 0 ? 1 : mean;
}
