import { describe, expect, it } from "vitest";
import { type CountRegulariserDescription, makeCountRegulariser } from "./count-regulariser.ts";
import { FilteredRate } from "./filtered-rate.ts";
import { makeWeightPenalty } from "./weight-penalty.ts";

const counts = Float64Array.of(0, 3, 12, 7, 0.5);

function evaluate(description: CountRegulariserDescription, of = counts, steps = 100, weight = 1) {
  const gradient = new Float64Array(of.length);
  const loss = makeCountRegulariser(description, 1).evaluate(of, steps, gradient, weight);
  return { loss, gradient: [...gradient] };
}

const descriptions: CountRegulariserDescription[] = [
  ...(["lowerBound", "upperBound"] as const).flatMap((type) =>
    ([1, 2] as const).flatMap((power) =>
      // 4.7 lies off the population's mean of 4.5 on the side that is not penalised by the upper bound.
      [2.5, 4.7].flatMap((spikes) =>
        (["neuron", "population"] as const).map((over) => ({ type, power, over, spikes, strength: 0.3 })),
      ),
    ),
  ),
  { type: "spikeCount", total: 0.02, perNeuron: 0.03 },
  { type: "meanRate", strength: 2, targetHz: 30 },
  { type: "meanRate", strength: 2, targetHz: 30, over: "batch" },
];

describe("regularisers of spike counts", () => {
  it.each(descriptions)("%j: the gradient equals central differences", (description) => {
    const { gradient } = evaluate(description, counts, 100, 0.7);
    const step = 1e-4;
    gradient.forEach((slope, j) => {
      const moved = (by: number) => counts.map((count, i) => (i === j ? count + by : count));
      const up = evaluate(description, moved(step), 100, 0.7).loss;
      const down = evaluate(description, moved(-step), 100, 0.7).loss;
      expect(Math.abs((up - down) / (2 * step) - slope)).toBeLessThan(1e-9);
    });
  });

  it("take their closed forms", () => {
    const five = Uint32Array.of(0, 3, 12, 7, 8);
    const lower = makeCountRegulariser({ type: "lowerBound", strength: 10, spikes: 4, over: "neuron" }, 1);
    const gradient = new Float32Array(5);
    expect(lower.evaluate(five, 100, gradient, 1)).toBeCloseTo((10 * (16 + 1)) / 5, 12);
    expect([...gradient]).toEqual([-16, -4, 0, 0, 0]);
    // The defaults: only neurons that never spike are pushed, by 2 s v / N each.
    const revive = new Float64Array(5);
    makeCountRegulariser({ type: "lowerBound" }, 1).evaluate(five, 100, revive, 1);
    expect([...revive]).toEqual([(-2 * 100 * 1e-3) / 5, 0, 0, 0, 0]);
    // Population mean 6 of at most 7: no cost; the busiest alone is beyond the bound.
    expect(evaluate({ type: "upperBound" }, Float64Array.from(five)).loss).toBe(0);
    expect(evaluate({ type: "upperBound", over: "neuron" }, Float64Array.from(five)).loss).toBeCloseTo(
      (0.1 * (25 + 1)) / 5,
      12,
    );
    // Two spikes in 100 steps of 1 ms are 20 Hz.
    const rate = evaluate({ type: "meanRate", strength: 1, targetHz: 10 }, Float64Array.of(2, 1));
    expect(rate.loss).toBeCloseTo(0.5 * 0.01 * 0.01, 15);
    expect(rate.gradient[0]).toBeCloseTo(0.01 / 100, 15);
    expect(rate.gradient[1]).toBeCloseTo(0, 15);
    expect(evaluate({ type: "spikeCount", total: 1, perNeuron: 2 }, Float64Array.of(1, 3)).loss).toBe(4 + 10);
  });

  it("of a population with filters look at the mean of each over its places", () => {
    // Filters 0, 1 at three places: means 5 and 1.
    const placed = Float64Array.of(9, 0, 3, 3, 3, 0);
    const rule = makeCountRegulariser({ type: "upperBound", strength: 0.3, spikes: 2 }, 1, "regulariser", 2);
    const gradient = new Float64Array(6);
    expect(rule.evaluate(placed, 100, gradient, 1)).toBeCloseTo((0.3 * 9) / 2, 12);
    for (const [j, slope] of gradient.entries()) expect(slope).toBeCloseTo(j % 2 === 0 ? (0.3 * 6) / 2 / 3 : 0, 12);
    // Of neurons it is what it is without filters.
    const each = { type: "upperBound", strength: 0.3, spikes: 2, over: "neuron" } as const;
    const own = new Float64Array(6);
    expect(makeCountRegulariser(each, 1, "regulariser", 2).evaluate(placed, 100, own, 1)).toBe(
      evaluate(each, placed).loss,
    );
  });

  it("say what they need to know before a gradient", () => {
    const scope = (description: CountRegulariserDescription) => makeCountRegulariser(description, 1).scope;
    expect(scope({ type: "lowerBound" })).toBe("sample");
    expect(scope({ type: "upperBound" })).toBe("sample");
    expect(scope({ type: "meanRate" })).toBe("sample");
    expect(scope({ type: "meanRate", over: "batch" })).toBe("batch");
    expect(scope({ type: "spikeCount" })).toBe("batch");
  });

  it("add to the gradient that is there", () => {
    const gradient = Float64Array.of(1, 1);
    makeCountRegulariser({ type: "spikeCount", total: 2, perNeuron: 0 }, 1).evaluate([4, 5], 10, gradient, 0.5);
    expect([...gradient]).toEqual([2, 2]);
  });

  it("refuse what they do not know", () => {
    expect(() => makeCountRegulariser({ type: "lowerbond" as "lowerBound" }, 1)).toThrow('did you mean "lowerBound"?');
    expect(() => makeCountRegulariser({ type: "lowerBound", power: 3 }, 1)).toThrow("regulariser.power is 3");
  });
});

