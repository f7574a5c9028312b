import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exp } from "../../math/elementary.ts";
import { exponentials, maximumOf, softmax } from "./softmax.ts";

describe("exponentials", () => {
  it("agree with exp to 3 units in the last place down to the cut-off", () => {
    const x = Float64Array.from({ length: 200_000 }, (_, i) => -(i * 0.0035) - (i % 7) * 1e-4);
    const out = new Float64Array(x.length);
    const sum = exponentials(x, 0, x.length, 0, out);
    let worst = 0;
    let total = 0;
    for (let i = 0; i < x.length; i++) {
      worst = Math.max(worst, Math.abs(out[i] / exp(x[i]) - 1));
      total += out[i];
    }
    expect(x.at(-1)).toBeGreaterThan(-701);
    expect(worst).toBeLessThan(3 * 2 ** -52);
    expect(sum).toBe(total);
    expect(out[0]).toBe(1);
  });

  it("stay normal numbers however small the argument, and pass NaN on", () => {
    const out = new Float64Array(3);
    expect(exponentials(Float64Array.of(0, -1e9, -Infinity), 0, 3, 0, out)).toBe(1);
    expect(out[1]).toBeGreaterThan(1e-305);
    expect(out[2]).toBe(out[1]);
    expect(exponentials(Float32Array.of(0, NaN, -1), 0, 3, 0, out)).toBeNaN();
    expect(exponentials(Float32Array.of(0, Infinity, -1), 0, 3, Infinity, out)).toBeNaN();
  });

  it("read the row that is asked for", () => {
    const out = new Float64Array(2);
    const y = Float32Array.of(9, 9, 1, 3, 9);
    expect(maximumOf(y, 2, 2)).toBe(3);
    expect(exponentials(y, 2, 2, 3, out)).toBeCloseTo(1 + Math.exp(-2), 14);
    expect(out[1]).toBe(1);
  });
});

describe("softmax", () => {
  it("sums to 1 and does not change when all values are shifted", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -4000, max: 4000 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: -(2 ** 20), max: 2 ** 20 }),
        (eighths, shift) => {
          const y = Float64Array.from(eighths, (v) => v / 8);
          const p = new Float64Array(y.length);
          const shifted = new Float64Array(y.length);
          softmax(y, p);
          softmax(
            y.map((v) => v + shift),
            shifted,
          );
          expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 14);
          expect(shifted).toEqual(p);
        },
      ),
    );
  });
});
