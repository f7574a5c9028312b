/**
 * How the free membrane answers one spike: the integrals that turn rates and weights into moments of the membrane
 * (Rossbroich, Gygax & Zenke 2022; shot noise after Campbell 1909).
 *
 *   ebar = dt sum_t eps(t)      ehat = dt sum_t eps(t)^2      eps: response to a current of 1 in one step
 *   with N Poisson sources of rate nu and weights w:  mean = ebar nu sum w      variance = ehat nu sum w^2
 *
 * For exponential synapses and steps that tend to 0, ebar = tauSyn and ehat = tauSyn^2 / (2 (tauSyn + tauMem)); for delta
 * synapses, ebar = tauMem and ehat = tauMem / 2. Here they are sums over the model's own steps, so they are right for any
 * model and any dt.
 */
import { ModelStepper } from "../../model/stepper.ts";
import type { PopulationSpec } from "../gradient/spec.ts";

export interface ResponseIntegrals {
  /** Seconds, per neuron. */
  readonly ebar: Float64Array;
  readonly ehat: Float64Array;
}

const outOfReach = 1e9;
const longest = 100_000;
const firstSteps = 10;
/** Where the response and its change are below this share of the largest response, nothing adds up any more. */
const nothing = 1e-6;

function integrate(cells: ModelStepper, neuron: number, dtMs: number): [ebar: number, ehat: number] {
  const membrane = Object.values(cells.states)[0];
  let [sum, squares, peak, before] = [0, 0, 0, 0];
  for (let t = 0; t < longest; t++) {
    cells.advance(neuron, t === 0 ? 1 : 0);
    const v = membrane[neuron];
    sum += (v * dtMs) / 1000;
    squares += (v * v * dtMs) / 1000;
    peak = Math.max(peak, Math.abs(v));
    if (t > firstSteps && Math.abs(v) < nothing * peak && Math.abs(v - before) < nothing * peak) break;
    before = v;
  }
  return [sum, squares];
}

/**
 * Of every neuron of a population, simulated with its own constants; the threshold is out of reach.
 * @param into number of the input of the model that the spike arrives at
 */
export function responseIntegrals(spec: PopulationSpec, dtMs: number, into = 0): ResponseIntegrals {
  const { model } = spec.model;
  const parameters = { ...spec.model.parameters };
  if (Object.hasOwn(parameters, "threshold")) parameters.threshold = outOfReach;
  const alike = Object.values(parameters).every((value) => typeof value === "number");
  const cells = new ModelStepper({ model, parameters }, alike ? 1 : spec.size, dtMs, model.inputs[into]);
  const ebar = new Float64Array(spec.size);
  const ehat = new Float64Array(spec.size);
  for (let i = 0; i < (alike ? 1 : spec.size); i++) [ebar[i], ehat[i]] = integrate(cells, i, dtMs);
  if (alike) {
    ebar.fill(ebar[0]);
    ehat.fill(ehat[0]);
  }
  return { ebar, ehat };
}

/** What counts as 1 for the membrane of every neuron: its threshold; 1 for a model without one, such as a readout. */
export function thresholdsOf(spec: PopulationSpec): Float64Array {
  const given = spec.model.parameters.threshold ?? 1;
  return Float64Array.from({ length: spec.size }, (_, i) => (typeof given === "number" ? given : given[i]));
}
