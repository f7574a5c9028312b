/**
 * Puts events into the order of their steps by a stable counting sort: time proportional to events + steps. For encoders
 * that go through the channels in ascending order, and name no channel twice in a step.
 */

import type { StepEvents } from "../labelled-set.ts";

/** Room for at least `size` numbers; what it holds may be lost. */
export function roomFor(array: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  return array.length >= size ? array : new Int32Array(Math.max(size, 2 * array.length));
}

/** Reuse one instance: its buffers grow to the largest sample and stay. */
export class StepSorter {
  #steps = new Int32Array(1024);
  #channels = new Int32Array(1024);
  #places = new Int32Array(0);
  #count = 0;

  /** Forgets all events. */
  clear(): void {
    this.#count = 0;
  }

  /** Events of a step must come with ascending channels. */
  push(step: number, channel: number): void {
    if (this.#count === this.#steps.length) this.#grow();
    this.#steps[this.#count] = step;
    this.#channels[this.#count++] = channel;
  }

  #grow(): void {
    const larger = (array: Int32Array) => {
      const result = new Int32Array(2 * array.length);
      result.set(array);
      return result;
    };
    this.#steps = larger(this.#steps);
    this.#channels = larger(this.#channels);
  }

  /** The events pushed since `clear`, whose steps must be below `steps`. */
  finish(steps: number): StepEvents {
    const count = this.#count;
    const places = roomFor(this.#places, steps);
    this.#places = places;
    places.fill(0, 0, steps);
    for (let i = 0; i < count; i++) places[this.#steps[i]]++;
    const offsets = turnIntoStarts(places, 0, steps);
    const channels = new Uint32Array(count);
    for (let i = 0; i < count; i++) channels[places[this.#steps[i]]++] = this.#channels[i];
    return { steps, offsets, channels, values: null };
  }
}

/**
 * The numbers at `from` are members of groups; they become the places where the groups begin, which are returned as well,
 * with the end of the last group.
 */
export function turnIntoStarts(memory: Int32Array, from: number, groups: number): Uint32Array {
  const starts = new Uint32Array(groups + 1);
  let start = 0;
  for (let group = 0; group < groups; group++) {
    const members = memory[from + group];
    memory[from + group] = start;
    starts[group] = start;
    start += members;
  }
  starts[groups] = start;
  return starts;
}
