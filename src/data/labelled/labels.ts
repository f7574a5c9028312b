/** Classes and other facts of each sample, as files give them, checked. */

import { dataError } from "../../base/errors.ts";
import type { NumericData } from "../formats/numeric-array.ts";
import { type LabelledSet, noLabel } from "../labelled-set.ts";
import type { LabelledOptions } from "./options.ts";

export type Labelling = Pick<LabelledSet, "labels" | "classNames" | "columns">;

/** More classes than anyone tells apart; a number beyond is no class. */
const mostClasses = 10_000;

/** A place for messages: which array of which file. */
type What = string;

/** Samples whose classes nobody knows. */
export function withoutLabels(
  size: number,
  { classNames = [] }: LabelledOptions,
): Pick<Labelling, "labels" | "classNames"> {
  return { labels: new Uint32Array(size).fill(noLabel), classNames };
}

/**
 * Labels from numbers of any type.
 * @throws UserError when there is not one whole number >= 0 per sample.
 */
export function labelsFrom(values: NumericData, size: number, what: What): Uint32Array {
  if (values.length !== size) {
    throw dataError(`${what} has ${values.length} values for ${size} samples; it must have one for each`);
  }
  return Uint32Array.from(values as ArrayLike<number | bigint>, (value, i) => {
    const label = Number(value);
    if (Number.isInteger(label) && label >= 0 && label < mostClasses) return label;
    throw dataError(
      `${what} gives sample ${i} the label ${value}; labels are whole numbers from 0 to ${mostClasses - 1}`,
    );
  });
}

/**
 * Names of the classes: as given, else as the file has them, else the labels' own numbers.
 * @throws UserError when a label has no name.
 */
export function namesFor(
  labels: Uint32Array,
  given: readonly string[] | undefined,
  ofFile: readonly string[] | undefined,
  name: string,
): string[] {
  const highest = labels.reduce((a, b) => Math.max(a, b), 0);
  const names = given ?? ofFile;
  if (names === undefined) return Array.from({ length: highest + 1 }, (_, i) => String(i));
  const bad = labels.findIndex((label) => label >= names.length);
  if (bad < 0) return [...names];
  const whose = given === undefined ? "the file names" : "there are";
  throw dataError(
    `sample ${bad} of ${name} has the label ${labels[bad]}, but ${whose} only ${names.length} classes ` +
      `(0 to ${names.length - 1}: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", ..." : ""})`,
  );
}

/**
 * Labels from words, such as names of folders or values of a column. Without given names, numbers stand for themselves
 * and other words are numbered in the order of their letters.
 * @throws UserError when a word is none of the given names.
 */
export function labelsFromWords(
  words: readonly string[],
  given: readonly string[] | undefined,
  what: What,
): Pick<Labelling, "labels" | "classNames"> {
  if (given === undefined && words.every((word) => /^\d{1,9}$/.test(word))) {
    const labels = labelsFrom(Float64Array.from(words, Number), words.length, what);
    return { labels, classNames: namesFor(labels, undefined, undefined, what) };
  }
  const classNames = given ?? [...new Set(words)].sort();
  if (classNames.length > mostClasses) {
    throw dataError(`${what} has ${classNames.length} different values; that is no class, but something measured`);
  }
  const numbers = new Map(classNames.map((word, i) => [word, i]));
  const labels = Uint32Array.from(words, (word, i) => {
    const label = numbers.get(word);
    if (label !== undefined) return label;
    throw dataError(`${what} gives sample ${i} the class "${word}", which is none of ${classNames.join(", ")}`);
  });
  return { labels, classNames };
}

/**
 * Labels from words where there are any: samples without one have `noLabel`.
 * @param classNames of the words, as `labelsFromWords` takes them.
 */
export function labelsOfSome(
  words: readonly (string | undefined)[],
  classNames: readonly string[] | undefined,
  what: What,
): Pick<Labelling, "labels" | "classNames"> {
  const known = words.filter((word) => word !== undefined);
  if (known.length === 0) return withoutLabels(words.length, { classNames });
  const found = labelsFromWords(known, classNames, what);
  let next = 0;
  const labels = Uint32Array.from(words, (word) => (word === undefined ? noLabel : found.labels[next++]));
  return { labels, classNames: found.classNames };
}

/** Whole numbers of 32 bits, one per sample; undefined for other values. */
export function integerColumn(values: NumericData, size: number): Int32Array | undefined {
  if (values.length !== size || values instanceof Float32Array) return undefined;
  const numbers = Array.from(values as ArrayLike<number | bigint>, Number);
  return numbers.every((value) => value === (value | 0)) ? Int32Array.from(numbers) : undefined;
}
