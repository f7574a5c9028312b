import { describe, expect, it, test } from "vitest";
import { mean, median, variance } from "../math/statistics.ts";
import { completeConstant, resolveConstant } from "./constants.ts";
import { parseExperiment } from "./schema.ts";
import type { Constant } from "./schema-words.ts";

const count = 5000;
const drawn = (value: Constant, standard?: number) =>
  resolveConstant(value, "here", count, 7, standard) as Float32Array;
const close = (value: number, truth: number, tolerance: number) =>
  expect(Math.abs(value / truth - 1)).toBeLessThan(tolerance);

/** The message that a constant of an experiment is refused with. */
function fault(tauPlasticMs: unknown): string {
  try {
    parseExperiment({ synapses: { tauPlasticMs } }, "x");
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

describe("distributions that say little", () => {
  it.each<[Constant, (values: Float32Array) => number]>([
    [{ distribution: "gamma" }, mean],
    [{ distribution: "normal" }, mean],
    [{ distribution: "lognormal" }, median],
  ])("%j is about the standard value, as wide as a gamma distribution of shape 3", (value, centre) => {
    const values = drawn(value, 20);
    close(centre(values), 20, 0.04);
    close(Math.sqrt(variance(values)) / mean(values), 1 / Math.sqrt(3), 0.08);
  });

  it("need a standard value, or say themselves", () => {
    expect(() => drawn({ distribution: "gamma" })).toThrow(/^here is a gamma distribution without mean, and nothing/);
    expect(() => drawn({ distribution: "lognormal" }, 0)).toThrow("without median");
    expect(() => drawn({ distribution: "normal" }, 0)).toThrow("about 0 without std; give std");
    expect(completeConstant({ distribution: "normal", mean: 6 }, "x", undefined)).toMatchObject({
      mean: 6,
      std: 6 / Math.sqrt(3),
    });
  });

  it("complete ones stay as they are", () => {
    for (const value of [
      3,
      [1, 2],
      { distribution: "uniform", min: 1, max: 2 },
      { distribution: "gamma", mean: 5, shape: 2, min: 1 },
      { distribution: "normal", mean: 5, std: 2, min: 1 },
      { distribution: "lognormal", median: 5, sigma: 0.1 },
      { distribution: "choice", values: [1] },
    ] satisfies Constant[]) {
      expect(completeConstant(value, "x", 99)).toEqual(value);
      expect(completeConstant(completeConstant(value, "x", 99), "x", 1)).toEqual(value);
    }
  });
});

describe("choice", () => {
  it("deals each value to its share of the neurons, to the neuron exactly, and mixes them", () => {
    const values = resolveConstant({ distribution: "choice", values: [100, 20] }, "here", 501, 7) as Float32Array;
    expect(values.filter((v) => v === 100).length).toBe(251);
    expect(values.filter((v) => v === 20).length).toBe(250);
    // Neighbours are as often alike as not.
    const changes = values.reduce((sum, v, i) => sum + (i > 0 && v !== values[i - 1] ? 1 : 0), 0);
    expect(Math.abs(changes - 250)).toBeLessThan(4 * Math.sqrt(125));
    const thirds = resolveConstant(
      { distribution: "choice", values: [1, 2, 3], shares: [0.1, 0.2, 0.7] },
      "here",
      10,
      7,
    ) as Float32Array;
    expect([...thirds].sort()).toEqual([1, 2, 2, 3, 3, 3, 3, 3, 3, 3]);
  });

  it.each<[unknown, string]>([
    [{ distribution: "choice" }, "has values = missing; a choice needs a list of the values"],
    [{ distribution: "choice", values: [] }, "has values = []; a choice needs a list"],
    [{ distribution: "choice", values: [20, -1] }, "has -1 among its values; every one must be a number above 0 ms"],
    [{ distribution: "choice", values: [20, 1], shares: [1] }, "has shares = [1]; give 2 numbers of at least 0"],
    [
      { distribution: "choice", values: [20, 1], shares: [0.5, 0.6] },
      "has shares that add up to 1.1; they must add up to 1",
    ],
    [{ distribution: "choice", values: [20], share: [1] }, 'has the unknown key "share"'],
  ])("%j is refused", (value, message) => {
    expect(fault(value)).toContain(message);
  });
});

it("clips draws, and depends on the seed and the place alone", () => {
  const value = { distribution: "gamma", mean: 20, min: 10, max: 30 } as const;
  const values = drawn(value);
  expect([Math.min(...values), Math.max(...values)]).toEqual([10, 30]);
  expect(drawn(value)).toEqual(values);
  expect(resolveConstant(value, "there", count, 7)).not.toEqual(values);
  expect(resolveConstant(value, "here", count, 8)).not.toEqual(values);
});

test.each<[unknown, string]>([
  [{ distribution: "gamma", mean: -5 }, "has mean = -5; it must be a number above 0 ms"],
  [{ file: "a.npy", datset: "tau" }, 'has the unknown key "datset"; a file takes file and dataset'],
  [{ file: 3 }, "has file = 3; it must be a name"],
  ["20", 'is "20"; it must be a number above 0 ms, a list with one such number per neuron, a distribution, or {"file"'],
])("%j is refused", (value, message) => {
  expect(fault(value)).toContain(message);
});

test("a list needs a number for every neuron; a file must have been read", () => {
  expect(() => resolveConstant([1, 2, 3], "here", 4, 1)).toThrow(
    "here is a list of 3 numbers, but 4 neurons need one each",
  );
  expect(() => resolveConstant({ file: "a.npy" }, "here", 4, 1)).toThrow("here is still a file");
});
