import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bfloat16Bits, toBfloat16 } from "../../../test/support/bfloat16.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import type { TapeFormat } from "../tape.ts";
import { accumulate, dots, type RowShape, type SharedConnections, scatter } from "./reference.ts";
import { comeInFours, sharedTableBytes, writeSharedTables } from "./shared.ts";
import { addAccumulate, addDots, addScatter, padded } from "./wasm.ts";

interface Setup {
  readonly shape: RowShape;
  readonly valued: boolean;
  readonly support: number;
  readonly gain: number;
  readonly weights: Float32Array;
  readonly row: Float32Array;
  readonly spikes: { source: number; value: number }[];
  readonly margins: Float32Array;
  readonly format: TapeFormat;
}

const isShared = (connectivity: RowShape["connectivity"]): connectivity is SharedConnections =>
  connectivity !== "dense" && "width" in connectivity;

/** What lies behind the ends of matrices and rows; nothing may leak from there, or be written there. */
const beyond = 1e30;

/** Runs the three kernels; matrices travel unpadded. */
function run({ shape, valued, support, gain, weights, row, spikes, margins, format }: Setup) {
  const { connectivity, targets } = shape;
  const shared = isShared(connectivity) ? connectivity : null;
  const sparse = connectivity === "dense" || isShared(connectivity) ? null : connectivity;
  // Rows of a matrix: columns that are used, and the distance of rows.
  const columns = connectivity === "dense" ? targets : (shared?.width ?? weights.length);
  const stride = sparse ? columns : padded(columns);
  const rows = sparse ? 1 : shared ? weights.length / shared.width : padded(shape.sources);
  const memory = new WebAssembly.Memory({ initial: 16 });
  let free = 64;
  const take = (entries: number) => {
    const at = free;
    free += 16 * Math.ceil(entries / 4) + 32;
    return at;
  };
  const f32 = (address: number, n: number) => new Float32Array(memory.buffer, address, n);
  const u32 = (address: number, n: number) => new Uint32Array(memory.buffer, address, n);
  const sources = padded(shape.sources);
  const tables = shared && sharedTableBytes(shared);
  const at = {
    offsets: take(tables ? tables.offsets / 4 : sources + 1),
    targets: take(tables ? tables.blocks / 4 : weights.length),
    matrix: take(rows * stride),
    gradient: take(rows * stride),
    row: take(padded(targets)),
    current: take(padded(targets)),
    out: take(sources),
    margins: take(sources),
    list: take(spikes.length),
    values: take(spikes.length),
  };
  const guards = [at.gradient + 4 * rows * stride, at.current + 4 * padded(targets)];
  for (const guard of guards) f32(guard, 4).fill(beyond);
  if (shared) f32(at.row + 4 * targets, 4).fill(Number.NaN);
  const place = (weight: number) => Math.floor(weight / columns) * stride + (weight % columns);
  for (const [weight, value] of weights.entries()) f32(at.matrix, rows * stride)[place(weight)] = value;
  const sharedTables = shared && {
    width: shared.width,
    inFours: comeInFours(shared),
    offsets: at.offsets,
    blocks: at.targets,
  };
  if (shared && sharedTables) writeSharedTables(memory.buffer, sharedTables, shared);
  if (sparse) {
    u32(at.offsets, sources + 1)
      .fill(weights.length)
      .set(sparse.offsets);
    u32(at.targets, weights.length).set(sparse.targets);
  }
  f32(at.row, row.length).set(row);
  if (format === "float32") f32(at.margins, sources).fill(1e9).set(margins);
  else new Uint16Array(memory.buffer, at.margins, sources).fill(bfloat16Bits(2 ** 30)).set(margins.map(bfloat16Bits));
  u32(at.list, spikes.length).set(spikes.map(({ source }) => source));
  f32(at.values, spikes.length).set(spikes.map(({ value }) => value));
  const options = {
    sources: shape.sources,
    targets,
    sparse: sparse ? at : null,
    shared: sharedTables,
    gain,
    valued,
    relaxed: false,
  };
  const module = new ModuleBuilder();
  addAccumulate(module, "accumulate", options);
  addScatter(module, "scatter", options);
  addDots(module, "dots", options, support, format);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  const kernels = instance.exports as Record<string, (...args: number[]) => void>;
  const end = at.list + 4 * spikes.length;
  kernels.accumulate(at.list, end, at.values, at.matrix, at.current);
  kernels.scatter(at.list, end, at.values, at.gradient, at.row);
  kernels.dots(at.matrix, at.row, at.out, at.margins);
  const whole = f32(at.gradient, rows * stride);
  const used = new Set(Array.from(weights, (_, weight) => place(weight)));
  return {
    current: f32(at.current, targets),
    gradient: Float64Array.from(weights, (_, weight) => whole[place(weight)]),
    out: f32(at.out, shape.sources),
    padding: [...f32(at.current, padded(targets)).subarray(targets), ...whole.filter((_, i) => !used.has(i))],
    beyond: guards.flatMap((guard) => [...f32(guard, 4)]),
  };
}

