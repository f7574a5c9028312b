/**
 * Softmax of one row of a readout, in float64.
 *
 *   p_k = exp(y_k - m) / sum_l exp(y_l - m),  m = max_l y_l
 *
 * With cross-entropy at every step this is most of the work outside the network: 20 000 exponentials for 1000 steps and
 * 20 classes. So the exponential is written into the loop, for arguments <= 0 only: with k = round(64 x / ln 2) split
 * into 64 e + j, exp(x) = 2^e 2^(j/64) exp(x - k ln(2)/64), where the last argument is below 0.0055 and five terms of
 * the series suffice (Tang, ACM Trans. Math. Softw. 15, 1989). Below 3 ulp from the true value, and like `exp` of
 * math/elementary.ts made of exactly rounded operations alone.
 */
import { exp } from "../../math/elementary.ts";

export type Floats = Float32Array | Float64Array;

/** Where the exponential is cut off, far below the last digit of a probability. */
const SMALLEST = -700;
const PARTS = 64;
/** ln 2 / 64 in two parts; the first has 36 bits, so that k times it is exact. */
const STEP_HIGH = 0.010830424696223417;
const STEP_LOW = 2.572804622327669e-14;
/** 2^(j/64). */
const roots = Float64Array.from({ length: PARTS }, (_, j) => exp(j * STEP_HIGH + j * STEP_LOW));
/** 2^-e. */
const halves = new Float64Array(1024);
halves[0] = 1;
for (let e = 1; e < halves.length; e++) halves[e] = halves[e - 1] / 2;

/** The largest of y[start .. start+count-1]. */
export function maximumOf(y: Floats, start: number, count: number): number {
  let maximum = y[start];
  for (let i = start + 1; i < start + count; i++) if (y[i] > maximum) maximum = y[i];
  return maximum;
}

/**
 * Writes exp(y[start + k] - maximum) for k < count to `out`, each at least 1e-304, and returns their sum. No value may
 * exceed `maximum`; a NaN among them makes the sum NaN.
 */
export function exponentials(y: Floats, start: number, count: number, maximum: number, out: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const difference = y[start + k] - maximum;
    const x = difference < SMALLEST ? SMALLEST : difference;
    const n = (x * (PARTS * Math.LOG2E) - 0.5) | 0;
    const r = x - n * STEP_HIGH - n * STEP_LOW;
    const r2 = r * r;
    const series =
      1 + (r + r2 * (0.5 + r * 0.16666666666666666 + r2 * (0.041666666666666664 + r * 0.008333333333333333)));
    const value = series * roots[n & (PARTS - 1)] * halves[-(n >> 6)];
    out[k] = value;
    sum += value;
  }
  return sum;
}

/**
 * Writes the probabilities of all of y to `out`. For single rows, with the plain exponential: engines make the functions
 * above fastest if they meet only one type of array.
 */
export function softmax(y: Float64Array, out: Float64Array): void {
  const maximum = y.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (let k = 0; k < y.length; k++) sum += out[k] = exp(y[k] - maximum);
  for (let k = 0; k < y.length; k++) out[k] /= sum;
}
