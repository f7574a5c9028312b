import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import { inputForRate, lifRateHz, sigmaForRate } from "./transfer.ts";

// shared/golden/rls_siegert.json: [rate in Hz, mean input, mean input with the corrected threshold].
const golden = JSON.parse(readFileSync("test/data/siegert.json", "utf8")) as { rows: [number, number, number][] };
const noise = { sigma: 0.65, tauMemMs: 10, dtMs: 0.1 };
const plain = { ...noise, correctThreshold: false };

describe("inputForRate", () => {
  test("reproduces the golden table, both columns, to 1e-9", () => {
    const rates = golden.rows.map((row) => row[0]);
    const withCorrection = inputForRate(rates, noise);
    const without = inputForRate(rates, plain);
    golden.rows.forEach(([, mu, corrected], i) => {
      expect(Math.abs(without[i] - mu)).toBeLessThan(1e-9);
      expect(Math.abs(withCorrection[i] - corrected)).toBeLessThan(1e-9);
    });
  });

  test.each([0.005, 0.05, 0.3, 0.65, 3, 40])("is the inverse of lifRateHz for sigma %f", (sigma) => {
    const rates: number[] = [];
    for (let rate = 0.1; rate < 900; rate *= 1.0373) rates.push(rate);
    const params = { ...noise, sigma };
    const inputs = inputForRate(rates, params);
    let worst = 0;
    for (let i = 0; i < rates.length; i++) {
      worst = Math.max(worst, Math.abs(lifRateHz(inputs[i], params) / rates[i] - 1));
      if (i > 0) expect(inputs[i]).toBeGreaterThan(inputs[i - 1]);
    }
    // 0.001 relative in rate is far below what trials can tell; small sigma makes the rate steep in mu.
    expect(worst).toBeLessThan(1e-8);
  });

  test("a rate gives the same bits alone and among others", () => {
    const rates = Float64Array.from({ length: 300 }, (_, i) => 0.37 * i);
    const together = inputForRate(rates, noise);
    for (const i of [0, 1, 17, 123, 299]) expect(inputForRate([rates[i]], noise)[0]).toBe(together[i]);
  });

  test("rates at and near zero become 0.1 Hz", () => {
    const [zero, tiny, floor] = inputForRate([0, 1e-300, 0.1], noise);
    expect(zero).toBe(floor);
    expect(tiny).toBe(floor);
    expect(inputForRate([], noise)).toHaveLength(0);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 20_000])("refuses a rate of %f Hz", (rate) => {
    expect(() => inputForRate([5, rate], noise)).toThrow(UserError);
    expect(() => inputForRate([5, rate], noise)).toThrow(/rate 1 is/);
  });

  test("refuses impossible parameters, naming them", () => {
    expect(() => inputForRate([5], { ...noise, sigma: 0 })).toThrow(/sigma of the rate formula is 0/);
    expect(() => inputForRate([5], { ...noise, tauMemMs: -1 })).toThrow(/tauMemMs/);
    expect(() => inputForRate([5], { ...noise, dtMs: Number.NaN })).toThrow(/dtMs/);
    expect(() => inputForRate([5], { ...noise, threshold: 0 })).toThrow(/threshold 0 and reset 0/);
    expect(() => inputForRate([5], { ...noise, sigma: 1e-9 })).toThrow(/out of proportion/);
  });
});

describe("lifRateHz", () => {
  test("simulated rates of the specification: 5.91, 0.41 and 26.8 Hz are predicted within 7 %", () => {
    // spec section 5: the correction gives 6.00, 0.44, 26.9; the plain formula 7.00, 0.57, 29.6.
    const rates = [0, -0.5, 0.5].map((mu) => [lifRateHz(mu, noise), lifRateHz(mu, plain)]);
    expect(rates[0][0]).toBeCloseTo(6.0, 1);
    expect(rates[1][0]).toBeCloseTo(0.44, 2);
    expect(rates[2][0]).toBeCloseTo(26.9, 1);
    expect(rates[0][1]).toBeCloseTo(7.0, 1);
    expect(rates[1][1]).toBeCloseTo(0.57, 2);
    expect(rates[2][1]).toBeCloseTo(29.6, 1);
  });

  test("almost without noise it is the deterministic LIF, 1/(tau ln(mu/(mu - 1)))", () => {
    const rate = lifRateHz(1.5, { sigma: 0.001, tauMemMs: 10, correctThreshold: false });
    expect(Math.abs(rate / (1000 / (10 * Math.log(1.5 / 0.5))) - 1)).toBeLessThan(1e-5);
  });

  test("far below threshold it is tiny, not NaN; far above it grows", () => {
    expect(lifRateHz(-10, noise)).toBeGreaterThan(0);
    expect(lifRateHz(-10, noise)).toBeLessThan(1e-100);
    expect(lifRateHz(-1000, noise)).toBe(0);
    expect(lifRateHz(1000, noise)).toBeGreaterThan(50_000);
    expect(() => lifRateHz(Number.NaN, noise)).toThrow(UserError);
  });

  test("scales: voltages times ten give the same rate", () => {
    const one = lifRateHz(0.2, noise);
    const ten = lifRateHz(-58, { sigma: 6.5, tauMemMs: 10, threshold: -50, reset: -60 });
    expect(Math.abs(ten / one - 1)).toBeLessThan(1e-12);
  });
});

describe("sigmaForRate", () => {
  test.each([
    [4.79, 0.1],
    [0.5, -0.5],
    [40, 0.8],
  ])("the formula predicts %f Hz at mu = %f", (rate, mu) => {
    const sigma = sigmaForRate(rate, mu, { tauMemMs: 10 });
    expect(Math.abs(lifRateHz(mu, { sigma, tauMemMs: 10 }) / rate - 1)).toBeLessThan(1e-11);
  });

  test("refuses what no noise can give", () => {
    expect(() => sigmaForRate(5, 1.2, { tauMemMs: 10 })).toThrow(/at or above the threshold/);
    expect(() => sigmaForRate(0, 0, { tauMemMs: 10 })).toThrow(UserError);
    expect(() => sigmaForRate(9000, 0, { tauMemMs: 10 })).toThrow(/possible rates/);
  });
});
