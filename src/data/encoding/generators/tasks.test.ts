import { describe, expect, it } from "vitest";
import { chiSquare } from "../../../math/goodness-of-fit.ts";
import { mean } from "../../../math/statistics.ts";
import type { LabelledSet, SpikeTrains } from "../../labelled-set.ts";
import { makeEncoder } from "../make-encoder.ts";
import { evidenceAccumulation } from "./evidence-accumulation.ts";
import { patternGeneration } from "./pattern-generation.ts";
import { shdLike } from "./shd-like.ts";
import { sinOfTurns } from "./sin-of-turns.ts";

it("fill the steps of a trial when they are binned as they are", () => {
  const steps = (set: LabelledSet, dtMs: number) => makeEncoder({ type: "bin", dtMs }, set).maxSteps;
  expect(steps(evidenceAccumulation({ seed: 1, trials: 1 }), 1)).toBe(2250);
  expect(steps(patternGeneration({ seed: 1 }).inputs, 1)).toBe(1000);
  expect(steps(shdLike({ seed: 1, samples: 1 }), 0.5)).toBe(2000);
});

describe("evidenceAccumulation", () => {
  const trials = 300;
  const set = evidenceAccumulation({ seed: 2, trials });
  const all = Array.from({ length: trials }, (_, i) => i);

  it("has the times and sizes of the tutorial", () => {
    expect([set.channels, set.trialMs, set.scoredFromMs, set.size]).toEqual([40, 2250, 2100, trials]);
    expect(set.classNames).toEqual(["left", "right"]);
  });

  it("lets groups fire only when they should, at their rates", async () => {
    const samples = (await set.read(all)) as SpikeTrains[];
    const perGroup = [0, 0, 0, 0];
    for (const [trial, { timesMs, units }] of samples.entries()) {
      const cues = [new Set<number>(), new Set<number>()];
      const misplaced = Array.from(timesMs).filter((time, i) => {
        const group = Math.floor(units[i] / 10);
        perGroup[group]++;
        if (group < 2) cues[group].add(Math.floor(time / 150));
        const from = [50, 50, 2100, 0][group];
        const to = [1050, 1050, 2250, 2250][group];
        const silent = group < 2 && time % 150 < 50;
        return !Number.isInteger(time) || time < from || time >= to || silent || time < (timesMs[i - 1] ?? 0);
      });
      expect(misplaced).toEqual([]);
      // 40 spikes are expected in every cue, so none is silent, and each is on one side.
      expect(cues[0].size + cues[1].size).toBe(7);
      expect(cues[1].size).toBe(set.columns.rightCues[trial]);
      expect(set.labels[trial]).toBe(cues[1].size > 3 ? 1 : 0);
    }
    const expected = [7 * 100 * 10 * 0.04, 150 * 10 * 0.04, 2250 * 10 * 0.01].map((count) => count * trials);
    const counted = [perGroup[0] + perGroup[1], perGroup[2], perGroup[3]];
    counted.forEach((count, i) => {
      expect(Math.abs(count - expected[i])).toBeLessThan(4 * Math.sqrt(expected[i]));
    });
  });

  it("favours either side equally often, with cues in 7 to 3", () => {
    const many = evidenceAccumulation({ seed: 3, trials: 20_000 });
    const counts = new Float64Array(8);
    for (const right of many.columns.rightCues) counts[right]++;
    const binomial = [1, 7, 21, 35, 35, 21, 7, 1];
    const expected = binomial.map((ways, k) => 10_000 * ways * (0.7 ** k * 0.3 ** (7 - k) + 0.3 ** k * 0.7 ** (7 - k)));
    expect(chiSquare(counts, expected)).toBeGreaterThan(1e-3);
  });

  it("is the same trial whenever and with however many others it is made", async () => {
    const [a] = await set.read([17]);
    const [b] = await evidenceAccumulation({ seed: 2, trials: 18 }).read([17]);
    expect(b).toEqual(a);
    expect((await set.read([18]))[0]).not.toEqual(a);
  });

  it("refuses an even number of cues", () => {
    expect(() => evidenceAccumulation({ seed: 1, trials: 1, cues: 6 })).toThrow("cues is 6; it must be odd");
    expect(() => evidenceAccumulation({ seed: 1, trials: 1e9 })).toThrow("trials is 1000000000");
  });
});

