import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../base/errors.ts";
import { makeOptimiser, type OptimiserState } from "./optimiser.ts";
import type { OptimiserDescription } from "./update-rules.ts";

const types = ["sgd", "adam", "adamw", "adamax", "rmsprop", "smorms3"] as const;

/** Positions of one parameter that starts at 1, under these gradients. */
function path(description: OptimiserDescription, gradients: number[], decays = true): number[] {
  const optimiser = makeOptimiser(description, [{ name: "w", size: 1, decays }]);
  const w = Float32Array.of(1);
  return gradients.map((g) => {
    optimiser.step({ w }, { w: Float32Array.of(g) });
    return w[0];
  });
}

function expectPath(actual: number[], expected: number[]): void {
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 6);
  });
}

describe("update rules, by hand", () => {
  it("sgd", () => {
    // v = 1, 0.5 - 2 = -1.5, -0.75
    const expected = [0.9, 1.05, 1.125];
    expectPath(path({ type: "sgd", rate: 0.1, momentum: 0.5 }, [1, -2, 0]), expected);
  });

  it("adam", () => {
    // m = 0.2, -0.24; v = 0.4, 0.76; bias 0.5, 0.75 and 0.1, 0.19
    const m = [0.5 * 2, 0.5 * 1 + 0.5 * -1];
    const v = [0.1 * 4, 0.9 * 0.4 + 0.1 * 1];
    const first = 1 - (0.1 * (m[0] / 0.5)) / (Math.sqrt(v[0] / 0.1) + 0.01);
    const second = first - (0.1 * (m[1] / 0.75)) / (Math.sqrt(v[1] / 0.19) + 0.01);
    expectPath(path({ type: "adam", rate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0.01 }, [2, -1]), [first, second]);
  });

  it("adam's first step is the learning rate, whatever the gradient", () => {
    for (const g of [0.5, 5, -1e4]) expectPath(path({ type: "adam", rate: 0.25 }, [g]), [1 - 0.25 * Math.sign(g)]);
  });

  it("adamw takes a share of the weight away, but not from what does not decay", () => {
    const description = { type: "adamw", rate: 0.25, weightDecay: 0.2 } as const;
    expectPath(path(description, [1]), [0.95 - 0.25]);
    expectPath(path(description, [0, 0]), [0.95, 0.95 ** 2]);
    expectPath(path(description, [0, 0], false), [1, 1]);
  });

  it("adamax", () => {
    // m = 1, 0; u = 2, 1.8; bias 0.5, 0.75. Then m = 1.5 with the larger u = 3.
    const expected = [1 - (0.1 * 2) / 2, 0.9, 0.9 - (0.1 * (1.5 / 0.875)) / 3];
    expectPath(path({ type: "adamax", rate: 0.1, beta1: 0.5, beta2: 0.9 }, [2, -1, 3]), expected);
  });

  it("rmsprop", () => {
    const first = 1 - (0.1 * 2) / Math.sqrt(0.4);
    const second = first + 0.1 / Math.sqrt(0.9 * 0.4 + 0.1);
    expectPath(path({ type: "rmsprop", rate: 0.1, decay: 0.9 }, [2, -1]), [first, second]);
  });

  it("smorms3", () => {
    // k = 1/2: m = 1, v = 2, q = 1/2, M = 3/2; k = 2/5: m = 1 - 4/5, v = 2 - 2/5, q = 0.04/1.6
    const first = 1 - (0.3 * 2) / Math.sqrt(2);
    const second = first + 0.025 / Math.sqrt(1.6);
    expectPath(path({ type: "smorms3", rate: 0.3 }, [2, -1]), [first, second]);
  });
});

