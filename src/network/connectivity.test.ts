import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov } from "../math/goodness-of-fit.ts";
import { Philox } from "../random/philox.ts";
import { checkIndices, fixedInDegree, fixedOutDegree, loadRule } from "./connectivity.ts";

describe("the fixed out-degree rule", () => {
  it("gives every neuron exactly 2 K distinct targets and never itself", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (neurons, seed, share) => {
          const K = Math.floor((share * (neurons - 1)) / 2);
          const context = { random: new Philox(seed), neurons, excitatory: neurons >> 1, K };
          for (const source of [0, neurons >> 1, neurons - 1]) {
            const targets = fixedOutDegree(source, context) as Uint32Array;
            expect(targets.length).toBe(2 * K);
            expect(new Set(targets).size).toBe(2 * K);
            expect(targets.includes(source)).toBe(false);
            expect(targets.every((target) => target < neurons)).toBe(true);
          }
        },
      ),
    );
  });

  it("reaches all others when 2 K is their number", () => {
    const context = { random: new Philox(5), neurons: 9, excitatory: 4, K: 4 };
    expect((fixedOutDegree(3, context) as Uint32Array).sort()).toEqual(Uint32Array.of(0, 1, 2, 4, 5, 6, 7, 8));
  });

  it("spreads in-degrees as chance does: p-values over seeds are uniform", () => {
    // In-degrees of independent targets: Pearson's statistic of N counts with mean 2 K, each of variance
    // 2 K (1 - 2 K / (N - 1)) instead of 2 K, follows chi-square with N - 1 degrees of freedom (NEST's test).
    const [neurons, K] = [200, 10];
    const thinning = 1 - (2 * K) / (neurons - 1);
    const pValues = Array.from({ length: 120 }, (_, seed) => {
      const context = { random: new Philox(seed), neurons, excitatory: 100, K };
      const inDegree = new Float64Array(neurons);
      for (let source = 0; source < neurons; source++) {
        for (const target of fixedOutDegree(source, context) as Uint32Array) inDegree[target]++;
      }
      const spread = inDegree.map((count) => 2 * K + (count - 2 * K) / Math.sqrt(thinning));
      return chiSquare(spread, new Float64Array(neurons).fill(2 * K));
    });
    expect(kolmogorovSmirnov(pValues, (p) => p)).toBeGreaterThan(0.01);
  });
});

describe("the fixed in-degree rule", () => {
  const excitatoryPool = Uint32Array.of(1, 4, 6, 7, 8, 9, 20, 21);
  const inhibitoryPool = Uint32Array.of(100, 103, 109, 110, 111);

  it("takes L distinct sources of each pool, E first", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 10_000 }), fc.integer({ min: 1, max: 5 }), (seed, neuron, inputsPerType) => {
        const context = { random: new Philox(seed), excitatoryPool, inhibitoryPool, inputsPerType };
        const sources = fixedInDegree(neuron, context);
        expect(sources.length).toBe(2 * inputsPerType);
        expect(new Set(sources).size).toBe(2 * inputsPerType);
        expect(sources.subarray(0, inputsPerType).every((source) => excitatoryPool.includes(source))).toBe(true);
        expect(sources.subarray(inputsPerType).every((source) => inhibitoryPool.includes(source))).toBe(true);
      }),
    );
  });

  it("takes every member of a pool equally often, autapses included", () => {
    const context = { random: new Philox(3), excitatoryPool, inhibitoryPool, inputsPerType: 2 };
    const counts = new Map<number, number>();
    const neurons = 4000;
    for (let neuron = 0; neuron < neurons; neuron++) {
      for (const source of fixedInDegree(neuron, context)) counts.set(source, (counts.get(source) ?? 0) + 1);
    }
    const observed = [...excitatoryPool].map((source) => counts.get(source)!);
    expect(
      chiSquare(
        observed,
        observed.map(() => (2 * neurons) / 8),
      ),
    ).toBeGreaterThan(0.001);
    expect([...fixedInDegree(4, { ...context, inputsPerType: 5 })].length).toBe(10);
  });

  it("draws E and I inputs of a neuron independently", () => {
    const same = Uint32Array.from({ length: 50 }, (_, i) => i);
    const context = { random: new Philox(3), excitatoryPool: same, inhibitoryPool: same, inputsPerType: 10 };
    const sources = fixedInDegree(7, context);
    expect(sources.slice(0, 10)).not.toEqual(sources.slice(10));
  });
});

describe("what a user's rule returns", () => {
  it("is refused when it does not fit", () => {
    const check =
      (indices: unknown, count: number | null = null) =>
      () =>
        checkIndices(indices as Uint32Array, 10, count, "the answer for neuron 3");
    expect(check([1, 2])).toThrow("the answer for neuron 3 must be a Uint32Array");
    expect(check(Uint32Array.of(1, 2), 3)).toThrow("the answer for neuron 3 has 2 entries, but 3 are needed");
    expect(check(Uint32Array.of(1, 10))).toThrow("contains neuron 10, but neurons go from 0 to 9");
    expect(check(Uint32Array.of(1, 9), 2)).not.toThrow();
  });
});

describe("a rule from a module", () => {
  const module = `data:text/javascript,${encodeURIComponent("export const none = () => new Uint32Array(0); export const number = 3;")}`;

  it("is the function of that name", async () => {
    const rule = await loadRule<() => Uint32Array>({ module, export: "none" });
    expect(rule()).toEqual(new Uint32Array(0));
  });

  it("is refused with what there is instead", async () => {
    await expect(loadRule({ module, export: "number" })).rejects.toThrow(
      'exports no function "number"; it exports none, number',
    );
    await expect(loadRule({ module: "data:text/javascript,", export: "rule" })).rejects.toThrow("it exports nothing");
    await expect(loadRule({ module: "file:///no/such/rule.mjs", export: "rule" })).rejects.toThrow(
      /connectivity rule file:\/\/\/no\/such\/rule.mjs cannot be loaded/,
    );
  });
});
