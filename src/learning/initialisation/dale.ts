/**
 * Fluctuation-driven initialisation under Dale's law: positive weights from excitatory sources (from below and recurrent),
 * negative ones from inhibitory sources, such that the mean of the free membrane is 0, its standard deviation sigma, and
 * the share alpha of the excitatory variance comes from below.
 *
 * Weights are a scale a times a positive random number x with moments M1 = E[x], M2 = E[x^2]. With D = N nu spikes per
 * second from each group and the response integrals of excitatory and inhibitory synapses:
 *
 *   share      D_f a_f^2 : D_r a_r^2 = alpha : 1 - alpha          r = a_r / a_f = sqrt((1-alpha) D_f / (alpha D_r))
 *   mean 0     ebar_E (D_f a_f + D_r a_r) = ebar_I D_i a_i        k = a_i / a_f = ebar_E (D_f + r D_r) / (ebar_I D_i)
 *   variance   sigma^2 = M2 (ehat_E (D_f a_f^2 + D_r a_r^2) + ehat_I D_i a_i^2)
 *
 *   a_f = sigma / sqrt(M2 (ehat_E (D_f + r^2 D_r) + ehat_I k^2 D_i))
 *
 * Exponential weights have M1 = 1, M2 = 2 (a is the mean); log-normal ones with ln w ~ Normal(ln a, 1) have M1 = e^(1/2),
 * M2 = e^2 (a is the median). That these are the published formulas for both, up to an error in the published program for
 * recurrent log-normal weights, is shown in docs/initialization.md and by tests.
 */
import { UserError } from "../../base/errors.ts";
import { exp, log } from "../../math/elementary.ts";

export type DaleDistribution = "exponential" | "logNormal";

/** A positive distribution of scale 1. */
export interface PositiveDistribution {
  /** E[x] and E[x^2]. */
  readonly mean: number;
  readonly secondMoment: number;
  /** Which numbers of a stream it is made of, and how. */
  readonly from: "uniform" | "normal";
  draw(value: number): number;
}

export const daleDistributions: Readonly<Record<DaleDistribution, PositiveDistribution>> = {
  // 1 - u is in (0, 1], so the logarithm is finite.
  exponential: { mean: 1, secondMoment: 2, from: "uniform", draw: (u) => -log(1 - u) },
  logNormal: { mean: exp(0.5), secondMoment: exp(2), from: "normal", draw: exp },
};

/** One number for each group of afferents. */
export interface DaleGroups {
  readonly feedForward: number;
  readonly recurrent: number;
  readonly inhibitory: number;
}

export interface SynapseResponse {
  readonly ebar: number;
  readonly ehat: number;
}

/**
 * Scales a of the three groups.
 * @param drive spikes per second that arrive from each group; `recurrent` 0: there are none
 * @param share alpha; without meaning where one of the excitatory groups is empty
 * @param path where the rule stands, for messages
 * @throws UserError where nothing excites or nothing inhibits
 */
export function daleScales(
  { secondMoment }: PositiveDistribution,
  drive: DaleGroups,
  target: { readonly sigma: number; readonly share: number },
  response: { readonly excitatory: SynapseResponse; readonly inhibitory: SynapseResponse },
  path: string,
): DaleGroups {
  const { feedForward, recurrent, inhibitory } = drive;
  if (!(inhibitory > 0) || !(feedForward + recurrent > 0)) {
    const [missing, needed] = inhibitory > 0 ? ["excites", "excitatory"] : ["inhibits", "inhibitory"];
    throw new UserError(
      `${path} balances excitation and inhibition, but nothing that reaches the layer ${missing}: give ${needed} ` +
        "neurons (excitatoryFraction between 0 and 1, recurrent true), or use the rule fluctuation without Dale's law",
    );
  }
  const { excitatory: e, inhibitory: i } = response;
  const { sigma, share } = target;
  // Of one excitatory group alone the share is 1: the other scale does not matter.
  const both = feedForward > 0 && recurrent > 0;
  const first = feedForward > 0 ? feedForward : recurrent;
  const second = both ? recurrent : 0;
  const r = both ? Math.sqrt(((1 - share) * first) / (share * second)) : 1;
  const k = (e.ebar * (first + r * second)) / (i.ebar * inhibitory);
  const a = sigma / Math.sqrt(secondMoment * (e.ehat * (first + r * r * second) + i.ehat * k * k * inhibitory));
  return { feedForward: a, recurrent: r * a, inhibitory: k * a };
}
