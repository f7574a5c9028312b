import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clipGlobalNorm, globalNorm } from "./gradient-norm.ts";

describe("global norm", () => {
  it("is that of all arrays together, whatever their lengths", () => {
    fc.assert(
      fc.property(fc.array(fc.float32Array({ noNaN: true, min: -100, max: 100, maxLength: 11 })), (arrays) => {
        const expected = Math.hypot(...arrays.flatMap((array) => [...array]));
        expect(Math.abs(globalNorm(arrays) - expected)).toBeLessThanOrEqual(1e-12 * expected);
      }),
    );
  });

  it("clips to the maximum and keeps the direction", () => {
    const gradients = [Float32Array.of(3, 0), Float32Array.of(0, 0, -4)];
    expect(clipGlobalNorm(gradients, 10)).toBe(5);
    expect(gradients).toEqual([Float32Array.of(3, 0), Float32Array.of(0, 0, -4)]);
    expect(clipGlobalNorm(gradients, 2.5)).toBe(5);
    expect(gradients).toEqual([Float32Array.of(1.5, 0), Float32Array.of(0, 0, -2)]);
  });

  it("reports what is not finite and leaves it alone", () => {
    const gradients = [Float32Array.of(1, Infinity)];
    expect(clipGlobalNorm(gradients, 1)).toBe(Infinity);
    expect([...gradients[0]]).toEqual([1, Infinity]);
    expect(clipGlobalNorm([Float32Array.of(1, NaN)], 1)).toBeNaN();
  });
});
