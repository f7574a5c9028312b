import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SpikeTrains, StepEvents } from "../labelled-set.ts";
import { type BinOptions, binSpikes, mergedCount, stepsWithin } from "./bin-spikes.ts";

const train = (spikes: readonly (readonly [number, number])[]): SpikeTrains => ({
  kind: "spikes",
  timesMs: Float32Array.from(spikes, ([time]) => time),
  units: Uint32Array.from(spikes, ([, unit]) => unit),
});

/** [step, channel, value] of every event. */
function listed(events: StepEvents): number[][] {
  const out: number[][] = [];
  for (let step = 0; step < events.steps; step++) {
    for (let i = events.offsets[step]; i < events.offsets[step + 1]; i++) {
      out.push([step, events.channels[i], events.values === null ? 1 : events.values[i]]);
    }
  }
  return out;
}

describe("binSpikes", () => {
  const spikes = train([
    [0, 3],
    [0.5, 1],
    [0.5, 3],
    [1.99, 0],
    [2, 0],
    [3.999, 2],
    [4, 1],
    [7, 0],
  ]);

  it("does what can be worked out by hand", () => {
    const clipped = binSpikes(spikes, { dtMs: 2, steps: 2, channels: 4 });
    expect([...clipped.offsets]).toEqual([0, 3, 5]);
    expect([...clipped.channels]).toEqual([0, 1, 3, 0, 2]);
    expect(clipped.values).toBeNull();
    expect(clipped.dropped).toBe(2);
    const counted = binSpikes(spikes, { dtMs: 2, durationMs: 4, channels: 4, duplicates: "count" });
    expect([...counted.values!]).toEqual([1, 1, 2, 1, 1]);
    const merged = binSpikes(spikes, { dtMs: 4, durationMs: 7.5, channels: 4, mergeChannels: 3, duplicates: "count" });
    expect(listed(merged)).toEqual([
      [0, 0, 4],
      [0, 1, 2],
      [1, 0, 2],
    ]);
  });

  it("rounds to the nearest step when asked to", () => {
    const times = train([
      [0.9, 0],
      [1, 0],
      [2.9, 0],
      [3, 0],
    ]);
    expect(listed(binSpikes(times, { dtMs: 2, steps: 2, channels: 1, rounding: "nearest" }))).toEqual([
      [0, 0, 1],
      [1, 0, 1],
    ]);
    expect(binSpikes(times, { dtMs: 2, steps: 2, channels: 1, rounding: "nearest" }).dropped).toBe(1);
  });

  it("keeps values null where every event is one spike", () => {
    expect(binSpikes(train([[0, 0]]), { dtMs: 1, steps: 1, channels: 1, duplicates: "count" }).values).toBeNull();
  });

  it("agrees with a set of cells", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ min: -5, max: 60, noNaN: true }), fc.nat(36)), { maxLength: 300 }),
        fc.constantFrom(0.5, 1, 3, 7.25),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        (unsorted, dtMs, steps, mergeChannels) => {
          const spikes = unsorted.sort(([a], [b]) => a - b);
          const cells = new Map<number, number>();
          let outside = 0;
          for (const [time, unit] of spikes) {
            const step = Math.floor(time / dtMs);
            const cell = step * 1000 + Math.floor(unit / mergeChannels);
            if (step < 0 || step >= steps) outside++;
            else cells.set(cell, (cells.get(cell) ?? 0) + 1);
          }
          const expected = [...cells].sort(([a], [b]) => a - b).map(([c, n]) => [Math.floor(c / 1000), c % 1000, n]);
          const options: BinOptions = { dtMs, steps, channels: 37, mergeChannels };
          const counted = binSpikes(train(spikes), { ...options, duplicates: "count" });
          expect(listed(counted)).toEqual(expected);
          expect(counted.dropped).toBe(outside);
          const clipped = binSpikes(train(spikes), options);
          expect(listed(clipped)).toEqual(expected.map(([step, channel]) => [step, channel, 1]));
          expect(clipped.offsets).toEqual(counted.offsets);
        },
      ),
    );
  });

  it("handles more spikes than its buffers had, and fewer afterwards", () => {
    const many = train(Array.from({ length: 5000 }, (_, i) => [i / 100, (i * 7) % 50]));
    const events = binSpikes(many, { dtMs: 1, steps: 50, channels: 50, duplicates: "count" });
    expect(events.values!.reduce((sum, value) => sum + value, 0)).toBe(5000);
    expect(listed(binSpikes(train([[0, 2]]), { dtMs: 1, steps: 2, channels: 3 }))).toEqual([[0, 2, 1]]);
    expect(listed(binSpikes(train([]), { dtMs: 1, steps: 2, channels: 3 }))).toEqual([]);
  });

  it("refuses what cannot be binned", () => {
    const one = train([[0, 4]]);
    expect(() => binSpikes(one, { dtMs: 1, steps: 1, channels: 4 })).toThrow("spike 0 is of channel 4; there are 4");
    const backwards = train([
      [5, 0],
      [1, 0],
    ]);
    expect(() => binSpikes(backwards, { dtMs: 1, steps: 9, channels: 1 })).toThrow("do not ascend at spike 1");
    expect(() => binSpikes(one, { dtMs: 0, steps: 1, channels: 5 })).toThrow(
      "dtMs is 0; it must be a finite number > 0",
    );
    expect(() => binSpikes(one, { dtMs: 1, channels: 5 })).toThrow("either steps or durationMs");
    expect(() => binSpikes(one, { dtMs: 1, steps: 1, durationMs: 1, channels: 5 })).toThrow(
      "either steps or durationMs",
    );
    expect(() => binSpikes(one, { dtMs: 1e-9, durationMs: 1e9, channels: 5 })).toThrow("the number of steps is");
    expect(() => binSpikes(one, { dtMs: 1, steps: 1, channels: 5, mergeChannels: 0.5 })).toThrow(
      "mergeChannels is 0.5",
    );
  });
});

it("stepsWithin rounds up, but not because of rounding errors", () => {
  expect(stepsWithin(1.1, 0.1)).toBe(11);
  expect(stepsWithin(1.11, 0.1)).toBe(12);
  expect(stepsWithin(1000, 2)).toBe(500);
  expect(mergedCount(700, 5)).toBe(140);
  expect(mergedCount(11, 5)).toBe(3);
});
