/**
 * What is kept of a trial while it runs: windowed currents and spike counts of the trained neurons of one worker.
 *
 * Currents and spikes are summed in the bins between window edges (timing.ts); rows are made of bins when the trial is
 * over. Spikes of a sample belong to the time since the sample before.
 */
import { pearson } from "../../math/statistics.ts";
import type { Shard } from "./shard.ts";
import { type TrialSteps, trialSteps, type WindowBins, windowBins } from "./timing.ts";

export class TrialRecord {
  readonly shards: readonly Shard[];
  readonly steps: TrialSteps;
  readonly bins: WindowBins;
  /** Trained neurons of this worker. */
  readonly trained: number;
  /** [bin][trained]: sums over the samples of the bin. */
  readonly currents: Float32Array;
  /** [bin][trained]: spikes, in test trials. */
  readonly spikes: Uint32Array;
  readonly #positionOf: Map<number, number>;
  sample = 0;
  bin = 0;
  /** Spikes of the trained neurons of the whole trial: step and position. */
  readonly #trainSteps: number[] = [];
  readonly #trainPositions: number[] = [];

  constructor(shards: readonly Shard[]) {
    const { spec } = shards[0].network;
    this.shards = shards;
    this.steps = trialSteps(spec.timing);
    this.bins = windowBins(spec.timing, spec.correlationWindowMs);
    this.trained = shards.reduce((n, shard) => n + shard.trainedGlobal.length, 0);
    this.currents = new Float32Array(this.bins.ends.length * this.trained);
    this.spikes = new Uint32Array(this.currents.length);
    this.#positionOf = new Map();
    let position = 0;
    for (const shard of shards) for (const global of shard.trainedGlobal) this.#positionOf.set(global, position++);
  }

  clear(): void {
    this.currents.fill(0);
    this.spikes.fill(0);
    this.sample = 0;
    this.bin = 0;
    this.#trainSteps.length = 0;
    this.#trainPositions.length = 0;
  }

  /** Continues recording after `step`, in a trial that was interrupted there. */
  seek(step: number): void {
    const since = Math.max(0, step - this.steps.stimulusOff);
    this.sample = Math.floor(since / this.steps.sampleEvery);
    this.bin = this.bins.ends.filter((end) => end <= this.sample).length;
  }

  /** Calls back with every inter-spike interval of the trial, in steps. */
  intervals(body: (position: number, steps: number) => void): void {
    const last = new Int32Array(this.trained);
    this.#trainSteps.forEach((step, i) => {
      const position = this.#trainPositions[i];
      if (last[position] > 0) body(position, step - last[position]);
      last[position] = step;
    });
  }

  /** After step `step`: counts its spikes, and takes a sample of the currents if it is time. */
  after(step: number, spikes: Uint32Array, count: number, withSpikes: boolean): void {
    const inWindow = step > this.steps.stimulusOff && this.bin < this.bins.ends.length;
    if (withSpikes) {
      for (let i = 0; i < count; i++) {
        const position = this.#positionOf.get(spikes[i]);
        if (position === undefined) continue;
        this.#trainSteps.push(step);
        this.#trainPositions.push(position);
        if (inWindow) this.spikes[this.bin * this.trained + position]++;
      }
    }
    if (!inWindow) return;
    if ((step - this.steps.stimulusOff) % this.steps.sampleEvery !== 0) return;
    for (const shard of this.shards) shard.forAll("recordCurrents");
    this.sample++;
    if (this.sample === this.bins.ends[this.bin]) this.#closeBin();
  }

  #closeBin(): void {
    let at = this.bin * this.trained;
    for (const shard of this.shards) {
      const sums = shard.f32(shard.memory.arrays.work("currentSum"), shard.range.capacity);
      for (const local of shard.trainedLocal) this.currents[at++] = sums[local];
      sums.fill(0);
    }
    this.bin++;
  }

  /** Mean current of a neuron in the window of every row. */
  currentRows(position: number, out: Float32Array | Float64Array): void {
    this.bins.rows.forEach(({ first, last, samples }, row) => {
      let sum = 0;
      for (let bin = first; bin <= last; bin++) sum += this.currents[bin * this.trained + position];
      out[row] = sum / samples;
    });
  }

  /** Spikes of a neuron in the window (or plain interval) of every row, added to `out`. */
  addSpikeRows(position: number, windowed: boolean, out: Float32Array | Float64Array): void {
    const spans = windowed ? this.bins.rows : this.bins.intervals;
    spans.forEach(({ first, last }, row) => {
      let sum = 0;
      for (let bin = first; bin <= last; bin++) sum += this.spikes[bin * this.trained + position];
      out[row] += sum;
    });
  }

  /** Correlation of current and target for every trained neuron of this worker; NaN where one is constant. */
  correlations(task: number): Float64Array {
    const { rows } = this.steps;
    const current = new Float64Array(rows);
    const target = new Float64Array(rows);
    const result = new Float64Array(this.trained);
    let position = 0;
    for (const shard of this.shards) {
      for (let t = 0; t < shard.trainedGlobal.length; t++) {
        this.currentRows(position, current);
        targetRows(shard, t, task, target);
        result[position++] = pearson(current, target);
      }
    }
    return result;
  }
}

/** The target of a trained neuron of a shard. */
export function targetRows(shard: Shard, trained: number, task: number, out: Float32Array | Float64Array): void {
  const count = shard.trainedGlobal.length;
  const first = task * out.length * count;
  const targets = shard.f32(shard.memory.at.targets + 4 * first, out.length * count);
  for (let row = 0; row < out.length; row++) out[row] = targets[row * count + trained];
}