describe("patternGeneration", () => {
  const task = patternGeneration({ seed: 6, outputs: 3 });

  it("drives 100 inputs at 50 Hz with the same spikes every time", async () => {
    const [spikes] = (await task.inputs.read([0])) as SpikeTrains[];
    expect(Math.abs(spikes.units.length - 5000)).toBeLessThan(4 * Math.sqrt(5000 * 0.95));
    expect(new Set(spikes.units).size).toBe(100);
    expect(Math.max(...spikes.timesMs)).toBeLessThan(1000);
    spikes.timesMs.fill(0);
    const [again] = (await task.inputs.read([0])) as SpikeTrains[];
    expect(Math.max(...again.timesMs)).toBeGreaterThan(900);
  });

  it("has targets that start at 0, reach 1 and contain the four sinusoids only", () => {
    expect([task.target.frames, task.target.values.length]).toEqual([1000, 3000]);
    for (let output = 0; output < 3; output++) {
      const curve = Array.from({ length: 1000 }, (_, t) => task.target.values[3 * t + output]);
      expect(curve[0]).toBe(0);
      expect(Math.max(...curve.map(Math.abs))).toBe(1);
      expect(curve[999]).toBeCloseTo(0, 6);
      // Projections on n cycles over 999 ms (the last sample repeats the first).
      const power = (n: number) => {
        let c = 0;
        let s = 0;
        for (let t = 0; t < 999; t++) {
          c += curve[t] * Math.cos((2 * Math.PI * n * t) / 999);
          s += curve[t] * Math.sin((2 * Math.PI * n * t) / 999);
        }
        return Math.hypot(c, s) / 499.5;
      };
      const weights = [1, 2, 3, 5].map(power);
      expect(Math.min(...weights) / Math.max(...weights)).toBeGreaterThan(0.25 - 1e-6);
      for (const n of [4, 6, 7, 20]) expect(power(n)).toBeLessThan(1e-6);
    }
    expect(task.target.values[3]).not.toBe(task.target.values[4]);
  });
});

describe("shdLike", () => {
  const set = shdLike({ seed: 1, samples: 200 });

  it("has about 7900 spikes of 700 channels within a second", async () => {
    const samples = (await set.read(Array.from({ length: 60 }, (_, i) => i))) as SpikeTrains[];
    expect(Math.abs(mean(samples.map(({ units }) => units.length)) - 7900)).toBeLessThan(4 * Math.sqrt(7900 / 60));
    for (const { timesMs, units } of samples) {
      for (let i = 1; i < timesMs.length; i++) {
        if (!(timesMs[i] >= timesMs[i - 1])) expect(timesMs[i]).toBeGreaterThanOrEqual(timesMs[i - 1]);
      }
      expect(timesMs[timesMs.length - 1]).toBeLessThan(1000);
      expect(units.reduce((a, b) => Math.max(a, b))).toBeLessThan(700);
      expect(new Set(units).size).toBeGreaterThan(500);
    }
  });

  it("has classes that can be told apart: samples are nearer to their own class than to others", async () => {
    expect([...set.labels.subarray(0, 21)].slice(-2)).toEqual([19, 0]);
    expect([set.columns.speaker[0], set.columns.speaker[20], set.columns.speaker[199]]).toEqual([0, 1, 9]);
    const histogram = ({ timesMs, units }: SpikeTrains) => {
      const counts = new Float64Array(140);
      units.forEach((unit, i) => {
        counts[Math.floor(unit / 50) * 10 + Math.floor(timesMs[i] / 100)]++;
      });
      return counts;
    };
    const histograms = ((await set.read(Array.from({ length: 200 }, (_, i) => i))) as SpikeTrains[]).map(histogram);
    const means = Array.from({ length: 20 }, (_, label) => {
      const sum = new Float64Array(140);
      for (let i = label + 20; i < 200; i += 20) for (let j = 0; j < 140; j++) sum[j] += histograms[i][j] / 9;
      return sum;
    });
    let right = 0;
    for (let i = 0; i < 20; i++) {
      const distances = means.map((centre) =>
        centre.reduce((sum, value, j) => sum + (value - histograms[i][j]) ** 2, 0),
      );
      if (distances.indexOf(Math.min(...distances)) === i) right++;
    }
    expect(right).toBeGreaterThanOrEqual(15);
  });

  it("gives the same sample however many there are", async () => {
    expect((await shdLike({ seed: 1, samples: 5 }).read([4]))[0]).toEqual((await set.read([4]))[0]);
    expect((await shdLike({ seed: 2, samples: 5 }).read([4]))[0]).not.toEqual((await set.read([4]))[0]);
  });
});

it("sinOfTurns is sin(2 pi x), and exact at the quarters", () => {
  for (let i = -4000; i < 4000; i++) {
    const x = i * 0.0317;
    expect(Math.abs(sinOfTurns(x) - Math.sin(2 * Math.PI * x))).toBeLessThan(2e-13);
  }
  expect([0, 0.25, 0.5, 0.75, 1, 7.25, -0.25].map((x) => sinOfTurns(x) + 0)).toEqual([0, 1, 0, -1, 0, 1, -1]);
});
