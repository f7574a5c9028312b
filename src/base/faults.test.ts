import { describe, expect, test } from "vitest";
import { describeRange, inRange, type Range, show, wrongItem, wrongWord } from "./faults.ts";

const ranges: [Range, words: string, inside: number[], outside: number[]][] = [
  [{}, "a number", [-1e300, 0], [Number.NaN, Number.POSITIVE_INFINITY]],
  [{ unit: "ms" }, "a number in ms", [1], []],
  [{ min: 0, max: 1 }, "a number from 0 to 1", [0, 1], [-1e-9, 1.1]],
  [{ min: 1, integer: true }, "a whole number of at least 1", [1, 2 ** 53 - 1], [0, 1.5, 2 ** 53]],
  [{ max: 3, unit: "Hz" }, "a number of at most 3 Hz", [3, -9], [3.1]],
  [{ above: 0, unit: "ms" }, "a number above 0 ms", [1e-9], [0]],
  [{ above: 0, max: 1 }, "a number above 0 and at most 1", [1], [0, 1.1]],
  [{ above: 0, below: 1 }, "a number above 0 and below 1", [0.5], [0, 1]],
  [{ min: 0, below: 1 }, "a number of at least 0 and below 1", [0], [1]],
  [{ below: 30 }, "a number below 30", [29.9], [30]],
];

describe("a range", () => {
  test.each(ranges)("%j is %s", (range, words, inside, outside) => {
    expect(describeRange(range)).toBe(words);
    for (const value of inside) expect(inRange(value, range)).toBe(true);
    for (const value of [...outside, "1", null, undefined]) expect(inRange(value, range)).toBe(false);
  });
});

test("values are shown short, strings in quotes", () => {
  expect([undefined, 3, Number.NaN, "3", null, [1, "a"]].map(show)).toEqual([
    "missing",
    "3",
    "NaN",
    '"3"',
    "null",
    '[1,"a"]',
  ]);
  expect(show("x".repeat(100))).toBe(`"${"x".repeat(56)}...`);
});

test("faults of words and lists", () => {
  expect(wrongWord("blac", ["black", "white"])).toBe(
    'is "blac"; it must be one of "black", "white" — did you mean "black"?',
  );
  expect(wrongWord(undefined, ["black"])).toBe('is missing; it must be one of "black"');
  expect(wrongItem([1, 0], { above: 0 })).toBe("has 0 at position 1; every item must be a number above 0");
  expect(wrongItem([1, 2], { above: 0 })).toBeUndefined();
});
