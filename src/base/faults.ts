/**
 * What is wrong with a value of an experiment, as the second half of a sentence whose first half is its path:
 * `learning.lambda` + `is -1; it must be a number above 0`.
 */
import { didYouMean } from "./errors.ts";

/** A range of numbers. */
export interface Range {
  /** Smallest allowed value. */
  readonly min?: number;
  /** Largest allowed value. */
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  /** Exclusive upper bound. */
  readonly below?: number;
  readonly unit?: string;
  readonly integer?: boolean;
}

/** `a number from 0 to 1`, `a whole number of at least 1`, `a number above 0 ms`. */
export function describeRange({ min, max, above, below, unit, integer }: Range): string {
  const noun = integer ? "a whole number" : "a number";
  const inUnit = unit === undefined ? "" : ` ${unit}`;
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}${inUnit}`;
  const low = above !== undefined ? `above ${above}` : min !== undefined ? `of at least ${min}` : "";
  const high = below !== undefined ? `below ${below}` : max !== undefined ? `at most ${max}` : "";
  if (low !== "") return `${noun} ${low}${high === "" ? "" : ` and ${high}`}${inUnit}`;
  if (high !== "") return `${noun} ${below === undefined ? "of " : ""}${high}${inUnit}`;
  return unit === undefined ? noun : `${noun} in ${unit}`;
}

export function inRange(value: unknown, { min, max, above, below, integer }: Range): value is number {
  return (
    typeof value === "number" &&
    Number.isFinite(value) &&
    !(integer && !Number.isSafeInteger(value)) &&
    !(min !== undefined && value < min) &&
    !(max !== undefined && value > max) &&
    !(above !== undefined && value <= above) &&
    !(below !== undefined && value >= below)
  );
}

/** A value as it should appear in a message: short, and strings in quotes. */
export function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export const wrong = (value: unknown, must: string): string => `is ${show(value)}; it must be ${must}`;

/** A list of words: `"a", "b"`. */
export const quoted = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(", ");

/** A value that is none of a few words; suggests the nearest. */
export function wrongWord(value: unknown, words: readonly string[]): string {
  return wrong(value, `one of ${quoted(words)}`) + (typeof value === "string" ? didYouMean(value, words) : "");
}

/** The first item of a list that is no number of a range; undefined when all are. */
export function wrongItem(list: readonly unknown[], range: Range): string | undefined {
  const bad = list.findIndex((item) => !inRange(item, range));
  if (bad < 0) return undefined;
  return `has ${show(list[bad])} at position ${bad}; every item must be ${describeRange(range)}`;
}
