import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chainGradient,
  keepInRange,
  makeParametrisation,
  type ParametrisationDescription,
  writeValues,
} from "./parametrisation.ts";

const dtMs = 0.5;
const range = { min: 2, max: 100 };
const descriptions: ParametrisationDescription[] = [
  { type: "clamp", ...range },
  { type: "decay", ...range },
  { type: "log", ...range },
  { type: "sigmoid", ...range },
  { type: "inverseSigmoid" },
];

describe.each(descriptions)("$type", (description) => {
  const parametrisation = makeParametrisation(description, dtMs);

  it("gives the constant back", () => {
    fc.assert(
      fc.property(fc.double({ min: 2.01, max: 99.98, noNaN: true }), (x) => {
        expect(Math.abs(parametrisation.value(parametrisation.raw(x)) / x - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  it("has the slope of its central differences", () => {
    fc.assert(
      fc.property(fc.double({ min: 3, max: 90, noNaN: true }), (x) => {
        const p = parametrisation.raw(x);
        const step = description.type === "decay" ? 1e-6 * (1 - p) : 1e-4;
        const difference = (parametrisation.value(p + step) - parametrisation.value(p - step)) / (2 * step);
        expect(Math.abs(difference / parametrisation.slope(p) - 1)).toBeLessThan(1e-6);
      }),
    );
  });

  it("keeps the constant in its range wherever the optimiser goes", () => {
    const raw = Float32Array.of(-1e6, -3, 0, 0.5, 0.99, 3, 1e6);
    keepInRange(parametrisation, raw);
    const values = new Float32Array(raw.length);
    writeValues(parametrisation, raw, values);
    const [low, high] = description.type === "inverseSigmoid" ? [dtMs, Infinity] : [range.min, range.max];
    for (const value of values) {
      expect(value).toBeGreaterThanOrEqual(low);
      expect(value).toBeLessThanOrEqual(high);
    }
  });

  it("starts draws from outside inside, where there is a gradient", () => {
    for (const x of [-5, 0, 1e9]) {
      const p = parametrisation.raw(x);
      expect(Number.isFinite(p)).toBe(true);
      expect(Math.abs(parametrisation.slope(p))).toBeGreaterThan(0);
    }
  });
});

describe("chain rule", () => {
  it("of the decay: dL/da = dL/dtau tau^2 / (a dt)", () => {
    const decay = makeParametrisation({ type: "decay", min: 1.63, max: 99.7 }, dtMs);
    expect(decay.lowest).toBeCloseTo(0.7358, 4);
    expect(decay.highest).toBeCloseTo(0.995, 4);
    const raw = Float32Array.of(decay.raw(10), decay.raw(40));
    const gradient = Float32Array.of(3, -1);
    chainGradient(decay, raw, gradient);
    expect(gradient[0] / ((3 * 100) / (Math.exp(-0.05) * 0.5))).toBeCloseTo(1, 5);
    expect(gradient[1] / ((-1 * 1600) / (Math.exp(-0.0125) * 0.5))).toBeCloseTo(1, 4);
  });
});

describe("refuses", () => {
  it.each<[ParametrisationDescription, string]>([
    [{ type: "log", min: 0, max: 1 }, "range.min is 0; it must be a number above 0"],
    [{ type: "clamp", min: 3, max: 3 }, "range.min is 3; it must be below range.max, which is 3"],
    [{ type: "clamp", min: 3 } as ParametrisationDescription, "range.max is missing"],
    [{ type: "sigmiod" as "sigmoid", min: 0, max: 1 }, 'did you mean "sigmoid"?'],
  ])("%j", (description, message) => {
    expect(() => makeParametrisation(description, 1)).toThrow(message);
  });
});
