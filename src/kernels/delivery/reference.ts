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
