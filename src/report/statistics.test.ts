import { expect, test } from "vitest";
import {
  histogram,
  mean,
  median,
  medianAndDeviation,
  niceTicks,
  quantile,
  runningMean,
  shareInterval,
  standardDeviation,
} from "./statistics.ts";

test("what is not a number is left out", () => {
  const values = [3, Number.NaN, 1, Number.POSITIVE_INFINITY, 2];
  expect(median(values)).toBe(2);
  expect(mean(values)).toBe(2);
  expect(standardDeviation(values)).toBeCloseTo(Math.sqrt(2 / 3), 12);
  expect(median([])).toBeNaN();
  expect(mean([])).toBeNaN();
  expect(quantile([0, 10], 0.25)).toBe(2.5);
});

test("median and median absolute deviation, row by row", () => {
  const trials = [Float32Array.of(1, 0), Float32Array.of(2, 0), Float32Array.of(9, 3)];
  const { median: middle, mad } = medianAndDeviation(trials, 2);
  expect([...middle]).toEqual([2, 0]);
  expect([...mad]).toEqual([1, 0]);
});

test("a running mean skips gaps and narrows at the ends", () => {
  expect([...runningMean([1, Number.NaN, 3, 5], 3)]).toEqual([1, 2, 4, 4]);
  expect(runningMean([Number.NaN], 3)[0]).toBeNaN();
});

test("a histogram counts both ends in and tells what lies beyond", () => {
  const { counts, below, above } = histogram([0, 0.5, 1, 2, -1, Number.NaN, 3], 0, 2, 2);
  expect([...counts]).toEqual([2, 2]);
  expect([below, above]).toEqual([1, 1]);
});

test("ticks are round numbers without digits of their own", () => {
  expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(niceTicks(-0.13, 0.31, 5)).toEqual([-0.1, 0, 0.1, 0.2, 0.3]);
  expect(niceTicks(2, 2)).toEqual([2]);
});

test("the interval of a share is where the share observed is 1.96 standard errors off, and stays within 0 and 1", () => {
  const [low, high] = shareInterval(0.8, 10);
  for (const p of [low, high]) expect(Math.abs(0.8 - p) / Math.sqrt((p * (1 - p)) / 10)).toBeCloseTo(1.959964, 9);
  expect(low).toBeLessThan(0.8);
  expect(high).toBeGreaterThan(0.8);
  expect(shareInterval(1, 5)[1]).toBe(1);
  expect(shareInterval(0, 5)[0]).toBe(0);
});
