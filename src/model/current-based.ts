/**
 * Current-based LIF neurons as the surrogate-gradient literature writes them, by the names of the programs they are from.
 * a = exp(-dt/tauMem), b = exp(-dt/tauSyn); right-hand states are those before the step, J is what arrives in it.
 *
 *   Stork:         i <- b i + J;  v <- (a v + (1-a) i)(1 - s)     the spike s of the step before sets the next v to 0
 *   StorkSubtract: i <- b i + J;  v <- a v + (1-a) i - s          ... takes 1 threshold off it
 *   SpyTorch:      i <- b i + J;  v <- (a v + i)(1 - s)           weights carry the factor 1-a
 *   StorkExcInh:   e <- be e + E;  i <- bi i + I;  v <- (a v + (1-a) (e + i))(1 - s)      I: with its sign, so below 0
 *   PerezNieves:   i <- b i + J;  v <- a v + (1-sg(a)) i - s      sg: no gradient to tauMem through the gain
 *   snnTorch:      i <- b i + J;  v <- a v + i(new), less the threshold at a spike (Synaptic)
 *   norse:         j = i + J;  v <- v + dt/tauMem (j - v), to 0 at a spike;  i <- j (1 - dt/tauSyn)
 *
 * In the first five a spike is decided on the v of the step before: in those programs z(t) looks at the voltage that step
 * t-1 left. Here the neuron spikes as soon as its voltage is known, one step earlier on paper; recurrent delay 2 and
 * readout delay 1 give their order exactly (golden vectors).
 */
import { exp, stopGradient } from "../expression/build.ts";
import type { Expression } from "../expression/node.ts";
import { defineModel } from "./define.ts";
import { tauMemMs, threshold } from "./lif.ts";

type Named<K extends string> = Readonly<Record<K, Expression>>;
type Cell = Named<"v" | "i" | "s" | "current" | "dtMs" | "tauMemMs" | "tauSynMs" | "threshold">;
type Membrane = Named<"v" | "dtMs" | "tauMemMs">;

const decay = (dtMs: Expression, tau: Expression): Expression => exp(dtMs.negated().over(tau));
const rest = (factor: Expression): Expression => factor.negated().plus(1);

const parameters = {
  tauMemMs,
  tauSynMs: { unit: "ms", default: 5, exclusiveMin: 0, doc: "time constant of the synaptic current" },
  threshold,
} as const;
const v = { unit: "threshold", initial: 0, doc: "membrane voltage" };
const i = { unit: "threshold", initial: 0, doc: "synaptic current" };
const s = { unit: "1", initial: 0, doc: "1 in the step after a spike" };
const margin = ({ v, threshold }: Named<"v" | "threshold">): Expression => v.minus(threshold);

/** A neuron whose spike acts on its voltage in the next step: `membrane` gives that voltage. */
function delayedReset(name: string, description: string, source: string, membrane: (cell: Cell) => Expression) {
  return defineModel({
    name,
    description,
    source,
    parameters,
    states: { v, i, s },
    step: (cell) => ({
      v: membrane(cell),
      i: cell.i.times(decay(cell.dtMs, cell.tauSynMs)).plus(cell.current),
      s: 0,
    }),
    margin,
    reset: () => ({ s: 1 }),
  });
}

const stork = "stork (Rossbroich, Gygax & Zenke 2022)";

/** a v + (1-a) i */
const filtered = ({ v, dtMs, tauMemMs }: Membrane, i: Expression): Expression => {
  const a = decay(dtMs, tauMemMs);
  return v.times(a).plus(rest(a).times(i));
};

export const StorkLIF = delayedReset(
  "StorkLIF",
  "Current-based LIF neuron; after a spike the voltage starts again at 0.",
  stork,
  (cell) => filtered(cell, cell.i).times(rest(cell.s)),
);

