/**
 * exp, log, sin and cos in float64 that give the same bytes on every JavaScript engine.
 *
 * ECMAScript leaves the last digits of `Math.exp`, `Math.log`, `Math.sin` and `Math.cos` to the engine, and they have
 * differed between versions of V8. A random stream, a weight or a decay factor computed from them would then differ
 * from machine to machine. The functions here use only operations that IEEE 754 rounds exactly (+, -, *, /), `floor`
 * and the bits of the number, in one fixed order, so their result is part of the language.
 *
 * Method, the same four times (Muller, Elementary Functions, 2016, chapters 3 and 11): an exact step brings the
 * argument into a small interval, a polynomial does the rest, and the leading term is added last, so that nearly all
 * of the error is that one rounding. Each polynomial is the minimax fit of relative error on its interval (Remez
 * exchange at 200 bits); the size of its error stands next to it. Measured error: below 1 ulp (see the tests).
 */

import { reduceLargeAngle } from "./large-angle.ts";

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Where the sign, the exponent and the top 20 bits of the mantissa lie: 1 on little-endian machines. */
const HIGH = (() => {
  float[0] = 1;
  return words[1] !== 0 ? 1 : 0;
})();

const SMALLEST_EXPONENT = -1074;
/** 2^k at k - SMALLEST_EXPONENT, up to k = 1023. A table, because joining words to a number stalls the processor. */
const powersOfTwo = new Float64Array(1024 - SMALLEST_EXPONENT);
powersOfTwo[0] = Number.MIN_VALUE;
for (let i = 1; i < powersOfTwo.length; i++) powersOfTwo[i] = 2 * powersOfTwo[i - 1];

/** ln 2 in two parts: the first has 42 bits, so that k * LN2_HIGH is exact for every exponent k. */
const LN2_HIGH = 0.6931471805598903;
const LN2_LOW = 5.497923018708371e-14;

/** e^x. Infinity above 709.78, gradual underflow below -708.4, 0 below -745.13. */
export function exp(x: number): number {
  if (!(x < 710)) return Number.isNaN(x) ? NaN : Infinity;
  if (x < -746) return 0;
  // x = k ln 2 + r + tail with |r| <= ln(2) / 2
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const tail = high - r - low;
  // (e^r - 1 - r) / r^2, error 2^-64, summed in pairs because the additions of a plain Horner wait for each other
  const r2 = r * r;
  const r4 = r2 * r2;
  const q =
    0.5 +
    r * 0.16666666666666682 +
    r2 * (0.041666666666666095 + r * 0.008333333333317034) +
    r4 *
      (0.0013888888889115626 +
        r * 0.0001984126989638378 +
        r2 * (2.4801586926635706e-5 + r * 2.755723486191324e-6) +
        r4 * (2.755758184661577e-7 + r * 2.5112036852175822e-8 + r2 * 2.0826627459107768e-9));
  const y = 1 + (r + (r2 * q + tail));
  if (k >= SMALLEST_EXPONENT && k <= 1023) return y * powersOfTwo[k - SMALLEST_EXPONENT];
  // The power alone would be out of range; halving and doubling y is exact.
  return k > 0 ? 2 * y * powersOfTwo[1023 - SMALLEST_EXPONENT] : (y / 4) * powersOfTwo[k + 2 - SMALLEST_EXPONENT];
}

/** Top 20 bits of the mantissa of sqrt 2. */
const SQRT2_MANTISSA = 0x6a09e;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Natural logarithm. NaN below 0, -Infinity at 0, right for subnormal numbers. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  const subnormal = x < SMALLEST_NORMAL;
  const scaled = subnormal ? x * 2 ** 54 : x;
  // x = 2^k m with sqrt(1/2) <= m < sqrt(2)
  float[0] = scaled;
  const top = words[HIGH];
  const exponent = (top >>> 20) - 1023 + ((top & 0xfffff) >= SQRT2_MANTISSA ? 1 : 0);
  const k = subnormal ? exponent - 54 : exponent;
  const f = scaled * powersOfTwo[-exponent - SMALLEST_EXPONENT] - 1;
  // log m = 2 atanh(s) = 2s + s z L(z) with s = f / (2 + f), z = s^2; and 2s = f - s f, where f has no error
  const s = f / (2 + f);
  const z = s * s;
  const z2 = z * z;
  // (2 atanh(s) / s - 2) / z, error 2^-59.5
  const l =
    0.6666666666666734 +
    z * 0.3999999999941432 +
    z2 *
      (0.28571428742474725 +
        z * 0.22222198563497933 +
        z2 * (0.1818356486613047 + z * 0.15314035847073884 + z2 * 0.14796105340446122));
  return k * LN2_HIGH + (f - (s * (f - z * l) - k * LN2_LOW));
}

