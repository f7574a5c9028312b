import { describe, expect, test } from "vitest";
import { alignSpikes, psthGrid, psthRates, splitTrials, windowOf } from "./psth.ts";

const always = [-1e9, 1e9];
const even = (hz: number, seconds: number): number[] => Array.from({ length: hz * seconds }, (_, i) => (i + 0.5) / hz);

describe("rates", () => {
  test("an even train gives its rate in every row, smoothed or not", () => {
    for (const smoothingSdMs of [0, 30]) {
      const grid = psthGrid({ beforeMs: 200, afterMs: 400, binMs: 20, smoothingSdMs });
      const rates = psthRates(alignSpikes(even(50, 20), [3.003, 5.003, 7.507], grid, always), grid)!;
      expect(rates).toHaveLength(30);
      for (const rate of rates) expect(Math.abs(rate - 50)).toBeLessThan(smoothingSdMs === 0 ? 1e-9 : 1e-6);
      expect(rates.reduce((a, b) => a + b, 0) / 30).toBeCloseTo(50, 0);
    }
  });

  test("row q is the rate around -before + (q + 1) bin", () => {
    const grid = psthGrid({ beforeMs: 100, afterMs: 100, binMs: 10, smoothingSdMs: 0 });
    // One spike 35 ms after the event lies in the bin around +30 ms or +40 ms: 35 is the border of both; 36 is not.
    const rates = psthRates(alignSpikes([10.036], [10], grid, always), grid)!;
    expect(rates.findIndex((rate) => rate > 0)).toBe((100 + 40) / 10 - 1);
    expect(rates.reduce((a, b) => a + b, 0)).toBeCloseTo(100, 9);
    expect(windowOf(10, grid)[0]).toBeCloseTo(9.905, 12);
    expect(windowOf(10, grid)[1]).toBeCloseTo(10.105, 12);
  });

  test("a smoothed spike is a Gaussian of the asked width, also across the edge of the window", () => {
    const grid = psthGrid({ beforeMs: 500, afterMs: 500, binMs: 1, smoothingSdMs: 20 });
    const rates = psthRates(alignSpikes([5], [5], grid, always), grid)!;
    const sum = rates.reduce((a, b) => a + b, 0);
    const time = (row: number): number => -500 + row + 1;
    const variance = rates.reduce((a, rate, row) => a + rate * time(row) ** 2, 0) / sum;
    expect(sum / 1000).toBeCloseTo(1, 6);
    expect(Math.sqrt(variance)).toBeCloseTo(20, 1);
    // A spike 5 ms before the window still raises its first row.
    const before = psthRates(alignSpikes([4.495], [5], grid, always), grid)!;
    expect(before[0]).toBeGreaterThan(15);
  });

  test("where the recording ends, rates do not sag", () => {
    const grid = psthGrid({ beforeMs: 0, afterMs: 500, binMs: 10, smoothingSdMs: 40 });
    const spikes = even(100, 10).filter((t) => t < 2.505);
    const rates = psthRates(alignSpikes(spikes, [1.9999], grid, [0, 2.505]), grid)!;
    for (const rate of rates) expect(Math.abs(rate - 100)).toBeLessThan(1e-6);
    // Taken as silence instead, the last row loses half.
    const sagging = psthRates(alignSpikes(spikes, [1.9999], grid, always), grid)!;
    expect(sagging[49]).toBeLessThan(60);
  });

  test("a unit observed in some trials only is averaged over those; observed in none, it has no rates", () => {
    const grid = psthGrid({ beforeMs: 0, afterMs: 200, binMs: 20, smoothingSdMs: 0 });
    const spikes = even(100, 4).filter((t) => t < 2);
    const rates = psthRates(alignSpikes(spikes, [1, 3], grid, [0, 2]), grid)!;
    expect(rates.reduce((a, b) => a + b, 0) / rates.length).toBeCloseTo(100, 6);
    expect(psthRates(alignSpikes(spikes, [3], grid, [0, 2]), grid)).toBeUndefined();
  });
});

test.each([
  [{ beforeMs: 0, afterMs: 105, binMs: 20, smoothingSdMs: 0 }, /at least two whole bins/],
  [{ beforeMs: 0, afterMs: 20, binMs: 20, smoothingSdMs: 0 }, /at least two whole bins/],
  [{ beforeMs: 0, afterMs: 100, binMs: 0, smoothingSdMs: 0 }, /targets\.nwb\.binMs is 0/],
  [{ beforeMs: 0, afterMs: 100, binMs: 10, smoothingSdMs: -1 }, /targets\.nwb\.smoothingSdMs is -1/],
  [{ beforeMs: 0, afterMs: Number.NaN, binMs: 10, smoothingSdMs: 0 }, /targets\.nwb\.afterMs is NaN/],
  [{ beforeMs: 0, afterMs: 1e7, binMs: 1, smoothingSdMs: 0 }, /are its times in ms/],
])("refuses the window %j", (window, message) => {
  expect(() => psthGrid(window)).toThrow(message);
});

test("every k-th trial is held out", () => {
  const { kept, heldOut } = splitTrials([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0.25);
  expect(heldOut).toEqual([3, 7]);
  expect(kept).toEqual([0, 1, 2, 4, 5, 6, 8, 9]);
  for (const fraction of [0, -0.1, 0.51, Number.NaN]) {
    expect(() => splitTrials([1], fraction)).toThrow(/targets\.nwb\.heldOutFraction is .* above 0 and at most 0\.5/);
  }
  expect(splitTrials([0, 1], 0.5)).toEqual({ kept: [0], heldOut: [1] });
});
