import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clipNorm, squaredNorm } from "./gradient-norm.ts";

describe("the norm of gradients", () => {
  it("is the sum of squares, whatever the length", () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, min: -100, max: 100, maxLength: 11 }), (g) => {
        const expected = g.reduce((sum, x) => sum + x * x, 0);
        expect(Math.abs(squaredNorm(g) - expected)).toBeLessThanOrEqual(1e-12 * expected);
      }),
    );
  });

  it("is clipped to the maximum, all arrays alike", () => {
    const gradients = [Float32Array.of(3, 0), Float32Array.of(0, 0, -4)];
    clipNorm(gradients, 5, 10);
    expect(gradients).toEqual([Float32Array.of(3, 0), Float32Array.of(0, 0, -4)]);
    clipNorm(gradients, 5, 2.5);
    expect(gradients).toEqual([Float32Array.of(1.5, 0), Float32Array.of(0, 0, -2)]);
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN])("of %d leaves gradients alone", (bad) => {
    const gradients = [Float32Array.of(1, bad)];
    clipNorm(gradients, Math.sqrt(squaredNorm(gradients[0])), 1);
    expect([...gradients[0]]).toEqual([1, bad]);
  });
});