/** pi/2 in four parts; three of 33 bits each, so that n times a part is exact for n < 2^20, and a rest. */
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487111665e-21;
const HALF_PI_4 = 8.4784276603689e-32;
const TWO_OVER_PI = 0.6366197723675814;
const QUARTER_PI = 0.7853981633974483;
/** Largest |x| for the quick reduction, about 1.05e6. */
const QUICK_LIMIT = 1048576;
/** Below this |x|, sin x rounds to x. */
const SIN_TINY = 7.450580596923828e-9;

/** What `reduce` leaves: [high, low], an angle of at most pi/4 (plus a little) as an unevaluated sum. */
const angle = new Float64Array(2);

/** Writes x - n pi/2 to `angle` and returns n modulo 4. For finite |x| > pi/4. */
function reduce(x: number): number {
  if (x > QUICK_LIMIT || x < -QUICK_LIMIT) return reduceLargeAngle(x, angle);
  // Cody and Waite's subtraction in steps. The first is exact; the next two are two-sums (Knuth), whose rounding
  // errors are carried on: an x next to a multiple of pi/2 leaves only digits from the later parts.
  const n = Math.floor(x * TWO_OVER_PI + 0.5);
  const a = x - n * HALF_PI_1;
  const p = n * HALF_PI_2;
  const b = a - p;
  const bShift = b - a;
  const bError = a - (b - bShift) - (p + bShift);
  const q = n * HALF_PI_3;
  const c = b - q;
  const cShift = c - b;
  const cError = b - (c - cShift) - (q + cShift);
  const rest = n * HALF_PI_4 - cError - bError;
  const high = c - rest;
  angle[0] = high;
  angle[1] = c - high - rest;
  return n & 3;
}

/** sin(high + low) for |high| <= pi/4, |low| below an ulp of high. */
export function sinReduced(high: number, low: number): number {
  const z = high * high;
  const z2 = z * z;
  // (sin r - r) / r^3, error 2^-57.9 of the sine
  const q =
    -0.1666666666666663 +
    z * 0.008333333333322113 +
    z2 *
      (-0.00019841269829584833 + z * 2.75573136196943e-6 + z2 * (-2.5050747489351407e-8 + z * 1.5896213827792516e-10));
  return high + (high * z * q + low * (1 - 0.5 * z));
}

/** cos(high + low) for |high| <= pi/4, |low| below an ulp of high. */
export function cosReduced(high: number, low: number): number {
  const z = high * high;
  const z2 = z * z;
  // (cos r - 1 + r^2 / 2) / r^4, error 2^-64 of the cosine
  const q =
    0.041666666666666595 +
    z * -0.001388888888887305 +
    z2 *
      (2.4801587288846567e-5 + z * -2.7557314177773346e-7 + z2 * (2.0875700629699034e-9 + z * -1.1358525269956005e-11));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z2 * q - high * low));
}

/**
 * Sine of x radians. Within 1 ulp for every finite x: quick up to |x| = 2^20, beyond that exact reduction with big
 * integers, some hundred times slower. NaN for infinite x.
 */
export function sin(x: number): number {
  const size = Math.abs(x);
  if (size <= QUARTER_PI) return size < SIN_TINY ? x : sinReduced(x, 0);
  if (!(size < Infinity)) return NaN;
  const quadrant = reduce(x);
  const value = quadrant & 1 ? cosReduced(angle[0], angle[1]) : sinReduced(angle[0], angle[1]);
  return quadrant & 2 ? -value : value;
}

/** Cosine of x radians; range and accuracy as for `sin`. */
export function cos(x: number): number {
  const size = Math.abs(x);
  if (size <= QUARTER_PI) return cosReduced(x, 0);
  if (!(size < Infinity)) return NaN;
  const quadrant = reduce(x);
  const value = quadrant & 1 ? sinReduced(angle[0], angle[1]) : cosReduced(angle[0], angle[1]);
  return quadrant === 1 || quadrant === 2 ? -value : value;
}

/** base^n for whole n >= 0 by repeated squaring: products only, so the same everywhere (`**` need not be). */
export function integerPower(base: number, n: number): number {
  let result = 1;
  let square = base;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
