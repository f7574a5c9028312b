import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chainGradient,
  keepInRange,
  makeParametrisation,
  type ParametrisationDescription,
  publishedRange,
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

  it("leaves a gradient wherever the optimiser goes", () => {
    const raw = Float32Array.of(-1e6, 1e6);
    keepInRange(parametrisation, raw);
    for (const p of raw) {
      expect(Number.isFinite(parametrisation.slope(p))).toBe(true);
      expect(parametrisation.slope(p)).not.toBe(0);
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

describe("published forms", () => {
  // d/dp of the decay factor of a time constant with parametrisation x(p): exp(-dt/x) dt/x^2 dx/dp.
  const decayOf = (x: number) => Math.exp(-dtMs / x);
  const slopeOfDecay = (description: ParametrisationDescription, p: number) => {
    const { value, slope } = makeParametrisation(description, dtMs);
    const x = value(p);
    return ((decayOf(x) * dtMs) / x ** 2) * slope(p);
  };
  const difference = (f: (p: number) => number, p: number) => (f(p + 1e-5) - f(p - 1e-5)) / 2e-5;

  it("decay without a range is from 2/e to 0.995", () => {
    const { lowest, highest, raw, value } = makeParametrisation({ type: "decay" }, dtMs);
    expect(lowest).toBeCloseTo(2 / Math.E, 14);
    expect(highest).toBeCloseTo(0.995, 14);
    expect([value(lowest), value(highest)].map((tau) => tau.toFixed(2))).toEqual(["1.63", "99.75"]);
    // Draws from outside are clipped before training.
    expect([raw(0.3), raw(1e5)]).toEqual([lowest, highest]);
    expect(publishedRange(dtMs).min / dtMs).toBeCloseTo(1 / (1 - Math.LN2), 12);
  });

  it("decay: its slope is 1 in decay space", () => {
    expect(slopeOfDecay({ type: "decay" }, 0.9)).toBeCloseTo(1, 12);
  });

  it("sigmoid from 0 to 2 tau0 is stork's exp(-dt / (2 tau0 sigmoid(p)))", () => {
    const tau0 = 20;
    const storks = (p: number) => Math.exp(-dtMs / (2 * tau0 * (1 / (1 + Math.exp(-p)))));
    const description = { type: "sigmoid", min: 0, max: 2 * tau0 } as const;
    expect(makeParametrisation(description, dtMs).raw(tau0)).toBeCloseTo(0, 12);
    for (const p of [-2, 0, 1.5]) {
      expect(decayOf(makeParametrisation(description, dtMs).value(p))).toBeCloseTo(storks(p), 14);
      expect(slopeOfDecay(description, p) / difference(storks, p)).toBeCloseTo(1, 6);
    }
    // Even at its end the time constant is above 0.
    const raw = Float32Array.of(-1e9);
    keepInRange(makeParametrisation(description, dtMs), raw);
    expect(makeParametrisation(description, dtMs).value(raw[0])).toBeGreaterThan(0);
  });

  it("inverseSigmoid is PLIF's 1/tau = sigmoid(w) in steps: v <- v + (x - v) sigmoid(w)", () => {
    const { value, slope } = makeParametrisation({ type: "inverseSigmoid" }, dtMs);
    const plif = (w: number) => 1 / (1 + Math.exp(-w));
    for (const w of [-3, 0, 2]) {
      expect(dtMs / value(w)).toBeCloseTo(plif(w), 14);
      expect((-dtMs / value(w) ** 2) * slope(w)).toBeCloseTo(difference(plif, w), 8);
    }
  });
});

describe("refuses", () => {
  it.each<[ParametrisationDescription, string]>([
    [{ type: "log", min: 0, max: 1 }, "range.min is 0; it must be a number above 0"],
    [{ type: "decay", min: 300 }, "range.min is 300; it must be below range.max, which is 199.4"],
    [{ type: "clamp", min: 3, max: 3 }, "range.min is 3; it must be below range.max, which is 3"],
    [{ type: "clamp", min: 3 } as ParametrisationDescription, "range.max is missing"],
    [{ type: "sigmiod" as "sigmoid", min: 0, max: 1 }, 'did you mean "sigmoid"?'],
  ])("%j", (description, message) => {
    expect(() => makeParametrisation(description, 1)).toThrow(message);
  });
});
