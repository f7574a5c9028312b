import { describe, expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov } from "./goodness-of-fit.ts";
import {
  chiSquareSurvival,
  digamma,
  gammaQ,
  kolmogorovSurvival,
  logGamma,
  normalSurvival,
  trigamma,
} from "./special-functions.ts";

function relativeError(value: number, truth: number): number {
  return Math.abs(value - truth) / Math.abs(truth);
}

describe("logGamma", () => {
  it("is the logarithm of factorials", () => {
    let factorial = 1;
    for (let n = 1; n <= 170; n++) {
      expect(Math.abs(logGamma(n) - Math.log(factorial))).toBeLessThan(1e-14 * Math.max(1, Math.log(factorial)));
      factorial *= n;
    }
  });

  it("has Gamma(1/2) = sqrt(pi), tiny and huge arguments", () => {
    expect(relativeError(logGamma(0.5), 0.5 * Math.log(Math.PI))).toBeLessThan(1e-14);
    expect(relativeError(logGamma(1e-300), 300 * Math.LN10)).toBeLessThan(1e-15);
    // mpmath.loggamma(1e9)
    expect(relativeError(logGamma(1e9), 19723265827.503716)).toBeLessThan(1e-15);
  });

  it("refuses arguments that are not positive", () => {
    expect(() => logGamma(0)).toThrow(RangeError);
  });
});

describe("digamma and trigamma", () => {
  const euler = 0.5772156649015329;

  it("have their closed forms at 1, 1/2 and whole numbers", () => {
    expect(relativeError(digamma(1), -euler)).toBeLessThan(1e-14);
    expect(relativeError(digamma(0.5), -euler - 2 * Math.LN2)).toBeLessThan(1e-14);
    expect(relativeError(trigamma(1), Math.PI ** 2 / 6)).toBeLessThan(1e-14);
    expect(relativeError(trigamma(0.5), Math.PI ** 2 / 2)).toBeLessThan(1e-14);
    let [harmonic, squares] = [0, 0];
    for (let n = 1; n < 40; n++) {
      harmonic += 1 / n;
      squares += 1 / n ** 2;
      expect(relativeError(digamma(n + 1), harmonic - euler)).toBeLessThan(2e-14);
      expect(relativeError(trigamma(n + 1), Math.PI ** 2 / 6 - squares)).toBeLessThan(1e-12);
    }
  });

  it("are the slopes of ln Gamma and of digamma", () => {
    for (const x of [0.03, 0.7, 3, 9.99, 10.01, 250]) {
      const h = 1e-5 * x;
      expect(relativeError((logGamma(x + h) - logGamma(x - h)) / (2 * h), digamma(x))).toBeLessThan(1e-6);
      expect(relativeError((digamma(x + h) - digamma(x - h)) / (2 * h), trigamma(x))).toBeLessThan(1e-6);
    }
  });

  it("refuse arguments that are not positive", () => {
    expect(() => digamma(0)).toThrow(RangeError);
    expect(() => trigamma(-1)).toThrow(RangeError);
  });
});

describe("gammaQ", () => {
  it("is e^-x for a = 1 and a Poisson sum for whole a", () => {
    for (const x of [1e-8, 0.3, 1, 2, 2.5, 30, 700]) {
      expect(relativeError(gammaQ(1, x), Math.exp(-x))).toBeLessThan(1e-12);
      let term = Math.exp(-x);
      let sum = 0;
      for (let k = 0; k < 20; k++) {
        sum += term;
        term *= x / (k + 1);
      }
      expect(relativeError(gammaQ(20, x), sum)).toBeLessThan(1e-12);
    }
  });

  it("stays in order for large a", () => {
    // mpmath.gammainc(5000, 5000, regularized=True)
    expect(relativeError(gammaQ(5000, 5000), 0.49811936596618267)).toBeLessThan(1e-10);
  });
});

it("chiSquareSurvival has its closed forms and textbook quantiles", () => {
  expect(chiSquareSurvival(0, 3)).toBe(1);
  expect(relativeError(chiSquareSurvival(7, 2), Math.exp(-3.5))).toBeLessThan(1e-13);
  expect(chiSquareSurvival(3.841458820694124, 1)).toBeCloseTo(0.05, 13);
  expect(chiSquareSurvival(124.34211340400407, 100)).toBeCloseTo(0.05, 13);
});

it("normalSurvival has textbook quantiles on both sides", () => {
  expect(normalSurvival(0)).toBe(0.5);
  expect(normalSurvival(1.959963984540054)).toBeCloseTo(0.025, 14);
  expect(normalSurvival(-1.959963984540054)).toBeCloseTo(0.975, 14);
  expect(relativeError(normalSurvival(8), 6.22096057427178e-16)).toBeLessThan(1e-11);
});

it("kolmogorovSurvival has textbook quantiles and joins its two forms", () => {
  expect(kolmogorovSurvival(0)).toBe(1);
  expect(kolmogorovSurvival(0.1)).toBe(1);
  expect(kolmogorovSurvival(1.3580986393225505)).toBeCloseTo(0.05, 13); // scipy.special.kolmogi(0.05)
  expect(kolmogorovSurvival(0.8275735551899077)).toBeCloseTo(0.5, 13); // scipy.special.kolmogi(0.5)
  expect(kolmogorovSurvival(1 - 1e-12)).toBeCloseTo(kolmogorovSurvival(1 + 1e-12), 11);
});

describe("goodness of fit", () => {
  it("kolmogorovSmirnov accepts an even spread and refuses a shift", () => {
    const even = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
    expect(kolmogorovSmirnov(even, (x) => x)).toBe(1);
    expect(kolmogorovSmirnov(even, (x) => Math.min(1, x + 0.2))).toBeLessThan(1e-30);
    // D = 0.1, n = 400: lambda = (20 + 0.12 + 0.0055) 0.1
    const shifted = Array.from({ length: 400 }, (_, i) => (i + 1) / 400);
    expect(kolmogorovSmirnov(shifted, (x) => Math.max(0, x - 0.1))).toBeCloseTo(kolmogorovSurvival(2.01255), 12);
  });

  it("chiSquare counts the degrees of freedom", () => {
    expect(chiSquare([10, 10, 10], [10, 10, 10])).toBe(1);
    expect(chiSquare([20, 10, 0], [10, 10, 10])).toBeCloseTo(Math.exp(-10), 12); // statistic 20, k = 2
  });
});
