/**
 * The communicator of workers that share memory.
 *
 * Every member has a line of its own in shared memory: a sequence number that says how many exchanges it has entered, and
 * two spike lists used in turn. To exchange, a member writes its list, then its sequence number, and waits until all
 * others have the same number: one crossing of the bus, no lock. The list of exchange n is written again at n + 2, when
 * every member has left n, because it has entered n + 1; the wish to stop is kept twice for the same reason. Waiting spins first (an exchange takes less than a microsecond
 * when the work is even), then sleeps, so that more workers than cores still make progress.
 */
import type { Communicator } from "./contract.ts";

/** 32-bit words of one cache line pair, so that members do not share lines. */
const lineWords = 32;
/** Words of a member's line; `count` and `stop` are two each, used in turn. */
const field = { sequence: 0, count: 1, stop: 3 } as const;
/** Some 15 us: longer than an even exchange needs, and short enough not to starve the others on a busy machine. */
const spinsBeforeSleep = 3000;
/** Doubles exchanged at a time by `allreduce` and `broadcast`. */
const reduceCapacity = 1024;

export interface ThreadsMemory {
  readonly size: number;
  /** Longest spike list of one member. */
  readonly capacity: number;
  readonly buffer: SharedArrayBuffer;
}

/** Shared memory for `size` members that have at most `capacity` spikes in one step each. */
export function threadsMemory(size: number, capacity: number): ThreadsMemory {
  const words = size * (lineWords + 2 * (capacity + (capacity & 1))) + 2 * size * reduceCapacity + lineWords;
  return { size, capacity, buffer: new SharedArrayBuffer(4 * words) };
}

/** Asks all members to stop at their next exchange. Called from any thread. */
export function requestStop(memory: ThreadsMemory, stop = true): void {
  Atomics.store(new Int32Array(memory.buffer), memory.size * lineWords, stop ? 1 : 0);
}

/** Exchanges that rank 0 has entered so far; wraps at 2^32. For watching from outside. */
export function exchangesEntered(memory: ThreadsMemory): number {
  return Atomics.load(new Int32Array(memory.buffer), 0) >>> 0;
}

export class ThreadsCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  stopRequested = false;
  readonly #words: Int32Array;
  readonly #lists: [Uint32Array, Uint32Array][];
  readonly #reduce: Float64Array[];
  readonly #outside: number;
  #sequence: number;

  constructor(memory: ThreadsMemory, rank: number) {
    this.rank = rank;
    this.size = memory.size;
    this.#words = new Int32Array(memory.buffer);
    this.#outside = memory.size * lineWords;
    const listWords = memory.capacity + (memory.capacity & 1);
    const firstList = 4 * (this.#outside + lineWords);
    this.#lists = Array.from({ length: memory.size }, (_, member) => [
      new Uint32Array(memory.buffer, firstList + 4 * listWords * 2 * member, memory.capacity),
      new Uint32Array(memory.buffer, firstList + 4 * listWords * (2 * member + 1), memory.capacity),
    ]);
    const firstReduce = firstList + 4 * listWords * 2 * memory.size;
    this.#reduce = Array.from(
      { length: memory.size },
      (_, member) => new Float64Array(memory.buffer, firstReduce + 8 * reduceCapacity * member, reduceCapacity),
    );
    this.#sequence = Atomics.load(this.#words, rank * lineWords);
  }

  barrier(): void {
    const words = this.#words;
    this.#sequence = (this.#sequence + 1) | 0;
    const line = this.rank * lineWords;
    const stop = field.stop + (this.#sequence & 1);
    // Rank 0 alone reads the outside world, so that all members see the request at the same exchange.
    if (this.rank === 0) words[line + stop] = Atomics.load(words, this.#outside);
    Atomics.store(words, line + field.sequence, this.#sequence);
    Atomics.notify(words, line + field.sequence);
    for (let member = 0; member < this.size; member++) if (member !== this.rank) this.#waitFor(member);
    this.stopRequested = words[stop] !== 0;
  }

  #waitFor(member: number): void {
    const words = this.#words;
    const at = member * lineWords + field.sequence;
    for (let spin = 0; spin < spinsBeforeSleep; spin++) {
      if (((Atomics.load(words, at) - this.#sequence) | 0) >= 0) return;
    }
    for (;;) {
      const seen = Atomics.load(words, at);
      if (((seen - this.#sequence) | 0) >= 0) return;
      Atomics.wait(words, at, seen, 100);
    }
  }

  allgatherSpikes(spikes: Uint32Array, count: number, all: Uint32Array): number {
    const parity = (this.#sequence + 1) & 1;
    const own = this.#lists[this.rank][parity];
    for (let i = 0; i < count; i++) own[i] = spikes[i];
    this.#words[this.rank * lineWords + field.count + parity] = count;
    this.barrier();
    let total = 0;
    for (let member = 0; member < this.size; member++) {
      const list = this.#lists[member][parity];
      const length = this.#words[member * lineWords + field.count + parity];
      for (let i = 0; i < length; i++) all[total++] = list[i];
    }
    return total;
  }

  allreduce(values: Float64Array): void {
    for (let from = 0; from < values.length; from += reduceCapacity) {
      const part = values.subarray(from, from + reduceCapacity);
      this.#reduce[this.rank].set(part);
      this.barrier();
      part.fill(0);
      for (const contribution of this.#reduce) for (let i = 0; i < part.length; i++) part[i] += contribution[i];
      this.barrier();
    }
  }

  broadcast(values: Float64Array): void {
    for (let from = 0; from < values.length; from += reduceCapacity) {
      const part = values.subarray(from, from + reduceCapacity);
      if (this.rank === 0) this.#reduce[0].set(part);
      this.barrier();
      part.set(this.#reduce[0].subarray(0, part.length));
      this.barrier();
    }
  }
}
