/** The f32 engine against golden vectors: spikes exactly, gradients to 2e-4 of the largest entry. */
import { describe, expect, it } from "vitest";
import { bpttCases, epropCases, goldenLoss } from "./golden-networks.ts";
import { difference, prepare, runEngine } from "./run-engine.ts";

describe.each([...bpttCases(), ...epropCases()])("$name", (golden) => {
  it.each([
    { tapeBytes: 64 * 2 ** 20, products: "float32" },
    { tapeBytes: 3000, products: "float32" },
    { tapeBytes: 64 * 2 ** 20, products: "int16" },
  ] as const)("spikes, outputs and gradients, a tape of at most $tapeBytes bytes, products in $products", (setup) => {
    const engine = prepare({ network: golden.network, ...setup }, golden.values, golden.feedback);
    const batch = golden.samples.length;
    let loss = 0;
    let gradients: ReturnType<typeof runEngine>["gradients"] | null = null;
    for (const [b, { events, label }] of golden.samples.entries()) {
      const result = runEngine(engine, golden.values, events, (outputs, steps) =>
        goldenLoss(outputs, steps, label, golden.perStep, batch),
      );
      const wanted = golden.spikes[b].flat();
      expect([...result.spikes[0]].slice(0, wanted.length)).toEqual(wanted);
      expect(difference(result.outputs, golden.outputs[b].flat())).toBeLessThan(2e-5);
      loss += result.loss;
      gradients = result.gradients;
    }
    expect(Math.abs(loss / golden.loss - 1)).toBeLessThan(1e-5);
    for (const [k, wanted] of golden.gradients.weights.entries()) {
      expect(difference(gradients!.weights[k], wanted)).toBeLessThan(2e-4);
    }
    for (const [name, wanted] of Object.entries(golden.gradients.constants)) {
      expect(difference(gradients!.constants[0][name], wanted)).toBeLessThan(2e-4);
    }
  });
});
