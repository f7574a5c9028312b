/** Holds an engine that keeps or multiplies numbers in 16 bits to the one in float32, on random networks. */
import fc from "fast-check";
import { expect } from "vitest";
import type { EngineSetup } from "../../src/learning/gradient/engine-memory.ts";
import { gradientDifferences, type RandomCase, randomCases } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";

/**
 * Spikes and outputs must be the same to the last bit, and gradients within `bound` of the largest entry of their array.
 * @param isCompared whether the gradients of a network are looked at. Default: of all
 * @returns spikes, arrays of gradients, those that differ at all, and the mean of the largest differences
 */
export function compareWithFloat32(
  narrow: Pick<EngineSetup, "tape" | "products">,
  bound: number,
  runs: { readonly numRuns: number; readonly seed: number },
  isCompared: (given: RandomCase) => boolean = () => true,
) {
  const tally = { spikes: 0, compared: 0, different: 0, meanDifference: 0 };
  fc.assert(
    fc.property(randomCases(), (given) => {
      const { network, values, samples, loss, costs, feedback, sent, costsOverTime, truncateSteps, tapeBytes } = given;
      const setup = { network, costsOverTime, truncateSteps, tapeBytes };
      const [wanted, results] = [{}, narrow].map((change) => {
        const engine = prepare({ ...setup, ...change }, values, feedback);
        return samples.map((sample, s) => runEngine(engine, values, sample, loss, costs[s], sent[s]));
      });
      for (const [s, { outputs, spikes }] of wanted.entries()) {
        expect(results[s].outputs).toEqual(outputs);
        expect(results[s].spikes).toEqual(spikes);
        tally.spikes += spikes.reduce((sum, list) => sum + list.filter((z) => z > 0).length, 0);
      }
      if (!isCompared(given)) return;
      const last = samples.length - 1;
      for (const { name, difference } of gradientDifferences(
        network,
        results[last].gradients,
        wanted[last].gradients,
      )) {
        expect(difference, name).toBeLessThan(bound);
        tally.meanDifference = (tally.meanDifference * tally.compared + difference) / (tally.compared + 1);
        tally.compared++;
        if (difference > 1e-7) tally.different++;
      }
    }),
    runs,
  );
  return tally;
}
