/** Feed-forward weights where every task has its own: those of one task lie in the synapses, those of the others here. */
import type { Shard } from "./shard.ts";
import type { RlsSpec } from "./spec.ts";

export class TaskWeights {
  /** By task, [trained x feed-forward inputs]; none where tasks share their weights. */
  readonly stored: readonly Float32Array[];
  /** The task whose weights are in place. */
  current = 0;
  readonly #shards: readonly Shard[];
  readonly #size: number;

  constructor({ feedforward, tasks }: RlsSpec, shards: readonly Shard[]) {
    const { size = 0, initialWeight = 0, weightsPerTask = false } = feedforward ?? {};
    const trained = shards.reduce((n, shard) => n + shard.trainedGlobal.length, 0);
    this.stored = Array.from({ length: weightsPerTask ? tasks : 0 }, () =>
      new Float32Array(trained * size).fill(initialWeight),
    );
    this.#shards = shards;
    this.#size = size;
  }

  /** Puts the weights of a task in place, and those of the task before back into their store. */
  use(task: number): void {
    if (this.stored.length > 0 && task !== this.current) {
      this.store();
      this.#forEach(this.stored[task], (shard, t, weights) => shard.plastic.setWeights(t, weights, 0, weights.length));
    }
    this.current = task;
  }

  /** Brings the store up to date with the weights in place. */
  store(): void {
    const store = this.stored[this.current];
    this.#forEach(store, (shard, t, weights) => shard.plastic.getWeights(t, weights, 0, weights.length));
  }

  #forEach(store: Float32Array, body: (shard: Shard, trained: number, weights: Float32Array) => void): void {
    let position = 0;
    for (const shard of this.#shards) {
      for (let t = 0; t < shard.trainedGlobal.length; t++, position++) {
        body(shard, t, store.subarray(position * this.#size, (position + 1) * this.#size));
      }
    }
  }
}
