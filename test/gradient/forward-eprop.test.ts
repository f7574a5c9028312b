/** e-prop with traces at the synapses, against golden vectors and against the adjoint form. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forwardEprop } from "../../src/learning/gradient/forward-eprop.ts";
import { referenceGradients } from "../../src/learning/gradient/reference.ts";
import { epropCases, goldenLoss } from "./golden-networks.ts";
import { gradientDifferences, randomCases } from "./random-networks.ts";
import { difference } from "./run-engine.ts";

describe.each(epropCases())("$name", (golden) => {
  it("has the golden gradients", () => {
    const batch = golden.samples.length;
    const results = golden.samples.map(({ events, label }) =>
      forwardEprop(
        golden.network,
        golden.values,
        events,
        (outputs, steps) => goldenLoss(outputs, steps, label, golden.perStep, batch),
        [],
        { feedback: golden.feedback },
      ),
    );
    for (const [b, { spikes }] of results.entries()) expect([...spikes[0]]).toEqual(golden.spikes[b].flat());
    for (const [k, wanted] of golden.gradients.weights.entries()) {
      const total = wanted.map((_, i) => results.reduce((sum, { gradients }) => sum + gradients.weights[k][i], 0));
      expect(difference(total, wanted)).toBeLessThan(1e-10);
    }
  });
});

describe("random networks", () => {
  it("have the gradients of the adjoint form", () => {
    let arrays = 0;
    const runs = Number(process.env.VOLLEY_RUNS ?? 30);
    fc.assert(
      fc.property(randomCases({ eprop: true }), ({ network, values, samples, loss, costs, feedback, sent: [sent] }) => {
        const wanted = referenceGradients(network, values, samples[0], loss, costs[0], { feedback, sent });
        const actual = forwardEprop(network, values, samples[0], loss, costs[0], { feedback, sent });
        expect(actual.loss).toBe(wanted.loss);
        for (const [p, spikes] of actual.spikes.entries()) expect(spikes).toEqual(wanted.spikes[p]);
        for (const { name, difference, largest } of gradientDifferences(network, actual.gradients, wanted.gradients)) {
          expect(difference, name).toBeLessThan(1e-12);
          if (largest > 1e-4) arrays++;
        }
      }),
      { numRuns: runs, seed: Number(process.env.VOLLEY_SEED ?? 5) },
    );
    expect(arrays).toBeGreaterThan(3 * runs);
  });
});
