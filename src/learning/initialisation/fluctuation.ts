/**
 * Fluctuation-driven initialisation (Rossbroich, Gygax & Zenke 2022): weights such that the free membrane has the mean mu
 * and, over time, the standard deviation sigma, when N sources fire as independent Poisson trains of rate nu.
 *
 *   mu = N nu ebar E[w]        sigma^2 = N nu ehat E[w^2]
 *
 * With several afferents c that carry the shares q_c of the variance, and D_c = N_c nu_c spikes per second:
 *
 *   mean of the weights   m   = mu / (ebar sum_c D_c)        the same for all
 *   their variance        s_c^2 = q_c sigma^2 / (D_c ehat) - m^2      which must be above 0
 */
import { UserError } from "../../base/errors.ts";

/** In units of the membrane. */
export interface MembraneTarget {
  readonly mean: number;
  readonly sigma: number;
}

export interface Afferent {
  /** N nu: spikes per second that arrive at a neuron. */
  readonly drive: number;
  /** q */
  readonly share: number;
  /** Of all afferents of the neuron. */
  readonly totalDrive: number;
}

export interface WeightMoments {
  readonly mean: number;
  readonly sd: number;
}

const shown = (value: number): string => Number(value.toPrecision(3)).toString();

/**
 * @param response integrals of the target neuron, seconds
 * @param path where the rule stands, for messages
 * @throws UserError where the mean alone brings more variance than there should be, and says what to raise
 */
export function fluctuationMoments(
  { mean, sigma }: MembraneTarget,
  { drive, share, totalDrive }: Afferent,
  response: { readonly ebar: number; readonly ehat: number },
  path: string,
): WeightMoments {
  const { ebar, ehat } = response;
  const weightMean = mean / (ebar * totalDrive);
  const secondMoment = (share * sigma * sigma) / (drive * ehat);
  const variance = secondMoment - weightMean * weightMean;
  if (!(variance > 0)) {
    // sigma at which the variance is 0, and the factor on all drives at which it is
    const enoughSigma = (Math.abs(mean) / (ebar * totalDrive)) * Math.sqrt((drive * ehat) / share);
    const factor = (enoughSigma / sigma) ** 2;
    throw new UserError(
      `${path} asks for a mean of ${shown(mean)} and a standard deviation of ${shown(sigma)}, but weights that bring the ` +
        `mean alone give ${shown(enoughSigma)}: raise sigma above that (lower xi), or the number of inputs times their ` +
        `rate, ${shown(drive)} spikes per second, above ${shown(drive * factor)}${share < 1 ? ", or the share" : ""}`,
    );
  }
  return { mean: weightMean, sd: Math.sqrt(variance) };
}
