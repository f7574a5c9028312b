import { describe, expect, it } from "vitest";
import { openDraws } from "../../../random/draws.ts";
import type { SpikeTrains } from "../../labelled-set.ts";
import { holdOut } from "../splits.ts";
import { frequencies, randman } from "./randman.ts";

const options = { seed: 4, manifolds: 3, units: 6, steps: 50, samplesPerClass: 20, spikesPerUnit: 2 };

const read = async (set: ReturnType<typeof randman>, indices: number[]) =>
  (await set.read(indices)) as unknown as SpikeTrains[];

describe("randman", () => {
  it("gives every unit of every sample the same number of spikes, on the grid and in order", async () => {
    const set = randman({ ...options, dtMs: 2, stepFraction: 0.5 });
    expect([set.size, set.channels, set.trialMs]).toEqual([60, 6, 100]);
    expect([...set.labels.subarray(0, 4)]).toEqual([0, 1, 2, 0]);
    for (const { timesMs, units } of await read(
      set,
      Array.from({ length: 60 }, (_, i) => i),
    )) {
      for (let unit = 0; unit < 6; unit++) expect(units.filter((u) => u === unit).length).toBe(2);
      timesMs.forEach((time, i) => {
        expect(time % 2).toBe(0);
        expect(time).toBeGreaterThanOrEqual(i === 0 ? 0 : timesMs[i - 1]);
        expect(time).toBeLessThan(50);
      });
    }
  });

  it("is the formula, evaluated plainly with the engine's own functions", async () => {
    const set = randman({
      seed: 4,
      manifolds: 2,
      units: 3,
      steps: 1000,
      samplesPerClass: 15,
      alpha: 1.5,
      dimensions: 2,
    });
    const terms = Math.ceil(0.001 ** (-1 / 1.5));
    expect(frequencies(1.5)).toBe(terms);
    const draws = openDraws(4, "randman: manifold 1, spike 0");
    const [a, f, p] = [0, 1, 2].map(() => Array.from({ length: 3 * 2 * terms }, () => draws.uniform()));
    const points = openDraws(4, "randman: points of class 1");
    const xs = Array.from({ length: 15 }, () => [points.uniform(), points.uniform()]);
    const samples = await read(
      set,
      Array.from({ length: 15 }, (_, i) => 2 * i + 1),
    );
    for (let unit = 0; unit < 3; unit++) {
      const values = xs.map((x) => {
        let product = 1;
        for (let d = 0; d < 2; d++) {
          let sum = 0;
          for (let k = 0; k < terms; k++) {
            const at = (unit * 2 + d) * terms + k;
            const amplitude = k === 0 ? 0 : a[at];
            sum += (amplitude / ((k + 1) ** 1.5 + 1)) * Math.sin(2 * Math.PI * (k * x[d] * f[at] + p[at]));
          }
          product *= sum;
        }
        return product;
      });
      const low = Math.min(...values);
      const high = Math.max(...values);
      samples.forEach(({ timesMs, units }, i) => {
        const time = timesMs[units.indexOf(unit)];
        expect(Math.abs(time - (1000 * (values[i] - low)) / (high - low + 1e-7))).toBeLessThan(1 + 1e-6);
      });
      const times = samples.map(({ timesMs, units }) => timesMs[units.indexOf(unit)]);
      expect(Math.min(...times)).toBe(0);
      expect(Math.max(...times)).toBe(999);
    }
  });

  it("has the frequencies of the original", () => {
    expect([1, 2, 3, 0.5].map(frequencies)).toEqual([1000, 32, 10, 1000]);
  });

  it("makes classes that differ by speed alone", async () => {
    const set = randman({ ...options, manifolds: 1, stretches: [1, 2, 4], samplesPerClass: 200, spikesPerUnit: 1 });
    expect(set.classNames).toEqual(["manifold 0 x 1", "manifold 0 x 2", "manifold 0 x 4"]);
    expect([set.trialMs, set.durationMs]).toEqual([200, 196]);
    const lasts = [0, 0, 0];
    for (let label = 0; label < 3; label++) {
      for (const { timesMs } of await read(
        set,
        Array.from({ length: 200 }, (_, i) => 3 * i + label),
      )) {
        for (const time of timesMs) expect(time % [1, 2, 4][label]).toBe(0);
        lasts[label] = Math.max(lasts[label], timesMs[timesMs.length - 1]);
      }
    }
    expect(lasts).toEqual([49, 98, 196]);
  });

  it("depends on the seed, and hands out copies", async () => {
    const [first] = await read(randman(options), [7]);
    expect((await read(randman({ ...options, seed: 5 }), [7]))[0].timesMs).not.toEqual(first.timesMs);
    const set = randman(options);
    const [again] = await read(set, [7]);
    expect(again).toEqual(first);
    again.timesMs.fill(0);
    again.units.fill(0);
    expect((await read(set, [7]))[0]).toEqual(first);
    await expect(set.read([60])).rejects.toThrow("sample 60 of Randman, which has 60");
  });

  it("refuses sizes before it takes memory", () => {
    expect(() => randman({ seed: 1, units: 1e6, samplesPerClass: 1e6 })).toThrow(
      "spikes of all samples is 1000000000000",
    );
    expect(() => randman({ seed: 1, stretches: [] })).toThrow("stretches is 0");
    expect(() => randman({ seed: 1, alpha: 0 })).toThrow("alpha is 0");
  });

  it("is cut 80 / 10 / 10, every class alike", () => {
    const set = randman({
      seed: 4,
      units: 20,
      dimensions: 1,
      alpha: 1,
      dtMs: 2,
      stepFraction: 0.5,
      samplesPerClass: 100,
    });
    expect([set.size, set.trialMs]).toEqual([1000, 200]);
    const rest = holdOut({ type: "fraction", fraction: 0.1 }, set, { seed: 4 });
    const { training, heldOut } = holdOut({ type: "fraction", fraction: 1 / 9 }, set, {
      seed: 4,
      among: rest.training,
    });
    expect([training.length, heldOut.length, rest.heldOut.length]).toEqual([800, 100, 100]);
    for (const part of [training, heldOut, rest.heldOut]) {
      for (let label = 0; label < 10; label++) {
        expect(part.filter((index) => set.labels[index] === label).length).toBe(part.length / 10);
      }
    }
  });
});
