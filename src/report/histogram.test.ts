import { expect, test } from "vitest";
import { histogramSvg } from "./histogram.ts";

/** Even values over -1 to 1, so that all bars are as high as a density of 1/2. */
const values = Float64Array.from({ length: 4400 }, (_, i) => -1 + (2 * (i + 0.5)) / 4400);
const base = 196 - 38;
const top = 20;

/** Heights of the bars and of the curve over the axis, in its length; 1 is the upper end. */
function heights(density: (x: number) => number): { bars: number; curve: number } {
  const svg = histogramSvg({
    name: "n",
    xLabel: "x",
    yLabel: "y",
    low: -1,
    high: 1,
    series: [{ values, name: "v", look: "area" }],
    curves: [{ density, dashed: false }],
  }).text;
  const [, bars] = /class="bars area" d="([^"]*)"/.exec(svg)!;
  const [, curve] = /class="fit" d="([^"]*)"/.exec(svg)!;
  const highest = (places: readonly string[]) => (base - Math.min(...places.map(Number))) / (base - top);
  return {
    bars: highest([...bars.matchAll(/V([\d.]+)/g)].map(([, y]) => y)),
    curve: highest([...curve.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => y)),
  };
}

/** A triangle with the integral 1 whose peak lies at 0. */
const triangle = (peak: number) => (x: number) => Math.max(0, peak * (1 - peak * Math.abs(x)));

test("a curve above the bars is not cut at the top of the axis", () => {
  const flat = heights(() => 0.25);
  expect(flat.bars).toBeCloseTo(1 / 1.05, 2);
  expect(flat.curve).toBeCloseTo(0.5 / 1.05, 2);
  const above = heights(triangle(0.9));
  expect(above.curve).toBeCloseTo(1 / 1.05, 2);
  expect(above.bars / above.curve).toBeCloseTo(0.5 / 0.9, 2);
});

test("a curve far above them is, so that bars are seen", () => {
  const far = heights(triangle(20));
  expect(far.curve).toBe(1);
  expect(far.bars).toBeCloseTo(0.5 / 1.05, 2);
});
