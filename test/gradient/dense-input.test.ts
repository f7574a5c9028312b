/** The two forms in which the engine takes its input, event by event and four steps at a time: the same bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { GradientEngine } from "../../src/learning/gradient/engine.ts";
import { hasDenseForm } from "../../src/learning/gradient/spec.ts";
import { type RandomCase, randomCases } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";

/** Everything that the samples of a case leave behind. */
function results(given: RandomCase, denseFrom: number, samples: readonly StepEvents[] = given.samples) {
  const { network, values, loss, costs, feedback, sent, costsOverTime, truncateSteps, tapeBytes } = given;
  const engine = prepare({ network, costsOverTime, truncateSteps, tapeBytes, denseFrom }, values, feedback);
  const passes = samples.map((sample, s) => {
    const { outputs, spikes } = runEngine(engine, values, sample, loss, costs[s], sent[s]);
    return { outputs, spikes, dense: engine.dense };
  });
  const gradients = engine.gradients;
  return {
    outputs: passes.map(({ outputs }) => outputs),
    spikes: passes.map(({ spikes }) => spikes),
    gradients: new Uint8Array(gradients.buffer, gradients.byteOffset, gradients.byteLength).slice(),
    dense: passes.map(({ dense }) => dense),
  };
}

/** Compares the forms; how many projections had both. */
function compare(given: RandomCase): number {
  const byEvents = results(given, Number.POSITIVE_INFINITY);
  const dense = results(given, 0);
  const projections = given.network.projections.filter((projection) => hasDenseForm(given.network, projection));
  expect(byEvents.dense).toEqual(given.samples.map(() => false));
  expect(dense.dense).toEqual(given.samples.map(() => projections.length > 0));
  expect(dense.outputs).toEqual(byEvents.outputs);
  expect(dense.spikes).toEqual(byEvents.spikes);
  expect(dense.gradients).toEqual(byEvents.gradients);
  return projections.length;
}

describe("dense input", () => {
  it("has the bytes of its events in random networks", () => {
    let projections = 0;
    fc.assert(
      fc.property(randomCases(), (given) => {
        projections += compare(given);
      }),
      { numRuns: 60, seed: 5 },
    );
    expect(projections).toBeGreaterThan(30);
  });

  it("has them where neurons have several inputs", () => {
    let projections = 0;
    fc.assert(
      fc.property(randomCases({ models: ["StorkExcInhLIF"] }), (given) => {
        projections += compare(given);
      }),
      { numRuns: 20, seed: 6 },
    );
    expect(projections).toBeGreaterThan(10);
  });

  it("has them when a longer sample needs more memory", () => {
    let projections = 0;
    fc.assert(
      fc.property(randomCases({ steps: [3, 130, 5] }), (given) => {
        projections += compare(given);
      }),
      { numRuns: 16, seed: 7 },
    );
    expect(projections).toBeGreaterThan(3);
  });
});

/** A case whose projections from the input are alike dense and learn. */
function someCase(): RandomCase {
  const found = fc.sample(randomCases({ steps: [9], plain: true }), { numRuns: 200, seed: 8 }).find(({ network }) => {
    const { connectivity, trained } = network.projections[0];
    return network.inputs === 5 && connectivity === "dense" && trained;
  });
  if (found === undefined) throw new Error("no such case");
  return found;
}

/** A sample of 9 steps in each of which these channels have an event. */
function sampleOf(channels: readonly number[]): StepEvents {
  return {
    steps: 9,
    offsets: Uint32Array.from({ length: 10 }, (_, t) => t * channels.length),
    channels: Uint32Array.from({ length: 9 * channels.length }, (_, i) => channels[i % channels.length]),
    values: Float32Array.from({ length: 9 * channels.length }, (_, i) => 0.5 + (i % 7) / 5),
  };
}

describe("the form of an input", () => {
  it("is that of its density", () => {
    const given = someCase();
    const samples = [[], [1], [0, 3], [0, 1, 3], [0, 1, 3, 4], [0, 1, 2, 3, 4]].map(sampleOf);
    const { dense } = results({ ...given, costs: [], sent: samples.map(() => []) }, 0.6, samples);
    expect(dense).toEqual([false, false, false, true, true, true]);
  });

  it("changes at lower densities for more neurons, and nowhere without a projection that has both", () => {
    const { network } = someCase();
    const threshold = (size: number, sparse = false) => {
      const populations = network.populations.map((population) => ({ ...population, size }));
      const none = { offsets: new Uint32Array(size + 1), targets: new Uint32Array(0) };
      const projections = network.projections.map((projection) => ({
        ...projection,
        sources: undefined,
        connectivity: sparse ? none : ("dense" as const),
      }));
      const larger = { ...network, inputs: size, populations, projections };
      return new GradientEngine({ network: larger, backward: false }).denseFrom;
    };
    expect(threshold(8)).toBeGreaterThan(1);
    expect(threshold(256)).toBeCloseTo(0.497, 3);
    expect(threshold(64)).toBeGreaterThan(threshold(128));
    expect(threshold(64, true)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is that of events where the channels of a step are out of order, or come twice", () => {
    const given = someCase();
    const samples = [
      [0, 1, 3, 2],
      [0, 1, 1, 2],
      [0, 1, 2, 3],
    ].map(sampleOf);
    const plain = { ...given, costs: [], sent: samples.map(() => []) };
    const dense = results(plain, 0.6, samples);
    expect(dense.dense).toEqual([false, false, true]);
    expect(dense.gradients).toEqual(results(plain, Number.POSITIVE_INFINITY, samples).gradients);
  });
});
