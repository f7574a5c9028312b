/** Trained time constants in the report: fits, their table, and measured ones beside them. */
import { expect, test } from "vitest";
import type { MeasuredGroup } from "../../src/data/measured-constants.ts";
import { fitGamma } from "../../src/math/distribution-fits.ts";
import { gamma } from "../../src/random/distributions.ts";
import { Philox } from "../../src/random/philox.ts";
import type { FixedParameter, TrainedParameter } from "../../src/report/classification/input.ts";
import { timeConstants } from "../../src/report/classification/sections/time-constants.ts";
import { cumulativePoints } from "../../src/report/cumulative.ts";
import { significant } from "../../src/report/format.ts";
import { Numbering } from "../../src/report/sections/figure.ts";
import { classificationInput } from "./classification-fixture.ts";

const drawn = (count: number) => {
  const values = new Float64Array(count);
  gamma(new Philox(3), 1, { shape: 3, scale: 8 }, 0, values);
  return Float32Array.from(values);
};
const tau: TrainedParameter = {
  layer: "hidden",
  name: "tauMemMs",
  unit: "ms",
  before: new Float32Array(400).fill(20),
  after: drawn(400),
};
const base = classificationInput({ epochs: 2, trials: 0, steps: 20 });
const section = (
  parameters: TrainedParameter[],
  measured?: { source: string; groups: MeasuredGroup[] },
  fixed: FixedParameter[] = [],
) => String(timeConstants({ ...base, parameters, fixed, ...(measured && { measured }) }, new Numbering()));
const readable = (page: string) => page.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

test("before and after with their fits: where all neurons are alike there is none", () => {
  const page = section([tau]);
  const { shape } = fitGamma(tau.after)!;
  expect(readable(page)).toMatch(
    new RegExp(`hidden: tauMemMs before 400 20\\.0 0 — — — — after 400 [\\d.]+ [\\d.]+ ${significant(shape)} `),
  );
  // Two curves over the histogram, gamma and log-normal, and one line for the form.
  expect(page.match(/class="fit/g)).toHaveLength(2);
  expect(page.match(/class="fit dashed"/g)).toHaveLength(1);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
  expect(readable(page)).not.toContain("Measured:");
});

test("measured groups in the table, the largest in the figure", () => {
  const group = (name: string, count: number): MeasuredGroup => ({
    name,
    count,
    mean: 21.5,
    sd: 7.3,
    gamma: { shape: 10, scale: 2.15 },
    logNormal: { mu: 3, sigma: 0.31 },
    quantiles: [0.1, 0.5, 0.9].map((fraction) => ({ fraction, value: 43 * fraction })),
  });
  const groups = [group("few", 5), group("mouse", 900), group("human", 400), group("<i>rat", 300)];
  const page = section([tau], { source: "tau.csv", groups });
  expect(readable(page)).toContain("mouse measured 900 21.5 0.340 10.0 0.310");
  expect(readable(page)).toContain("few measured 5");
  expect(page).toContain("&lt;i&gt;rat");
  const label = /aria-label="(Form of the distributions[^"]*)"/.exec(page)![1];
  expect(label).toContain("mouse, measured, half below 1.00");
  expect(label).not.toContain("few");
  expect(readable(page)).toContain("Measured: tau.csv;");
});

test("those that were drawn and not trained have fits too, and are told from trained ones", () => {
  const fixed: FixedParameter = {
    layer: "hidden",
    name: "tauSynMs",
    unit: "ms",
    origin: "drawn",
    values: drawn(300),
  };
  const group: MeasuredGroup = {
    name: "mouse",
    count: 900,
    mean: 21.5,
    sd: 7.3,
    gamma: null,
    logNormal: null,
    quantiles: [{ fraction: 0.5, value: 20 }],
  };
  const { shape } = fitGamma(fixed.values)!;
  const alone = readable(section([], { source: "tau.csv", groups: [group] }, [fixed]));
  expect(alone).toMatch(/hidden: tauSynMs drawn, not trained /);
  expect(alone).toMatch(
    new RegExp(`hidden: tauSynMs drawn, not trained 300 [\\d.]+ [\\d.]+ ${significant(shape)} .* mouse measured 900`),
  );
  expect(alone).not.toMatch(/after/);
  const both = section([tau], undefined, [fixed, { ...fixed, name: "threshold", unit: "threshold" }]);
  expect(both.match(/class="fit dashed"/g)).toHaveLength(2);
  expect(readable(both)).toMatch(/hidden: tauMemMs before 400 .* after 400 .* hidden: tauSynMs drawn, not trained 300/);
  const label = /aria-label="(Form of the distributions[^"]*)"/.exec(both)![1];
  expect(label).toMatch(/hidden: tauMemMs, half below .*; hidden: tauSynMs, drawn, not trained, half below/);
  expect(readable(both)).not.toContain("threshold");
  expect(readable(section([], undefined, [{ ...fixed, origin: "given" }]))).toContain("given, not trained");
});

test("only time constants of single neurons are described", () => {
  const shared = { ...tau, before: Float32Array.of(20), after: Float32Array.of(31) };
  const threshold = { ...tau, name: "threshold", unit: "threshold" };
  expect(section([shared, threshold])).toBe("false");
});

test("points of a cumulative distribution ascend and keep the ends, however many values there are", () => {
  for (const count of [1, 3, 200, 1000]) {
    const points = cumulativePoints(drawn(count));
    expect(points.length).toBe(Math.min(count, 200));
    expect(points[0].share).toBeCloseTo(0.5 / count, 12);
    expect(points.at(-1)!.share).toBeCloseTo(1 - 0.5 / count, 12);
    points.forEach(({ value, share }, i) => {
      if (i === 0) return;
      expect(value).toBeGreaterThanOrEqual(points[i - 1].value);
      expect(share).toBeGreaterThan(points[i - 1].share);
    });
  }
});
