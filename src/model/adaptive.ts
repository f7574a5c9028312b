/** Neurons with adaptation, for learning by gradients. Voltage and current in units of the threshold, time in ms. */
import { exp } from "../expression/build.ts";
import type { Expression } from "../expression/node.ts";
import { defineModel } from "./define.ts";
import { refractoryMs, tauMemMs, threshold } from "./lif.ts";

const decay = (dtMs: Expression, tau: Expression): Expression => exp(dtMs.negated().over(tau));
const rest = (factor: Expression): Expression => factor.negated().plus(1);

/**
 * alpha = exp(-dt/tauMem), rho = exp(-dt/tauAdapt):
 *   v <- alpha v + (1-alpha) I;  a <- rho a;  spike if v > threshold + beta a;  then v -= threshold, a += 1
 * Two differences to the paper: there, what a spike subtracts and adds enters after the decay of the next step, here it
 * enters at the spike and decays with the rest; and the paper has no factor 1-alpha, which keeps currents here in units of
 * the threshold (weights of the paper divided by 1-alpha give the same voltages).
 */
export const ALIF = defineModel({
  name: "ALIF",
  description: "LIF neuron whose threshold rises with every spike and falls back slowly; reset by subtraction.",
  source: "Bellec et al., Nat. Commun. 11:3625 (2020)",
  parameters: {
    tauMemMs: { ...tauMemMs, default: 20 },
    tauAdaptMs: { unit: "ms", default: 200, exclusiveMin: 0, doc: "decay of the adaptation" },
    beta: { unit: "threshold", default: 0.17, min: 0, doc: "rise of the threshold per spike" },
    threshold,
    refractoryMs: { ...refractoryMs, default: 0 },
  },
  states: {
    v: { unit: "threshold", initial: 0, doc: "membrane voltage" },
    a: { unit: "1", initial: 0, doc: "adaptation: decayed count of past spikes" },
  },
  step: ({ v, a, current, dtMs, tauMemMs, tauAdaptMs }) => {
    const alpha = decay(dtMs, tauMemMs);
    return { v: v.times(alpha).plus(rest(alpha).times(current)), a: a.times(decay(dtMs, tauAdaptMs)) };
  },
  margin: ({ v, a, threshold, beta }) => v.minus(threshold.plus(beta.times(a))),
  reset: ({ v, a, threshold }) => ({ v: v.minus(threshold), a: a.plus(1) }),
  adaptation: ["a"],
});

/**
 * alpha = exp(-dt/tauMem), beta = exp(-dt/tauAdapt), z = 1 at a spike:
 *   v <- alpha v + (1-alpha) (I - w);  spike if v > threshold, then v -= threshold
 *   w <- beta w + (1-beta) (A v + B z)      with the new v, after its reset: that is what "symplectic" means
 */
export const adLIF = defineModel({
  name: "adLIF",
  description: "Adaptive LIF neuron with sub-threshold coupling, discretised by the symplectic Euler method.",
  source: "Baronig et al., Nat. Commun. (2025), arXiv:2408.07517",
  parameters: {
    tauMemMs,
    tauAdaptMs: { unit: "ms", default: 100, exclusiveMin: 0, doc: "time constant of the adaptation current" },
    A: { unit: "1", default: 0.5, min: 0, doc: "adaptation current per voltage held" },
    B: { unit: "threshold", default: 1, min: 0, doc: "adaptation current per spike, before the factor 1-beta" },
    threshold,
    refractoryMs: { ...refractoryMs, default: 0 },
  },
  states: {
    v: { unit: "threshold", initial: 0, doc: "membrane voltage" },
    w: { unit: "threshold", initial: 0, doc: "adaptation current" },
  },
  step: ({ v, w, current, dtMs, tauMemMs, tauAdaptMs, A }) => {
    const alpha = decay(dtMs, tauMemMs);
    const beta = decay(dtMs, tauAdaptMs);
    const next = v.times(alpha).plus(rest(alpha).times(current.minus(w)));
    return { v: next, w: w.times(beta).plus(rest(beta).times(A).times(next)) };
  },
  margin: ({ v, threshold }) => v.minus(threshold),
  reset: ({ v, w, dtMs, tauAdaptMs, A, B, threshold }) => ({
    v: v.minus(threshold),
    w: w.plus(rest(decay(dtMs, tauAdaptMs)).times(B.minus(A.times(threshold)))),
  }),
  adaptation: ["w"],
});
