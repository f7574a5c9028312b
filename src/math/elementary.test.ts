import { describe, expect, it } from "vitest";
import { cos, exp, integerPower, log, sin } from "./elementary.ts";

const bits = new BigInt64Array(1);
const asFloat = new Float64Array(bits.buffer);

/** Position of x among all float64, so that neighbours differ by 1. */
function rank(x: number): bigint {
  asFloat[0] = x;
  return bits[0] >= 0n ? bits[0] : -(bits[0] & 0x7fffffffffffffffn);
}

/** Distance of two numbers in units in the last place; 0 for two NaN. */
function ulps(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Object.is(a, b) ? 0 : Infinity;
  const difference = rank(a) - rank(b);
  return Number(difference < 0n ? -difference : difference);
}

/** A linear congruential sequence of fractions: the arguments must not depend on what is tested. */
function fractions(count: number): number[] {
  let state = 2463534242;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  return Array.from({ length: count }, () => (next() * 2 ** 21 + (next() >>> 11)) * 2 ** -53);
}

const random = fractions(20_000);
/** Numbers between -1 and 1. */
const signed = random.map((f) => 2 * f - 1);
/** Random exponents from low to high with random mantissas. */
const overExponents = (low: number, high: number) => random.map((f, i) => 2 ** (low + (i % (high - low))) * (1 + f));

describe("within 2 ulp of the engine's own", () => {
  const worlds: [string, (x: number) => number, (x: number) => number, number[]][] = [
    ["exp near 0", exp, Math.exp, signed],
    ["exp, all results", exp, Math.exp, signed.map((f) => 709 * f)],
    ["exp, subnormal results", exp, Math.exp, random.map((f) => -745 + 37 * f)],
    ["exp of tiny numbers", exp, Math.exp, overExponents(-1074, -20)],
    ["log, all exponents", log, Math.log, overExponents(-1022, 1023)],
    ["log, subnormal arguments", log, Math.log, random.map((f) => f * 2e-308)],
    ["log around 1", log, Math.log, signed.map((f) => 1 + f / 2)],
    ["log next to 1", log, Math.log, signed.map((f, i) => 1 + f * 2 ** -(i % 52))],
    ["sin and small angles", sin, Math.sin, signed],
    ["sin of a few turns", sin, Math.sin, signed.map((f) => 20 * f)],
    ["sin up to 1e5", sin, Math.sin, signed.map((f) => 1e5 * f)],
    ["sin next to multiples of pi/2", sin, Math.sin, random.map((f) => Math.floor(f * 65000) * (Math.PI / 2))],
    ["sin of tiny angles", sin, Math.sin, overExponents(-1074, -10)],
    ["sin up to the largest number", sin, Math.sin, overExponents(17, 1023)],
    ["cos and small angles", cos, Math.cos, signed],
    ["cos of a few turns", cos, Math.cos, signed.map((f) => 20 * f)],
    ["cos up to 1e5", cos, Math.cos, signed.map((f) => 1e5 * f)],
    ["cos next to multiples of pi/2", cos, Math.cos, random.map((f) => Math.floor(f * 65000) * (Math.PI / 2))],
    ["cos up to the largest number", cos, Math.cos, overExponents(17, 1023)],
  ];
  it.each(worlds)("%s", (_, ours, theirs, arguments_) => {
    let worst = 0;
    let at = NaN;
    for (const x of arguments_) {
      const distance = ulps(ours(x), theirs(x));
      if (distance > worst) [worst, at] = [distance, x];
    }
    expect(worst, `at ${at}`).toBeLessThanOrEqual(2);
  });
});

it("has the special values", () => {
  expect([exp(0), exp(-0), exp(-Infinity), exp(Infinity), exp(NaN)]).toEqual([1, 1, 0, Infinity, NaN]);
  expect([exp(709.782712893384), exp(709.7827128933842), exp(1e300)]).toEqual([
    1.7976931348622732e308,
    Infinity,
    Infinity,
  ]);
  expect([exp(-745.1332191019411), exp(-745.1332191019413), exp(-1e300)]).toEqual([Number.MIN_VALUE, 0, 0]);
  expect([log(1), log(0), log(-0), log(Infinity), log(-1), log(NaN)]).toEqual([
    0,
    -Infinity,
    -Infinity,
    Infinity,
    NaN,
    NaN,
  ]);
  expect(log(Number.MIN_VALUE)).toBe(-744.4400719213812);
  expect([sin(0), sin(-0), cos(0), cos(-0)]).toEqual([0, -0, 1, 1]);
  for (const x of [Infinity, -Infinity, NaN]) expect([sin(x), cos(x)]).toEqual([NaN, NaN]);
});

it("reduces hard angles right (mpmath 1.3, 1400 bits)", () => {
  // The first is the float64 that comes nearest to a multiple of pi/2 of all (Muller, table 11.1).
  const hardest = 6381956970095103 * 2 ** 797;
  expect(cos(hardest)).toBe(-4.687165924254628e-19);
  expect(sin(1e22)).toBe(-0.8522008497671888);
  expect(sin(Number.MAX_VALUE)).toBe(0.004961954789184062);
  expect(cos(Number.MAX_VALUE)).toBe(-0.9999876894265599);
  expect(sin(Math.PI)).toBe(1.2246467991473532e-16);
});

it("has the symmetries exactly", () => {
  for (const f of signed.slice(0, 2000)) {
    for (const x of [f, 100 * f, 1e6 * f, 1e9 * f]) {
      expect(sin(-x)).toBe(-sin(x));
      expect(cos(-x)).toBe(cos(x));
    }
  }
});

/** FNV-1a of the bytes of many results: what "the same on every engine" means. */
function fingerprint(values: number[]): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(Float64Array.from(values).buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

it("gives these bytes, whatever the engine", () => {
  expect([
    fingerprint(signed.map((f) => exp(745 * f))),
    fingerprint(overExponents(-1022, 1023).map(log)),
    fingerprint(signed.map((f) => sin(1e5 * f))),
    fingerprint(signed.map((f) => cos(1e5 * f))),
    fingerprint(overExponents(17, 1023).map(sin)),
  ]).toMatchInlineSnapshot(`
    [
      "be63c6e1",
      "b54cf72",
      "1b11a2ef",
      "859ffce9",
      "232af5a1",
    ]
  `);
});

it("raises to whole powers", () => {
  expect(integerPower(0.5, 10)).toBe(2 ** -10);
  expect(integerPower(3, 0)).toBe(1);
  for (const n of [1, 7, 100, 199]) {
    const expected = (1 - 0.1 / 150) ** n;
    expect(Math.abs(integerPower(1 - 0.1 / 150, n) / expected - 1)).toBeLessThan(1e-13);
  }
});
