/**
 * What comes from outside into the float64 twin (reference.ts): noise, stimulus, feed-forward spikes.
 *
 * All are functions of (random source, trial or task, step); where an engine draws its noise in another way, hooks
 * replace the draws.
 */
import { type RandomSource, streamKind, streamOf } from "../../random/streams.ts";
import type { FeedforwardPopulation, RlsSpec } from "./spec.ts";
import { type TrialSteps, trialSteps } from "./timing.ts";

export interface DrawHooks {
  /** Fills `gauss` with noise of variance 1, one value per neuron. Default: value step * N + i of the trial's stream. */
  noise?(trial: number, step: number, gauss: Float64Array): void;
  /** The same for the increments of the stimulus. Default: value step - stimulusOn - 1 of the neuron's stream. */
  stimulus?(task: number, step: number, gauss: Float64Array): void;
}

export class ReferenceInputs {
  /** One value per neuron; `advanceStimulus` makes that of the next step. */
  readonly stimulus: Float64Array;
  readonly #spec: RlsSpec;
  readonly #random: RandomSource;
  readonly #hooks: DrawHooks;
  readonly #steps: TrialSteps;
  readonly #gauss: Float64Array;
  #stimulusDraws: { task: number; values: Float64Array } | null = null;
  readonly #probabilities: Float64Array | null;
  readonly #uniform: Float64Array;

  constructor(spec: RlsSpec, random: RandomSource, hooks: DrawHooks) {
    const { feedforward, neurons } = spec;
    this.#spec = spec;
    this.#random = random;
    this.#hooks = hooks;
    this.#steps = trialSteps(spec.timing);
    this.#gauss = new Float64Array(neurons);
    this.stimulus = new Float64Array(neurons);
    this.#probabilities = feedforward ? feedforwardProbabilities(spec, feedforward, random) : null;
    this.#uniform = new Float64Array(feedforward?.size ?? 0);
  }

  /** Noise of variance 1, one value per neuron; valid until the next call of any method. */
  noise(trial: number, step: number): Float64Array {
    const { neurons } = this.#spec;
    if (this.#hooks.noise) this.#hooks.noise(trial, step, this.#gauss);
    else this.#random.normal(streamOf(streamKind.noise, trial), step * neurons, this.#gauss);
    return this.#gauss;
  }

  /** x += -x/tau dt + sigma sqrt(dt) gauss, from 0, the same in all trials of a task. */
  advanceStimulus(task: number, step: number): void {
    const { stimulus } = this;
    const { tauMs, sigma } = this.#spec.stimulus;
    const { dtMs } = this.#spec.timing;
    if (this.#hooks.stimulus) this.#hooks.stimulus(task, step, this.#gauss);
    else this.#drawStimulus(task, step - this.#steps.stimulusOn - 1);
    for (let i = 0; i < stimulus.length; i++) {
      stimulus[i] += -(stimulus[i] / tauMs) * dtMs + sigma * Math.sqrt(dtMs) * this.#gauss[i];
    }
  }

  #drawStimulus(task: number, index: number): void {
    const { neurons } = this.#spec;
    const length = this.#steps.stimulusOff - this.#steps.stimulusOn;
    if (this.#stimulusDraws?.task !== task) {
      const values = new Float64Array(length * neurons);
      for (let i = 0; i < neurons; i++) {
        const stream = streamOf(streamKind.stimulus, i + task * neurons);
        this.#random.normal(stream, 0, values.subarray(i * length, (i + 1) * length));
      }
      this.#stimulusDraws = { task, values };
    }
    const { values } = this.#stimulusDraws;
    for (let i = 0; i < neurons; i++) this.#gauss[i] = values[i * length + index];
  }

  /** Calls back with every feed-forward neuron that fires in a step, counted from 1 after the stimulus. */
  fireFeedforward(trial: number, sinceStimulus: number, body: (x: number) => void): void {
    if (!this.#probabilities) return;
    const size = this.#uniform.length;
    const first = (sinceStimulus - 1) * size;
    this.#random.uniform(streamOf(streamKind.feedforwardSpikes, trial), first, this.#uniform);
    for (let x = 0; x < size; x++) if (this.#uniform[x] < this.#probabilities[first + x]) body(x);
  }
}

/**
 * Probability of a spike of every feed-forward neuron at every step after the stimulus, [step][neuron].
 *
 *   rate += (mean - rate)/tau dt + sigma sqrt(dt) gauss,   smoothed over +-500 steps, >= 0;   p = rate dt
 */
function feedforwardProbabilities(
  { timing }: RlsSpec,
  { size, meanHz, tauMs, sigma }: FeedforwardPopulation,
  random: RandomSource,
): Float64Array {
  const { steps, stimulusOff } = trialSteps(timing);
  const { dtMs } = timing;
  const length = steps - stimulusOff;
  const probabilities = new Float64Array(length * size);
  const gauss = new Float64Array(length);
  const path = new Float64Array(length);
  for (let x = 0; x < size; x++) {
    random.normal(streamOf(streamKind.feedforwardRate, x), 0, gauss);
    let rate = meanHz;
    for (let s = 0; s < length; s++) {
      rate += ((meanHz - rate) / tauMs) * dtMs + sigma * Math.sqrt(dtMs) * gauss[s];
      path[s] = rate;
    }
    for (let s = 0; s < length; s++) {
      const window = path.subarray(Math.max(0, s - 500), s + 501);
      const mean = window.reduce((sum, value) => sum + value, 0) / window.length;
      probabilities[s * size + x] = (Math.max(0, mean) * dtMs) / 1000;
    }
  }
  return probabilities;
}
