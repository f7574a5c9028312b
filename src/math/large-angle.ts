/**
 * Reduction of very large angles, |x| > 2^20, by exact integer arithmetic.
 *
 * A float64 that large is an integer times a power of two, so x modulo pi/2 is a remainder of big integers once pi is
 * known to enough bits. Slow and obvious; nothing that runs often takes angles of a million radians.
 */

/** Bits of pi/2 after the point: 1024 for the largest float64, and 176 that remain for the result. */
const BITS = 1200n;

/** 2^bits atan(1 / n) by its series. */
function arctanOfInverse(n: bigint, bits: bigint): bigint {
  let power = (1n << bits) / n;
  let sum = power;
  for (let k = 3n, sign = -1n; power > 0n; k += 2n, sign = -sign) {
    power /= n * n;
    sum += (sign * power) / k;
  }
  return sum;
}

let halfPi: bigint | undefined;

/** 2^BITS pi/2 by Machin's formula, pi/4 = 4 atan(1/5) - atan(1/239); 32 guard bits take up the truncations. */
function scaledHalfPi(): bigint {
  const bits = BITS + 32n;
  halfPi ??= (2n * (4n * arctanOfInverse(5n, bits) - arctanOfInverse(239n, bits))) >> 32n;
  return halfPi;
}

/** An exact integer of at most 1024 bits as the sum of two float64, times 2^-176. */
function toTwoFloats(value: bigint, out: Float64Array): void {
  const scale = 2 ** -176;
  const high = Number(value);
  out[0] = high * scale;
  out[1] = Number(value - BigInt(high)) * scale;
}

/** Writes x - n pi/2, |.| <= pi/4, to `out` as [high, low] and returns n modulo 4. For finite |x| >= 2^20. */
export function reduceLargeAngle(x: number, out: Float64Array): number {
  // |x| 2^32 is an integer, because the lowest bit of such an x is at least 2^-32.
  const scaled = x > 2 ** 900 || x < -(2 ** 900) ? BigInt(x) << BITS : BigInt(x * 2 ** 32) << (BITS - 32n);
  const quarter = scaledHalfPi();
  const magnitude = scaled < 0n ? -scaled : scaled;
  const n = (2n * magnitude + quarter) / (2n * quarter);
  const rest = (magnitude - n * quarter) >> (BITS - 176n);
  toTwoFloats(scaled < 0n ? -rest : rest, out);
  const quadrant = Number(n & 3n);
  return scaled < 0n ? (4 - quadrant) & 3 : quadrant;
}
