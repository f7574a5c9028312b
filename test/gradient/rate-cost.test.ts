/** The kernel of rate costs against the plain rule of the losses. */

import { describe, expect, it } from "vitest";
import { addRateCosts } from "../../src/kernels/rate-cost/wasm.ts";
import { FilteredRate } from "../../src/learning/losses/filtered-rate.ts";
import { ModuleBuilder } from "../../src/wasm/assembler.ts";

describe("rate costs", () => {
  it.each([1, 4, 7, 13])("is what the plain rule adds for %i neurons, and nothing beyond them", (size) => {
    const steps = 40;
    const row = 4 * Math.ceil(size / 4);
    const memory = new WebAssembly.Memory({ initial: 2 });
    const at = { filtered: 64, constant: 256, costs: 1024, spikeStarts: 40_000, list: 50_000 };
    const module = new ModuleBuilder();
    addRateCosts(module, "fill", size, at);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
    const { fill } = instance.exports as Record<string, (...args: number[]) => void>;
    const spikes: number[] = [];
    const starts = [0];
    for (let t = 0; t < steps; t++) {
      for (let j = 0; j < size; j++) if ((t * 7 + j * 3) % 11 === 0) spikes.push(j);
      starts.push(spikes.length);
    }
    new Uint32Array(memory.buffer, at.list, spikes.length).set(spikes);
    new Uint32Array(memory.buffer, at.spikeStarts, steps + 1).set(starts.map((start) => at.list + 4 * start));
    const constant = Float32Array.from({ length: size }, (_, j) => 0.1 * j);
    new Float32Array(memory.buffer, at.constant, size).set(constant);
    const rule = new FilteredRate({ type: "filteredRate", strength: 0.3, targetHz: 20, tauMs: 25 }, 1);
    // Twice: the filter starts from zero each time.
    fill(steps, rule.strength, rule.target, rule.decay);
    fill(steps, rule.strength, rule.target, rule.decay);
    const wanted = new Float64Array(steps * size);
    rule.trace(new Float64Array(size), spikes, starts, steps, wanted);
    const costs = new Float32Array(memory.buffer, at.costs, steps * row);
    for (let t = 0; t < steps; t++) {
      for (let j = 0; j < row; j++) {
        const value = j < size ? wanted[t * size + j] + constant[j] : 0;
        expect(costs[t * row + j]).toBeCloseTo(value, 6);
      }
    }
  });
});
