/**
 * Which samples are trained on and which are held out. Every result partitions the samples it was given: no sample is on
 * both sides, none is lost, indices ascend. Random choices depend on the seed, the class and the number of its samples.
 */

import { didYouMean, UserError } from "../../base/errors.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { checkNumber } from "./check.ts";

export interface Split {
  readonly training: Uint32Array;
  readonly heldOut: Uint32Array;
}

/** One of several splits that together hold out every sample once. */
export interface Fold extends Split {
  /** `speaker 3`, `fold 2 of 5`. */
  readonly name: string;
}

/** One split. */
export type HoldOutDescription =
  | {
      readonly type: "fraction";
      /** Share held out, between 0 and 1. Default 0.1. */
      readonly fraction?: number;
      /** Every class alike (to within one sample). Default true. */
      readonly stratified?: boolean;
    }
  | {
      /** Every n-th sample is held out. */
      readonly type: "everyNth";
      /** Default 10. */
      readonly n?: number;
      /** Which of each n, 0 .. n-1. Default the last. */
      readonly place?: number;
    }
  /** The samples with these values of a column are held out. */
  | { readonly type: "column"; readonly column: string; readonly values: readonly number[] };

/** Several splits. */
export type FoldsDescription =
  /** Each value of the column is held out in turn, ascending. */
  | { readonly type: "leaveOneOut"; readonly column: string }
  | {
      /** Random parts of equal size (to within one sample), each held out in turn. */
      readonly type: "kFold";
      /** Default 5. */
      readonly folds?: number;
      /** Every class alike (to within one sample). Default true. */
      readonly stratified?: boolean;
    };

export type SplitDescription = HoldOutDescription | FoldsDescription;

/** What a split must know of a set. */
export type SplitSet = Pick<LabelledSet, "name" | "size" | "labels" | "columns">;

export interface SplitOptions {
  readonly seed: number;
  /** Only these samples are split. Default all. */
  readonly among?: ArrayLike<number>;
}

/**
 * One split into samples to train on and samples held out.
 * @throws UserError when a side is empty, for an unknown column or one without the values, and where every n-th sample
 *   misses classes
 */
export function holdOut(description: HoldOutDescription, set: SplitSet, { seed, among }: SplitOptions): Split {
  const indices = chosen(set, among);
  switch (description.type) {
    case "fraction": {
      const { fraction = 0.1, stratified = true } = description;
      checkNumber("the held-out fraction", fraction, { above: 0, max: 1 });
      const out = drawFraction(groups(set, indices, stratified), indices.length, fraction, seed);
      return partition(set, indices, (index) => out.has(index), `a fraction of ${fraction}`);
    }
    case "everyNth": {
      const { n = 10 } = description;
      checkNumber("n of the split everyNth", n, { min: 2, whole: true });
      const place = checkNumber("place of the split everyNth", description.place ?? n - 1, {
        min: 0,
        max: n - 1,
        whole: true,
      });
      const split = partition(set, indices, (_, i) => i % n === place, `one sample in ${n}`);
      refuseMissedClasses(split, set, n);
      return split;
    }
    case "column": {
      const column = columnOf(set, description.column);
      const there = distinct(column, indices);
      for (const value of description.values) {
        if (!there.includes(value)) {
          throw new UserError(`no sample of ${set.name} has ${description.column} ${value}; there are ${list(there)}`);
        }
      }
      const values = new Set(description.values);
      const what = `${description.column} ${list(description.values)}`;
      return partition(set, indices, (index) => values.has(column[index]), what);
    }
    default:
      return unknownType(description, ["fraction", "everyNth", "column"]);
  }
}

/**
 * Several splits, which together hold out every sample exactly once.
 * @throws UserError when a side is empty or for an unknown column
 */
export function crossValidation(description: FoldsDescription, set: SplitSet, { seed, among }: SplitOptions): Fold[] {
  const indices = chosen(set, among);
  switch (description.type) {
    case "leaveOneOut": {
      const column = columnOf(set, description.column);
      return distinct(column, indices).map((value) => {
        const name = `${description.column} ${value}`;
        return { name, ...partition(set, indices, (index) => column[index] === value, name) };
      });
    }
    case "kFold": {
      const { folds = 5, stratified = true } = description;
      checkNumber("the number of folds", folds, { min: 2, max: Math.max(2, indices.length), whole: true });
      const foldOf = dealFolds(groups(set, indices, stratified), folds, seed);
      return Array.from({ length: folds }, (_, fold) => {
        const name = `fold ${fold + 1} of ${folds}`;
        return { name, ...partition(set, indices, (index) => foldOf.get(index) === fold, name) };
      });
    }
    default:
      return unknownType(description, ["leaveOneOut", "kFold"]);
  }
}

