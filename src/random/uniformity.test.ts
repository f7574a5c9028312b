/**
 * Statistics of the streams. One seed can be lucky, so every test takes its p-value under 100 seeds and asks whether
 * the p-values are uniform. Seeds are fixed: a test that passes once passes always.
 */
import { expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov } from "../math/goodness-of-fit.ts";
import { chiSquareSurvival, gammaQ, logGamma, normalSurvival } from "../math/special-functions.ts";
import { mean, pearson } from "../math/statistics.ts";
import { gamma, logNormal, poisson } from "./distributions.ts";
import { Philox } from "./philox.ts";
import { streamKind, streamOf } from "./streams.ts";

const SEEDS = 100;
const stream = streamOf(streamKind.test, 0);
const identity = (p: number) => p;
const normalCdf = (z: number) => 1 - normalSurvival(z);

/** p-value of the p-values of a test under many seeds. */
function overSeeds(pValue: (source: Philox, seed: number) => number): number {
  return kolmogorovSmirnov(
    Array.from({ length: SEEDS }, (_, seed) => pValue(new Philox(seed), seed)),
    identity,
  );
}

function drawn(fill: (out: Float64Array) => void, count: number): Float64Array {
  const out = new Float64Array(count);
  fill(out);
  return out;
}

it("uniforms are uniform", () => {
  const p = overSeeds((source) =>
    kolmogorovSmirnov(
      drawn((out) => source.uniform(stream, 0, out), 2000),
      identity,
    ),
  );
  expect(p).toBeGreaterThan(1e-4);
});

it("pairs of uniforms fill the square evenly", () => {
  const p = overSeeds((source) => {
    const values = drawn((out) => source.uniform(stream, 0, out), 8000);
    const cells = new Uint32Array(256);
    for (let i = 0; i < values.length; i += 2)
      cells[16 * Math.floor(16 * values[i]) + Math.floor(16 * values[i + 1])]++;
    return chiSquare(cells, new Float64Array(256).fill(4000 / 256));
  });
  expect(p).toBeGreaterThan(1e-4);
});

it("the low bits of uniforms are as even as the high ones", () => {
  const p = overSeeds((source) => {
    const values = drawn((out) => source.uniform(stream, 0, out), 4000);
    const cells = new Uint32Array(64);
    for (const value of values) cells[(value * 2 ** 53) % 64]++;
    return chiSquare(cells, new Float64Array(64).fill(4000 / 64));
  });
  expect(p).toBeGreaterThan(1e-4);
});

it("normals are normal", () => {
  const p = overSeeds((source) =>
    kolmogorovSmirnov(
      drawn((out) => source.normal(stream, 0, out), 1000),
      normalCdf,
    ),
  );
  expect(p).toBeGreaterThan(1e-4);
});

it("squares of normals add up to chi-square, so pairs are independent", () => {
  const p = overSeeds((source) => {
    const values = drawn((out) => source.normal(stream, 0, out), 4000);
    const sums = Array.from({ length: 1000 }, (_, i) => {
      const [a, b, c, d] = values.subarray(4 * i, 4 * i + 4);
      return (a + b) ** 2 / 2 + (c + d) ** 2 / 2;
    });
    return kolmogorovSmirnov(sums, (x) => 1 - chiSquareSurvival(x, 2));
  });
  expect(p).toBeGreaterThan(1e-4);
});

/** Correlations of all pairs of rows, times sqrt(n): standard normal when rows are independent. */
function correlationsAreNoise(rows: Float64Array[]): number {
  const scores: number[] = [];
  for (let a = 0; a < rows.length; a++) {
    for (let b = 0; b < a; b++) scores.push(Math.sqrt(rows[a].length) * pearson(rows[a], rows[b]));
  }
  return kolmogorovSmirnov(scores, normalCdf);
}

