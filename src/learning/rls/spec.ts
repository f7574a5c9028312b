/**
 * What an RLS (FORCE) training run is made of, as plain data: the resolved form of an experiment.
 *
 * Units: time in ms; voltage and current in units of the firing threshold; a synaptic weight is a charge, current x ms.
 * Every field is explicit here; defaults live in the schema of `experiment/`. Everything can be cloned to a worker.
 */

import type { ModelChoice, PerNeuron } from "../../model/index.ts";

/** Of neuron i. */
export const valueAt = (value: PerNeuron, i: number): number => (typeof value === "number" ? value : value[i]);

/** When things happen in one trial. All times are whole multiples of `dtMs`. */
export interface TrialTiming {
  readonly dtMs: number;
  readonly stimulusOnMs: number;
  readonly stimulusOffMs: number;
  /** Length of the trained part; it starts at `stimulusOffMs`. */
  readonly trainMs: number;
  /** Time between two RLS updates, equal to the time between two rows of the targets. */
  readonly learnEveryMs: number;
}

/** The current-based synapses of every neuron. */
export interface SynapseConstants {
  readonly tauExcMs: PerNeuron;
  readonly tauInhMs: PerNeuron;
  /** Filter of the plastic current and of the trained traces, per postsynaptic neuron. */
  readonly tauPlasticMs: PerNeuron;
}

/** A connectivity rule that a user supplies: a module and the name of the function it exports. */
export interface RuleModule {
  readonly module: string;
  readonly export: string;
}

/** The fixed random E/I network (specification: Kim & Chow 2018; TrainSpikingNet). */
export interface StaticNetwork {
  /** Each neuron projects to exactly 2K others. */
  readonly K: number;
  /** Overall strength; weights are multiples of 2 g tauMem / sqrt(K). */
  readonly g: number;
  /** Multiples by (to, from): EE = to E from E, EI = to E from I, ... */
  readonly weights: { readonly EE: number; readonly IE: number; readonly EI: number; readonly II: number };
  /** Replaces the built-in fixed out-degree rule; may return one weight per synapse. */
  readonly rule?: RuleModule;
}

/** The trained synapses. M = inputsPerType (E) + inputsPerType (I) + feedforward inputs. */
export interface PlasticNetwork {
  /** L: inputs from E and as many from I. */
  readonly inputsPerType: number;
  /** Initial weights are +- weightScale * 2 g tauMem / (2 sqrt(L)). */
  readonly weightScale: number;
  /** Factor on the initial weights of inhibitory inputs. */
  readonly inhibitoryScale: number;
  /** Only this fraction of neurons, those most active in the static run, may be presynaptic. 1 = all. */
  readonly activeFraction: number;
  /** Which neurons are trained: all, a seeded random fraction, or a list of indices. Others have no plastic inputs. */
  readonly trained: "all" | { readonly fraction: number } | { readonly indices: readonly number[] };
  readonly rule?: RuleModule;
}

/** A population of Poisson neurons that projects to every trained neuron with trained weights. */
export interface FeedforwardPopulation {
  readonly size: number;
  readonly meanHz: number;
  readonly tauMs: number;
  /** Strength of the Ornstein-Uhlenbeck rates, Hz per sqrt(ms). */
  readonly sigma: number;
  /** One weight set per task (the recording of the 2023 paper) or one for all. */
  readonly weightsPerTask: boolean;
  readonly initialWeight: number;
}

export interface NoiseSettings {
  /** `voltage`: added to v at every step; `current`: added to the current, kept out of the training error. */
  readonly model: "voltage" | "current";
  readonly sigma: PerNeuron;
}

/** The Ornstein-Uhlenbeck stimulus between stimulusOn and stimulusOff, one frozen path per neuron and task. */
export interface StimulusSettings {
  readonly tauMs: number;
  /** Per sqrt(ms). 0 = no stimulus. */
  readonly sigma: number;
}

/** Recursive least squares. Source of each: spec of the method, section 6 (docs/method.md). */
export interface RlsSettings {
  /** Ridge penalty of recurrent weights: P starts near 1/lambda. One number or one per trained neuron. */
  readonly lambda: PerNeuron;
  readonly lambdaFeedforward: number;
  /** Penalty on the sum of weights of one sign. */
  readonly mu: number;
  /** P is divided by this at the start of every trial; 1 forgets nothing. */
  readonly forgetting: number;
  /** How P is stored. */
  readonly precision: "f32" | "int16";
  /** Samples per update: 1 is exact; b > 1 collects b samples and applies them together (weights act late). */
  readonly block: number;
  /** Low-memory mode: no P is stored, only this many last samples are remembered. 0 = off. */
  readonly window: number;
  /** `trainspikingnet`: the weight step without the factor c, as in that package since March 2024. */
  readonly compat: "none" | "trainspikingnet";
  /** Keep the sign of each weight that its presynaptic type gives (Dale's law). */
  readonly dale: boolean;
  /** Largest |weight|, or Infinity. */
  readonly maxWeight: number;
}

export interface RlsSpec {
  readonly seed: number;
  /** N, and how many of them (the first) are excitatory. */
  readonly neurons: number;
  readonly excitatory: number;
  readonly timing: TrialTiming;
  readonly model: ModelChoice;
  readonly synapses: SynapseConstants;
  /** External drive of E and of I neurons. */
  readonly drive: { readonly excitatory: PerNeuron; readonly inhibitory: PerNeuron };
  readonly static: StaticNetwork | null;
  readonly plastic: PlasticNetwork;
  readonly feedforward: FeedforwardPopulation | null;
  readonly noise: NoiseSettings;
  readonly stimulus: StimulusSettings;
  readonly tasks: number;
  readonly learning: RlsSettings;
  /** Half width of the window in which currents are averaged for correlations. */
  readonly correlationWindowMs: number;
}
