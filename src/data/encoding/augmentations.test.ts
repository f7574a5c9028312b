import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov } from "../../math/goodness-of-fit.ts";
import { normalSurvival } from "../../math/special-functions.ts";
import { mean, variance } from "../../math/statistics.ts";
import { streamKind } from "../../random/streams.ts";
import type { SpikeTrains } from "../labelled-set.ts";
import { type Augmentation, compose } from "./augmentation.ts";
import { jitterChannels, mergeChannels, shiftChannels, shiftPlaces } from "./channel-augmentations.ts";
import { type AugmentationDescription, makeAugmentation } from "./make-augmentation.ts";
import { SampleDraws } from "./sample-draws.ts";
import { mergeByTime, sortByTime } from "./sort-spikes.ts";
import { blend, dropSpikes, insertSpikes } from "./spike-augmentations.ts";
import { crop, jitterTimes, scaleTimes, stretchTimes } from "./time-augmentations.ts";

const channels = 100;
const source = new SampleDraws(11, streamKind.augmentation);
const draws = (sample = 0, epoch = 1) => source.at(epoch, sample);

function train(timesMs: ArrayLike<number>, units: ArrayLike<number>): SpikeTrains {
  return { kind: "spikes", timesMs: Float32Array.from(timesMs), units: Uint32Array.from(units) };
}

const pairs = ({ timesMs, units }: SpikeTrains) => Array.from(timesMs, (time, i) => [time, units[i]]);

const spikeTrains = fc
  .array(fc.tuple(fc.float({ min: 0, max: 500, noNaN: true }), fc.nat(channels - 1)), { maxLength: 120 })
  .map((spikes) => spikes.map(([time, unit]) => [time + 0, unit]).sort(([a], [b]) => a - b))
  .map((spikes) =>
    train(
      spikes.map(([time]) => time),
      spikes.map(([, unit]) => unit),
    ),
  );

const many = train(
  Array.from({ length: 5000 }, (_, i) => i / 10),
  Array.from({ length: 5000 }, () => 50),
);

const all: readonly [string, Augmentation][] = [
  ["shiftChannels", shiftChannels(channels, { max: 30 })],
  ["shiftPlaces", shiftPlaces([5, 10, 2])],
  ["jitterChannels", jitterChannels(channels)],
  ["mergeChannels", mergeChannels(channels, 10)],
  ["jitterTimes", jitterTimes({ sdMs: 50 })],
  ["scaleTimes", scaleTimes({ min: 0.5, max: 2 })],
  ["stretchTimes", stretchTimes()],
  ["crop", crop({ durationMs: 100 })],
  ["dropSpikes", dropSpikes()],
  ["insertSpikes", insertSpikes(channels, { rateHz: 20, durationMs: 200 })],
  ["blend", blend(channels)],
];

it("shiftPlaces moves a plane as a whole, by every shift equally often, and drops what leaves it", () => {
  const [height, width, inPlace] = [5, 6, 2];
  const unit = (y: number, x: number, c: number) => (y * width + x) * inPlace + c;
  const places = Array.from({ length: height * width * inPlace }, (_, i) => i);
  const sample = train(
    places.map(() => 0),
    places,
  );
  const seen = new Map<string, number>();
  for (let i = 0; i < 900; i++) {
    const { units } = shiftPlaces([height, width, inPlace], { max: 1 })(sample, draws(i));
    const middle = Array.from(units).indexOf(unit(2, 2, 1));
    expect(middle).toBeGreaterThanOrEqual(0);
    // Where the first of the plane that is left has come to, and how much is left, tell the shift.
    const rows = new Set(units.map((one) => Math.floor(one / (width * inPlace))));
    const columns = new Set(units.map((one) => Math.floor(one / inPlace) % width));
    const shift = (of: Set<number>, extent: number) => (of.size === extent ? 0 : of.has(0) ? -1 : 1);
    const [dy, dx] = [shift(rows, height), shift(columns, width)];
    const expected = places.filter((one) => {
      const [y, x] = [Math.floor(one / (width * inPlace)) - dy, (Math.floor(one / inPlace) % width) - dx];
      return y >= 0 && y < height && x >= 0 && x < width;
    });
    expect([...units]).toEqual(expected);
    seen.set(`${dy} ${dx}`, (seen.get(`${dy} ${dx}`) ?? 0) + 1);
  }
  const counts = Float64Array.from(seen.values());
  expect(counts.length).toBe(9);
  expect(chiSquare(counts, new Float64Array(9).fill(100))).toBeGreaterThan(1e-3);
  expect(() => shiftPlaces(undefined)).toThrow("needs channels in space, but nothing is known of this set's");
});

