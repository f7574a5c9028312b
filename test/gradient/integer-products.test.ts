/** Products of the way back in 16-bit integers: the way forward is the same to the last bit, gradients are nearly. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { GradientEngine } from "../../src/learning/gradient/engine.ts";
import { compareWithFloat32 } from "./narrow-numbers.ts";
import { randomCases } from "./random-networks.ts";
import { giveFeedback, prepare, runEngine } from "./run-engine.ts";

it("random networks: the same spikes and outputs, gradients within 0.2 % of the largest, on the whole far nearer", () => {
  const tally = compareWithFloat32({ products: "int16" }, 2e-3, { numRuns: 60, seed: 7 });
  expect(tally.spikes).toBeGreaterThan(600);
  expect(tally.compared).toBeGreaterThan(100);
  // Integers are in use.
  expect(tally.different).toBeGreaterThan(0.1 * tally.compared);
  expect(tally.meanDifference).toBeLessThan(1e-4);
});

it("integers follow the weights and the feedback: after a change the gradients are those of the new ones", () => {
  const half = (list: ArrayLike<number>) => Float32Array.from(list, (x) => x / 2);
  let feedbacks = 0;
  fc.assert(
    fc.property(randomCases(), ({ network, values, samples, loss, feedback, costsOverTime }) => {
      const setup = { network, costsOverTime, products: "int16" } as const;
      const halved = { ...values, weights: values.weights.map(half) };
      const halvedFeedback = feedback.map((matrix) => matrix && half(matrix));
      feedbacks += feedback.filter((matrix) => matrix !== null).length;
      const gradientsOf = (engine: GradientEngine, now: typeof values) => {
        engine.clearGradients();
        return runEngine(engine, now, samples[0], loss).gradients;
      };
      const engine = prepare(setup, values, feedback);
      gradientsOf(engine, values);
      giveFeedback(engine, halvedFeedback);
      const otherFeedback = gradientsOf(engine, values);
      expect(otherFeedback).toEqual(gradientsOf(prepare(setup, values, halvedFeedback), values));
      const fresh = prepare(setup, halved, halvedFeedback);
      engine.values.set(fresh.values);
      expect(gradientsOf(engine, halved)).toEqual(gradientsOf(fresh, halved));
    }),
    { numRuns: 15, seed: 8 },
  );
  expect(feedbacks).toBeGreaterThan(3);
});