/** stork's program subtracts a current of positive inhibitory weights: the same numbers with the sign at the weights. */
export const StorkExcInhLIF = defineModel({
  name: "StorkExcInhLIF",
  description:
    "Current-based LIF neuron with an excitatory and an inhibitory synaptic current, each with its time constant, for " +
    "Dale's law: inhibitory weights are negative. After a spike the voltage starts again at 0.",
  source: stork,
  parameters: {
    tauMemMs,
    tauExcMs: { ...parameters.tauSynMs, doc: "time constant of the excitatory synaptic current" },
    tauInhMs: { ...parameters.tauSynMs, doc: "time constant of the inhibitory synaptic current" },
    threshold,
  },
  states: {
    v,
    e: { ...i, doc: "excitatory synaptic current" },
    i: { ...i, doc: "inhibitory synaptic current" },
    s,
  },
  inputs: ["excitation", "inhibition"],
  step: (cell) => ({
    v: filtered(cell, cell.e.plus(cell.i)).times(rest(cell.s)),
    e: cell.e.times(decay(cell.dtMs, cell.tauExcMs)).plus(cell.excitation),
    i: cell.i.times(decay(cell.dtMs, cell.tauInhMs)).plus(cell.inhibition),
    s: 0,
  }),
  margin,
  reset: () => ({ s: 1 }),
});

export const StorkSubtractLIF = delayedReset(
  "StorkSubtractLIF",
  "Current-based LIF neuron; a spike takes the threshold off the voltage.",
  stork,
  (cell) => filtered(cell, cell.i).minus(cell.s.times(stopGradient(cell.threshold))),
);

export const SpyTorchLIF = delayedReset(
  "SpyTorchLIF",
  "Current-based LIF neuron without the gain 1-a; after a spike the voltage starts again at 0.",
  "SpyTorch tutorials (Zenke)",
  ({ v, i, s, dtMs, tauMemMs }) => v.times(decay(dtMs, tauMemMs)).plus(i).times(rest(s)),
);

export const PerezNievesLIF = delayedReset(
  "PerezNievesLIF",
  "Current-based LIF neuron of the heterogeneity study: time constants learn through the leak alone.",
  "Perez-Nieves, Leung, Dragotti & Goodman, Nat. Commun. 12:5791 (2021)",
  ({ v, i, s, dtMs, tauMemMs, threshold }) => {
    const a = decay(dtMs, tauMemMs);
    return v
      .times(a)
      .plus(rest(stopGradient(a)).times(i))
      .minus(s.times(stopGradient(threshold)));
  },
);

export const SnnTorchSynaptic = defineModel({
  name: "SnnTorchSynaptic",
  description: "Current-based LIF neuron whose voltage feels the current of the same step; reset by subtraction.",
  source: "snnTorch (Eshraghian et al. 2023), Synaptic",
  parameters,
  states: { v, i },
  step: ({ v, i, current, dtMs, tauMemMs, tauSynMs }) => {
    const next = i.times(decay(dtMs, tauSynMs)).plus(current);
    return { v: v.times(decay(dtMs, tauMemMs)).plus(next), i: next };
  },
  margin,
  // snnTorch subtracts in the next step, after the decay.
  reset: ({ v, threshold, dtMs, tauMemMs }) => ({ v: v.minus(threshold.over(decay(dtMs, tauMemMs))) }),
});

export const NorseLIF = defineModel({
  name: "NorseLIF",
  description: "Current-based LIF neuron by Euler's method; the current jumps first, the reset is at once.",
  source: "norse (Pehle & Pedersen 2021), LIF",
  parameters: { ...parameters, reset: { unit: "threshold", default: 0, doc: "voltage after a spike" } },
  states: { v, i },
  step: ({ v, i, current, dtMs, tauMemMs, tauSynMs }) => {
    const jumped = i.plus(current);
    return {
      v: v.plus(dtMs.over(tauMemMs).times(jumped.minus(v))),
      i: jumped.times(rest(dtMs.over(tauSynMs))),
    };
  },
  margin,
  reset: ({ reset }) => ({ v: reset }),
});
