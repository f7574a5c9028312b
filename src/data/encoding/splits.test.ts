import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chiSquare } from "../../math/goodness-of-fit.ts";
import { shuffledBatches } from "./batches.ts";
import { crossValidation, type FoldsDescription, type HoldOutDescription, holdOut, type SplitSet } from "./splits.ts";

function setOf(labels: readonly number[], speaker: readonly number[] = labels.map(() => 0)): SplitSet {
  return {
    name: "toy.h5",
    size: labels.length,
    labels: Uint32Array.from(labels),
    columns: { speaker: Int32Array.from(speaker), key: new Int32Array(labels.length) },
  };
}

const seed = 5;
const labelLists = fc.array(fc.nat(4), { minLength: 10, maxLength: 200 });

/** Both sides together are the given indices, each once, ascending. */
function expectPartition(parts: readonly Uint32Array[], indices: ArrayLike<number>) {
  expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(Array.from(indices));
  for (const part of parts) expect([...part]).toEqual([...part].sort((a, b) => a - b));
}

const perClass = (set: SplitSet, indices: Uint32Array): number[] =>
  [0, 1, 2, 3, 4].map((label) => indices.filter((index) => set.labels[index] === label).length);

describe("holdOut", () => {
  it("by fraction takes the rounded share in all, and of each class to within one", () => {
    fc.assert(
      fc.property(labelLists, fc.double({ min: 0.1, max: 0.9, noNaN: true }), fc.nat(100), (labels, fraction, seed) => {
        const set = setOf(labels);
        const all = labels.map((_, i) => i);
        const { training, heldOut } = holdOut({ type: "fraction", fraction }, set, { seed });
        expectPartition([training, heldOut], all);
        expect(heldOut.length).toBe(Math.round(fraction * labels.length));
        const classes = perClass(set, Uint32Array.from(all));
        perClass(set, heldOut).forEach((count, label) => {
          expect(Math.abs(count - fraction * classes[label])).toBeLessThan(1);
        });
        expect(holdOut({ type: "fraction", fraction }, set, { seed })).toEqual({ training, heldOut });
      }),
    );
  });

  it("holds out every sample equally often over seeds, and other samples for other seeds", () => {
    for (const stratified of [true, false]) {
      const set = setOf(Array.from({ length: 60 }, (_, i) => i % 3));
      const counts = new Uint32Array(60);
      for (let seed = 0; seed < 600; seed++) {
        const { heldOut } = holdOut({ type: "fraction", fraction: 0.3, stratified }, set, { seed });
        expect(heldOut.length).toBe(18);
        for (const index of heldOut) counts[index]++;
      }
      // Counts of a sample without replacement vary less than chi-square allows for, so only too much is a fault.
      expect(chiSquare(counts, new Float64Array(60).fill(180))).toBeGreaterThan(1e-3);
    }
  });

  it("splits only those among which it is asked to", () => {
    const set = setOf(Array.from({ length: 100 }, (_, i) => i % 5));
    const { training } = holdOut({ type: "fraction", fraction: 0.5 }, set, { seed });
    const inner = holdOut({ type: "fraction", fraction: 0.2 }, set, { seed, among: training });
    expectPartition([inner.training, inner.heldOut], training);
    expect(perClass(set, inner.heldOut)).toEqual([2, 2, 2, 2, 2]);
    expect(() => holdOut({ type: "fraction" }, set, { seed, among: [100] })).toThrow("sample 100");
  });

  it("takes every n-th", () => {
    const set = setOf(Array.from({ length: 25 }, () => 0));
    expect([...holdOut({ type: "everyNth" }, set, { seed }).heldOut]).toEqual([9, 19]);
    expect([...holdOut({ type: "everyNth", n: 10, place: 0 }, set, { seed }).heldOut]).toEqual([0, 10, 20]);
    const among = [1, 3, 5, 7, 9, 11];
    expect([...holdOut({ type: "everyNth", n: 3 }, set, { seed, among }).heldOut]).toEqual([5, 11]);
  });

  it("takes the samples of a column's values", () => {
    const set = setOf([0, 1, 0, 1, 0], [3, 4, 3, 5, 6]);
    const { training, heldOut } = holdOut({ type: "column", column: "speaker", values: [4, 6] }, set, { seed });
    expect([...heldOut]).toEqual([1, 4]);
    expect([...training]).toEqual([0, 2, 3]);
  });

  it("explains what cannot be", () => {
    const set = setOf([0, 1, 0, 1], [3, 4, 3, 4]);
    const tryIt = (description: unknown) => () => holdOut(description as HoldOutDescription, set, { seed });
    expect(tryIt({ type: "column", column: "speakr", values: [3] })).toThrow(
      'toy.h5 has no column "speakr"; it has speaker, key — did you mean "speaker"?',
    );
    expect(tryIt({ type: "column", column: "speaker", values: [7] })).toThrow(
      "no sample of toy.h5 has speaker 7; there are 3, 4",
    );
    expect(tryIt({ type: "column", column: "speaker", values: [3, 4] })).toThrow(
      "of 4 samples of toy.h5, no sample is left to train on when speaker 3, 4 is held out",
    );
    expect(tryIt({ type: "fraction", fraction: 0.01 })).toThrow("no sample is held out when a fraction of 0.01");
    expect(tryIt({ type: "everyNth", n: 5 })).toThrow("no sample is held out");
    expect(tryIt({ type: "fraction", fraction: 0 })).toThrow("the held-out fraction is 0");
    expect(tryIt({ type: "everyNth", n: 5, place: 5 })).toThrow("place of the split everyNth is 5");
    expect(tryIt({ type: "kFold" })).toThrow('there is no split "kFold" here; there are fraction, everyNth, column');
  });
});

