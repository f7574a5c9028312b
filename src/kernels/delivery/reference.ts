/**
 * Spikes become arrivals: the plain twin of the delivery kernels.
 *
 * All sums are integers, so they do not depend on the order of spikes, on threads or on shards: static arrivals are
 * counts (E in the low 16 bits, I in the high 16), plastic ones fixed point with 20 fractional bits.
 */
export const fixedPointOne = 2 ** 20;

/** w as fixed point: rounded to nearest, ties to even. */
export function toFixedPoint(weight: number): number {
  const scaled = Math.fround(weight) * fixedPointOne;
  const down = Math.floor(scaled);
  const rest = scaled - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** Outgoing synapses of every source that end in one shard, source after source: row s is offsets[s] .. offsets[s+1]. */
export interface OutgoingLists<Entries> {
  readonly offsets: Uint32Array;
  readonly entries: Entries;
}

/** @param spikes global source indices, ascending. @param counts one packed pair of 16-bit counters per local neuron. */
export function deliverCounts(
  spikes: ArrayLike<number>,
  lists: OutgoingLists<Uint16Array>,
  firstInhibitory: number,
  counts: Uint32Array,
): void {
  for (let s = 0; s < spikes.length; s++) {
    const source = spikes[s];
    const one = source < firstInhibitory ? 1 : 0x10000;
    for (let e = lists.offsets[source]; e < lists.offsets[source + 1]; e++) counts[lists.entries[e]] += one;
  }
}

/** One weight per entry: charge in fixed point, to `excitatory` for weights >= 0 and to `inhibitory` for others. */
export function deliverWeights(
  spikes: ArrayLike<number>,
  lists: OutgoingLists<Uint16Array>,
  weights: Float32Array,
  excitatory: Int32Array,
  inhibitory: Int32Array,
): void {
  for (let s = 0; s < spikes.length; s++) {
    for (let e = lists.offsets[spikes[s]]; e < lists.offsets[spikes[s] + 1]; e++) {
      const arrivals = weights[e] >= 0 ? excitatory : inhibitory;
      arrivals[lists.entries[e]] += toFixedPoint(weights[e]);
    }
  }
}

/** Synapses of trained neurons as the twin keeps them: `[trained * inputs + slot]`. */
export interface TrainedSynapses {
  readonly inputs: number;
  readonly weights: Float32Array;
  readonly traces: Float32Array;
}

/**
 * Plastic synapses, an entry being `trained | slot << 16`: the weight arrives as a charge at local neuron
 * `neuronOf(trained)`, and the trace of the synapse grows by `gainOf(trained)`. Either part can be left out (null).
 */
export function deliverPlastic(
  spikes: ArrayLike<number>,
  lists: OutgoingLists<Uint32Array>,
  synapses: TrainedSynapses,
  currents: { readonly arrivals: Int32Array; readonly neuronOf: (trained: number) => number } | null,
  gainOf: ((trained: number) => number) | null,
): void {
  for (let s = 0; s < spikes.length; s++) {
    for (let e = lists.offsets[spikes[s]]; e < lists.offsets[spikes[s] + 1]; e++) {
      const trained = lists.entries[e] & 0xffff;
      const at = trained * synapses.inputs + (lists.entries[e] >>> 16);
      if (currents) currents.arrivals[currents.neuronOf(trained)] += toFixedPoint(synapses.weights[at]);
      if (gainOf) synapses.traces[at] += gainOf(trained);
    }
  }
}