const number = fc.float({ min: -2, max: 2, noNaN: true }).map((x) => (Math.abs(x) < 1e-3 ? 0 : x));

/** The rows of a matrix in which a pattern of numbers says what is connected. */
function drawConnectivity(
  kind: "dense" | "sparse" | "shared",
  { sources, targets, at }: { sources: number; targets: number; at: (i: number) => number },
): RowShape["connectivity"] {
  if (kind === "dense") return "dense";
  const offsets = new Uint32Array(sources + 1);
  if (kind === "sparse") {
    const rows = Array.from({ length: sources }, (_, i) =>
      Array.from({ length: targets }, (_, j) => j).filter((j) => at(i * targets + j) > 0.5),
    );
    for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i] + row.length;
    return { offsets, targets: Uint32Array.from(rows.flat()) };
  }
  const share = (i: number) => Math.min(0.999, Math.abs(at(i)) / 2);
  const width = 1 + Math.floor(share(5) * targets);
  // Four by four with the same blocks, as channels of a convolution have them, or each source with its own.
  const fours = sources % 4 === 0 && at(2) > -1;
  const leader = (i: number) => (fours ? i - (i % 4) : i);
  const weightRows: number[] = [];
  const firstTargets: number[] = [];
  for (let i = 0; i < sources; i++) {
    const count = Math.floor(5 * share(leader(i) + 9));
    for (let b = 0; b < count; b++) {
      const draw = 5 * leader(i) + b;
      weightRows.push(Math.floor(3 * share(draw + 1)) + (fours ? i % 4 : 0));
      firstTargets.push(Math.floor(share(3 * draw) * (targets - width + 1)));
    }
    offsets[i + 1] = weightRows.length;
  }
  return { width, offsets, weightRows: Uint32Array.from(weightRows), firstTargets: Uint32Array.from(firstTargets) };
}

function weightCount({ sources, targets, connectivity }: RowShape): number {
  if (connectivity === "dense") return sources * targets;
  return isShared(connectivity) ? 6 * connectivity.width : connectivity.targets.length;
}

const setups: fc.Arbitrary<Setup> = fc
  .record({
    sources: fc.oneof(fc.integer({ min: 1, max: 13 }), fc.constantFrom(4, 8)),
    targets: fc.integer({ min: 1, max: 75 }),
    kind: fc.constantFrom("dense", "sparse", "shared"),
    valued: fc.boolean(),
    seed: fc.nat(2 ** 20),
    support: fc.constantFrom(0.5, Number.POSITIVE_INFINITY),
    gain: fc.constantFrom(1, 0.25),
    format: fc.constantFrom<TapeFormat>("float32", "bfloat16"),
  })
  .chain(({ sources, targets, kind, valued, seed, support, gain, format }) =>
    fc.array(fc.record({ source: fc.nat(sources - 1), value: number }), { maxLength: 9 }).map((spikes) => {
      const draws = new Float64Array(1 << 10);
      new Philox(seed).uniform(streamOf(streamKind.test, 0), 0, draws);
      const at = (i: number) => 4 * draws[i % draws.length] - 2;
      const shape = { sources, targets, connectivity: drawConnectivity(kind, { sources, targets, at }) };
      return {
        shape,
        valued,
        support,
        gain,
        weights: Float32Array.from({ length: weightCount(shape) }, (_, i) => at(i + 7)),
        row: Float32Array.from({ length: targets }, (_, j) => at(j + 3)),
        spikes: spikes.map(({ source, value }) => ({ source, value: valued ? value : 1 })),
        margins: Float32Array.from({ length: sources }, (_, i) =>
          format === "float32" ? at(i + 11) : toBfloat16(at(i + 11)),
        ),
        format,
      };
    }),
  );

