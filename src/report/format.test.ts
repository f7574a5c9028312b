import { expect, test } from "vitest";
import {
  accuracy,
  bytes,
  correlation,
  duration,
  hertz,
  integer,
  percent,
  plural,
  seconds,
  significant,
} from "./format.ts";

const plain = (text: string): string => text.replaceAll("\u202f", " ");

test.each([
  [0, "0"],
  [1216, "1,216"],
  [-1234567.4, "−1,234,567"],
  [Number.NaN, "—"],
])("integer %s is written %s", (value, text) => {
  expect(integer(value)).toBe(text);
});

test.each([
  [0, "0"],
  [0.12345, "0.123"],
  [4.6, "4.60"],
  [-12.34, "−12.3"],
  [999.6, "1,000"],
  [12345, "12,345"],
  [0.00001234, "1.23 × 10⁻⁵"],
  [-2e9, "−2 × 10⁹"],
  [Number.POSITIVE_INFINITY, "—"],
])("%s to three significant digits is %s", (value, text) => {
  expect(plain(significant(value))).toBe(text);
});

test.each([
  [0, "0 s"],
  [0.00085, "850 µs"],
  [0.0123, "12.3 ms"],
  [4.56, "4.56 s"],
])("a short time of %s s is %s", (value, text) => {
  expect(plain(seconds(value))).toBe(text);
});

test.each([
  [42, "42.0 s"],
  [425, "7 min 5 s"],
  [3600, "1 h"],
  [3599.8, "60 min"],
  [8040, "2 h 14 min"],
  [273600, "3 d 4 h"],
  [Number.NaN, "—"],
])("a long time of %s s is %s", (value, text) => {
  expect(plain(duration(value))).toBe(text);
});

test("correlations line up, shares and rates carry their unit", () => {
  expect(correlation(0.8)).toBe("0.800");
  expect(correlation(-0.0412)).toBe("−0.041");
  expect(correlation(Number.NaN)).toBe("—");
  expect(plain(percent(0.0291))).toBe("2.9 %");
  expect(plain(percent(0.7513))).toBe("75 %");
  expect(plain(accuracy(0.85))).toBe("85.0 %");
  expect(accuracy(Number.NaN)).toBe("—");
  expect(plain(bytes(190 * 2 ** 20))).toBe("190 MiB");
  expect(plain(bytes(1.5 * 2 ** 30))).toBe("1.50 GiB");
  expect(plain(hertz(4.6))).toBe("4.60 Hz");
  expect(plural(1, "trial")).toBe("1 trial");
  expect(plural(1216, "neuron")).toBe("1,216 neurons");
});
