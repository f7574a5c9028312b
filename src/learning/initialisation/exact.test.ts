import { expect, test } from "vitest";
import { bringTo, type Scalable } from "./exact.ts";

/** Weights of scale 1 whose sigma is a function of their scale. */
function weights(sigmaAt: (scale: number) => number): Scalable & { scale: number; looks: number } {
  return {
    scale: 1,
    looks: 0,
    multiply(factor) {
      this.scale *= factor;
    },
    sigma() {
      this.looks++;
      return sigmaAt(this.scale);
    },
  };
}

test.each([
  ["in proportion", (scale: number) => 0.3 * scale, 2],
  ["slower than the weights", (scale: number) => 0.2 * Math.sqrt(scale), 13],
  // By a step of aim / sigma alone it would swing without end: |1 - 2.2| > 1.
  ["faster, as recurrent layers answer", (scale: number) => 3 * scale ** 2.2, 5],
])("sigma grows %s", (_, sigmaAt, looks) => {
  const own = weights(sigmaAt);
  bringTo(1, own);
  expect(Math.abs(sigmaAt(own.scale) - 1)).toBeLessThan(0.005);
  expect(own.looks).toBeLessThanOrEqual(looks);
});

test("where no scale is right the nearest that was seen is kept", () => {
  // A layer that falls silent below one scale.
  const sigmaAt = (scale: number) => (scale < 0.5 ? 0.4 : 1.3 + scale);
  const own = weights(sigmaAt);
  bringTo(1, own);
  expect(sigmaAt(own.scale)).toBe(0.4);
  expect(own.looks).toBe(13);
});
