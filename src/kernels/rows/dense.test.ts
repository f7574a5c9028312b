import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { addDenseAccumulate, addDenseScatter, addSpread, stepsAtOnce } from "./dense.ts";
import { accumulate, type RowShape, scatter } from "./reference.ts";
import { addAccumulate, addScatter, padded } from "./wasm.ts";

interface Setup {
  readonly sources: number;
  readonly targets: number;
  readonly gain: number;
  readonly valued: boolean;
  readonly density: number;
  readonly seed: number;
}

/** What lies behind the ends of matrices and rows; nothing may leak from there, or be written there. */
const beyond = 1e30;

type Steps = { source: number; value: number }[][];
type Kernels = Record<string, (...args: number[]) => void>;

/** Runs both forms, four steps, on the same numbers. */
function run({ sources, targets, gain, valued }: Setup, steps: Steps, wave: (i: number) => number) {
  const stride = padded(targets);
  const memory = new WebAssembly.Memory({ initial: 64 });
  let free = 64;
  const take = (entries: number) => {
    const at = free;
    free += 16 * Math.ceil(entries / 4) + 16;
    new Float32Array(memory.buffer, free - 16, 4).fill(beyond);
    return { at, view: () => new Float32Array(memory.buffer, at, entries) };
  };
  const matrix = take(sources * stride);
  const x = take(stepsAtOnce * sources);
  const lists = steps.map((events) => ({ list: take(events.length), values: take(events.length), end: 0 }));
  const forms = ["event", "dense"].map((form) => ({
    form,
    rows: take(stepsAtOnce * stride),
    gradient: take(sources * stride),
  }));
  const guards = () => {
    const ends = [matrix, x, ...forms.flatMap(({ rows, gradient }) => [rows, gradient])];
    return ends.map(({ at, view }) => {
      const end = at + 16 * Math.ceil(view().length / 4);
      return [...new Float32Array(memory.buffer, end, 4)];
    });
  };
  const rowsOf = (count: number, view: Float32Array, phase: number) => {
    for (let i = 0; i < count; i++)
      for (let j = 0; j < targets; j++) view[i * stride + j] = wave(i * targets + j + phase);
  };
  rowsOf(sources, matrix.view(), 5);
  for (const [s, events] of steps.entries()) {
    const { list, values } = lists[s];
    new Uint32Array(memory.buffer, list.at, events.length).set(events.map(({ source }) => source));
    values.view().set(events.map(({ value }) => value));
  }
  const module = new ModuleBuilder();
  const options = { sources, targets, gain, valued, sparse: null, relaxed: false };
  addAccumulate(module, "accumulate", options);
  addScatter(module, "scatter", options);
  addSpread(module, "spread", options);
  addDenseAccumulate(module, "dense accumulate", options);
  addDenseScatter(module, "dense scatter", options);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  const kernels = instance.exports as Kernels;
  for (const [s, events] of steps.entries()) {
    const { list, values } = lists[s];
    kernels.spread(list.at, list.at + 4 * events.length, values.at, x.at + 4 * s);
  }
  const results = forms.map(({ form, rows, gradient }) => {
    // Sums go on from what is there.
    rowsOf(stepsAtOnce, rows.view(), 11);
    rowsOf(sources, gradient.view(), 17);
    const adjoints = rows.view().slice();
    const byEvents = (name: string, at: number) => {
      for (const [s, events] of steps.entries()) {
        const { list, values } = lists[s];
        kernels[name](list.at, list.at + 4 * events.length, values.at, at, rows.at + 4 * s * stride);
      }
    };
    if (form === "event") byEvents("scatter", gradient.at);
    else kernels["dense scatter"](x.at, gradient.at, rows.at);
    expect(rows.view()).toEqual(adjoints);
    if (form === "event") byEvents("accumulate", matrix.at);
    else kernels["dense accumulate"](x.at, matrix.at, rows.at);
    return { adjoints, currents: rows.view(), gradient: gradient.view() };
  });
  return { stride, matrix: matrix.view(), event: results[0], dense: results[1], guards: guards() };
}

const bytesOf = (numbers: Float32Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).slice();

function expectClose(actual: Float32Array, wanted: Float64Array): void {
  const differences = Array.from(wanted, (x, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(actual[i] - x)));
  expect(Math.max(0, ...differences)).toBeLessThan(1e-4);
}

function compare(setup: Setup): number {
  const { sources, targets, gain, valued, density, seed } = setup;
  const wave = (i: number) => Math.fround((((i + seed) * 7919) % 1009) / 504 - 1);
  const steps = Array.from({ length: stepsAtOnce }, (_, s) =>
    Array.from({ length: sources }, (_, source) => ({ source, value: valued ? wave(31 * source + s) : 1 })).filter(
      ({ source }) => (wave(13 * source + 7 * s) + 1) / 2 < density,
    ),
  );
  const { stride, matrix, event, dense, guards } = run(setup, steps, wave);
  expect(bytesOf(dense.currents)).toEqual(bytesOf(event.currents));
  expect(bytesOf(dense.gradient)).toEqual(bytesOf(event.gradient));
  for (const guard of guards) expect(guard).toEqual(new Array(4).fill(Math.fround(beyond)));

  const shape: RowShape = { sources, targets, connectivity: "dense" };
  const unpad = (rows: Float32Array, row: number) => rows.subarray(row * stride, row * stride + targets);
  const weights = Array.from({ length: sources }, (_, i) => [...unpad(matrix, i)]).flat();
  const gradient = Float64Array.from({ length: sources * targets }, (_, i) => wave(i + 17));
  for (const [s, spikes] of steps.entries()) {
    const current = Float64Array.from(unpad(dense.adjoints, s));
    scatter(shape, current.slice(), spikes, gradient, gain);
    accumulate(shape, weights, spikes, current, gain);
    expectClose(unpad(dense.currents, s), current);
  }
  for (let i = 0; i < sources; i++) {
    expectClose(unpad(dense.gradient, i), gradient.subarray(i * targets, (i + 1) * targets));
  }
  for (const rows of [dense.currents, dense.gradient]) {
    expect(rows.every((value, i) => i % stride < targets || value === 0)).toBe(true);
  }
  return steps.flat().length;
}

describe("rows under dense input", () => {
  it("are those of the plain twin, with the bytes of the event form, and nothing else is touched", () => {
    let events = 0;
    const setups = fc.record<Setup>({
      sources: fc.integer({ min: 1, max: 40 }),
      targets: fc.integer({ min: 1, max: 45 }),
      gain: fc.constantFrom(1, 0.3),
      valued: fc.boolean(),
      density: fc.constantFrom(0, 0.5, 0.9, 1),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(setups, (setup) => {
        events += compare(setup);
      }),
      { numRuns: 100 },
    );
    expect(events).toBeGreaterThan(1000);
  });

  it("are so over several tiles of channels, the last one shorter, and for rows longer than a tile", () => {
    for (const [sources, targets] of [
      [131, 64],
      [70, 61],
      [3, 4100],
    ]) {
      compare({ sources, targets, gain: 1, valued: true, density: 0.7, seed: 3 });
    }
  });
});