it.each(all)("%s: valid trains, the argument unchanged, the same from the same numbers", (name, augment) => {
  fc.assert(
    fc.property(spikeTrains, spikeTrains, fc.nat(1000), (spikes, partner, sample) => {
      const before = structuredClone([spikes, partner]);
      const result = augment(spikes, draws(sample), partner);
      expect(augment(spikes, draws(sample), partner)).toEqual(result);
      expect([spikes, partner]).toEqual(before);
      expect(result.units.length).toBe(result.timesMs.length);
      const bad = result.timesMs.findIndex((time, i, all) => !(time >= (i === 0 ? 0 : all[i - 1]) && time < Infinity));
      expect(bad, "the first time that is out of order").toBe(-1);
      expect(result.units.every((unit) => unit < channels)).toBe(true);
      if (name !== "insertSpikes" && name !== "blend") {
        expect(result.units.length).toBeLessThanOrEqual(spikes.units.length);
      }
    }),
    { numRuns: 60 },
  );
});

it("shiftChannels moves all spikes together, by each shift equally often, and drops what falls off", () => {
  const counts = new Uint32Array(7);
  for (let sample = 0; sample < 7000; sample++) {
    const { units } = shiftChannels(channels, { max: 3 })(train([1, 2], [50, 52]), draws(sample));
    expect(units[1]).toBe(units[0] + 2);
    counts[units[0] - 47]++;
  }
  expect(chiSquare(counts, new Float64Array(7).fill(1000))).toBeGreaterThan(1e-3);
  const edges = train([1, 2, 3], [0, 50, 99]);
  const shift = shiftChannels(channels, { max: 40 });
  for (let sample = 0; sample < 50; sample++) {
    const moved = shift(edges, draws(sample));
    const by = moved.units[moved.timesMs.indexOf(2)] - 50;
    expect(pairs(moved)).toEqual(
      pairs(edges)
        .map(([time, unit]) => [time, unit + by])
        .filter(([, unit]) => unit >= 0 && unit < channels),
    );
  }
});

it("jitterChannels moves each spike by a rounded normal", () => {
  const { units } = jitterChannels(channels, { sd: 4 })(many, draws());
  expect(units.length).toBe(5000);
  expect(Math.abs(mean(units) - 50)).toBeLessThan((4 * 4) / Math.sqrt(5000));
  // Rounding adds 1/12 to the variance.
  expect(Math.abs(variance(units) / (16 + 1 / 12) - 1)).toBeLessThan(4 * Math.sqrt(2 / 5000));
  expect(jitterChannels(channels, { sd: 0 })(many, draws())).toEqual(many);
});

it("mergeChannels joins neighbours", () => {
  expect([...mergeChannels(channels, 10)(train([1, 2, 3, 4], [0, 9, 10, 99]), draws()).units]).toEqual([0, 0, 1, 9]);
});

it("jitterTimes adds a normal to every time, and takes the channels along", () => {
  const spikes = train(
    new Float32Array(5000).fill(1000),
    Uint32Array.from({ length: 5000 }, (_, i) => i % channels),
  );
  const moved = jitterTimes({ sdMs: 3 })(spikes, draws());
  expect(moved.units.length).toBe(5000);
  expect(kolmogorovSmirnov(moved.timesMs, (t) => normalSurvival((1000 - t) / 3))).toBeGreaterThan(1e-3);
  expect([...moved.units].sort()).toEqual([...spikes.units].sort());
  expect(moved.units).not.toEqual(spikes.units);
  expect(jitterTimes({ sdMs: 0 })(many, draws())).toEqual(many);
});

it("scaleTimes has a uniform logarithm", () => {
  const logs = Array.from({ length: 2000 }, (_, sample) => {
    const { timesMs } = scaleTimes({ min: 0.5, max: 2 })(train([100, 200], [0, 1]), draws(sample));
    expect(timesMs[1]).toBe(2 * timesMs[0]);
    return Math.log2(timesMs[0] / 100);
  });
  expect(kolmogorovSmirnov(logs, (x) => (x + 1) / 2)).toBeGreaterThan(1e-3);
});

