/**
 * The random source of Volley: Philox4x32-10 keyed by the seed.
 *
 * Key: (low 32 bits, high 21 bits) of the seed. Counter of block b of stream s, words of 32 bits, lowest first:
 *
 *   word 0, 1   b, low and high
 *   word 2      s, low
 *   word 3      s, high 21 bits; above them the lane: 0 uniform, 1 normal, 2 sample
 *
 * The lanes keep the three kinds of draw of one stream independent. Block b gives the values 2b and 2b + 1: each takes
 * two words of the block as one 64-bit number, first word on top, of which the upper 53 bits make a uniform in [0,1).
 * In the normal lane these two uniforms go through Box and Muller's transform, cosine first.
 */

import { UserError } from "../base/errors.ts";
import { boxMuller } from "./box-muller.ts";
import { philoxBlocks } from "./philox-rounds.ts";
import { DistinctSampler } from "./sampling.ts";
import type { RandomSource } from "./streams.ts";

export { philox4x32 } from "./philox-rounds.ts";

const lane = { uniform: 0, normal: 1, sample: 2 } as const;
const LANE_SHIFT = 21;
/** Blocks computed at a time; the words stay in the first-level cache. Even, because `philoxBlocks` works in pairs. */
const CHUNK = 128;
const TWO_32 = 4294967296;

/** The upper 53 bits of a 64-bit number, as a fraction in [0,1). */
function fraction(high: number, low: number): number {
  return (high * 2097152 + (low >>> 11)) * 1.1102230246251565e-16;
}

/** @param seed integer, 0 <= seed <= 2^53 - 1. */
export class Philox implements RandomSource {
  readonly seed: number;
  readonly #key0: number;
  readonly #key1: number;
  readonly #words = new Uint32Array(4 * CHUNK);
  readonly #pair = new Float64Array(2);
  readonly #sampler = new DistinctSampler();

  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new UserError(`seed ${seed} cannot be used; give an integer from 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    this.seed = seed;
    this.#key0 = seed >>> 0;
    this.#key1 = Math.floor(seed / TWO_32);
  }

  uniform(stream: number, start: number, out: Float64Array): void {
    const words = this.#words;
    const end = checkedEnd(stream, start, out);
    for (let i = start; i < end; ) {
      const block = Math.floor(i / 2);
      const stop = Math.min(end, 2 * (block + CHUNK));
      this.#fill(lane.uniform, stream, block, Math.ceil(stop / 2) - block);
      const offset = 2 * block;
      for (; i < stop; i++) {
        const at = 2 * (i - offset);
        out[i - start] = fraction(words[at], words[at + 1]);
      }
    }
  }

  normal(stream: number, start: number, out: Float64Array): void {
    const words = this.#words;
    const pair = this.#pair;
    const end = checkedEnd(stream, start, out);
    let block = Math.floor(start / 2);
    while (2 * block < end) {
      const blocks = Math.min(CHUNK, Math.ceil(end / 2) - block);
      this.#fill(lane.normal, stream, block, blocks);
      for (let j = 0; j < blocks; j++) {
        boxMuller(fraction(words[4 * j], words[4 * j + 1]), fraction(words[4 * j + 2], words[4 * j + 3]), pair, 0);
        const at = 2 * (block + j) - start;
        // Only the first and the last pair may lie half outside.
        if (at >= 0) out[at] = pair[0];
        if (at + 1 < out.length) out[at + 1] = pair[1];
      }
      block += blocks;
    }
  }

  sample(stream: number, n: number, m: number): Uint32Array {
    checkStream(stream);
    this.#fill(lane.sample, stream, 0, 1);
    return this.#sampler.draw(this.#words, n, m);
  }

  #fill(laneOfUse: number, stream: number, block: number, count: number): void {
    const high = Math.floor(stream / TWO_32) + (laneOfUse << LANE_SHIFT);
    philoxBlocks(block, count, stream >>> 0, high, this.#key0, this.#key1, this.#words);
  }
}

function checkStream(stream: number): void {
  if (!Number.isSafeInteger(stream) || stream < 0) throw new RangeError(`stream ${stream} must be an integer >= 0`);
}

/** start + out.length, once the arguments are known to be good. */
function checkedEnd(stream: number, start: number, out: Float64Array): number {
  checkStream(stream);
  const end = start + out.length;
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(end)) {
    throw new RangeError(`values ${start} to ${end} of stream ${stream} lie outside 0 to 2^53 - 1`);
  }
  return end;
}
