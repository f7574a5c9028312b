/** Readouts: neurons that never spike; the first state is the output. */
import { constant, exp } from "../expression/build.ts";
import type { Expression } from "../expression/node.ts";
import { defineModel } from "./define.ts";
import { tauMemMs } from "./lif.ts";

const decay = (dtMs: Expression, tau: Expression): Expression => exp(dtMs.negated().over(tau));
const never = { margin: () => constant(-1), reset: () => ({}) };
const y = { unit: "1", initial: 0, doc: "output" };

/** y <- k y + I, k = exp(-dt/tauMem) */
export const LI = defineModel({
  name: "LI",
  description: "Leaky integrator of weighted spikes.",
  source: "Bellec et al., Nat. Commun. 11:3625 (2020)",
  parameters: { tauMemMs: { ...tauMemMs, default: 20 } },
  states: { y },
  step: ({ y, current, dtMs, tauMemMs }) => ({ y: y.times(decay(dtMs, tauMemMs)).plus(current) }),
  ...never,
});

/** i <- b i + I;  y <- a y + (1-a) i (old), a = exp(-dt/tauMem), b = exp(-dt/tauSyn) */
export const CuBaLI = defineModel({
  name: "CuBaLI",
  description: "Leaky integrator behind a synaptic current.",
  source: "stork (Rossbroich, Gygax & Zenke 2022)",
  parameters: {
    tauMemMs: { ...tauMemMs, default: 20 },
    tauSynMs: { unit: "ms", default: 5, exclusiveMin: 0, doc: "time constant of the synaptic current" },
  },
  states: { y, i: { unit: "1", initial: 0, doc: "synaptic current" } },
  step: ({ y, i, current, dtMs, tauMemMs, tauSynMs }) => {
    const a = decay(dtMs, tauMemMs);
    return { y: y.times(a).plus(a.negated().plus(1).times(i)), i: i.times(decay(dtMs, tauSynMs)).plus(current) };
  },
  ...never,
});