it("stretchTimes takes each factor equally often", () => {
  const counts = new Uint32Array(3);
  for (let sample = 0; sample < 3000; sample++) {
    const [time] = stretchTimes({ factors: [1, 2, 4] })(train([8], [0]), draws(sample)).timesMs;
    counts[Math.log2(time / 8)]++;
  }
  expect(chiSquare(counts, new Float64Array(3).fill(1000))).toBeGreaterThan(1e-3);
});

it("crop cuts a piece with all its spikes, from places spread over the sample", () => {
  const starts = Array.from({ length: 500 }, (_, sample) => {
    const { timesMs, units } = crop({ durationMs: 100 })(many, draws(sample));
    expect(Math.abs(timesMs.length - 1000)).toBeLessThanOrEqual(1);
    expect(timesMs[timesMs.length - 1]).toBeLessThan(100);
    return units.length > 0 ? timesMs[0] : NaN;
  });
  for (const start of starts) expect(start).toBeLessThan(0.1 + 1e-4);
  const marks = train(
    Array.from({ length: 500 }, (_, i) => i),
    Array.from({ length: 500 }, (_, i) => i),
  );
  const firsts = Array.from({ length: 1000 }, (_, sample) => crop({ durationMs: 99.5 })(marks, draws(sample)).units[0]);
  expect(Math.min(...firsts)).toBeLessThan(10);
  expect(Math.max(...firsts)).toBeGreaterThan(390);
  expect(Math.abs(mean(firsts) - 200)).toBeLessThan(15);
  expect(crop({ durationMs: 1000 })(many, draws())).toEqual(many);
});

it("dropSpikes keeps a share, each spike on its own", () => {
  const { units } = dropSpikes({ probability: 0.3 })(many, draws());
  expect(Math.abs(units.length - 3500)).toBeLessThan(4 * Math.sqrt(5000 * 0.21));
  expect(dropSpikes({ probability: 0 })(many, draws())).toEqual(many);
  expect(dropSpikes({ probability: 1 })(many, draws()).units.length).toBe(0);
});

it("insertSpikes adds Poisson spikes on all channels and keeps those that were there", () => {
  const spikes = train([3, 3, 70], [1, 2, 3]);
  const result = insertSpikes(channels, { rateHz: 100, durationMs: 500 })(spikes, draws());
  const added = pairs(result).filter(([time, unit]) => !pairs(spikes).some(([t, u]) => t === time && u === unit));
  expect(result.units.length - added.length).toBe(3);
  expect(Math.abs(added.length - 5000)).toBeLessThan(4 * Math.sqrt(5000));
  expect(
    kolmogorovSmirnov(
      added.map(([time]) => time),
      (t) => t / 500,
    ),
  ).toBeGreaterThan(1e-3);
  const counts = new Uint32Array(channels);
  for (const [, unit] of added) counts[unit]++;
  expect(chiSquare(counts, new Float64Array(channels).fill(added.length / channels))).toBeGreaterThan(1e-3);
  expect(insertSpikes(channels, { rateHz: 0 })(spikes, draws())).toEqual(spikes);
  expect(insertSpikes(channels, { rateHz: 100 })(train([], []), draws()).units.length).toBe(0);
  expect(() => insertSpikes(channels, { rateHz: 1e6, durationMs: 1e9 })(spikes, draws())).toThrow("spikes to insert");
});

describe("blend", () => {
  const a = train([10, 20, 30], [20, 30, 40]); // centre 20 ms, channel 30
  const b = train([40, 60], [50, 51]); // centre 50 ms, channel 50.5

  it("brings the centres of mass together half-way", () => {
    // They meet at 35 ms and channel 40.25: a moves by 15 ms and 10 channels, b by -15 ms and -10.25, rounded to -10.
    expect(pairs(blend(channels, { keep: 1 })(a, draws(), b))).toEqual([
      [25, 30],
      [25, 40],
      [35, 40],
      [45, 50],
      [45, 41],
    ]);
  });

  it("keeps spikes of either with the same probability", () => {
    const late = train(many.timesMs, new Uint32Array(5000).fill(60));
    const early = train(many.timesMs, new Uint32Array(5000).fill(40));
    const { units } = blend(channels)(early, draws(), late);
    expect(Math.abs(units.length - 5000)).toBeLessThan(4 * Math.sqrt(10_000 / 4));
    expect(new Set(units)).toEqual(new Set([50]));
  });

  it("drops what leaves the channels, and leaves a sample without partner alone", () => {
    const high = train([20], [99]);
    const wide = train([10, 30], [0, 2]);
    // Centres 99 and 1 meet at 50, and all stay inside. Centres 50 and 99 meet at 74.5, and 99 goes to 124.
    expect(blend(channels, { keep: 1 })(high, draws(), wide).units.length).toBe(3);
    expect([...blend(channels, { keep: 1 })(train([20, 20], [1, 99]), draws(), high).units].sort()).toEqual([26, 75]);
    expect(blend(channels)(a, draws())).toBe(a);
    expect(blend(channels)(a, draws(), train([], []))).toBe(a);
  });
});

