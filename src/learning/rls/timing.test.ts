import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrialTiming } from "./spec.ts";
import { trialSteps, windowBins } from "./timing.ts";

const usual: TrialTiming = { dtMs: 0.1, stimulusOnMs: 800, stimulusOffMs: 1000, trainMs: 1000, learnEveryMs: 10 };

describe("the steps of a trial", () => {
  it("are whole numbers of time steps", () => {
    expect(trialSteps(usual)).toEqual({
      steps: 20_000,
      stimulusOn: 8000,
      stimulusOff: 10_000,
      learnEvery: 100,
      rows: 100,
      sampleEvery: 10,
    });
  });

  it("do not suffer from times that binary fractions cannot hold", () => {
    const timing = { dtMs: 0.1, stimulusOnMs: 0.3, stimulusOffMs: 0.6, trainMs: 0.9, learnEveryMs: 0.3 };
    expect(trialSteps(timing)).toMatchObject({ steps: 15, stimulusOn: 3, stimulusOff: 6, learnEvery: 3, rows: 3 });
  });

  it("are sampled at every step where steps are longer than a millisecond", () => {
    expect(trialSteps({ ...usual, dtMs: 2 })).toMatchObject({ steps: 1000, learnEvery: 5, sampleEvery: 1 });
  });
});

/** Timings whose rows are whole numbers of samples apart, and a window of whole or half samples. */
const timings = fc
  .record({
    dtMs: fc.constantFrom(0.1, 0.25, 0.5, 1, 2),
    perRow: fc.integer({ min: 1, max: 30 }),
    rows: fc.integer({ min: 1, max: 40 }),
    halfWindow: fc.integer({ min: 1, max: 120 }),
  })
  .map(({ dtMs, perRow, rows, halfWindow }) => {
    const sampleMs = dtMs * Math.max(1, Math.round(1 / dtMs));
    const learnEveryMs = perRow * sampleMs;
    const timing: TrialTiming = {
      ...usual,
      dtMs,
      stimulusOnMs: 0,
      stimulusOffMs: 0,
      learnEveryMs,
      trainMs: rows * learnEveryMs,
    };
    return {
      timing,
      perRow,
      rows,
      samples: perRow * rows,
      windowMs: (halfWindow / 2) * sampleMs,
      half: halfWindow / 2,
    };
  });

/** Samples (1, 2, ...) of the bins first .. last. */
function samplesOf(ends: readonly number[], { first, last }: { first: number; last: number }): number[] {
  const from = first === 0 ? 1 : ends[first - 1] + 1;
  return Array.from({ length: ends[last] - from + 1 }, (_, i) => from + i);
}

describe("windows", () => {
  it("hold the samples s with c - window <= s < c + window, cut at the ends", () => {
    fc.assert(
      fc.property(timings, ({ timing, perRow, rows, samples, windowMs, half }) => {
        const { ends, rows: windows } = windowBins(timing, windowMs);
        expect(windows.length).toBe(rows);
        windows.forEach((window, q) => {
          const c = (q + 1) * perRow;
          const expected = Array.from({ length: samples }, (_, i) => i + 1).filter(
            (s) => c - half <= s && s < c + half,
          );
          expect(samplesOf(ends, window)).toEqual(expected);
          expect(window.samples).toBe(expected.length);
        });
      }),
    );
  });

  it("of the specification: 50 ms each side, rows 10 ms apart", () => {
    const { ends, rows } = windowBins(usual, 50);
    expect(samplesOf(ends, rows[0])).toEqual(Array.from({ length: 59 }, (_, i) => i + 1));
    expect(samplesOf(ends, rows[49])).toEqual(Array.from({ length: 100 }, (_, i) => 450 + i));
    expect(samplesOf(ends, rows[99])).toEqual(Array.from({ length: 51 }, (_, i) => 950 + i));
  });

  it("leave the intervals between rows as they are: every sample in exactly one", () => {
    fc.assert(
      fc.property(timings, ({ timing, perRow, samples, windowMs }) => {
        const { ends, intervals } = windowBins(timing, windowMs);
        const all = intervals.flatMap((interval) => {
          const held = samplesOf(ends, interval);
          expect(held.length).toBe(perRow);
          expect(interval.samples).toBe(perRow);
          return held;
        });
        expect(all).toEqual(Array.from({ length: samples }, (_, i) => i + 1));
      }),
    );
  });

  it("end bins in ascending order, the last at the last sample", () => {
    fc.assert(
      fc.property(timings, ({ timing, samples, windowMs }) => {
        const { ends } = windowBins(timing, windowMs);
        expect(ends.at(-1)).toBe(samples);
        for (let i = 1; i < ends.length; i++) expect(ends[i]).toBeGreaterThan(ends[i - 1]);
      }),
    );
  });
});
