/**
 * All that happens to one neuron in one time step, as expressions: synaptic filters around any neuron model.
 *
 * ```
 *   u_e  <- u_e + (-dt u_e + E) / tau_e       E, I, P: charge that arrived in the previous step
 *   u_i  <- u_i + (-dt u_i + I) / tau_i
 *   u_p  <- u_p + (-dt u_p + P) / tau_p
 *   current = drive (+ stimulus) + u_e + u_i + u_p (+ noise, when the noise is a current)
 *   membrane: the model's own step (+ noise on v, when the noise is a voltage)
 * ```
 * Source: TrainSpikingNet's cells; Kim & Chow 2018, eLife 7:e37124. With tau_e = tau_i the two static currents obey one
 * equation and are kept as one (exact).
 */
import { constant, type Expression, input, parameter, state } from "../../expression/index.ts";

/** A model as the kernel needs it; expressions over its states, parameters, `dtMs` and the input `current`. */
export interface MembraneEquations {
  readonly states: readonly string[];
  /** New value of every state in a step of a neuron that is not refractory. */
  readonly step: Readonly<Record<string, Expression>>;
  /** A spike when > 0, over the states after the step. */
  readonly margin: Expression;
  /** States after a spike, over the states after the step. */
  readonly reset: Readonly<Record<string, Expression>>;
  /** What a refractory neuron does: keep its states, or run on without spiking. */
  readonly refractory: "hold" | "silent";
}

export interface NeuronKernelOptions {
  readonly membrane: MembraneEquations;
  /** `merged`: tau_e = tau_i, one current `uStatic`; `separate`: `uExc` and `uInh`. */
  readonly static: "none" | "merged" | "separate";
  /** How static arrivals come: packed counters times a weight per type, or fixed-point charges. */
  readonly arrivals: "counts" | "weights";
  readonly plastic: boolean;
  readonly noise: "none" | "voltage" | "current";
}

export interface NeuronEquations {
  /** In the order in which arrays are kept: synaptic currents first, then the model's. */
  readonly synapticStates: readonly string[];
  readonly membraneStates: readonly string[];
  /** New synaptic currents. */
  readonly synaptic: readonly Expression[];
  /** Held states: what a refractory neuron has instead of `membrane` (its state, plus noise on v). */
  readonly held: readonly Expression[];
  readonly membrane: readonly Expression[];
}

const dt = parameter("dtMs");

/** u + (-dt u + arrived) / tau, as u (1 - dt/tau) + arrived / tau: both factors are hoisted. */
function filter(name: string, tau: string, arrived: Expression): Expression {
  const tauMs = parameter(tau);
  return state(name)
    .times(constant(1).minus(dt.over(tauMs)))
    .plus(arrived.times(constant(1).over(tauMs)));
}

/** Names of the synaptic currents that a network has. */
export function synapticStates(options: Pick<NeuronKernelOptions, "static" | "plastic">): string[] {
  const ofStatic = { none: [], merged: ["uStatic"], separate: ["uExc", "uInh"] }[options.static];
  return options.plastic ? [...ofStatic, "uPlastic"] : ofStatic;
}

/**
 * Expressions of the step. Inputs: `arrivedExc`, `arrivedInh` (spike counts or charge), `arrivedPlastic` (charge),
 * `drive` (with the stimulus, if any), `noise` (standard deviation 1). Parameters besides the model's: `dtMs`, the
 * tau's, `weightExc`, `weightInh` (of one static spike, by type of its source), `noiseStep`.
 */
export function neuronEquations(options: NeuronKernelOptions): NeuronEquations {
  const charge = (arrived: string, weight: string) =>
    options.arrivals === "counts" ? input(arrived).times(parameter(weight)) : input(arrived);
  const excitatory = charge("arrivedExc", "weightExc");
  const inhibitory = charge("arrivedInh", "weightInh");
  const synaptic: Expression[] = [];
  if (options.static === "merged") synaptic.push(filter("uStatic", "tauExcMs", excitatory.plus(inhibitory)));
  if (options.static === "separate") {
    synaptic.push(filter("uExc", "tauExcMs", excitatory), filter("uInh", "tauInhMs", inhibitory));
  }
  if (options.plastic) synaptic.push(filter("uPlastic", "tauPlasticMs", input("arrivedPlastic")));
  const noise = input("noise").times(parameter("noiseStep"));
  return {
    synapticStates: synapticStates(options),
    membraneStates: options.membrane.states,
    synaptic,
    held: options.membrane.states.map((name) =>
      options.noise === "voltage" && name === "v" ? state("v").plus(noise) : state(name),
    ),
    membrane: options.membrane.states.map((name) => options.membrane.step[name]),
  };
}
