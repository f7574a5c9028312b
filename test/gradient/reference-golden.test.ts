/** The float64 twin against golden vectors: spikes exactly, everything else to 1e-10. */
import { describe, expect, it } from "vitest";
import { referenceGradients } from "../../src/learning/gradient/reference.ts";
import { bpttCases, epropCases, goldenLoss } from "./golden-networks.ts";
import { difference } from "./run-engine.ts";

describe.each([...bpttCases(), ...epropCases()])("$name", (golden) => {
  const batch = golden.samples.length;
  const results = golden.samples.map(({ events, label }) =>
    referenceGradients(
      golden.network,
      golden.values,
      events,
      (outputs, steps) => goldenLoss(outputs, steps, label, golden.perStep, batch),
      [],
      { feedback: golden.feedback },
    ),
  );

  it("spikes as the golden network does", () => {
    for (const [b, { spikes }] of results.entries()) {
      const wanted = golden.spikes[b].flat();
      expect([...spikes[0]].slice(0, wanted.length)).toEqual(wanted);
      expect(wanted.filter((z) => z === 1).length).toBeGreaterThan(5);
    }
  });

  it("has its membranes, outputs and loss", () => {
    for (const [b, { membranes, outputs }] of results.entries()) {
      expect(difference(membranes[0], golden.membranes[b].flat())).toBeLessThan(1e-10);
      expect(difference(outputs, golden.outputs[b].flat())).toBeLessThan(1e-10);
    }
    const loss = results.reduce((sum, result) => sum + result.loss, 0);
    expect(Math.abs(loss / golden.loss - 1)).toBeLessThan(1e-12);
  });

  it("has its gradients", () => {
    const sum = (of: (result: (typeof results)[number]) => ArrayLike<number>) => {
      const total = Float64Array.from(of(results[0]));
      for (const result of results.slice(1)) for (const [i, g] of [...Array.from(of(result))].entries()) total[i] += g;
      return total;
    };
    for (const [k, wanted] of golden.gradients.weights.entries()) {
      expect(
        difference(
          sum(({ gradients }) => gradients.weights[k]),
          wanted,
        ),
      ).toBeLessThan(1e-10);
    }
    for (const [name, wanted] of Object.entries(golden.gradients.constants)) {
      expect(
        difference(
          sum(({ gradients }) => gradients.constants[0][name]),
          wanted,
        ),
      ).toBeLessThan(1e-10);
    }
  });
});
