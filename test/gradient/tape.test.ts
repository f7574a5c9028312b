/** The tape of 16 bits: the way forward is the same to the last bit, gradients are nearly. */
import { expect, it } from "vitest";
import { surrogates } from "../../src/expression/surrogates.ts";
import { tapeBytesPerStep } from "../../src/learning/gradient/layout.ts";
import { programsOf } from "../../src/learning/gradient/programs.ts";
import { toBfloat16 } from "../support/bfloat16.ts";
import { compareWithFloat32 } from "./narrow-numbers.ts";
import type { RandomCase } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";
import { poissonSample, population, stack } from "./small-networks.ts";

/** Of the largest entry of an array: 2^-9 of every number, multiplied along paths of some steps. */
const bound = 0.05;

/** Surrogates that jump take another value where rounding carries a margin over the jump. */
const jumps = ({ network }: RandomCase): boolean =>
  network.populations.some(({ surrogate }, p) => p !== network.readout && Number.isFinite(surrogate.support));

it("random networks: the same spikes and outputs, gradients within 5 % of the largest", () => {
  const tally = compareWithFloat32({ tape: "bfloat16" }, bound, { numRuns: 40, seed: 5 }, (given) => !jumps(given));
  expect(tally.spikes).toBeGreaterThan(600);
  expect(tally.compared).toBeGreaterThan(60);
  // The tape is in use, and most gradients are far nearer.
  expect(tally.different).toBeGreaterThan(0.3 * tally.compared);
  expect(tally.meanDifference).toBeLessThan(0.005);
});

const network = (surrogate = surrogates.sparseFastSigmoid(100, 0.2)) =>
  stack(6, [{ ...population(7, { tauMemMs: 10, tauSynMs: 5 }), surrogate }], { recurrent: true });
const sample = poissonSample(4, 0, { inputs: 6, steps: 50, rateHz: 150 });
const wave = (count: number, scale: number) =>
  Float32Array.from({ length: count }, (_, i) => scale * (((i * 5) % 7) - 2));
const values = {
  weights: [wave(42, 0.4), wave(49, 0.05), wave(14, 0.2)],
  bias: [null, null],
  constants: [{}, {}],
};

it("margins are those of the way forward, rounded; the tape takes half the bytes", () => {
  const [wide, narrow] = (["float32", "bfloat16"] as const).map((tape) =>
    prepare({ network: network(), tape }, values),
  );
  for (const engine of [wide, narrow]) engine.forward(sample);
  const exact = wide.margins(0) as Float32Array;
  expect(new Set(exact).size).toBeGreaterThan(200);
  expect(narrow.margins(0)).toEqual(exact.map(toBfloat16));
  const [programs, shape] = [programsOf(network()), network()];
  expect(tapeBytesPerStep(shape, programs, "bfloat16")).toBe(tapeBytesPerStep(shape, programs, "float32") / 2);
  expect(tapeBytesPerStep(shape, programs, "float32")).toBeGreaterThan(0);
});

it("what is skipped for a compact surrogate has no derivative at the rounded margin either", () => {
  // The same h without a support: nothing is skipped, so any neuron that was skipped wrongly would show.
  const compact = surrogates.sparseFastSigmoid(100, 0.2);
  const endless = { ...compact, support: Number.POSITIVE_INFINITY };
  const loss = (outputs: Float64Array) => ({ loss: 0, derivative: outputs.map((y, i) => Math.sin(i) + 0.1 * y) });
  const [skipping, whole] = [compact, endless].map((surrogate) => {
    const engine = prepare({ network: network(surrogate), tape: "bfloat16" }, values);
    return runEngine(engine, values, sample, loss).gradients.weights.map((list) => Array.from(list));
  });
  expect(skipping).toEqual(whole);
  expect(skipping[0].some((x) => x !== 0)).toBe(true);
});
