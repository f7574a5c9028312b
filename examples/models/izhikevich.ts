/**
 * A neuron model of your own, in your own file: name the file as `model.type` in an experiment.
 *
 * Izhikevich's simple model (IEEE Trans. Neural Netw. 14:1569, 2003) in its own units, mV and ms:
 *   dv/dt = 0.04 v^2 + 5 v + 140 - u + I;   du/dt = a (b v - u);   spike if v > 30 mV, then v = c, u += d
 * Euler steps; use dt <= 0.5 ms. Outside this repository the import reads `from "volley"`.
 */
import { defineModel } from "../../src/model/index.ts";

export default defineModel({
  name: "Izhikevich",
  description:
    "Two-variable neuron: regular spiking by default; other a, b, c, d give bursting, chattering, fast spiking.",
  source: "Izhikevich, IEEE Trans. Neural Netw. 14:1569 (2003)",
  parameters: {
    a: { unit: "1/ms", default: 0.02, exclusiveMin: 0, doc: "rate of the recovery" },
    b: { unit: "1", default: 0.2, doc: "sensitivity of the recovery to the voltage" },
    c: { unit: "mV", default: -65, max: 29, doc: "voltage after a spike" },
    d: { unit: "mV", default: 8, doc: "step of the recovery at a spike" },
  },
  states: {
    v: { unit: "mV", initial: ({ c }) => c, doc: "membrane voltage" },
    u: { unit: "mV", initial: ({ b, c }) => b.times(c), doc: "recovery" },
  },
  step: ({ v, u, a, b, current, dtMs }) => ({
    v: v.plus(dtMs.times(v.times(0.04).plus(5).times(v).plus(140).minus(u).plus(current))),
    u: u.plus(dtMs.times(a.times(b.times(v).minus(u)))),
  }),
  margin: ({ v }) => v.minus(30),
  reset: ({ u, c, d }) => ({ v: c, u: u.plus(d) }),
});
