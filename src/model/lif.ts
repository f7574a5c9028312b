/** Leaky integrate-and-fire neurons. Voltage and current in units of the default threshold, time in ms. */
import { exp } from "../expression/build.ts";
import { type Constraint, defineModel, type ParameterDefinition } from "./define.ts";

export const tauMemMs: ParameterDefinition = {
  unit: "ms",
  default: 10,
  exclusiveMin: 0,
  doc: "membrane time constant",
};
export const threshold: ParameterDefinition = {
  unit: "threshold",
  default: 1,
  doc: "a spike is fired when v > threshold",
};
export const reset: ParameterDefinition = { unit: "threshold", default: 0, doc: "voltage after a spike" };
export const refractoryMs: ParameterDefinition = {
  unit: "ms",
  default: 0.1,
  min: 0,
  doc: "pause after a spike, rounded to whole steps",
};

export const resetBelowThreshold: Constraint<"reset" | "threshold"> = {
  holds: ({ reset, threshold }) => reset.lt(threshold),
  message: "reset must be below threshold, or the neuron fires at every step; lower reset or raise threshold",
};

/**
 * tau dv/dt = -v + I by Euler's method:  v += (dt/tau) (I - v);  spike if v > threshold, then v = reset.
 * A trial starts at v = reset + (threshold - reset) gauss.
 */
export const LIF = defineModel({
  name: "LIF",
  description: "Leaky integrate-and-fire neuron with a fixed threshold (Euler steps).",
  source: "Kim & Chow, eLife 7:e37124 (2018); Arthur et al., Front. Neuroinform. 17:1099510 (2023)",
  parameters: { tauMemMs, threshold, reset, refractoryMs },
  states: {
    v: {
      unit: "threshold",
      initial: ({ threshold, reset }) => ({ kind: "normal", mean: reset, sd: threshold.minus(reset) }),
      doc: "membrane voltage",
    },
  },
  step: ({ v, current, dtMs, tauMemMs }) => ({ v: v.plus(dtMs.over(tauMemMs).times(current.minus(v))) }),
  margin: ({ v, threshold }) => v.minus(threshold),
  reset: ({ reset }) => ({ v: reset }),
  constraints: [resetBelowThreshold],
});

/**
 * Exact decay per step, a = exp(-dt/tauMem), b = exp(-dt/tauSyn):
 *   i <- b i + (1-b) I;  v <- a v + (1-a) i   (v uses the new i)
 * The factor 1-b keeps currents in units of the threshold: a constant input I ends at i = I, v = I.
 */
export const CuBaLIF = defineModel({
  name: "CuBaLIF",
  description: "Leaky integrate-and-fire neuron with a synaptic current of its own (exponential Euler steps).",
  source: "Zenke & Ganguli, Neural Comput. 30:1514 (2018), with both filters of unit gain",
  parameters: {
    tauMemMs,
    tauSynMs: { unit: "ms", default: 5, exclusiveMin: 0, doc: "time constant of the synaptic current" },
    threshold,
    reset,
    refractoryMs,
  },
  states: {
    v: {
      unit: "threshold",
      initial: ({ threshold, reset }) => ({ kind: "normal", mean: reset, sd: threshold.minus(reset) }),
      doc: "membrane voltage",
    },
    i: { unit: "threshold", initial: 0, doc: "synaptic current" },
  },
  step: ({ v, i, current, dtMs, tauMemMs, tauSynMs }) => {
    const a = exp(dtMs.negated().over(tauMemMs));
    const b = exp(dtMs.negated().over(tauSynMs));
    const synaptic = i.times(b).plus(b.negated().plus(1).times(current));
    return { v: v.times(a).plus(a.negated().plus(1).times(synaptic)), i: synaptic };
  },
  margin: ({ v, threshold }) => v.minus(threshold),
  reset: ({ reset }) => ({ v: reset }),
  constraints: [resetBelowThreshold],
});