it("neighbouring streams, seeds, kinds and lanes are uncorrelated", () => {
  const n = 500;
  const source = new Philox(3);
  const count = 40;
  const rows = (row: (i: number, out: Float64Array) => void) =>
    Array.from({ length: count }, (_, i) => drawn((out) => row(i, out), n));
  const worlds = {
    streams: rows((i, out) => source.uniform(stream + i, 0, out)),
    seeds: rows((i, out) => new Philox(i).uniform(stream, 0, out)),
    highSeeds: rows((i, out) => new Philox(i * 2 ** 32).uniform(stream, 0, out)),
    kinds: rows((i, out) => source.uniform(streamOf(i, 0), 0, out)),
    lanes: rows((i, out) =>
      i % 2 ? source.uniform(stream + (i >> 1), 0, out) : source.normal(stream + (i >> 1), 0, out),
    ),
    stretches: rows((i, out) => source.uniform(stream, i * n, out)),
  };
  for (const [name, world] of Object.entries(worlds)) expect(correlationsAreNoise(world), name).toBeGreaterThan(1e-4);
});

it("the first values of streams are uniform across streams", () => {
  const p = overSeeds((source) =>
    kolmogorovSmirnov(
      Array.from({ length: 500 }, (_, i) => drawn((out) => source.uniform(streamOf(5, i), 0, out), 1)[0]),
      identity,
    ),
  );
  expect(p).toBeGreaterThan(1e-4);
});

/** Poisson probabilities of 0, 1, .. merged from both ends into bins of at least `least` expected counts. */
function poissonBins(average: number, count: number, least: number): { from: number[]; expected: number[] } {
  const from = [0];
  const expected: number[] = [];
  let open = 0;
  let left = count;
  for (let k = 0; left - open >= least; k++) {
    open += count * Math.exp(k * Math.log(average) - average - logGamma(k + 1));
    if (open >= least && left - open >= least) {
      expected.push(open);
      from.push(k + 1);
      left -= open;
      open = 0;
    }
  }
  return { from, expected: [...expected, left] };
}

function poissonPValue(source: Philox, average: number, count: number): number {
  const { from, expected } = poissonBins(average, count, 8);
  const values = drawn((out) => poisson(source, stream, average, 0, out), count);
  const observed = new Uint32Array(expected.length);
  for (const value of values) observed[from.findLastIndex((k) => value >= k)]++;
  return chiSquare(observed, expected);
}

it.each([0.05, 1, 7.5, 11.9, 12, 40, 1000])("Poisson counts of mean %d have their probabilities", (average) => {
  expect(overSeeds((source) => poissonPValue(source, average, 1000))).toBeGreaterThan(1e-4);
  // A rejection method that is slightly wrong shows only in many values under one seed.
  expect(poissonPValue(new Philox(1), average, 500_000)).toBeGreaterThan(1e-4);
});

it("Poisson counts of a huge mean are normal", () => {
  const average = 1e8;
  const p = overSeeds((source) =>
    kolmogorovSmirnov(
      drawn((out) => poisson(source, stream, average, 0, out), 300).map((k) => (k - average) / Math.sqrt(average)),
      normalCdf,
    ),
  );
  expect(p).toBeGreaterThan(1e-4);
});

it.each([0.2, 1, 7.3])("gamma values of shape %d follow the incomplete gamma function", (shape) => {
  const scale = 3;
  const pValue = (source: Philox, count: number) =>
    kolmogorovSmirnov(
      drawn((out) => gamma(source, stream, { shape, scale }, 0, out), count),
      (x) => 1 - gammaQ(shape, x / scale),
    );
  expect(overSeeds((source) => pValue(source, 500))).toBeGreaterThan(1e-4);
  expect(pValue(new Philox(1), 200_000)).toBeGreaterThan(1e-4);
});

it("logarithms of log-normal values are normal", () => {
  const values = drawn((out) => logNormal(new Philox(1), stream, { mu: -2, sigma: 0.5 }, 0, out), 5000);
  expect(
    kolmogorovSmirnov(
      values.map((x) => (Math.log(x) + 2) / 0.5),
      normalCdf,
    ),
  ).toBeGreaterThan(1e-4);
  expect(mean(values)).toBeCloseTo(Math.exp(-2 + 0.125), 2);
});
