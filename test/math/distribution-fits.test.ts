/** Fits against values drawn from known distributions (the random room lies above math). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  binnedGoodness,
  fitGamma,
  fitLogNormal,
  gammaBelow,
  gammaDensity,
  logNormalBelow,
  logNormalDensity,
  summarisePositive,
} from "../../src/math/distribution-fits.ts";
import { digamma, logGamma } from "../../src/math/special-functions.ts";
import { mean } from "../../src/math/statistics.ts";
import { gamma, logNormal } from "../../src/random/distributions.ts";
import { Philox } from "../../src/random/philox.ts";

const drawn = (count: number, fill: (source: Philox, out: Float64Array) => void) => {
  const out = new Float64Array(count);
  fill(new Philox(5), out);
  return out;
};
const gammaValues = (shape: number, centre: number, count = 20_000) =>
  drawn(count, (source, out) => gamma(source, 1, { shape, scale: centre / shape }, 0, out));
const logNormalValues = (mu: number, sigma: number, count = 20_000) =>
  drawn(count, (source, out) => logNormal(source, 1, { mu, sigma }, 0, out));

const positive = fc.array(fc.double({ min: 0.5, max: 500, noNaN: true }), { minLength: 3, maxLength: 40 });
const gammaLikelihood = (values: readonly number[], shape: number, scale: number) =>
  values.reduce((sum, x) => sum + (shape - 1) * Math.log(x) - x / scale - shape * Math.log(scale) - logGamma(shape), 0);

describe("gamma", () => {
  it("solves the equation of the greatest likelihood, and keeps the mean", () => {
    fc.assert(
      fc.property(positive, (values) => {
        const fit = fitGamma(values);
        if (fit === null) return;
        const s = Math.log(mean(values)) - mean(values.map(Math.log));
        fc.pre(s > 1e-9);
        expect(Math.abs(Math.log(fit.shape) - digamma(fit.shape) - s)).toBeLessThan(1e-12 + 1e-9 * s);
        expect(fit.shape * fit.scale).toBeCloseTo(mean(values), 9);
        // No neighbour is likelier.
        const best = gammaLikelihood(values, fit.shape, fit.scale);
        for (const f of [0.98, 1.02]) {
          expect(gammaLikelihood(values, fit.shape * f, fit.scale)).toBeLessThanOrEqual(best);
          expect(gammaLikelihood(values, fit.shape, fit.scale * f)).toBeLessThanOrEqual(best);
        }
      }),
    );
  });

  it.each([0.4, 1, 3, 40])("finds the shape %d that values were drawn with", (shape) => {
    const fit = fitGamma(gammaValues(shape, 20))!;
    // Asymptotic s.d. of the shape: sqrt(k / (n (k psi'(k) - 1))), below sqrt(2 k^2 / n).
    expect(Math.abs(fit.shape / shape - 1)).toBeLessThan(4 * Math.sqrt(2 / 20_000));
    expect(Math.abs((fit.shape * fit.scale) / 20 - 1)).toBeLessThan(4 / Math.sqrt(20_000 * shape));
  });

  it("is the exponential for shape 1, in density and below", () => {
    for (const x of [0.1, 1, 5, 40]) {
      expect(gammaDensity({ shape: 1, scale: 4 }, x)).toBeCloseTo(Math.exp(-x / 4) / 4, 14);
      expect(gammaBelow({ shape: 1, scale: 4 }, x)).toBeCloseTo(1 - Math.exp(-x / 4), 13);
    }
    expect(gammaDensity({ shape: 3, scale: 2 }, -1)).toBe(0);
    expect(gammaBelow({ shape: 3, scale: 2 }, 0)).toBe(0);
  });
});

describe("log-normal", () => {
  it("has the closed form", () => {
    // ln x = -1, 1, 3: mean 1, variance 8/3
    const fit = fitLogNormal([Math.exp(-1), Math.exp(1), Math.exp(3)])!;
    expect(fit.mu).toBeCloseTo(1, 14);
    expect(fit.sigma).toBeCloseTo(Math.sqrt(8 / 3), 14);
  });

  it("finds what values were drawn with; its density is the slope of what is below", () => {
    const fit = fitLogNormal(logNormalValues(3, 0.5))!;
    expect(Math.abs(fit.mu - 3)).toBeLessThan((4 * 0.5) / Math.sqrt(20_000));
    expect(Math.abs(fit.sigma - 0.5)).toBeLessThan((4 * 0.5) / Math.sqrt(40_000));
    for (const x of [5, 20, 60]) {
      const slope = (logNormalBelow(fit, x + 1e-4) - logNormalBelow(fit, x - 1e-4)) / 2e-4;
      expect(slope / logNormalDensity(fit, x)).toBeCloseTo(1, 6);
      const ofGamma = { shape: 3, scale: 7 };
      const gammaSlope = (gammaBelow(ofGamma, x + 1e-4) - gammaBelow(ofGamma, x - 1e-4)) / 2e-4;
      expect(gammaSlope / gammaDensity(ofGamma, x)).toBeCloseTo(1, 6);
    }
    expect(logNormalBelow({ mu: 3, sigma: 0.5 }, Math.exp(3))).toBeCloseTo(0.5, 14);
  });
});

it("the same numbers over and over have no fit, and numbers that are not positive are refused", () => {
  expect([fitGamma([20, 20, 20]), fitLogNormal([20, 20, 20]), fitGamma([3]), fitLogNormal([])]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  for (const bad of [0, -1, Number.NaN, Infinity]) {
    expect(() => fitGamma([1, bad])).toThrow(RangeError);
    expect(() => fitLogNormal([1, bad])).toThrow(RangeError);
  }
});

describe("goodness", () => {
  it("accepts the distribution that values were drawn from and refuses the other", () => {
    const values = gammaValues(3, 20, 5000);
    const own = fitGamma(values)!;
    const other = fitLogNormal(values)!;
    const good = binnedGoodness(values, (x) => gammaBelow(own, x))!;
    expect(good.degrees).toBe(good.bins - 3);
    expect(good.p).toBeGreaterThan(0.001);
    expect(binnedGoodness(values, (x) => logNormalBelow(other, x))!.p).toBeLessThan(1e-6);
  });

  it("has p-values that are uniform where the distribution is right", () => {
    let below = 0;
    const rounds = 200;
    for (let i = 0; i < rounds; i++) {
      const values = drawn(300, (source, out) => gamma(source, i, { shape: 3, scale: 7 }, 0, out));
      const { p } = binnedGoodness(values, (x) => gammaBelow({ shape: 3, scale: 7 }, x), { fitted: 0 })!;
      if (p < 0.2) below++;
    }
    // Joining bins by what fell into them moves the level a little.
    expect(Math.abs(below / rounds - 0.2)).toBeLessThan(0.1);
  });

  it("joins bins to at least 20 values; the rest goes to the last, and counts by hand agree", () => {
    // 20 in 0..2, 25 in 2..4, 10 in 4..6, 15 in 8..10, 5 beyond 80: bins of 20, 25, 30.
    const values = [20, 25, 10, 0, 15]
      .flatMap((count, b) => new Array<number>(count).fill(2 * b + 1))
      .concat(new Array(5).fill(99));
    const uniform = (x: number) => Math.min(1, x / 10);
    const expected = [0.2 * 75, 0.2 * 75, 0.6 * 75];
    const statistic = [20, 25, 30].reduce((sum, n, i) => sum + (n - expected[i]) ** 2 / expected[i], 0);
    const found = binnedGoodness(values, uniform, { fitted: 1 })!;
    expect(found).toMatchObject({ bins: 3, degrees: 1 });
    expect(found.statistic).toBeCloseTo(statistic, 12);
    expect(binnedGoodness(values, uniform)).toBeNull();
    expect(binnedGoodness([1, 2], uniform)).toBeNull();
  });
});

it("a summary has everything of the values, and no fit where they are all alike", () => {
  const values = gammaValues(3, 20, 2000);
  const { count, mean: centre, sd, median, gamma: fit, logNormal: other } = summarisePositive(values);
  expect(count).toBe(2000);
  expect(centre).toBeCloseTo(20, 0);
  expect(sd / centre).toBeCloseTo(1 / Math.sqrt(3), 1);
  expect(median).toBeLessThan(centre);
  expect(fit).toMatchObject(fitGamma(values)!);
  expect(fit!.goodness!.p).toBeGreaterThan(other!.goodness!.p);
  expect(summarisePositive([20, 20])).toEqual({ count: 2, mean: 20, sd: 0, median: 20, gamma: null, logNormal: null });
});
