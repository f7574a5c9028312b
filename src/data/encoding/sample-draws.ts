/**
 * Random numbers for one sample in one epoch. What is drawn for it depends on the seed, the epoch and the sample's index
 * alone, so it is the same in whatever batch and order, on whatever thread, and after a resume.
 */

import type { Draws } from "../../random/draws.ts";
import { Philox } from "../../random/philox.ts";
import { streamOf } from "../../random/streams.ts";

/** Largest number of epochs, and of samples in a set, that have streams of their own. */
export const epochLimit = 2 ** 16;
export const sampleLimit = 2 ** 23;

/** Values fetched at first, and at a time from then on: many samples need one number, some need thousands. */
const firstBlock = 16;
const block = 256;

/** Consecutive values of a stream, fetched in blocks. */
class Series {
  readonly #fill: (start: number, out: Float64Array) => void;
  readonly #values = new Float64Array(block);
  #next = 0;
  #start = 0;
  #end = 0;

  constructor(fill: (start: number, out: Float64Array) => void) {
    this.#fill = fill;
  }

  restart(): void {
    this.#next = 0;
    this.#start = 0;
    this.#end = 0;
  }

  take(): number {
    if (this.#next === this.#end) {
      const count = this.#end === 0 ? firstBlock : block;
      this.#fill(this.#end, this.#values.subarray(0, count));
      this.#start = this.#end;
      this.#end += count;
    }
    return this.#values[this.#next++ - this.#start];
  }
}

/** Draws for sample after sample: `at` moves to the beginning of a sample's numbers. */
export class SampleDraws implements Draws {
  readonly #kind: number;
  readonly #uniforms: Series;
  readonly #normals: Series;
  #stream: number;

  /** @param kind use of the numbers, of `streamKind`. */
  constructor(seed: number, kind: number) {
    const source = new Philox(seed);
    this.#kind = kind;
    this.#stream = streamOf(kind, 0);
    this.#uniforms = new Series((start, out) => source.uniform(this.#stream, start, out));
    this.#normals = new Series((start, out) => source.normal(this.#stream, start, out));
  }

  /**
   * Goes to the first number of a sample in an epoch.
   * @param epoch 0 .. 2^16-1. Training counts from 1; 0 is for samples that are only looked at.
   * @param sample index in the set, 0 .. 2^23-1.
   * @param part 0, or 1 for a second sequence that is independent of the first.
   */
  at(epoch: number, sample: number, part: 0 | 1 = 0): this {
    if (!(Number.isInteger(epoch) && epoch >= 0 && epoch < epochLimit)) {
      throw new RangeError(`epoch ${epoch} has no random numbers; epochs are whole and below ${epochLimit}`);
    }
    if (!(Number.isInteger(sample) && sample >= 0 && sample < sampleLimit)) {
      throw new RangeError(`sample ${sample} has no random numbers; indices are whole and below ${sampleLimit}`);
    }
    this.#stream = streamOf(this.#kind, (2 * epoch + part) * sampleLimit + sample);
    this.#uniforms.restart();
    this.#normals.restart();
    return this;
  }

  uniform(): number {
    for (;;) {
      const u = this.#uniforms.take();
      if (u > 0) return u;
    }
  }

  normal(): number {
    return this.#normals.take();
  }
}

/** A whole number 0 .. n-1, all equally likely (n far below 2^53). */
export function below(draws: Draws, n: number): number {
  return Math.floor(draws.uniform() * n);
}
