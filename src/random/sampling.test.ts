import { describe, expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov } from "../math/goodness-of-fit.ts";
import { chiSquareSurvival } from "../math/special-functions.ts";
import { Philox } from "./philox.ts";
import { sfc32 } from "./sfc32.ts";

const SEEDS = 100;

/** p-value of the p-values under many seeds (see uniformity.test.ts). */
function overSeeds(pValue: (source: Philox) => number): number {
  const values = Array.from({ length: SEEDS }, (_, seed) => pValue(new Philox(seed)));
  return kolmogorovSmirnov(values, (p) => p);
}

// The two methods change places at n = 4m.
describe.each([
  ["refusing repeats", 200, 50],
  ["shuffling", 60, 40],
])("%s: %d over %d", (_, n, m) => {
  it("includes every member equally often", () => {
    const rounds = 150;
    const p = overSeeds((source) => {
      const counts = new Uint32Array(n);
      for (let i = 0; i < rounds; i++) for (const member of source.sample(i, n, m)) counts[member]++;
      // Inclusions exclude each other a little: covariance -p(1-p)/(n-1), hence the factor (n-1)/n.
      const share = m / n;
      let sum = 0;
      for (const count of counts) sum += (count - rounds * share) ** 2 / (rounds * share * (1 - share));
      return chiSquareSurvival((sum * (n - 1)) / n, n - 1);
    });
    expect(p).toBeGreaterThan(1e-4);
  });

  it("puts every member first and last equally often", () => {
    for (const place of [0, m - 1]) {
      const p = overSeeds((source) => {
        const counts = new Uint32Array(n);
        for (let i = 0; i < 5 * n; i++) counts[source.sample(i, n, m)[place]]++;
        return chiSquare(counts, new Float64Array(n).fill(5));
      });
      expect(p).toBeGreaterThan(1e-4);
    }
  });

  it("never repeats, and the same arguments give the same sample", () => {
    const source = new Philox(9);
    for (let i = 0; i < 200; i++) {
      const sample = source.sample(i, n, m);
      expect(sample.length).toBe(m);
      expect(new Set(sample).size).toBe(m);
      expect(Math.max(...sample)).toBeLessThan(n);
      source.sample(i, 1000 + i, 7); // the buffers are shared with other sizes
      expect(source.sample(i, n, m)).toEqual(sample);
    }
    expect(source.sample(1, n, m)).not.toEqual(source.sample(2, n, m));
  });
});

it.each([
  ["refusing repeats", 12, 2],
  ["shuffling", 6, 3],
])("%s: all ordered samples of %d over %d are equally likely", (_, n, m) => {
  let cells = 1;
  for (let i = 0; i < m; i++) cells *= n - i;
  const p = overSeeds((source) => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 10 * cells; i++) {
      const key = source.sample(i, n, m).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const observed = [...counts.values(), ...new Array<number>(cells - counts.size).fill(0)];
    return chiSquare(observed, new Float64Array(cells).fill(10));
  });
  expect(p).toBeGreaterThan(1e-4);
});

it("is even over populations too large for exact products", () => {
  const n = 5_000_011;
  const p = overSeeds((source) => {
    const cells = new Uint32Array(50);
    for (const member of source.sample(1, n, 2000)) cells[Math.floor((50 * member) / n)]++;
    return chiSquare(cells, new Float64Array(50).fill(40));
  });
  expect(p).toBeGreaterThan(1e-4);
});

it("handles the ends", () => {
  const source = new Philox(0);
  expect(source.sample(0, 0, 0)).toEqual(new Uint32Array(0));
  expect(source.sample(0, 5, 0)).toEqual(new Uint32Array(0));
  expect([...source.sample(0, 1, 1)]).toEqual([0]);
  expect([...source.sample(3, 1000, 1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect([...source.sample(3, 1000, 250)]).toHaveLength(250);
});

it("refuses samples that do not exist", () => {
  const source = new Philox(0);
  expect(() => source.sample(0, 5, 6)).toThrow("cannot choose 6 distinct numbers out of 5");
  for (const [n, m] of [
    [5, -1],
    [5.5, 1],
    [2 ** 32, 1],
    [NaN, 0],
  ]) {
    expect(() => source.sample(0, n, m)).toThrow(RangeError);
  }
});

it("sfc32 is its recurrence, done in big integers", () => {
  const mask = 0xffffffffn;
  const state = Int32Array.of(0x12345678, -5, 99, -1);
  let [a, b, c, counter] = [...state].map((word) => BigInt(word) & mask);
  const words = new Int32Array(500);
  sfc32(state, words, 200);
  sfc32(state, words.subarray(200), 300);
  for (const word of words) {
    const next = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = (((c << 21n) | (c >> 11n)) + next) & mask;
    expect(word >>> 0).toBe(Number(next));
  }
});