it("compose applies the first first, each with numbers of its own", () => {
  const both = compose([shiftChannels(channels, { max: 10 }), dropSpikes()]);
  const stream = draws(5);
  const shifted = shiftChannels(channels, { max: 10 })(many, stream);
  const byHand = dropSpikes()(shifted, stream);
  expect(both(many, draws(5))).toEqual(byHand);
  expect(compose([])(many, draws())).toBe(many);
});

describe("sortByTime and mergeByTime", () => {
  it("sort stably", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }), fc.nat(5))),
        (times) => {
          const float32 = Float32Array.from(times);
          const sorted = sortByTime(
            float32,
            Uint32Array.from(times, (_, i) => i),
          );
          const expected = Array.from(float32, (time, i) => [time + 0, i]).sort(([s, i], [t, j]) => s - t || i - j);
          expect(pairs(sorted).map(([time, i]) => [time + 0, i])).toEqual(expected);
        },
      ),
    );
  });

  it("merge stably", () => {
    const merged = mergeByTime(train([1, 2, 2], [0, 1, 2]), train([0, 2, 3], [3, 4, 5]));
    expect(pairs(merged)).toEqual([
      [0, 3],
      [1, 0],
      [2, 1],
      [2, 2],
      [2, 4],
      [3, 5],
    ]);
  });
});

describe("makeAugmentation", () => {
  const spikes = { kind: "spikes", channels } as const;

  it("makes the list with the documented defaults", () => {
    const list: AugmentationDescription[] = [
      { type: "blend" },
      { type: "shiftChannels" },
      { type: "jitterChannels", sd: 1 },
      { type: "jitterTimes", sdMs: 2 },
      { type: "scaleTimes", min: 0.9, max: 1.1 },
      { type: "stretchTimes" },
      { type: "crop" },
      { type: "dropSpikes" },
      { type: "insertSpikes", rateHz: 1 },
    ];
    const { augment, blendShare } = makeAugmentation(list, spikes);
    expect(blendShare).toBe(0.5);
    const byHand = compose([
      blend(channels, { keep: 0.5 }),
      shiftChannels(channels, { max: 40 }),
      jitterChannels(channels, { sd: 1 }),
      jitterTimes({ sdMs: 2 }),
      scaleTimes({ min: 0.9, max: 1.1 }),
      stretchTimes({ factors: [0.5, 1] }),
      crop({ durationMs: 1000 }),
      dropSpikes({ probability: 0.5 }),
      insertSpikes(channels, { rateHz: 1 }),
    ]);
    expect(augment(many, draws(3), many)).toEqual(byHand(many, draws(3), many));
    expect(makeAugmentation([], { kind: "frames", channels }).blendShare).toBe(0);
  });

  it("refuses what cannot be", () => {
    const make = (list: unknown, info: Parameters<typeof makeAugmentation>[1] = spikes) =>
      makeAugmentation(list as AugmentationDescription[], info);
    expect(() => make([{ type: "shiftChanels" }])).toThrow('did you mean "shiftChannels"?');
    expect(() => make([{ type: "dropSpikes" }, { type: "blend" }])).toThrow("must be the first");
    expect(() => make([{ type: "crop" }], { kind: "frames", channels })).toThrow("holds frames");
    expect(() => make([{ type: "blend", share: 2 }])).toThrow("share is 2");
    expect(() => make([{ type: "scaleTimes", min: 2, max: 1 }])).toThrow("max is 1; it must be a finite number >= 2");
    expect(() => make([{ type: "stretchTimes", factors: [] }])).toThrow("factors is empty");
    expect(() => make([{ type: "dropSpikes", probability: -0.1 }])).toThrow("probability is -0.1");
  });
});
