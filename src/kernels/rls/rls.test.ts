import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { elementIndex, encodeP, int16Range, type Precision, pLayout } from "./layout.ts";
import { neuronField, neuronRecordBytes, pendingBytes, scratchBytes, synapseBytes } from "./neuron-memory.ts";
import { initialP, updateRls } from "./reference.ts";
import { addRlsKernels } from "./wasm.ts";

/** A repeatable source of numbers in [-1, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

interface Setup {
  inputs: number;
  precision: Precision;
  bounded?: boolean;
  compat?: "none" | "trainspikingnet";
  lambda?: number;
  mu?: number;
}

/** `count` neurons in one memory, with the exported kernels and views to compare. */
function makeKernel(count: number, { inputs, precision, lambda = 0.8, mu = 0.01, ...options }: Setup) {
  const layout = pLayout(inputs, precision);
  const signs = Int8Array.from({ length: inputs }, (_, slot) => (slot < inputs / 2 ? 1 : -1));
  const P0 = initialP(signs, lambda, 1, mu);
  const scale = precision === "f32" ? 1 : 1 / lambda / int16Range;
  const module = new ModuleBuilder();
  addRlsKernels(module, {
    layout,
    relaxed: false,
    compat: options.compat ?? "none",
    bounded: options.bounded ?? false,
  });
  const at = { P: 1024, pending: 0, synapses: 0, neurons: 0, scratch: 0, bounds: 0, samples: 0, biases: 0 };
  at.pending = at.P + count * layout.bytes;
  at.synapses = at.pending + count * pendingBytes(layout);
  at.neurons = at.synapses + count * synapseBytes(layout);
  at.scratch = at.neurons + count * neuronRecordBytes;
  at.bounds = at.scratch + scratchBytes(layout);
  at.samples = at.bounds + synapseBytes(layout);
  at.biases = at.samples + 16 * layout.tileRows * count * 8;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((at.biases + 4 * count * 8) / 65536) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  const template = encodeP(layout, P0, scale);
  const stored = precision === "f32" ? Float32Array : Int16Array;
  const P = Array.from({ length: count }, (_, n) => {
    const view = new stored(memory.buffer, at.P + n * layout.bytes, layout.tiles * 16);
    view.set(template);
    return view;
  });
  const synapse = (n: number, slot: number) =>
    (at.synapses + n * synapseBytes(layout)) / 4 + 8 * (slot >> 2) + (slot & 3);
  const floats = new Float32Array(memory.buffer);
  const record = (n: number, field: number) => (at.neurons + n * neuronRecordBytes + field) / 4;
  for (let n = 0; n < count; n++) {
    floats[record(n, neuronField.scale)] = scale;
    floats[record(n, neuronField.decay)] = 0.75;
  }
  return {
    layout,
    at,
    P0,
    floats,
    exports: exports as Record<string, (...args: number[]) => void>,
    p: (n: number, row: number, column: number) => P[n][elementIndex(layout, row, column)] * scale,
    weight: (n: number, slot: number) => synapse(n, slot),
    trace: (n: number, slot: number) => synapse(n, slot) + 4,
    record,
  };
}

function expectClose(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);
}

