import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { accumulate, alongRow, dots, type RowShape, scatter } from "./reference.ts";
import { addAccumulate, addDots, addScatter, padded } from "./wasm.ts";

interface Setup {
  readonly shape: RowShape;
  readonly valued: boolean;
  readonly support: number;
  readonly weights: Float32Array;
  readonly row: Float32Array;
  readonly spikes: { source: number; value: number }[];
  readonly margins: Float32Array;
}

/** Runs the three kernels; matrices travel unpadded. */
function run({ shape, valued, support, weights, row, spikes, margins }: Setup) {
  const stride = padded(shape.targets);
  const memory = new WebAssembly.Memory({ initial: 16 });
  let free = 64;
  const take = (entries: number) => {
    const at = free;
    free += 16 * Math.ceil(entries / 4) + 16;
    return at;
  };
  const sources = padded(shape.sources);
  const at = {
    offsets: take(sources + 1),
    targets: take(weights.length),
    matrix: take(sources * stride),
    gradient: take(sources * stride),
    row: take(stride),
    current: take(stride),
    out: take(sources),
    margins: take(sources),
    list: take(spikes.length),
    values: take(spikes.length),
  };
  const f32 = (address: number, n: number) => new Float32Array(memory.buffer, address, n);
  const u32 = (address: number, n: number) => new Uint32Array(memory.buffer, address, n);
  const place = (i: number, w: number, target: number) => (shape.sparse === null ? i * stride + target : w);
  for (let i = 0; i < shape.sources; i++) {
    alongRow(shape, i, (w, target) => {
      f32(at.matrix, sources * stride)[place(i, w, target)] = weights[w];
    });
  }
  if (shape.sparse !== null) {
    u32(at.offsets, sources + 1)
      .fill(weights.length)
      .set(shape.sparse.offsets);
    u32(at.targets, weights.length).set(shape.sparse.targets);
  }
  f32(at.row, row.length).set(row);
  f32(at.margins, sources).fill(1e9).set(margins);
  u32(at.list, spikes.length).set(spikes.map(({ source }) => source));
  f32(at.values, spikes.length).set(spikes.map(({ value }) => value));
  const options = { ...shape, sparse: shape.sparse ? at : null, valued, relaxed: false };
  const module = new ModuleBuilder();
  addAccumulate(module, "accumulate", options);
  addScatter(module, "scatter", options);
  addDots(module, "dots", options, support);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  const kernels = instance.exports as Record<string, (...args: number[]) => void>;
  const end = at.list + 4 * spikes.length;
  kernels.accumulate(at.list, end, at.values, at.matrix, at.current);
  kernels.scatter(at.list, end, at.values, at.gradient, at.row);
  kernels.dots(at.matrix, at.row, at.out, at.margins);
  const gradient = new Float64Array(weights.length);
  for (let i = 0; i < shape.sources; i++) {
    alongRow(shape, i, (w, target) => {
      gradient[w] = f32(at.gradient, sources * stride)[place(i, w, target)];
    });
  }
  return {
    current: f32(at.current, shape.targets),
    gradient,
    out: f32(at.out, shape.sources),
    padding: f32(at.current, stride).subarray(shape.targets),
  };
}

const number = fc.float({ min: -2, max: 2, noNaN: true }).map((x) => (Math.abs(x) < 1e-3 ? 0 : x));

const setups: fc.Arbitrary<Setup> = fc
  .record({
    sources: fc.integer({ min: 1, max: 13 }),
    targets: fc.integer({ min: 1, max: 75 }),
    isSparse: fc.boolean(),
    valued: fc.boolean(),
    seed: fc.array(number, { minLength: 64, maxLength: 64 }),
    support: fc.constantFrom(0.5, Number.POSITIVE_INFINITY),
  })
  .chain(({ sources, targets, isSparse, valued, seed, support }) =>
    fc.array(fc.record({ source: fc.nat(sources - 1), value: number }), { maxLength: 9 }).map((spikes) => {
      const at = (i: number) => seed[(i * 31 + (i >> 3)) % seed.length];
      const rows = Array.from({ length: sources }, (_, i) =>
        Array.from({ length: targets }, (_, j) => j).filter((j) => !isSparse || at(i * targets + j) > 0.5),
      );
      const offsets = new Uint32Array(sources + 1);
      for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i] + row.length;
      const shape = {
        sources,
        targets,
        sparse: isSparse ? { offsets, targets: Uint32Array.from(rows.flat()) } : null,
      };
      return {
        shape,
        valued,
        support,
        weights: Float32Array.from({ length: offsets[sources] }, (_, i) => at(i + 7)),
        row: Float32Array.from({ length: targets }, (_, j) => at(j + 3)),
        spikes: spikes.map(({ source, value }) => ({ source, value: valued ? value : 1 })),
        margins: Float32Array.from({ length: sources }, (_, i) => at(i + 11)),
      };
    }),
  );

function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  for (let i = 0; i < wanted.length; i++) expect(actual[i]).toBeCloseTo(wanted[i], 3);
}

describe("rows under spikes", () => {
  it("does what the plain twin does, dense and sparse, with and without values", () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const { shape, weights, row, spikes, support, margins } = setup;
        const result = run(setup);
        const current = new Float64Array(shape.targets);
        accumulate(shape, weights, spikes, current);
        expectClose(result.current, current);
        expect([...result.padding].every((x) => x === 0)).toBe(true);
        const gradient = new Float64Array(weights.length);
        scatter(shape, row, spikes, gradient);
        expectClose(result.gradient, gradient);
        const out = new Float64Array(shape.sources);
        dots(shape, weights, row, out);
        for (let i = 0; i < shape.sources; i++) {
          const four = Array.from(margins.subarray(4 * (i >> 2), 4 * (i >> 2) + 4));
          const skipped = four.every((x) => Math.abs(x) > support);
          expect(result.out[i]).toBeCloseTo(skipped ? 0 : out[i], 3);
        }
      }),
      { numRuns: 150 },
    );
  });
});
