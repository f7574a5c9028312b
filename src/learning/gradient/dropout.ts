/**
 * Which neurons send in one training sample. Numbers of the stream of an optimiser step, neuron by neuron and sample by
 * sample of its batch: the same for any number of workers, and when a training goes on from a saved state.
 */
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { GradientNetwork } from "./spec.ts";

/** Which training sample: updates of the parameters before its batch, and its place in the batch. */
export interface SamplePlace {
  readonly step: number;
  readonly place: number;
}

export class Dropout {
  readonly #source: Philox;
  readonly #neurons: number;
  /** Populations with dropout, and the neurons before each. */
  readonly #dropped: readonly { population: number; probability: number; first: number; draws: Float64Array }[];

  constructor({ populations }: GradientNetwork, seed: number) {
    this.#source = new Philox(seed);
    let neurons = 0;
    this.#dropped = populations.flatMap(({ size, dropout = 0 }, population) => {
      const first = neurons;
      neurons += size;
      return dropout > 0 ? [{ population, probability: dropout, first, draws: new Float64Array(size) }] : [];
    });
    this.#neurons = neurons;
  }

  /**
   * Calls `visit(population, factors)` for every population with dropout: what a spike of each neuron counts for, 0 or
   * 1/(1 - p); null where there is no sample, as outside training.
   */
  forSample(sample: SamplePlace | null, visit: (population: number, factors: Float64Array | null) => void): void {
    for (const { population, probability, first, draws } of this.#dropped) {
      if (sample === null) visit(population, null);
      else {
        this.#source.uniform(streamOf(streamKind.dropout, sample.step), sample.place * this.#neurons + first, draws);
        const sent = 1 / (1 - probability);
        visit(
          population,
          draws.map((u) => (u < probability ? 0 : sent)),
        );
      }
    }
  }
}