describe.each([
  { precision: "f32" as const, tolerance: 2e-5 },
  { precision: "int16" as const, tolerance: 2e-3 },
])("the RLS kernel with P in $precision", ({ precision, tolerance }) => {
  it.each([1, 3, 4, 5, 16, 45, 58, 90])("follows its float64 twin with %i inputs", (inputs) => {
    const count = 3;
    const kernel = makeKernel(count, { inputs, precision });
    const next = numbers(inputs);
    const twins = Array.from({ length: count }, () => ({
      P: Float64Array.from({ length: inputs * inputs }, (_, i) => kernel.P0(Math.floor(i / inputs), i % inputs)),
      w: Float64Array.from({ length: inputs }, next),
    }));
    twins.forEach((twin, n) => {
      twin.w.forEach((w, slot) => {
        kernel.floats[kernel.weight(n, slot)] = w;
      });
    });
    for (let update = 0; update < 40; update++) {
      twins.forEach((twin, n) => {
        const x = Float64Array.from({ length: inputs }, () => Math.fround(0.1 * Math.abs(next())));
        x.forEach((value, slot) => {
          kernel.floats[kernel.trace(n, slot)] = value;
        });
        const bias = Math.fround(next());
        kernel.floats[kernel.record(n, neuronField.bias)] = bias;
        updateRls(twin.P, twin.w, x, bias);
      });
      const { P, pending, synapses, neurons, scratch, bounds } = kernel.at;
      kernel.exports.rlsUpdate(count, P, pending, synapses, neurons, scratch, bounds);
    }
    kernel.exports.rlsFlush(count, kernel.at.P, kernel.at.pending, kernel.at.neurons);
    twins.forEach((twin, n) => {
      for (let a = 0; a < inputs; a++) {
        expectClose(kernel.floats[kernel.weight(n, a)], twin.w[a], tolerance);
        for (let b = 0; b < inputs; b++) expectClose(kernel.p(n, a, b), twin.P[a * inputs + b], tolerance);
      }
      expect(kernel.floats[kernel.record(n, neuronField.resetFlag)]).toBe(0);
    });
  });

  it("lets traces decay to the next learning time", () => {
    const kernel = makeKernel(1, { inputs: 6, precision });
    for (let slot = 0; slot < 6; slot++) kernel.floats[kernel.trace(0, slot)] = slot;
    const { P, pending, synapses, neurons, scratch, bounds } = kernel.at;
    kernel.exports.rlsUpdate(1, P, pending, synapses, neurons, scratch, bounds);
    for (let slot = 0; slot < 6; slot++) expect(kernel.floats[kernel.trace(0, slot)]).toBe(0.75 * slot);
  });

  it("gives the same bytes for a block of samples as for the samples one by one, up to the late weights", () => {
    const [blocked, single] = [0, 1].map(() => makeKernel(2, { inputs: 13, precision }));
    const next = numbers(7);
    const xs = Array.from({ length: 8 }, () => Array.from({ length: 13 }, () => 0.1 * Math.abs(next())));
    const biases = xs.map(() => next());
    for (let s = 0; s < 8; s++) {
      for (const kernel of [blocked, single]) {
        for (let n = 0; n < 2; n++) {
          xs[s].forEach((value, slot) => {
            kernel.floats[kernel.trace(n, slot)] = value;
          });
          kernel.floats[kernel.record(n, neuronField.bias)] = biases[s];
          kernel.floats[kernel.at.biases / 4 + n * 8 + s] = biases[s];
        }
      }
      const xBytes = 16 * single.layout.tileRows;
      const { at } = blocked;
      blocked.exports.rlsCapture(2, at.synapses, at.neurons, at.samples + s * xBytes, 8 * xBytes);
      single.exports.rlsUpdate(2, at.P, at.pending, at.synapses, at.neurons, at.scratch, at.bounds);
    }
    const { at } = blocked;
    blocked.exports.rlsUpdateBlock(
      2,
      at.P,
      at.pending,
      at.synapses,
      at.neurons,
      at.samples,
      at.biases,
      8,
      at.scratch,
      at.bounds,
    );
    for (const { exports } of [blocked, single]) exports.rlsFlush(2, at.P, at.pending, at.neurons);
    for (let n = 0; n < 2; n++) {
      for (let a = 0; a < 13; a++) {
        expect(blocked.floats[blocked.weight(n, a)]).toBe(single.floats[single.weight(n, a)]);
        for (let b = 0; b <= a; b++) expect(blocked.p(n, a, b)).toBe(single.p(n, a, b));
      }
    }
  });
});

