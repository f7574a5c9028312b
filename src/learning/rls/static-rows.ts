/** Static synapses of all shards of a worker, from one pass over all sources. */
import { checkIndices, type OutgoingSynapses } from "../../network/connectivity.ts";
import type { ShardRange } from "../../network/partition.ts";
import type { StaticSynapses } from "./shard.ts";

class GrowingRows {
  readonly offsets: Uint32Array;
  #targets: Uint16Array;
  #weights: Float32Array | null;
  #length = 0;

  constructor(sources: number, expected: number, weighted: boolean) {
    this.offsets = new Uint32Array(sources + 1);
    this.#targets = new Uint16Array(expected);
    this.#weights = weighted ? new Float32Array(expected) : null;
  }

  push(target: number, weight: number): void {
    if (this.#length === this.#targets.length) this.#grow();
    this.#targets[this.#length] = target;
    if (this.#weights) this.#weights[this.#length] = weight;
    this.#length++;
  }

  endRow(source: number): void {
    this.offsets[source + 1] = this.#length;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#targets.length * 1.25) + 1024;
    const targets = new Uint16Array(capacity);
    targets.set(this.#targets);
    this.#targets = targets;
    if (!this.#weights) return;
    const weights = new Float32Array(capacity);
    weights.set(this.#weights);
    this.#weights = weights;
  }

  finish(): StaticSynapses {
    return {
      offsets: this.offsets,
      targets: this.#targets.subarray(0, this.#length),
      weights: this.#weights?.subarray(0, this.#length) ?? null,
    };
  }
}

/**
 * @param synapses outgoing synapses of a source, for all neurons of the network
 * @param expectedPerNeuron incoming synapses of a neuron, to reserve room
 */
export function staticRows(
  neurons: number,
  shards: readonly ShardRange[],
  synapses: (source: number) => OutgoingSynapses,
  expectedPerNeuron: number,
  weighted: boolean,
): StaticSynapses[] {
  // By global index: shard and local index + 1, 0 for neurons of other workers.
  const home = new Uint16Array(neurons);
  const local = new Uint16Array(neurons);
  shards.forEach((shard, s) => {
    for (const { firstGlobal, firstLocal, size } of shard.segments) {
      for (let i = 0; i < size; i++) {
        home[firstGlobal + i] = s + 1;
        local[firstGlobal + i] = firstLocal + i;
      }
    }
  });
  const rows = shards.map((shard) => {
    const expected = expectedPerNeuron * shard.size;
    return new GrowingRows(neurons, Math.ceil(expected + 8 * Math.sqrt(expected) + 64), weighted);
  });
  for (let source = 0; source < neurons; source++) {
    const outgoing = synapses(source);
    const targets = outgoing instanceof Uint32Array ? outgoing : outgoing.targets;
    if (weighted) checkIndices(targets, neurons, null, `the list of static targets of neuron ${source}`);
    for (let e = 0; e < targets.length; e++) {
      const target = targets[e];
      const shard = home[target];
      if (shard > 0) rows[shard - 1].push(local[target], outgoing instanceof Uint32Array ? 0 : outgoing.weights[e]);
    }
    for (const shard of rows) shard.endRow(source);
  }
  return rows.map((shard) => shard.finish());
}