describe("crossValidation", () => {
  it("kFold holds out every sample once, in folds of equal size and equal classes", () => {
    fc.assert(
      fc.property(labelLists, fc.integer({ min: 2, max: 8 }), fc.boolean(), (labels, folds, stratified) => {
        const set = setOf(labels);
        const all = Uint32Array.from(labels, (_, i) => i);
        const result = crossValidation({ type: "kFold", folds, stratified }, set, { seed });
        expectPartition(
          result.map(({ heldOut }) => heldOut),
          all,
        );
        for (const { training, heldOut } of result) {
          expectPartition([training, heldOut], all);
          expect(Math.abs(heldOut.length - labels.length / folds)).toBeLessThan(1);
          if (!stratified) continue;
          const classes = perClass(set, all);
          perClass(set, heldOut).forEach((count, label) => {
            expect(Math.abs(count - classes[label] / folds)).toBeLessThan(1);
          });
        }
      }),
    );
  });

  it("leaveOneOut holds out one value after the other", () => {
    const set = setOf([0, 1, 0, 1, 0], [5, 4, 5, 12, 4]);
    const folds = crossValidation({ type: "leaveOneOut", column: "speaker" }, set, { seed });
    expect(folds.map(({ name, heldOut }) => [name, ...heldOut])).toEqual([
      ["speaker 4", 1, 4],
      ["speaker 5", 0, 2],
      ["speaker 12", 3],
    ]);
    for (const { training, heldOut } of folds) expectPartition([training, heldOut], [0, 1, 2, 3, 4]);
  });

  it("explains what cannot be", () => {
    const set = setOf([0, 1, 0]);
    const tryIt = (description: unknown) => () => crossValidation(description as FoldsDescription, set, { seed });
    expect(tryIt({ type: "leaveOneOut", column: "key" })).toThrow("no sample is left to train on when key 0");
    expect(tryIt({ type: "leaveOneOut", column: "Speaker" })).toThrow('did you mean "speaker"?');
    expect(tryIt({ type: "kFold", folds: 4 })).toThrow(
      "the number of folds is 4; it must be a whole number >= 2 and <= 3",
    );
    expect(tryIt({ type: "fraction" })).toThrow("there are leaveOneOut, kFold");
  });
});

describe("shuffledBatches", () => {
  it("meets every sample once, in batches of one size but the last", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 64 }),
        (indices, size) => {
          const batches = shuffledBatches(seed, 3, indices, size);
          expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual(
            [...indices].sort((a, b) => a - b),
          );
          batches.slice(0, -1).forEach((batch) => {
            expect(batch.length).toBe(size);
          });
          expect(batches.length).toBe(Math.ceil(indices.length / size));
          if (size > indices.length) return;
          const whole = shuffledBatches(seed, 3, indices, size, { dropLast: true });
          expect(whole).toEqual(batches.slice(0, Math.floor(indices.length / size)));
        },
      ),
    );
  });

  it("keeps this order for ever, and has another in every epoch and for every seed", () => {
    const order = (seed: number, epoch: number) => [
      ...shuffledBatches(seed, epoch, [0, 10, 20, 30, 40, 50, 60, 70], 8)[0],
    ];
    expect(order(1, 1)).toMatchInlineSnapshot(`
      [
        10,
        50,
        0,
        60,
        40,
        70,
        20,
        30,
      ]
    `);
    expect(order(1, 2)).not.toEqual(order(1, 1));
    expect(order(2, 1)).not.toEqual(order(1, 1));
  });

  it("refuses batches that would leave nothing", () => {
    expect(() => shuffledBatches(1, 1, [1, 2], 3, { dropLast: true })).toThrow(
      "a batch of 3 is larger than the 2 samples",
    );
    expect(() => shuffledBatches(1, 1, [1, 2], 0)).toThrow("the batch size is 0");
  });
});