describe("optimisers", () => {
  it.each(types)("%s finds the minimum of a quadratic", (type) => {
    const curvature = [1, 4, 0.25, 2];
    const minimum = [1, -2, 0.5, 3];
    const optimiser = makeOptimiser({ type, rate: 0.02, ...(type === "adamw" ? { weightDecay: 0 } : {}) }, [
      { name: "w", size: 4 },
    ]);
    const w = new Float32Array(4);
    for (let step = 0; step < 3000; step++) {
      const g = Float32Array.from(w, (x, i) => curvature[i] * (x - minimum[i]));
      // rmsprop and smorms3 end in a cycle as wide as the rate.
      optimiser.step({ w }, { w: g }, step < 1000 ? 1 : 0.01);
    }
    minimum.forEach((x, i) => {
      expect(Math.abs(w[i] - x)).toBeLessThan(0.01);
    });
  });

  it("moves every group at its own rate, times the factor of the schedule", () => {
    const optimiser = makeOptimiser({ type: "sgd", rate: 0.5, momentum: 0 }, [
      { name: "weights", size: 1 },
      { name: "tauMemMs", size: 1, rate: 0.125 },
    ]);
    const parameters = { weights: Float32Array.of(0), tauMemMs: Float32Array.of(0) };
    optimiser.step(parameters, { weights: Float32Array.of(-1), tauMemMs: Float32Array.of(-1) }, 0.5);
    expect(parameters).toEqual({ weights: Float32Array.of(0.25), tauMemMs: Float32Array.of(0.0625) });
  });

  it.each(types)("%s continues to the same bytes after its state was kept and put back", (type) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 3, maxLength: 3 }), {
          minLength: 2,
          maxLength: 12,
        }),
        fc.nat(),
        (gradients, cut) => {
          const groups = [
            { name: "a", size: 2 },
            { name: "b", size: 1, rate: 0.1 },
          ];
          const start = () => ({ a: Float32Array.of(1, 2), b: Float32Array.of(3) });
          const split = (g: number[]) => ({ a: Float32Array.from(g.slice(0, 2)), b: Float32Array.from(g.slice(2)) });
          const whole = makeOptimiser({ type }, groups);
          const expected = start();
          for (const g of gradients) whole.step(expected, split(g));

          const before = cut % gradients.length;
          const parameters = start();
          const first = makeOptimiser({ type }, groups);
          for (const g of gradients.slice(0, before)) first.step(parameters, split(g));
          const second = makeOptimiser({ type }, groups);
          second.restore(structuredClone(first.state()));
          for (const g of gradients.slice(before)) second.step(parameters, split(g));
          expect(parameters).toEqual(expected);
          expect(second.state()).toEqual(whole.state());
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each(types)("%s keeps no subnormal numbers when gradients cease", (type) => {
    const optimiser = makeOptimiser({ type }, [{ name: "w", size: 1 }]);
    const w = Float32Array.of(1);
    for (let step = 0; step < 3000; step++) {
      optimiser.step({ w }, { w: Float32Array.of(step === 0 ? 1e-18 : 0) });
      for (const [value] of Object.values(optimiser.state().arrays)) {
        expect(value === 0 || Math.abs(value) >= 1.17e-38).toBe(true);
      }
    }
  });

  it("follows parameters that change places", () => {
    const optimiser = makeOptimiser({ type: "smorms3" }, [{ name: "w", size: 3 }]);
    const w = new Float32Array(3);
    optimiser.step({ w }, { w: Float32Array.of(1, 2, 3) });
    const before = structuredClone(optimiser.state().arrays);
    optimiser.reorder("w", Int32Array.of(2, -1, 0));
    const after = optimiser.state().arrays;
    for (const [name, initial] of [
      ["w.memory", 1],
      ["w.mean", 0],
      ["w.meanSquare", 0],
    ] as const) {
      expect([...after[name]]).toEqual([before[name][2], initial, before[name][0]]);
    }
  });

  it("lets NaN through, for the watch on divergence to find", () => {
    for (const type of types) expect(path({ type }, [NaN])[0]).toBeNaN();
  });

  it("refuses a state that is not its own, and then keeps its own", () => {
    const groups = [{ name: "hidden", size: 2 }];
    const optimiser = makeOptimiser({ type: "adam" }, groups);
    const arrays = { "hidden.firstMoment": new Float32Array(2), "hidden.secondMoment": new Float32Array(2) };
    const refuse = (state: OptimiserState, message: string) => {
      expect(() => optimiser.restore(state)).toThrow(UserError);
      expect(() => optimiser.restore(state)).toThrow(message);
      expect(optimiser.state().steps).toBe(0);
    };
    const sgd = makeOptimiser({ type: "sgd" }, groups).state();
    refuse(sgd, 'has an array "hidden.velocity"');
    refuse({ steps: 3, arrays: { "hidden.firstMoment": new Float32Array(2) } }, 'no values for "hidden.secondMoment"');
    refuse({ steps: 3, arrays: { ...arrays, "hidden.firstMoment": new Float32Array(3) } }, "has 3 values");
    refuse({ steps: -1, arrays }, "the file is damaged");
    optimiser.restore({ steps: 3, arrays });
    expect(optimiser.state().steps).toBe(3);
  });

  it.each<[OptimiserDescription, string]>([
    [{ type: "adma" as "adam" }, 'did you mean "adam"?'],
    [{ type: "adam", beta1: 1 }, "optimiser.beta1 is 1; it must be a number of at least 0 and below 1"],
    [{ type: "adam", momentum: 1 } as OptimiserDescription, 'unknown key "optimiser.momentum"'],
  ])("refuses %j", (description, message) => {
    expect(() => makeOptimiser(description, [])).toThrow(message);
  });
});
