import { describe, expect, it } from "vitest";
import {
  cvIsi,
  fanoFactor,
  histogram,
  mean,
  median,
  medianAbsoluteDeviation,
  pearson,
  quantile,
  quantiles,
  variance,
  varianceExplained,
} from "./statistics.ts";

describe("location and spread", () => {
  it("has the closed forms of 1..n", () => {
    const values = Float64Array.from({ length: 101 }, (_, i) => 101 - i);
    expect(mean(values)).toBe(51);
    expect(variance(values)).toBe((101 ** 2 - 1) / 12);
    expect(median(values)).toBe(51);
    expect(medianAbsoluteDeviation(values)).toBe(25);
    expect(quantiles(values, [0, 0.25, 0.5, 1])).toEqual([1, 26, 51, 101]);
    expect(values[0]).toBe(101); // sorting happened on a copy
  });

  it("interpolates between order statistics", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([10, 20, 40], 0.75)).toBe(30); // numpy.quantile([10, 20, 40], 0.75)
  });

  it("orders numbers as numbers", () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it("is NaN of nothing and of NaN", () => {
    expect([mean([]), variance([]), median([]), quantile([], 0.3)]).toEqual([NaN, NaN, NaN, NaN]);
    expect([mean([1, NaN]), median([1, NaN, 2])]).toEqual([NaN, NaN]);
    expect(variance([7])).toBe(0);
  });

  it("refuses a quantile outside 0..1", () => {
    expect(() => quantile([1], 1.5)).toThrow("quantile 1.5 must lie between 0 and 1");
  });
});

describe("pearson", () => {
  it("is 1 and -1 for straight lines, never more", () => {
    for (let n = 2; n < 60; n++) {
      const x = Array.from({ length: n }, (_, i) => Math.sqrt(i) / 3);
      expect(
        pearson(
          x,
          x.map((v) => 0.1 * v + 7),
        ),
      ).toBeCloseTo(1, 12);
      expect(
        pearson(
          x,
          x.map((v) => 3 - v),
        ),
      ).toBeCloseTo(-1, 12);
      expect(Math.abs(pearson(x, x))).toBeLessThanOrEqual(1);
    }
  });

  it("is the cosine of the phase between two sines", () => {
    const wave = (phase: number) =>
      Array.from({ length: 1000 }, (_, i) => 5 + Math.sin((2 * Math.PI * i) / 1000 + phase));
    expect(pearson(wave(0), wave(1))).toBeCloseTo(Math.cos(1), 12);
  });

  it("is NaN when either is constant, even where the mean is rounded", () => {
    const constant = new Array(10).fill(0.1);
    const ramp = constant.map((_, i) => i);
    expect(pearson(constant, ramp)).toBeNaN();
    expect(pearson(ramp, constant)).toBeNaN();
    expect(pearson([1], [2])).toBeNaN();
    expect(pearson([], [])).toBeNaN();
  });

  it("survives very large and very small numbers", () => {
    expect(pearson([1e-160, 2e-160, 3e-160], [1e150, 2e150, 3e150])).toBeCloseTo(1, 2);
  });

  it("refuses different lengths", () => {
    expect(() => pearson([1, 2], [1])).toThrow("cannot correlate 2 values with 1");
  });
});

it("varianceExplained is 1 for the target, 0 for its mean, negative beyond", () => {
  const target = [1, 2, 3, 4];
  expect(varianceExplained(target, target)).toBe(1);
  expect(varianceExplained([2.5, 2.5, 2.5, 2.5], target)).toBe(0);
  expect(varianceExplained([4, 3, 2, 1], target)).toBe(-3);
  expect(varianceExplained(target, [1, 1, 1, 1])).toBeNaN();
});

describe("spike statistics", () => {
  it("cvIsi is 0 for a clock and 1/3 for intervals 1, 2, 1, 2, ..", () => {
    expect(cvIsi([5, 10, 15, 20])).toBe(0);
    expect(cvIsi([0, 1, 3, 4, 6])).toBeCloseTo(1 / 3, 15);
    expect(cvIsi([3, 9])).toBeNaN();
  });

  it("fanoFactor is variance over mean", () => {
    expect(fanoFactor([4, 4, 4])).toBe(0);
    expect(fanoFactor([0, 2])).toBe(1);
    expect(fanoFactor([0, 0])).toBeNaN();
  });
});

describe("histogram", () => {
  it("closes only the last bin", () => {
    const { edges, counts } = histogram([0, 1, 1, 2, 3, 4], 4);
    expect([...edges]).toEqual([0, 1, 2, 3, 4]);
    expect([...counts]).toEqual([1, 2, 1, 2]);
  });

  it("puts every edge into the bin that it opens, whatever the rounding", () => {
    for (const bins of [3, 7, 10, 49]) {
      const { edges } = histogram([], bins, [0.1, 0.7]);
      const { counts } = histogram(edges, bins, [0.1, 0.7]);
      expect([...counts]).toEqual(Array.from({ length: bins }, (_, i) => (i === bins - 1 ? 2 : 1)));
    }
  });

  it("leaves out what is outside or not a number", () => {
    expect([...histogram([-1, 0.5, 2, NaN, Infinity], 1, [0, 1]).counts]).toEqual([1]);
  });

  it("makes room around a single value and takes 0..1 for none", () => {
    expect([...histogram([3, 3], 2).edges]).toEqual([2.5, 3, 3.5]);
    expect([...histogram([], 2).edges]).toEqual([0, 0.5, 1]);
  });

  it("refuses no bins and ranges that do not ascend", () => {
    expect(() => histogram([1], 0)).toThrow("0 bins");
    expect(() => histogram([1], 2, [1, 1])).toThrow("1 to 1");
  });
});
