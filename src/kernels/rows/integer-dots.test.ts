import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { addIntegerDots, addRoundMatrix, integerRowBytes } from "./integer-dots.ts";
import { padded } from "./walk.ts";

interface Setup {
  readonly sources: number;
  readonly targets: number;
  readonly gain?: number;
  readonly support?: number;
  readonly weights: ArrayLike<number>;
  readonly adjoints: ArrayLike<number>;
  readonly margins?: ArrayLike<number>;
}

/** out, which starts at `before`. */
function run({ sources, targets, gain, support = Number.POSITIVE_INFINITY, weights, adjoints, margins }: Setup) {
  const memory = new WebAssembly.Memory({ initial: 32 });
  let free = 64;
  const take = (bytes: number) => {
    const at = free;
    // A gap that must stay as it is.
    free += 64 * Math.ceil(bytes / 64) + 64;
    new Uint32Array(memory.buffer, free - 64, 16).fill(0xdeadbeef);
    return at;
  };
  const rows = padded(sources);
  const at = {
    matrix: take(rows * integerRowBytes(targets)),
    units: take(4 * rows),
    row: take(integerRowBytes(targets)),
  };
  const addresses = {
    f32: take(4 * rows * padded(targets)),
    row: take(4 * padded(targets)),
    out: take(4 * rows),
    margins: take(4 * rows),
  };
  const f32 = (address: number, n: number) => new Float32Array(memory.buffer, address, n);
  for (let i = 0; i < sources; i++) {
    for (let j = 0; j < targets; j++)
      f32(addresses.f32, rows * padded(targets))[i * padded(targets) + j] = weights[i * targets + j];
  }
  f32(addresses.row, targets).set(adjoints);
  f32(addresses.out, rows).fill(before);
  if (margins) f32(addresses.margins, sources).set(margins);
  const gaps = [at.units - 64, at.row - 64, addresses.f32 - 64, addresses.row - 64];
  const module = new ModuleBuilder();
  addRoundMatrix(module, "round", { sources, targets }, at);
  addIntegerDots(module, "dots", { sources, targets, gain }, at, support);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  const call = (name: string, ...values: number[]) => (exports[name] as (...values: number[]) => void)(...values);
  call("round", addresses.f32);
  call("dots", at.matrix, addresses.row, addresses.out, addresses.margins);
  for (const gap of gaps)
    expect(new Uint32Array(memory.buffer, gap, 16).every((word) => word === 0xdeadbeef)).toBe(true);
  return f32(addresses.out, sources).slice();
}

const before = 0.5;
const largestOf = (values: ArrayLike<number>) => Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Exact products, and how far rounding to the nearest integer of each unit may move them. */
function exactly({ sources, targets, gain = 1, weights, adjoints }: Setup) {
  const unit = largestOf(adjoints) / 16383;
  return Array.from({ length: sources }, (_, i) => {
    const row = Array.from({ length: targets }, (_, j) => weights[i * targets + j]);
    const ofRow = largestOf(row) / 32767;
    let [sum, bound, size] = [0, 0, 0];
    for (const [j, weight] of row.entries()) {
      sum += gain * weight * adjoints[j];
      bound +=
        Math.abs(gain) * (0.5 * unit * Math.abs(weight) + 0.5 * ofRow * Math.abs(adjoints[j]) + 0.25 * unit * ofRow);
      size += Math.abs(gain * weight * adjoints[j]);
    }
    return { sum, bound, size };
  });
}

const numbers = (length: number) =>
  fc
    .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: length, maxLength: length })
    .map((list) => Float32Array.from(list));

const setups = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70 }), fc.constantFrom(1, -0.25, 3))
  .chain(([sources, targets, gain]) =>
    fc.record({
      sources: fc.constant(sources),
      targets: fc.constant(targets),
      gain: fc.constant(gain),
      weights: numbers(sources * targets),
      adjoints: numbers(targets),
    }),
  );

describe("dot products in 16-bit integers", () => {
  it("are those of the numbers to within what rounding them can do", () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const out = run(setup);
        for (const [i, { sum, bound, size }] of exactly(setup).entries()) {
          expect(Math.abs(out[i] - before - sum)).toBeLessThanOrEqual(1.001 * bound + 1e-6 * (size + before));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("differ by a few parts in ten thousand for what networks have: weights and adjoints of either sign", () => {
    const [sources, targets] = [64, 256];
    const normal = (i: number) => Math.sin(12.9898 * i) + Math.sin(78.233 * i * i) + Math.sin(37.719 * i + i * i * i);
    const weights = Float32Array.from({ length: sources * targets }, (_, i) => normal(i + 1));
    const adjoints = Float32Array.from({ length: targets }, (_, i) => normal(i + 0.5) ** 3);
    const out = run({ sources, targets, weights, adjoints });
    const exact = exactly({ sources, targets, weights, adjoints });
    const root = (values: number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    const error = root(exact.map(({ sum }, i) => out[i] - before - sum)) / root(exact.map(({ sum }) => sum));
    expect(error).toBeLessThan(3e-4);
    expect(error).toBeGreaterThan(1e-6);
  });

  it("cannot overflow: the largest numbers, all of one sign, in long rows", () => {
    const [sources, targets] = [5, 3000];
    const weights = new Float32Array(sources * targets).fill(-2);
    const adjoints = new Float32Array(targets).fill(3);
    for (const x of run({ sources, targets, weights, adjoints })) expect(x / (-6 * targets)).toBeCloseTo(1, 4);
  });

  it("have rows of weights on scales of their own", () => {
    const weights = Float32Array.of(1e-12, -2e-12, 3e6, 1e6);
    const [small, large] = run({ sources: 2, targets: 2, weights, adjoints: Float32Array.of(1e10, 1e10) });
    expect((small - before) / -0.01).toBeCloseTo(1, 3);
    expect(large / 4e16).toBeCloseTo(1, 3);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("do not hide %d", (bad) => {
    const good = {
      sources: 2,
      targets: 3,
      weights: Float32Array.of(1, 2, 3, 4, 5, 6),
      adjoints: Float32Array.of(1, -1, 1),
    };
    for (const x of run({ ...good, adjoints: Float32Array.of(1, bad, 1) })) expect(x).not.toSatisfy(Number.isFinite);
    const [first, second] = run({ ...good, weights: Float32Array.of(1, 2, 3, 4, bad, 6) });
    expect(first - before).toBeCloseTo(2, 3);
    expect(second).not.toSatisfy(Number.isFinite);
  });

  it("of zeros are zero", () => {
    const zeros = new Float32Array(6);
    const good = {
      sources: 2,
      targets: 3,
      weights: Float32Array.of(1, 2, 3, 4, 5, 6),
      adjoints: Float32Array.of(1, -1, 1),
    };
    expect(run({ ...good, adjoints: zeros.subarray(0, 3) })).toEqual(Float32Array.of(before, before));
    expect(run({ ...good, weights: zeros })).toEqual(Float32Array.of(before, before));
  });

  it("skip four sources that are all outside the support", () => {
    const [sources, targets] = [8, 2];
    const weights = new Float32Array(sources * targets).fill(1);
    const margins = Float32Array.of(2, -3, 1.5, 9, 2, -3, 0.9, 9);
    const out = run({ sources, targets, weights, adjoints: Float32Array.of(1, 1), support: 1, margins });
    expect(Array.from(out.subarray(0, 4))).toEqual([before, before, before, before]);
    for (const x of out.subarray(4)) expect(x - before).toBeCloseTo(2, 3);
  });
});
