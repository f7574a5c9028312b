/**
 * The neurons of the e-prop papers: every spike moves the voltage by its weight at once (delta synapses), weights are not
 * scaled by 1 - alpha, and a refractory neuron runs on and only cannot spike. alpha = exp(-dt/tauMem),
 * rho = exp(-dt/tauAdapt). Two orders exist, which differ by one decay of what a spike subtracts and adds:
 *
 *   Bellec:  v <- alpha v + I - threshold z(t-1);     a <- rho a + z(t-1)
 *   GeNN:    v <- alpha (v - threshold z(t-1)) + I;   a <- rho (a + z(t-1))
 *
 * and a spike when v > threshold + beta a. A reset by threshold/alpha at the spike itself is Bellec's order.
 */
import { constant, exp } from "../expression/build.ts";
import type { Expression } from "../expression/node.ts";
import { defineModel } from "./define.ts";
import { refractoryMs, tauMemMs, threshold } from "./lif.ts";

const alphaOf = (dtMs: Expression, tau: Expression): Expression => exp(dtMs.negated().over(tau));

const voltage = { unit: "threshold", initial: 0, doc: "membrane voltage" };
const shared = {
  tauMemMs: { ...tauMemMs, default: 20 },
  threshold: { ...threshold, default: 0.6, exclusiveMin: 0 },
  refractoryMs: { ...refractoryMs, default: 5 },
};
const adaptive = {
  ...shared,
  tauAdaptMs: { unit: "ms", default: 2000, exclusiveMin: 0, doc: "decay of the adaptation" },
  beta: { unit: "threshold", default: 0.0174, min: 0, doc: "rise of the threshold per spike" },
};
const adaptation = { unit: "1", initial: 0, doc: "adaptation: decayed count of past spikes" };

interface Decaying {
  readonly dtMs: Expression;
  readonly tauMemMs: Expression;
}

const stepVoltage = ({ v, current, dtMs, tauMemMs }: Decaying & Record<"v" | "current", Expression>) => ({
  v: v.times(alphaOf(dtMs, tauMemMs)).plus(current),
});
const stepAdaptation = ({ a, dtMs, tauAdaptMs }: Record<"a" | "dtMs" | "tauAdaptMs", Expression>) => ({
  a: a.times(alphaOf(dtMs, tauAdaptMs)),
});
const fixedMargin = ({ v, threshold }: Record<"v" | "threshold", Expression>) => v.minus(threshold);
const adaptiveMargin = ({ v, a, threshold, beta }: Record<"v" | "a" | "threshold" | "beta", Expression>) =>
  v.minus(threshold.plus(beta.times(a)));

const bellec = "Bellec et al., Nat. Commun. 11:3625 (2020)";
const genn = "Knight & Nowotny, NICE 2022; GeNN and mlGeNN";

export const BellecLIF = defineModel({
  name: "BellecLIF",
  description: "LIF neuron of e-prop: delta synapses, reset by subtraction one step after the spike.",
  source: bellec,
  parameters: shared,
  states: { v: voltage },
  step: stepVoltage,
  margin: fixedMargin,
  reset: ({ v, threshold, dtMs, tauMemMs }) => ({ v: v.minus(threshold.over(alphaOf(dtMs, tauMemMs))) }),
  refractory: "silent",
});

export const BellecALIF = defineModel({
  name: "BellecALIF",
  description: "Adaptive LIF neuron of e-prop: the threshold rises with every spike.",
  source: bellec,
  parameters: adaptive,
  states: { v: voltage, a: adaptation },
  step: (names) => ({ ...stepVoltage(names), ...stepAdaptation(names) }),
  margin: adaptiveMargin,
  reset: ({ v, a, threshold, dtMs, tauMemMs, tauAdaptMs }) => ({
    v: v.minus(threshold.over(alphaOf(dtMs, tauMemMs))),
    a: a.plus(constant(1).over(alphaOf(dtMs, tauAdaptMs))),
  }),
  refractory: "silent",
  adaptation: ["a"],
});

export const GennLIF = defineModel({
  name: "GennLIF",
  description: "LIF neuron of GeNN's e-prop: delta synapses, what the reset subtracts decays with the rest.",
  source: genn,
  parameters: shared,
  states: { v: voltage },
  step: stepVoltage,
  margin: fixedMargin,
  reset: ({ v, threshold }) => ({ v: v.minus(threshold) }),
  refractory: "silent",
});

export const GennALIF = defineModel({
  name: "GennALIF",
  description: "Adaptive LIF neuron of GeNN's e-prop.",
  source: genn,
  parameters: adaptive,
  states: { v: voltage, a: adaptation },
  step: (names) => ({ ...stepVoltage(names), ...stepAdaptation(names) }),
  margin: adaptiveMargin,
  reset: ({ v, a, threshold }) => ({ v: v.minus(threshold), a: a.plus(1) }),
  refractory: "silent",
  adaptation: ["a"],
});