describe("filtered rate", () => {
  it("is the exponential filter of the spikes, minus the target", () => {
    const regulariser = new FilteredRate({ type: "filteredRate", strength: 2, targetHz: 10, tauMs: 20 }, 1);
    const decay = Math.exp(-1 / 20);
    // Neuron 1 spikes in steps 0 and 2, neuron 0 in step 2.
    const gradient = new Float64Array(4 * 2);
    const f = new Float64Array(2);
    regulariser.trace(f, [1, 0, 1], [0, 1, 1, 3, 3], 4, gradient);
    const g = 1 - decay;
    const rates = [
      [0, g],
      [0, g * decay],
      [g, g * decay ** 2 + g],
      [g * decay, g * decay ** 3 + g * decay],
    ];
    rates.flat().forEach((rate, i) => {
      expect(gradient[i]).toBeCloseTo(2 * (rate - 0.01), 14);
    });
    expect(f[1]).toBeCloseTo(rates[3][1] * decay, 14);
  });

  it("can be carried over from one sample to the next", () => {
    const regulariser = new FilteredRate({ type: "filteredRate" }, 1);
    const spikes = Uint16Array.of(0, 1, 2, 0, 2);
    const whole = new Float64Array(6 * 3);
    regulariser.trace(new Float64Array(3), spikes, [0, 1, 3, 3, 4, 5, 5], 6, whole);
    const f = new Float64Array(3);
    const parts = new Float64Array(6 * 3);
    regulariser.trace(f, spikes, [0, 1, 3], 2, parts.subarray(0, 6));
    regulariser.trace(f, spikes, [3, 3, 4, 5, 5], 4, parts.subarray(6));
    expect(parts).toEqual(whole);
  });

  it("refuses time constants that are none", () => {
    expect(() => new FilteredRate({ type: "filteredRate", tauMs: 0 }, 1)).toThrow("regulariser.tauMs is 0");
  });
});

describe("weight penalties", () => {
  it.each(["meanSquare", "meanAbsolute"] as const)("%s: the gradient equals central differences", (type) => {
    const penalty = makeWeightPenalty({ type, strength: 0.3 });
    const weights = Float64Array.of(0.5, -2, 1.25);
    const gradient = new Float64Array(3);
    penalty(weights, gradient);
    gradient.forEach((slope, j) => {
      const moved = (by: number) =>
        penalty(
          weights.map((w, i) => (i === j ? w + by : w)),
          new Float64Array(3),
        );
      expect((moved(1e-4) - moved(-1e-4)) / 2e-4).toBeCloseTo(slope, 9);
    });
  });

  it("take their closed forms, and leave weights of 0 alone", () => {
    const weights = Float32Array.of(3, -4, 0, 0);
    const gradient = new Float32Array(4).fill(1);
    expect(makeWeightPenalty({ type: "meanSquare", strength: 2 })(weights, gradient)).toBe(12.5);
    expect([...gradient]).toEqual([4, -3, 1, 1]);
    gradient.fill(0);
    expect(makeWeightPenalty({ type: "meanAbsolute", strength: 2 })(weights, gradient)).toBe(3.5);
    expect([...gradient]).toEqual([0.5, -0.5, 0, 0]);
  });
});