function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  const differences = Array.from(wanted, (x, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(actual[i] - x)));
  expect(Math.max(0, ...differences)).toBeLessThan(5e-4);
}

describe("rows under spikes", () => {
  it("does what the plain twin does: dense, sparse and shared, with and without values, and touches nothing else", () => {
    const sums = new Map<string, number>();
    fc.assert(
      fc.property(setups, (setup) => {
        const { shape, weights, row, spikes, support, margins, gain } = setup;
        const result = run(setup);
        const current = new Float64Array(shape.targets);
        accumulate(shape, weights, spikes, current, gain);
        expectClose(result.current, current);
        expect(result.padding.every((x) => x === 0)).toBe(true);
        expect(result.beyond.every((x) => x === Math.fround(beyond))).toBe(true);
        const gradient = new Float64Array(weights.length);
        scatter(shape, row, spikes, gradient, gain);
        expectClose(result.gradient, gradient);
        const out = new Float64Array(shape.sources);
        dots(shape, weights, row, out, gain);
        const { connectivity } = shape;
        for (let i = 0; i < shape.sources; i++) {
          const first = isShared(connectivity) ? i : 4 * (i >> 2);
          const looked = Array.from(margins.subarray(first, isShared(connectivity) ? i + 1 : first + 4));
          const skipped = looked.every((x) => Math.abs(x) > support);
          if (skipped) out[i] = 0;
        }
        expectClose(result.out, out);
        const together = isShared(connectivity) && comeInFours(connectivity) ? "fours" : "shared";
        const kind = connectivity === "dense" ? "dense" : isShared(connectivity) ? together : "sparse";
        for (const sum of [current, gradient, out]) {
          sums.set(kind, (sums.get(kind) ?? 0) + sum.filter((x) => x !== 0).length);
        }
      }),
      { numRuns: 300 },
    );
    for (const kind of ["dense", "sparse", "shared", "fours"]) expect(sums.get(kind)).toBeGreaterThan(500);
  });

  it("moves blocks of any width alike", () => {
    for (const width of [...Array.from({ length: 40 }, (_, w) => w + 1), 63, 64, 65, 70]) {
      const targets = width + 3;
      const wave = (count: number, phase: number) =>
        Float32Array.from({ length: count }, (_, i) => (((i + phase) * 7) % 11) / 4 - 1);
      // Both spikes reach overlapping blocks, one of them through the same weights twice.
      const connectivity = {
        width,
        offsets: Uint32Array.of(0, 2, 3),
        weightRows: Uint32Array.of(1, 1, 0),
        firstTargets: Uint32Array.of(0, 3, 2),
      };
      const shape: RowShape = { sources: 2, targets, connectivity };
      const spikes = [0, 1].map((source) => ({ source, value: 1 }));
      const [weights, row] = [wave(2 * width, 0), wave(targets, 3)];
      const result = run({
        shape,
        valued: false,
        support: Number.POSITIVE_INFINITY,
        gain: 1,
        weights,
        row,
        spikes,
        margins: new Float32Array(2),
        format: "float32",
      });
      const [current, gradient, out] = [targets, 2 * width, 2].map((n) => new Float64Array(n));
      accumulate(shape, weights, spikes, current);
      scatter(shape, row, spikes, gradient);
      dots(shape, weights, row, out);
      expectClose(result.current, current);
      expectClose(result.gradient, gradient);
      expectClose(result.out, out);
      expect(result.padding.every((x) => x === 0)).toBe(true);
    }
  });
});
