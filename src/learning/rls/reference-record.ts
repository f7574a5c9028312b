/** Windowed currents of one trial of the float64 twin (reference.ts), and how well they follow their targets. */
import { pearson } from "../../math/statistics.ts";
import type { TrialTiming } from "./spec.ts";
import { type WindowBins, windowBins } from "./timing.ts";

export class ReferenceRecord {
  readonly #bins: WindowBins;
  /** [bin]: sums over its samples of the current of each trained neuron. */
  readonly #sums: Float64Array[];
  #sample = 0;
  #bin = 0;

  constructor(timing: TrialTiming, windowMs: number, trained: number) {
    this.#bins = windowBins(timing, windowMs);
    this.#sums = this.#bins.ends.map(() => new Float64Array(trained));
  }

  clear(): void {
    for (const sums of this.#sums) sums.fill(0);
    this.#sample = this.#bin = 0;
  }

  /** Takes a sample: `current(t)` of every trained neuron. */
  add(current: (t: number) => number): void {
    if (this.#bin === this.#sums.length) return;
    const sums = this.#sums[this.#bin];
    for (let t = 0; t < sums.length; t++) sums[t] += current(t);
    this.#sample++;
    if (this.#sample === this.#bins.ends[this.#bin]) this.#bin++;
  }

  /** Mean current of a trained neuron in the window of every row. */
  rows(t: number): Float64Array {
    return Float64Array.from(this.#bins.rows, ({ first, last, samples }) => {
      let sum = 0;
      for (let bin = first; bin <= last; bin++) sum += this.#sums[bin][t];
      return sum / samples;
    });
  }

  /** Of every trained neuron; NaN where current or target is constant. @param targets row after row */
  correlations(targets: Float64Array): Float64Array {
    const trained = this.#sums[0].length;
    return Float64Array.from({ length: trained }, (_, t) => {
      const current = this.rows(t);
      return pearson(
        current,
        current.map((_, row) => targets[row * trained + t]),
      );
    });
  }
}
