import { expect, test } from "vitest";
import { sinusoids } from "./sinusoids.ts";

test("a quarter period after its phase a neuron is at its mean plus the amplitude", () => {
  const targets = sinusoids({ phasesMs: [0, 250, 500], means: [0.1, 0.2, -0.3], rows: 4, intervalMs: 250 });
  expect(targets).toHaveLength(12);
  const expected = [
    [0.6, 0.2, -0.8],
    [0.1, 0.7, -0.3],
    [-0.4, 0.2, 0.2],
    [0.1, -0.3, -0.3],
  ];
  for (const [i, value] of expected.flat().entries()) expect(targets[i]).toBeCloseTo(value, 6);
});

test("amplitude, period and common bias", () => {
  const options = { phasesMs: [0], means: [0], rows: 2, intervalMs: 10, amplitude: 2, periodMs: 40 };
  expect([...sinusoids({ ...options, bias: [1, -1] })].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([3, -1]);
});

test("refuses lengths that disagree and numbers that are not finite", () => {
  const good = { phasesMs: [0, 1], means: [0, 1], rows: 3, intervalMs: 10 };
  expect(() => sinusoids({ ...good, means: [0] })).toThrow(/2 phases, 1 means/);
  expect(() => sinusoids({ ...good, rows: 0 })).toThrow(/rows = 0/);
  expect(() => sinusoids({ ...good, intervalMs: 0 })).toThrow(/intervalMs/);
  expect(() => sinusoids({ ...good, bias: [1] })).toThrow(/1 values; it needs one per row, 3/);
  expect(() => sinusoids({ ...good, means: [0, Number.NaN] })).toThrow(/neuron 1 is NaN at row 0/);
});
