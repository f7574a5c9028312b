/**
 * Sampling without replacement, in time proportional to the sample and not to the population.
 *
 * A million neurons that each choose a thousand partners need 10^9 draws, and a keyed Philox block per four of them
 * would be most of the cost. So the four words that Philox gives for (seed, stream) start a small sequential generator,
 * sfc32: the result is still a function of (seed, stream, n, m) alone. A draw from 0..n-1 is Lemire's multiplication
 * floor(word n / 2^32), which is unbiased once words whose product has low half below 2^32 mod n are refused
 * (ACM Trans. Model. Comput. Simul. 29, 2019).
 */

import { multiplyHigh } from "./philox-rounds.ts";
import { sfc32 } from "./sfc32.ts";

/** Below this ratio n / m it is quicker to shuffle the population than to refuse repeats. */
const SHUFFLE_BELOW = 4;
/** Words made at a time. */
const BATCH = 256;
/** Up to this n the product of a word and n is exact in float64, where multiplying is quicker. */
const FLOAT_LIMIT = 2 ** 21;
/** Flipping the sign bit orders signed numbers as their unsigned twins; comparing signed ones is much quicker in V8. */
const SIGN = -0x80000000;

/** Draws samples. Holds buffers that grow to the largest n asked for (a bit each), so reuse one instance. */
export class DistinctSampler {
  readonly #state = new Int32Array(4);
  readonly #words = new Int32Array(BATCH);
  /** One bit per member of the population: already chosen? All 0 between calls. */
  #marks = new Int32Array(1);
  #population = new Uint32Array(0);

  /**
   * m distinct integers of 0..n-1 in random order; 0 <= m <= n < 2^32. `start` holds the four words that determine the
   * result and is not changed.
   */
  draw(start: Uint32Array, n: number, m: number): Uint32Array {
    if (!(Number.isInteger(n) && Number.isInteger(m) && m >= 0 && m <= n && n < 2 ** 32)) {
      throw new RangeError(`cannot choose ${m} distinct numbers out of ${n}: both must be integers, m <= n < 2^32`);
    }
    for (let i = 0; i < 4; i++) this.#state[i] = start[i];
    return n < SHUFFLE_BELOW * m ? this.#shuffle(n, m) : this.#refuseRepeats(n, m);
  }

  /** Draws until m different values have come up; of the draws, at most one in seven is a repeat on average. */
  #refuseRepeats(n: number, m: number): Uint32Array {
    const size = Math.floor(n / 32) + 1;
    if (this.#marks.length < size) this.#marks = new Int32Array(size);
    const marks = this.#marks;
    const words = this.#words;
    const refusedBelow = (2 ** 32 % n) ^ SIGN;
    const exact = n <= FLOAT_LIMIT;
    const fraction = n / 2 ** 32;
    const out = new Uint32Array(m);
    for (let chosen = 0; chosen < m; ) {
      const count = Math.min(BATCH, m - chosen);
      sfc32(this.#state, words, count);
      for (let i = 0; i < count; i++) {
        const word = words[i];
        if ((Math.imul(word, n) ^ SIGN) < refusedBelow) continue;
        const value = exact ? ((word >>> 0) * fraction) | 0 : multiplyHigh(word, n);
        const mark = marks[value >>> 5];
        const bit = 1 << value;
        if ((mark & bit) !== 0) continue;
        marks[value >>> 5] = mark | bit;
        out[chosen++] = value;
      }
    }
    for (let i = 0; i < m; i++) marks[out[i] >>> 5] = 0;
    return out;
  }

  /** The first m steps of Fisher and Yates's shuffle of 0..n-1. */
  #shuffle(n: number, m: number): Uint32Array {
    if (this.#population.length < n) this.#population = new Uint32Array(n);
    const population = this.#population;
    const words = this.#words;
    for (let i = 0; i < n; i++) population[i] = i;
    for (let chosen = 0; chosen < m; ) {
      const count = Math.min(BATCH, m - chosen);
      sfc32(this.#state, words, count);
      for (let i = 0; i < count; i++) {
        const word = words[i];
        const left = n - chosen;
        const low = Math.imul(word, left) >>> 0;
        // The remainder is below `left`, so it need only be computed for such words.
        if (low < left && low < 2 ** 32 % left) continue;
        const other = chosen + (multiplyHigh(word, left) >>> 0);
        const value = population[other];
        population[other] = population[chosen];
        population[chosen++] = value;
      }
    }
    return population.slice(0, m);
  }
}
