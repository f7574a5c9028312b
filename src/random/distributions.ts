/**
 * Poisson, gamma and log-normal values of a stream, counter-based like the source: value i depends on the source's
 * seed, the stream and i only.
 *
 * The exact methods need a varying number of uniforms per value. So value i owns column i of a table whose row k is the
 * stretch k * 2^44 .. of the stream: its k-th uniform is value k * 2^44 + i of the stream. Most values need the first
 * rows only, which are contiguous and fetched together. Hence i < 2^44, and a stream used here gives no plain uniforms.
 */

import { exp, log } from "../math/elementary.ts";
import { logGamma } from "../math/special-functions.ts";
import { boxMuller } from "./box-muller.ts";
import type { RandomSource } from "./streams.ts";

const ROW = 2 ** 44;
/** Columns fetched together. */
const BATCH = 256;

/** The k-th uniform of column i, with the first rows of a batch of columns at hand. */
class Columns {
  readonly #source: RandomSource;
  readonly #stream: number;
  readonly #rows: Float64Array[];
  readonly #one = new Float64Array(1);
  #first = 0;

  constructor(source: RandomSource, stream: number, rowsAtHand: number) {
    this.#source = source;
    this.#stream = stream;
    this.#rows = Array.from({ length: rowsAtHand }, () => new Float64Array(BATCH));
  }

  /** Makes columns first .. first+count-1 the batch. */
  fetch(first: number, count: number): void {
    this.#first = first;
    for (const [k, row] of this.#rows.entries()) {
      this.#source.uniform(this.#stream, k * ROW + first, row.subarray(0, count));
    }
  }

  uniform(i: number, k: number): number {
    if (k < this.#rows.length) return this.#rows[k][i - this.#first];
    this.#source.uniform(this.#stream, k * ROW + i, this.#one);
    return this.#one[0];
  }
}

/** Fills `out` with draw(columns, i) for i = start .. start+out.length-1. */
function fillByColumn(
  source: RandomSource,
  stream: number,
  start: number,
  out: Float64Array,
  rowsAtHand: number,
  draw: (columns: Columns, i: number) => number,
): void {
  if (!Number.isSafeInteger(start) || start < 0 || start + out.length > ROW) {
    throw new RangeError(`values ${start} to ${start + out.length} lie outside 0 to 2^44`);
  }
  const columns = new Columns(source, stream, rowsAtHand);
  for (let done = 0; done < out.length; done += BATCH) {
    const count = Math.min(BATCH, out.length - done);
    columns.fetch(start + done, count);
    for (let j = done; j < done + count; j++) out[j] = draw(columns, start + j);
  }
}

/** From this mean on, rejection is quicker than adding up probabilities; PTRS itself is valid from 10. */
const REJECTION_FROM = 12;
const LARGEST_MEAN = 1e9;

/** Poisson counts with the given mean, 0 <= mean <= 1e9: values start .. start+out.length-1 of the stream. */
export function poisson(source: RandomSource, stream: number, mean: number, start: number, out: Float64Array): void {
  if (!(mean >= 0 && mean <= LARGEST_MEAN)) {
    throw new RangeError(`the mean of a Poisson distribution must lie between 0 and ${LARGEST_MEAN}, not ${mean}`);
  }
  if (mean < REJECTION_FROM) {
    const none = exp(-mean);
    fillByColumn(source, stream, start, out, 1, (columns, i) => invertPoisson(columns.uniform(i, 0), mean, none));
  } else {
    fillByColumn(source, stream, start, out, 2, poissonByRejection(mean));
  }
}

/** Smallest k whose cumulative probability exceeds u. */
function invertPoisson(u: number, mean: number, probabilityOfNone: number): number {
  let probability = probabilityOfNone;
  let cumulative = probability;
  let k = 0;
  while (u >= cumulative) {
    probability *= mean / ++k;
    const next = cumulative + probability;
    // Beyond the mode, where rounding swallows the term: u lies in the last 1e-16 of the tail.
    if (next === cumulative && k > mean) break;
    cumulative = next;
  }
  return k;
}

/**
 * PTRS, transformed rejection with squeeze (W. Hörmann, "The transformed rejection method for generating Poisson random
 * variables", Insurance: Mathematics and Economics 12, 1993); exact, about 1.2 pairs of uniforms per value.
 */
function poissonByRejection(mean: number): (columns: Columns, i: number) => number {
  const logMean = log(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const logInverseAlpha = log(1.1239 + 1.1328 / (b - 3.4));
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  return (columns, i) => {
    for (let row = 0; ; row += 2) {
      const u = columns.uniform(i, row) - 0.5;
      const v = columns.uniform(i, row + 1);
      const edge = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / edge + b) * u + mean + 0.43);
      if (edge >= 0.07 && v <= squeeze) return k;
      if (k < 0 || (edge < 0.013 && v > edge)) continue;
      if (log(v) + logInverseAlpha - log(a / (edge * edge) + b) <= k * logMean - mean - logGamma(k + 1)) return k;
    }
  };
}

/**
 * Gamma values with density x^(shape-1) e^(-x/scale), shape > 0, scale > 0; mean shape * scale. Method of Marsaglia and
 * Tsang (ACM Trans. Math. Softw. 26, 2000); for shape < 1 a value of shape + 1 is multiplied by u^(1/shape).
 */
export function gamma(
  source: RandomSource,
  stream: number,
  { shape, scale = 1 }: { shape: number; scale?: number },
  start: number,
  out: Float64Array,
): void {
  if (!(shape > 0 && scale > 0 && Number.isFinite(shape) && Number.isFinite(scale))) {
    throw new RangeError(`shape ${shape} and scale ${scale} of a gamma distribution must be > 0 and finite`);
  }
  const boosted = shape < 1;
  const d = (boosted ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const pair = new Float64Array(2);
  fillByColumn(source, stream, start, out, 4, (columns, i) => {
    // Row 0 is the factor for small shapes; each attempt takes three more.
    const factor = boosted ? exp(log(1 - columns.uniform(i, 0)) / shape) : 1;
    for (let row = 1; ; row += 3) {
      boxMuller(columns.uniform(i, row), columns.uniform(i, row + 1), pair, 0);
      const x = pair[0];
      const root = 1 + c * x;
      if (root <= 0) continue;
      const v = root * root * root;
      const u = 1 - columns.uniform(i, row + 2);
      if (log(u) < 0.5 * x * x + d * (1 - v + log(v))) return scale * d * v * factor;
    }
  });
}

/** e^(mu + sigma z) with z the standard normals of the stream: mu and sigma are those of the logarithm, sigma >= 0. */
export function logNormal(
  source: RandomSource,
  stream: number,
  { mu, sigma }: { mu: number; sigma: number },
  start: number,
  out: Float64Array,
): void {
  if (!(Number.isFinite(mu) && sigma >= 0 && Number.isFinite(sigma))) {
    throw new RangeError(`mu ${mu} and sigma ${sigma} of a log-normal distribution must be finite, sigma >= 0`);
  }
  source.normal(stream, start, out);
  for (let j = 0; j < out.length; j++) out[j] = exp(mu + sigma * out[j]);
}
