import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { encodeP, int16Range, type Precision, pLayout } from "./layout.ts";
import { neuronField, neuronRecordBytes, pendingBytes, scratchBytes, synapseBytes } from "./neuron-memory.ts";
import { initialP, updateRls } from "./reference.ts";
import { addRlsWindowKernel } from "./window.ts";

/** A repeatable source of numbers in [-1, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

function makeKernel(count: number, inputs: number, ring: number, precision: Precision) {
  const lambda = 0.5;
  const layout = pLayout(inputs, precision);
  const signs = Int8Array.from({ length: inputs }, (_, slot) => (slot < inputs / 2 ? 1 : -1));
  const P0 = initialP(signs, lambda, 1, 0.02);
  const scale = precision === "f32" ? 1 : 1 / lambda / int16Range;
  const module = new ModuleBuilder();
  addRlsWindowKernel(module, { layout, relaxed: false, compat: "none", bounded: false });
  const P = 1024;
  const synapses = P + 2 * layout.bytes + pendingBytes(layout);
  const neurons = synapses + count * synapseBytes(layout);
  const samples = neurons + count * neuronRecordBytes;
  const scratch = samples + count * ring * 16 * layout.tileRows;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((scratch + scratchBytes(layout)) / 65536) });
  const compiled = new WebAssembly.Module(module.toBytes());
  const exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Record<
    string,
    (...args: number[]) => void
  >;
  const floats = new Float32Array(memory.buffer);
  const template = encodeP(layout, P0, scale);
  const start = new Uint8Array(template.buffer, template.byteOffset, template.byteLength);
  const stored = new Uint8Array(memory.buffer, P, start.length);
  stored.set(start);
  const record = (n: number, field: number) => (neurons + n * neuronRecordBytes + field) / 4;
  for (let n = 0; n < count; n++) floats[record(n, neuronField.scale)] = scale;
  return {
    P0,
    floats,
    record,
    start,
    stored,
    weight: (n: number, slot: number) => (synapses + n * synapseBytes(layout)) / 4 + 8 * (slot >> 2) + (slot & 3),
    sample: (n: number, index: number) => samples / 4 + (n * ring + index) * 4 * layout.tileRows,
    update: (newest: number, remembered: number) =>
      exports.rlsUpdateWindow(count, P, synapses, neurons, samples, newest, remembered, ring, scratch, 0),
  };
}

describe.each([
  { precision: "f32" as const, tolerance: 2e-5 },
  { precision: "int16" as const, tolerance: 2e-3 },
])("the windowed RLS kernel with P in $precision", ({ precision, tolerance }) => {
  it.each([
    { inputs: 1, ring: 1 },
    { inputs: 5, ring: 4 },
    { inputs: 13, ring: 3 },
    { inputs: 32, ring: 10 },
  ])(
    "follows P rebuilt from the last $ring samples of $inputs inputs, three times round the ring",
    ({ inputs, ring }) => {
      const count = 3;
      const kernel = makeKernel(count, inputs, ring, precision);
      const next = numbers(inputs + 100 * ring);
      const weights = Array.from({ length: count }, (_, n) => {
        const w = Float64Array.from({ length: inputs }, next);
        w.forEach((value, slot) => {
          kernel.floats[kernel.weight(n, slot)] = value;
        });
        return w;
      });
      const past = weights.map((): Float64Array[] => []);
      const sums = weights.map(() => ({ squaredError: 0, gain: 0, largestGain: 0 }));
      for (let update = 0; update < 3 * ring + 1; update++) {
        const newest = update % ring;
        weights.forEach((w, n) => {
          const x = Float64Array.from({ length: inputs }, () => Math.fround(0.3 * Math.abs(next())));
          kernel.floats.set(x, kernel.sample(n, newest));
          past[n].push(x);
          const bias = Math.fround(next());
          kernel.floats[kernel.record(n, neuronField.bias)] = bias;
          const P = Float64Array.from({ length: inputs * inputs }, (_, i) =>
            kernel.P0(Math.floor(i / inputs), i % inputs),
          );
          for (const older of past[n].slice(-ring, -1)) updateRls(P, new Float64Array(inputs), older, 0);
          const { error, gain } = updateRls(P, w, x, bias);
          sums[n].squaredError += error * error;
          sums[n].gain += gain;
          sums[n].largestGain = Math.max(sums[n].largestGain, gain);
        });
        kernel.update(newest, Math.min(ring, update + 1));
        weights.forEach((w, n) => {
          w.forEach((value, slot) => {
            expect(Math.abs(kernel.floats[kernel.weight(n, slot)] - value)).toBeLessThan(tolerance);
          });
        });
      }
      weights.forEach((w, n) => {
        const value = (field: keyof typeof neuronField) => kernel.floats[kernel.record(n, neuronField[field])];
        for (const field of ["squaredError", "gain", "largestGain"] as const) {
          expect(Math.abs(value(field) / sums[n][field] - 1)).toBeLessThan(10 * tolerance);
        }
        expect(Math.abs(value("sumAbsWeight") - w.reduce((sum, x) => sum + Math.abs(x), 0))).toBeLessThan(
          inputs * tolerance,
        );
        expect(value("resetFlag")).toBe(0);
      });
      expect(kernel.stored, "the start of P stays").toEqual(kernel.start);
    },
  );
});

it("learns from the newest sample alone when no other is remembered", () => {
  const [inputs, ring] = [6, 3];
  const kernel = makeKernel(1, inputs, ring, "f32");
  for (let index = 0; index < ring; index++) {
    for (let slot = 0; slot < inputs; slot++) kernel.floats[kernel.sample(0, index) + slot] = index === 1 ? 0.5 : 1e6;
  }
  kernel.floats[kernel.record(0, neuronField.bias)] = -1;
  kernel.update(1, 1);
  const P = Float64Array.from({ length: inputs * inputs }, (_, i) => kernel.P0(Math.floor(i / inputs), i % inputs));
  const w = new Float64Array(inputs);
  updateRls(P, w, new Array(inputs).fill(0.5), -1);
  for (let slot = 0; slot < inputs; slot++) expect(kernel.floats[kernel.weight(0, slot)]).toBeCloseTo(w[slot], 5);
});

it("keeps the damage of a neuron whose numbers have gone bad to itself", () => {
  const [inputs, ring] = [5, 2];
  const kernels = [Number.NaN, 0.25].map((bad) => {
    const kernel = makeKernel(3, inputs, ring, "f32");
    for (let n = 0; n < 3; n++) {
      for (let slot = 0; slot < inputs; slot++) kernel.floats[kernel.sample(n, 0) + slot] = n === 1 ? bad : 0.5;
      kernel.floats[kernel.record(n, neuronField.bias)] = -1;
    }
    kernel.update(0, 1);
    return kernel;
  });
  const [damaged, healthy] = kernels;
  const flag = (kernel: (typeof kernels)[number], n: number) =>
    new Int32Array(kernel.floats.buffer)[kernel.record(n, neuronField.resetFlag)];
  expect([0, 1, 2].map((n) => flag(damaged, n))).toEqual([0, 1, 0]);
  for (const n of [0, 2]) {
    for (let slot = 0; slot < inputs; slot++) {
      expect(damaged.floats[damaged.weight(n, slot)]).toBe(healthy.floats[healthy.weight(n, slot)]);
    }
  }
});