function unknownType(description: never, types: readonly string[]): never {
  const { type } = description as { type: string };
  throw new UserError(`there is no split "${type}" here; there are ${types.join(", ")}${didYouMean(`${type}`, types)}`);
}

/** The samples to be split, ascending and without repeats. */
function chosen(set: SplitSet, among: ArrayLike<number> | undefined): Uint32Array {
  if (among === undefined) return Uint32Array.from({ length: set.size }, (_, i) => i);
  const indices = Uint32Array.from(new Set(Array.from(among))).sort();
  if (indices.length > 0 && indices[indices.length - 1] >= set.size) {
    throw new RangeError(`sample ${indices[indices.length - 1]} is not among the ${set.size} of ${set.name}`);
  }
  return indices;
}

function partition(
  set: SplitSet,
  indices: Uint32Array,
  isHeldOut: (index: number, place: number) => boolean,
  what: string,
): Split {
  const heldOut = indices.filter((index, place) => isHeldOut(index, place));
  const training = indices.filter((index, place) => !isHeldOut(index, place));
  if (heldOut.length === 0 || training.length === 0) {
    const empty = heldOut.length === 0 ? "no sample is held out" : "no sample is left to train on";
    throw new UserError(
      `of ${indices.length} samples of ${set.name}, ${empty} when ${what} is held out; change the split`,
    );
  }
  return { training, heldOut };
}

/** Of classes that come in turn every n-th sample may be of a few only, and nothing could be told by these. */
function refuseMissedClasses({ training, heldOut }: Split, { name, labels }: SplitSet, n: number): void {
  const classes = (indices: Uint32Array) => new Set(Array.from(indices, (index) => labels[index])).size;
  const [all, out] = [classes(training), classes(heldOut)];
  if (out >= all || heldOut.length < 2 * all) return;
  throw new UserError(
    `of ${name} one sample in ${n} is held out, and all ${heldOut.length} of these belong to ${out} of the ${all} classes, ` +
      'which come in turn; draw from every class with {"type": "fraction", "fraction": 0.1}',
  );
}

function columnOf(set: SplitSet, name: string): Int32Array {
  if (Object.hasOwn(set.columns, name)) return set.columns[name];
  const names = Object.keys(set.columns);
  const known = names.length === 0 ? "it has no columns" : `it has ${names.join(", ")}`;
  throw new UserError(`${set.name} has no column "${name}"; ${known}${didYouMean(name, names)}`);
}

function distinct(column: Int32Array, indices: Uint32Array): number[] {
  return [...new Set(Array.from(indices, (index) => column[index]))].sort((a, b) => a - b);
}

const listed = 20;

function list(values: readonly number[]): string {
  return values.length <= listed ? values.join(", ") : `${values.slice(0, listed).join(", ")} and others`;
}

/** The samples of each class that has any, or all samples as one group; with the number that its random stream has. */
function groups(set: SplitSet, indices: Uint32Array, stratified: boolean): Map<number, Uint32Array> {
  if (!stratified) return new Map([[2 ** 32, indices]]);
  const classes = [...new Set(Array.from(indices, (index) => set.labels[index]))].sort((a, b) => a - b);
  return new Map(classes.map((label) => [label, indices.filter((index) => set.labels[index] === label)]));
}

/** round(fraction * total) samples: of each group the whole part of its share, the rest where the fraction is largest. */
function drawFraction(
  members: Map<number, Uint32Array>,
  total: number,
  fraction: number,
  seed: number,
): ReadonlySet<number> {
  const shares = [...members].map(([group, indices]) => {
    const share = fraction * indices.length;
    return { group, indices, count: Math.floor(share), rest: share - Math.floor(share) };
  });
  let left = Math.round(fraction * total) - shares.reduce((sum, { count }) => sum + count, 0);
  for (const share of [...shares].sort((a, b) => b.rest - a.rest || a.group - b.group)) {
    if (left-- > 0) share.count++;
  }
  const source = new Philox(seed);
  const out = new Set<number>();
  for (const { group, indices, count } of shares) {
    const places = source.sample(streamOf(streamKind.split, group), indices.length, count);
    for (const place of places) out.add(indices[place]);
  }
  return out;
}

/** Deals the shuffled members of group after group to the folds in turn, like cards. */
function dealFolds(members: Map<number, Uint32Array>, folds: number, seed: number): ReadonlyMap<number, number> {
  const source = new Philox(seed);
  const foldOf = new Map<number, number>();
  for (const [group, indices] of members) {
    for (const place of source.sample(streamOf(streamKind.split, group), indices.length, indices.length)) {
      foldOf.set(indices[place], foldOf.size % folds);
    }
  }
  return foldOf;
}