describe("the RLS kernel", () => {
  const run = (kernel: ReturnType<typeof makeKernel>) => {
    const { P, pending, synapses, neurons, scratch, bounds } = kernel.at;
    kernel.exports.rlsUpdate(1, P, pending, synapses, neurons, scratch, bounds);
  };

  it.each([{ precision: "f32" as const }, { precision: "int16" as const }])(
    "gives the same bytes in $precision whenever changes put off are applied",
    ({ precision }) => {
      const [late, early] = [0, 1].map(() => makeKernel(1, { inputs: 19, precision }));
      const next = numbers(11);
      for (let update = 0; update < 12; update++) {
        const x = Array.from({ length: 19 }, () => Math.abs(next()));
        const bias = next();
        for (const kernel of [late, early]) {
          x.forEach((value, slot) => {
            kernel.floats[kernel.trace(0, slot)] = value;
          });
          kernel.floats[kernel.record(0, neuronField.bias)] = bias;
          run(kernel);
        }
        if (update % 3 === 0) early.exports.rlsFlush(1, early.at.P, early.at.pending, early.at.neurons);
      }
      for (const { exports, at } of [late, early]) exports.rlsFlush(1, at.P, at.pending, at.neurons);
      for (let a = 0; a < 19; a++) {
        expect(late.floats[late.weight(0, a)]).toBe(early.floats[early.weight(0, a)]);
        for (let b = 0; b <= a; b++) expect(late.p(0, a, b)).toBe(early.p(0, a, b));
      }
    },
  );

  it("multiplies P by what is kept when it forgets", () => {
    const kernel = makeKernel(1, { inputs: 7, precision: "f32" });
    kernel.exports.rlsScale(1, kernel.at.P, 1.25);
    for (let a = 0; a < 7; a++) {
      for (let b = 0; b < 7; b++) expectClose(kernel.p(0, a, b), 1.25 * kernel.P0(a, b), 1e-6);
    }
  });

  it("moves the weights without the factor c on request", () => {
    const kernel = makeKernel(1, { inputs: 5, precision: "f32", compat: "trainspikingnet" });
    const P = Float64Array.from({ length: 25 }, (_, i) => kernel.P0(Math.floor(i / 5), i % 5));
    const w = new Float64Array(5);
    const x = [1, 2, 3, 1, 2];
    for (const [slot, value] of x.entries()) kernel.floats[kernel.trace(0, slot)] = value;
    kernel.floats[kernel.record(0, neuronField.bias)] = -1;
    run(kernel);
    updateRls(P, w, x, -1, "trainspikingnet");
    for (let a = 0; a < 5; a++) expectClose(kernel.floats[kernel.weight(0, a)], w[a], 1e-5);
  });

  it("keeps weights inside their bounds", () => {
    const kernel = makeKernel(1, { inputs: 6, precision: "f32", bounded: true });
    const limits = new Float32Array(kernel.floats.buffer, kernel.at.bounds, 16);
    for (let slot = 0; slot < 6; slot++) {
      limits[8 * (slot >> 2) + (slot & 3)] = slot < 3 ? 0 : -0.125;
      limits[8 * (slot >> 2) + 4 + (slot & 3)] = slot < 3 ? 0.125 : 0;
      kernel.floats[kernel.trace(0, slot)] = 1;
    }
    kernel.floats[kernel.record(0, neuronField.bias)] = -5;
    run(kernel);
    const weights = [0, 1, 2, 3, 4, 5].map((slot) => kernel.floats[kernel.weight(0, slot)]);
    expect(weights).toEqual([0.125, 0.125, 0.125, 0, 0, 0]);
  });

  it("raises the flag and changes nothing when x'Px is negative or not a number", () => {
    for (const poison of [-1, Number.NaN]) {
      const kernel = makeKernel(1, { inputs: 4, precision: "f32" });
      kernel.floats.fill(poison, kernel.at.P / 4, kernel.at.P / 4 + 16);
      kernel.floats.fill(1, kernel.trace(0, 0), kernel.trace(0, 0) + 4);
      kernel.floats[kernel.weight(0, 0)] = 3;
      run(kernel);
      expect(new Int32Array(kernel.floats.buffer)[kernel.record(0, neuronField.resetFlag)]).toBe(1);
      expect(kernel.floats[kernel.weight(0, 0)]).toBe(3);
    }
  });

  it("converges to the ridge solution: w = (sum xx' + lambda I)^-1 sum x y", () => {
    const next = numbers(3);
    const w = new Float64Array(3);
    const P = Float64Array.from([2, 0, 0, 0, 2, 0, 0, 0, 2]);
    const A = [
      [0.5, 0, 0],
      [0, 0.5, 0],
      [0, 0, 0.5],
    ];
    const b = [0, 0, 0];
    for (let sample = 0; sample < 50; sample++) {
      const x = [next(), next(), next()];
      const y = next();
      updateRls(P, w, x, -y);
      for (let i = 0; i < 3; i++) {
        b[i] += x[i] * y;
        for (let j = 0; j < 3; j++) A[i][j] += x[i] * x[j];
      }
    }
    for (let i = 0; i < 3; i++) expect(A[i].reduce((sum, a, j) => sum + a * w[j], 0)).toBeCloseTo(b[i], 12);
  });

  it("starts from the inverse of the penalties", () => {
    const signs = Int8Array.from([0, 1, 1, 1, -1, -1]);
    const P = initialP(signs, 0.04, 1, 8);
    for (let a = 0; a < 6; a++) {
      for (let b = 0; b < 6; b++) {
        let product = 0;
        for (let j = 0; j < 6; j++) {
          const penalty = (a === j ? (a === 0 ? 1 : 0.04) : 0) + (signs[a] !== 0 && signs[a] === signs[j] ? 8 : 0);
          product += penalty * P(j, b);
        }
        expect(product).toBeCloseTo(a === b ? 1 : 0, 10);
      }
    }
  });
});
