/** Products of the way back in 16-bit integers: the way forward is the same to the last bit, gradients are nearly. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { gradientDifferences, randomCases } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";

/** Of the largest entry of an array. */
const bound = 2e-3;

it("random networks: the same spikes and outputs, gradients within 0.2 % of the largest, on the whole far nearer", () => {
  const tally = { spikes: 0, compared: 0, different: 0, sum: 0 };
  fc.assert(
    fc.property(randomCases(), (given) => {
      const { network, values, samples, loss, costs, feedback, sent, costsOverTime, truncateSteps, tapeBytes } = given;
      const setup = { network, costsOverTime, truncateSteps, tapeBytes };
      const [exact, rounded] = (["float32", "int16"] as const).map((products) => {
        const engine = prepare({ ...setup, products }, values, feedback);
        return samples.map((sample, s) => runEngine(engine, values, sample, loss, costs[s], sent[s]));
      });
      for (const [s, { outputs, spikes }] of exact.entries()) {
        expect(rounded[s].outputs).toEqual(outputs);
        expect(rounded[s].spikes).toEqual(spikes);
        tally.spikes += spikes.reduce((sum, list) => sum + list.filter((z) => z > 0).length, 0);
      }
      const last = samples.length - 1;
      for (const { name, difference } of gradientDifferences(network, rounded[last].gradients, exact[last].gradients)) {
        expect(difference, name).toBeLessThan(bound);
        tally.compared++;
        tally.sum += difference;
        if (difference > 1e-7) tally.different++;
      }
    }),
    { numRuns: 60, seed: 7 },
  );
  expect(tally.spikes).toBeGreaterThan(600);
  expect(tally.compared).toBeGreaterThan(100);
  // Integers are in use.
  expect(tally.different).toBeGreaterThan(0.1 * tally.compared);
  expect(tally.sum / tally.compared).toBeLessThan(1e-4);
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
