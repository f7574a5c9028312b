/**
 * How shards exchange what crosses their borders. Implementations: `single.ts` (one worker), `threads.ts` (workers that
 * share memory). The same contract is meant for processes on several machines.
 */
export interface Communicator {
  /** This member, 0 .. size - 1. */
  readonly rank: number;
  readonly size: number;
  /** Returns when every member has come here. */
  barrier(): void;
  /**
   * Gives everyone's spikes to everyone: `spikes[0 .. count)` of every member, in the order of ranks, is written to `all`;
   * returns how many. Members own ascending ranges of neurons, so the result is ascending. Also a barrier.
   */
  allgatherSpikes(spikes: Uint32Array, count: number, all: Uint32Array): number;
  /** Sums element by element in the order of ranks; every member gets the result in `values`. */
  allreduce(values: Float64Array): void;
  /** Everyone gets what rank 0 has in `values`. */
  broadcast(values: Float64Array): void;
  /**
   * True once `requestStop` was called from outside, at the same step for every member: known since the last
   * `allgatherSpikes`.
   */
  readonly stopRequested: boolean;
}
