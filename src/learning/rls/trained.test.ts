import { describe, expect, it } from "vitest";
import { noiseNet } from "../../../test/rls/specs.ts";
import type { PlasticNetwork } from "./spec.ts";
import { trainedNeurons } from "./trained.ts";

const of = (trained: PlasticNetwork["trained"], seed = 1) =>
  trainedNeurons(noiseNet({ seed, neurons: 40, excitatory: 20, plastic: { trained } }));

describe("the trained neurons", () => {
  it("are all of them by default", () => {
    expect(of("all")).toEqual(Uint32Array.from({ length: 40 }, (_, i) => i));
  });

  it("are a random fraction, ascending, that the seed alone decides", () => {
    const half = of({ fraction: 0.5 });
    expect(half.length).toBe(20);
    expect(new Set(half).size).toBe(20);
    expect(half).toEqual(half.slice().sort());
    expect(half.every((neuron) => neuron < 40)).toBe(true);
    expect(of({ fraction: 0.5 })).toEqual(half);
    expect(of({ fraction: 0.5 }, 2)).not.toEqual(half);
    expect(of({ fraction: 1 })).toEqual(of("all"));
  });

  it("are every neuron equally often over seeds", () => {
    const counts = new Float64Array(40);
    for (let seed = 0; seed < 400; seed++) for (const neuron of of({ fraction: 0.25 }, seed)) counts[neuron]++;
    // 400 draws with probability 1/4: 100 +- 8.7; the largest of 40 is within five deviations.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(44);
  });

  it("are those of a list, sorted as numbers and once each", () => {
    expect(of({ indices: [10, 9, 2, 10] })).toEqual(Uint32Array.of(2, 9, 10));
  });

  it("cannot be nobody, or neurons that do not exist", () => {
    expect(() => of({ indices: [] })).toThrow("plastic.trained.indices is empty");
    expect(() => of({ indices: [3, 40] })).toThrow("contains 40, but neurons go from 0 to 39");
  });
});
