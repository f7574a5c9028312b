/**
 * Philox4x32, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011): a keyed scrambling of a 128-bit counter into four 32-bit words, without state.
 *
 * `philox4x32` is the plain form, one block at a time; `philoxBlocks` gives the same words quicker.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Weyl increments of the key: the golden ratio and sqrt(3) - 1, times 2^32. */
const WEYL_0 = 0x9e3779b9 | 0;
const WEYL_1 = 0xbb67ae85 | 0;

/** Upper 32 bits of the product of two unsigned 32-bit numbers, as a signed number. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // No sum overflows: 65535 * 65535 + 65535 < 2^32.
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const other = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** Scrambles one counter of four words under a key of two words into four words. The standard has 10 rounds. */
export function philox4x32(counter: Uint32Array, key: Uint32Array, out: Uint32Array, rounds = 10): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(c0, MULTIPLIER_0);
    const high1 = multiplyHigh(c2, MULTIPLIER_1);
    const low0 = Math.imul(c0, MULTIPLIER_0);
    const low1 = Math.imul(c2, MULTIPLIER_1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * Words of the blocks with counters (first + i, c2, c3), i = 0 .. count-1, where the 64-bit block number fills the
 * first two words of the counter; `first + count` at most 2^53. `out` holds 4 * (count rounded up to even) words.
 *
 * A round is a chain of dependent multiplications, so two blocks are computed side by side: a third faster.
 */
export function philoxBlocks(
  first: number,
  count: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
  out: Uint32Array,
): void {
  for (let i = 0; i < count; i += 2) {
    const block = first + i;
    let a0 = block | 0;
    let a1 = (block / 4294967296) | 0;
    let a2 = c2 | 0;
    let a3 = c3 | 0;
    let b0 = (block + 1) | 0;
    let b1 = ((block + 1) / 4294967296) | 0;
    let b2 = a2;
    let b3 = a3;
    let k0 = key0 | 0;
    let k1 = key1 | 0;
    for (let round = 0; round < 10; round++) {
      const aHigh0 = multiplyHigh(a0, MULTIPLIER_0);
      const bHigh0 = multiplyHigh(b0, MULTIPLIER_0);
      const aHigh1 = multiplyHigh(a2, MULTIPLIER_1);
      const bHigh1 = multiplyHigh(b2, MULTIPLIER_1);
      const aLow0 = Math.imul(a0, MULTIPLIER_0);
      const bLow0 = Math.imul(b0, MULTIPLIER_0);
      const aLow1 = Math.imul(a2, MULTIPLIER_1);
      const bLow1 = Math.imul(b2, MULTIPLIER_1);
      a0 = aHigh1 ^ a1 ^ k0;
      a1 = aLow1;
      a2 = aHigh0 ^ a3 ^ k1;
      a3 = aLow0;
      b0 = bHigh1 ^ b1 ^ k0;
      b1 = bLow1;
      b2 = bHigh0 ^ b3 ^ k1;
      b3 = bLow0;
      k0 = (k0 + WEYL_0) | 0;
      k1 = (k1 + WEYL_1) | 0;
    }
    const at = 4 * i;
    out[at] = a0;
    out[at + 1] = a1;
    out[at + 2] = a2;
    out[at + 3] = a3;
    out[at + 4] = b0;
    out[at + 5] = b1;
    out[at + 6] = b2;
    out[at + 7] = b3;
  }
}
