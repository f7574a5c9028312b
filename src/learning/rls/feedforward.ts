/**
 * The feed-forward population: Poisson neurons whose rates wander, the same in all trials.
 *
 * Rates are Ornstein-Uhlenbeck paths around a mean, smoothed by a moving average of +-500 steps and cut at 0. Source:
 * TrainSpikingNet, Kim et al. 2023. A neuron fires in a step with probability rate * dt.
 */
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { FeedforwardPopulation, RlsSpec } from "./spec.ts";
import { trialSteps } from "./timing.ts";

const smoothing = 500;

export class Feedforward {
  readonly #spec: RlsSpec;
  readonly #population: FeedforwardPopulation;
  readonly #random: Philox;
  /** [step after stimulusOff][neuron]: probability of a spike. */
  readonly #probability: Float32Array;
  readonly #uniform: Float64Array;
  readonly #start: number;

  constructor(spec: RlsSpec, population: FeedforwardPopulation) {
    this.#spec = spec;
    this.#population = population;
    this.#random = new Philox(spec.seed);
    this.#uniform = new Float64Array(population.size);
    const { steps, stimulusOff } = trialSteps(spec.timing);
    const length = steps - stimulusOff;
    this.#start = stimulusOff;
    this.#probability = new Float32Array(length * population.size);
    for (let x = 0; x < population.size; x++) {
      const rate = this.#ratePath(x, length);
      for (let s = 0; s < length; s++) {
        this.#probability[s * population.size + x] = (rate[s] * spec.timing.dtMs) / 1000;
      }
    }
  }

  #ratePath(neuron: number, length: number): Float64Array {
    const { meanHz, tauMs, sigma } = this.#population;
    const { dtMs } = this.#spec.timing;
    const path = new Float64Array(length);
    this.#random.normal(streamOf(streamKind.feedforwardRate, neuron), 0, path);
    let rate = meanHz;
    const cumulative = new Float64Array(length + 1);
    for (let s = 0; s < length; s++) {
      rate += ((meanHz - rate) / tauMs) * dtMs + sigma * Math.sqrt(dtMs) * path[s];
      cumulative[s + 1] = cumulative[s] + rate;
    }
    return path.map((_, s) => {
      const from = Math.max(0, s - smoothing);
      const to = Math.min(length, s + smoothing + 1);
      return Math.max(0, (cumulative[to] - cumulative[from]) / (to - from));
    });
  }

  /** Appends the spikes of a step to `spikes` as source indices behind the network's; returns the new count. */
  append(trial: number, step: number, spikes: Uint32Array, count: number): number {
    const { size } = this.#population;
    const first = (step - this.#start - 1) * size;
    if (first < 0) return count;
    this.#random.uniform(streamOf(streamKind.feedforwardSpikes, trial), first, this.#uniform);
    let total = count;
    for (let x = 0; x < size; x++) {
      if (this.#uniform[x] < this.#probability[first + x]) spikes[total++] = this.#spec.neurons + x;
    }
    return total;
  }
}
