import { describe, expect, it } from "vitest";
import { ReducedReadout, reductions } from "./readout.ts";

const y = Float32Array.from([1, 5, 3, 2, 7, 1, 4, 7, 1, 0, 6, 9]); // 4 steps x 3 outputs

function reduced(kind: (typeof reductions)[number], from = 0, to = 4): number[] {
  const readout = new ReducedReadout(kind, 3);
  readout.reduce(y, from, to);
  return [...readout.values];
}

describe("readouts", () => {
  it("reduce to the closed forms", () => {
    expect(reduced("last")).toEqual([0, 6, 9]);
    expect(reduced("sum")).toEqual([7, 25, 14]);
    expect(reduced("spikeCount")).toEqual([7, 25, 14]);
    expect(reduced("mean")).toEqual([7 / 4, 25 / 4, 14 / 4]);
    expect(reduced("max")).toEqual([4, 7, 9]);
  });

  it("see only the window", () => {
    expect(reduced("last", 1, 3)).toEqual([4, 7, 1]);
    expect(reduced("mean", 1, 3)).toEqual([3, 7, 1]);
    expect(reduced("max", 1, 3)).toEqual([4, 7, 1]);
  });

  it("give the gradient of a maximum to the first maximal step", () => {
    const readout = new ReducedReadout("max", 3);
    readout.reduce(y, 0, 4);
    expect([...readout.steps]).toEqual([2, 1, 3]);
    const dy = new Float32Array(12);
    readout.spread(Float64Array.of(10, 20, 30), dy, 0, 4);
    expect([...dy]).toEqual([0, 0, 0, 0, 20, 0, 10, 0, 0, 0, 0, 30]);
  });

  it.each(reductions)("%s: spreading is the transpose of reducing", (kind) => {
    const readout = new ReducedReadout(kind, 3);
    readout.reduce(y, 1, 4);
    const gradient = Float64Array.of(0.5, -2, 3);
    const dy = new Float64Array(12);
    readout.spread(gradient, dy, 1, 4);
    const outside = [...dy.subarray(0, 3)];
    expect(outside).toEqual([0, 0, 0]);
    // All of them are linear around a point without ties: <dy, y> = <gradient, reduced y>.
    const left = dy.reduce((sum, d, i) => sum + d * y[i], 0);
    const right = gradient.reduce((sum, g, k) => sum + g * readout.values[k], 0);
    expect(left).toBeCloseTo(right, 12);
  });

  it("prefer the lowest output among equals", () => {
    const readout = new ReducedReadout("last", 4);
    readout.reduce(Float32Array.of(1, 3, 3, 2), 0, 1);
    expect(readout.largest()).toBe(1);
  });

  it("turn NaN where the trace does", () => {
    for (const kind of reductions) {
      const readout = new ReducedReadout(kind, 1);
      readout.reduce(Float32Array.of(1, 2, NaN, NaN), 0, 4);
      expect(readout.values[0]).toBeNaN();
    }
  });
});
