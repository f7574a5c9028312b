import { describe, expect, it } from "vitest";
import { exp } from "../math/elementary.ts";
import { gamma, logNormal, poisson } from "./distributions.ts";
import { Philox } from "./philox.ts";
import type { RandomSource } from "./streams.ts";

const source = new Philox(5);
const draws: [string, (start: number, out: Float64Array) => void][] = [
  ["poisson by inversion", (start, out) => poisson(source, 1, 3, start, out)],
  ["poisson by rejection", (start, out) => poisson(source, 1, 30, start, out)],
  ["gamma", (start, out) => gamma(source, 1, { shape: 2 }, start, out)],
  ["gamma of small shape", (start, out) => gamma(source, 1, { shape: 0.1 }, start, out)],
  ["logNormal", (start, out) => logNormal(source, 1, { mu: 0, sigma: 1 }, start, out)],
];

it.each(draws)("%s gives the same values in pieces as at once", (_, draw) => {
  const whole = new Float64Array(700);
  draw(11, whole);
  const pieces = new Float64Array(700);
  for (let at = 0; at < 700; at += 35) draw(11 + at, pieces.subarray(at, at + 35));
  expect(pieces).toEqual(whole);
});

/** A source whose every uniform is the same number: the corners of the methods. */
function constantSource(value: number): RandomSource {
  return {
    uniform: (_stream, _start, out) => void out.fill(value),
    normal: (_stream, _start, out) => void out.fill(value),
    sample: () => new Uint32Array(0),
  };
}

describe("poisson", () => {
  const one = new Float64Array(1);
  it("is the quantile function for small means", () => {
    poisson(constantSource(0), 0, 5, 0, one);
    expect(one[0]).toBe(0);
    poisson(constantSource(0.7), 0, 1, 0, one); // P(0) = 0.368, P(<= 1) = 0.736
    expect(one[0]).toBe(1);
    poisson(constantSource(1 - 2 ** -53), 0, 5, 0, one); // scipy.stats.poisson.isf(2**-53, 5) is 33
    expect(Math.abs(one[0] - 33)).toBeLessThanOrEqual(1);
  });

  it("is 0 for mean 0", () => {
    poisson(source, 0, 0, 0, one);
    expect(one[0]).toBe(0);
  });

  it("refuses means out of range", () => {
    for (const mean of [-1, NaN, Infinity]) expect(() => poisson(source, 0, mean, 0, one)).toThrow(`not ${mean}`);
    expect(() => poisson(source, 0, 1, 2 ** 44, one)).toThrow("outside 0 to 2^44");
  });
});

it("gamma and logNormal refuse parameters out of range", () => {
  const one = new Float64Array(1);
  expect(() => gamma(source, 0, { shape: 0 }, 0, one)).toThrow("shape 0");
  expect(() => gamma(source, 0, { shape: 1, scale: -1 }, 0, one)).toThrow("scale -1");
  expect(() => logNormal(source, 0, { mu: 0, sigma: -1 }, 0, one)).toThrow("sigma -1");
});

it("logNormal without spread is e^mu", () => {
  const out = new Float64Array(3);
  logNormal(source, 0, { mu: 1, sigma: 0 }, 0, out);
  expect([...out]).toEqual([exp(1), exp(1), exp(1)]);
});
