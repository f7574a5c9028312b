import { afterEach, describe, expect, test, vi } from "vitest";
import { UserError } from "../../base/errors.ts";
import { surrogates } from "../../expression/surrogates.ts";
import { readoutModels } from "../../model/built-in.ts";
import { resolveModel } from "../../model/resolve.ts";
import { type GradientNetwork, type NetworkValues, type ProjectionSpec, synapseCount } from "./spec.ts";
import { StreamingEprop } from "./streaming-eprop.ts";

function network(inputs: number, size: number): GradientNetwork {
  const model = resolveModel({ type: "BellecALIF", parameters: {} });
  const readout = resolveModel({ type: "LI", parameters: {} }, 2, readoutModels.LI);
  const common = { detachReset: true, trainable: [], bias: true };
  const projection = (
    name: string,
    source: number | "input",
    target: number,
    backward: "none" | "weights",
  ): ProjectionSpec => ({ name, source, target, delaySteps: 1, connectivity: "dense", backward, trained: true });
  return {
    dtMs: 1,
    inputs,
    populations: [
      { ...common, name: "hidden", size, model, surrogate: surrogates.triangle(), trainable: ["tauMemMs"] },
      { ...common, name: "readout", size: 2, model: readout, surrogate: surrogates.none() },
    ],
    projections: [
      projection("in", "input", 0, "none"),
      projection("rec", 0, 0, "none"),
      projection("out", 0, 1, "weights"),
    ],
    readout: 1,
  };
}

const zeros = (given: GradientNetwork): NetworkValues<Float64Array> => ({
  weights: given.projections.map((projection) => new Float64Array(synapseCount(given, projection))),
  bias: given.populations.map(({ size }) => new Float64Array(size)),
  constants: given.populations.map(({ trainable, size }) =>
    Object.fromEntries(trainable.map((name) => [name, new Float64Array(size).fill(20)])),
  ),
});

/** What a network says that it needs, from its message. */
function needed(given: GradientNetwork, chunkSteps: number): { message: string; bytes: number } {
  try {
    new StreamingEprop(given, zeros(given), { chunkSteps, memoryBytes: 1000 });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as Error;
    const [, number, unit] = /needs ([\d.e+]+) ([kM]B) of memory/.exec(message)!;
    return { message, bytes: Number(number) * (unit === "MB" ? 1e6 : 1e3) };
  }
  throw new Error("it was not refused");
}

describe("what streaming e-prop takes", () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each([
    ["many synapses", network(200, 120), 5, /at synapses.*; fewer or sparse connections/],
    ["long chunks", network(3, 20), 1500, /at neurons for chunks of 1500 steps.*; shorter chunks \(chunkSteps\)/],
  ])("%s: need, have, what to do; and the need is what is then taken", (_, given, chunkSteps, advice) => {
    const { message, bytes } = needed(given, chunkSteps);
    expect(message).toMatch(advice);
    expect(message).toMatch(/memoryBytes allows 1\.00 kB; .*, or raise memoryBytes if the machine has more$/);
    const values = zeros(given);
    const events = {
      steps: chunkSteps,
      offsets: new Uint32Array(chunkSteps + 1),
      channels: new Uint32Array(0),
      values: null,
    };
    let taken = 0;
    const Original = Float64Array;
    class Counted extends Original {
      constructor(...args: [number]) {
        super(...args);
        if (typeof args[0] === "number") taken += this.byteLength;
      }
    }
    vi.stubGlobal("Float64Array", Counted);
    const eprop = new StreamingEprop(given, values, { chunkSteps, memoryBytes: 1.01 * bytes });
    eprop.push(events, ({ outputs }) => ({ errors: outputs }));
    // Half a float64 for the target of a synapse.
    const synapses = given.projections.reduce((sum, projection) => sum + synapseCount(given, projection), 0);
    const ratio = (taken + 4 * synapses) / bytes;
    expect(ratio).toBeGreaterThan(0.97);
    expect(ratio).toBeLessThan(1.05);
  });

  test("by default 2 GiB are allowed", () => {
    // 80 million synapses of some numbers each; the check comes before anybody looks at their weights.
    expect(() => new StreamingEprop(network(200_000, 400), zeros(network(1, 400)), { chunkSteps: 1 })).toThrow(
      /needs \d\.\d+ GB of memory.* memoryBytes allows 2\.15 GB/,
    );
  });
});
