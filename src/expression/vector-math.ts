/**
 * exp and log of four float32 numbers, from operations that every CPU rounds alike (no fused multiply-add, no hardware
 * estimate), so that all machines give the same bytes. Coefficients: near-minimax fits of ours (Lawson iteration in float64).
 */
import { type FunctionBuilder, f32x4, i32, i32x4, type V128, v128 } from "../wasm/assembler.ts";

// ln 2 in two parts: n * ln2High is exact for |n| < 2^15.
const ln2High = 355 / 512;
const ln2Low = Math.LN2 - ln2High;

/** c0 + x (c1 + x (c2 + ...)) */
function horner(x: V128, coefficients: readonly number[]): V128 {
  let sum = f32x4.const(coefficients[coefficients.length - 1]);
  for (let k = coefficients.length - 2; k >= 0; k--) sum = f32x4.add(f32x4.mul(sum, x), f32x4.const(coefficients[k]));
  return sum;
}

/** (e^r - 1 - r) / r^2 on |r| <= ln(2)/2; relative error of the resulting e^r 3e-9. */
const expCoefficients = [
  0.4999999344778, 0.16666520631627638, 0.04166838804863211, 0.008368716887313598, 0.0013814598485303363,
];

/**
 * e^x = 2^n e^r with n = round(x / ln 2), r = x - n ln 2.
 * Relative error < 2e-7 on [-87, 88]; 0 below -87, Infinity above 88.73, NaN for NaN.
 */
export function emitExp(f: FunctionBuilder, argument: V128): V128 {
  const x = f.let(argument);
  const clamped = f.let(f32x4.min(f32x4.max(x, f32x4.const(-88)), f32x4.const(89)));
  const n = f.let(f32x4.nearest(f32x4.mul(clamped, f32x4.const(Math.LOG2E))));
  const r = f.let(f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, f32x4.const(ln2High))), f32x4.mul(n, f32x4.const(ln2Low))));
  const tail = f32x4.mul(f32x4.mul(r, r), horner(r, expCoefficients));
  const power = f32x4.add(f32x4.add(tail, r), f32x4.const(1));
  // 2^n in two factors: n = 128 has no float32 of its own.
  const whole = f.let(i32x4.truncSatF32x4S(n));
  const half = f.let(i32x4.shrS(whole, i32.const(1)));
  const bias = i32x4.const(127, 127, 127, 127);
  const toThe = (e: V128): V128 => i32x4.shl(i32x4.add(e, bias), i32.const(23));
  const scaled = f32x4.mul(f32x4.mul(power, toThe(half)), toThe(i32x4.sub(whole, half)));
  return v128.andnot(scaled, f32x4.lt(x, f32x4.const(-87)));
}

/** (ln(1+f) - f + f^2/2) / f^3 on 1/sqrt 2 <= 1+f <= sqrt 2; relative error of the resulting ln 8e-10. */
const logCoefficients = [
  0.3333331254111124, -0.2500000951272127, 0.20002123457172213, -0.1666800518178915, 0.14219453079161273,
  -0.12405340146777918, 0.11888696755553127, -0.11677515502423783, 0.06747730501302977,
];

const sqrtHalfBits = 0x3f3504f3;
const mantissaBits = 0x7fffff;
const smallestNormal = 2 ** -126;

/**
 * ln x = e ln 2 + ln(1+f) with x = 2^e (1+f), 1+f within [1/sqrt 2, sqrt 2).
 * Relative error < 2e-7 over all positive numbers; -Infinity at 0, NaN below.
 */
export function emitLog(f: FunctionBuilder, argument: V128): V128 {
  const x = f.let(argument);
  const all = (n: number): V128 => i32x4.const(n, n, n, n);
  const subnormal = f.let(f32x4.lt(x, f32x4.const(smallestNormal)));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.const(2 ** 23)), x, subnormal);
  const bits = f.let(i32x4.sub(normal, all(sqrtHalfBits)));
  const exponent = i32x4.sub(i32x4.shrS(bits, i32.const(23)), v128.and(subnormal, all(23)));
  const e = f.let(f32x4.convertI32x4S(exponent));
  const m = i32x4.add(v128.and(bits, all(mantissaBits)), all(sqrtHalfBits));
  const y = f.let(f32x4.sub(m, f32x4.const(1)));
  const square = f.let(f32x4.mul(y, y));
  const cubic = f32x4.mul(f32x4.mul(square, y), horner(y, logCoefficients));
  const small = f32x4.add(cubic, f32x4.mul(e, f32x4.const(ln2Low)));
  const tail = f32x4.sub(small, f32x4.mul(square, f32x4.const(0.5)));
  const result = f32x4.add(f32x4.add(y, tail), f32x4.mul(e, f32x4.const(ln2High)));
  const infinity = f32x4.const(Number.POSITIVE_INFINITY);
  const zeroOrNaN = v128.bitselect(
    f32x4.const(Number.NEGATIVE_INFINITY),
    f32x4.const(Number.NaN),
    f32x4.eq(x, f32x4.const(0)),
  );
  const special = v128.bitselect(x, zeroOrNaN, f32x4.eq(x, infinity));
  const ordinary = v128.and(f32x4.gt(x, f32x4.const(0)), f32x4.lt(x, infinity));
  return v128.bitselect(result, special, ordinary);
}

/**
 * 0 in place of numbers too small to matter, |x| < below (default 2^-100), NaN kept. WebAssembly cannot flush subnormals, and a state that
 * decays for ever would end there, where arithmetic is some 100 times slower. `x` must be cheap to repeat (a local).
 */
export function flushTiny(x: V128, below = 2 ** -100): V128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.const(below)));
}
