/** Products of the way back in 16-bit integers: the way forward is the same to the last bit, gradients are nearly. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { compareWithFloat32 } from "./narrow-numbers.ts";
import { randomCases } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";

it("random networks: the same spikes and outputs, gradients within 0.2 % of the largest, on the whole far nearer", () => {
  const tally = compareWithFloat32({ products: "int16" }, 2e-3, { numRuns: 60, seed: 7 });
  expect(tally.spikes).toBeGreaterThan(600);
  expect(tally.compared).toBeGreaterThan(100);
  // Integers are in use.
  expect(tally.different).toBeGreaterThan(0.1 * tally.compared);
  expect(tally.meanDifference).toBeLessThan(1e-4);
});

it("integers follow the weights: after an update the gradients are those of the new ones", () => {
  fc.assert(
    fc.property(randomCases(), (given) => {
      const { network, values, samples, loss, feedback, costsOverTime } = given;
      const setup = { network, costsOverTime, products: "int16" } as const;
      const halved = { ...values, weights: values.weights.map((list) => Float32Array.from(list, (w) => w / 2)) };
      const updated = prepare(setup, values, feedback);
      runEngine(updated, values, samples[0], loss);
      updated.clearGradients();
      updated.values.set(prepare(setup, halved, feedback).values);
      const fresh = prepare(setup, halved, feedback);
      const [late, soon] = [updated, fresh].map((engine) => runEngine(engine, halved, samples[0], loss));
      expect(late.gradients).toEqual(soon.gradients);
    }),
    { numRuns: 15, seed: 8 },
  );
});
