/**
 * Labelled samples in a .npz file, in one of two layouts:
 *
 * - frames: `samples` [sample][frame][channel] and `labels`; `length` has the number of frames that count, for samples
 *   that were made as long as the longest;
 * - spikes: `times` in s (or `times_ms`) and `units` of all samples, one sample after the other, `offsets` where each
 *   sample starts (and, at its end, their number), and `labels`.
 *
 * `labels` (or `label`) are numbers or words; `classes`, `class_names`, `keys` or `letters` have the names of the
 * numbers. Any other whole numbers, one per sample, become columns.
 */

import { dataError } from "../../base/errors.ts";
import { shapeText } from "../formats/limits.ts";
import { npzArrays } from "../formats/npz.ts";
import { type NamedArray, type NumericData, toFloat64 } from "../formats/numeric-array.ts";
import type { ZipEntry } from "../formats/zip.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { integerColumn, type Labelling, labelsFrom, labelsFromWords, namesFor, withoutLabels } from "./labels.ts";
import { wordsOfNpy } from "./npy-text.ts";
import type { LabelledOptions, Reading } from "./options.ts";
import { channelsOf, millisecondsOf } from "./raw-spikes.ts";
import { sampleReader } from "./sample-reader.ts";
import { buildSpikeSet } from "./spike-set.ts";

const labelArrays = ["labels", "label"];
const classArrays = ["classes", "class_names", "keys", "letters"];
const lengthArrays = ["length", "lengths"];

class Arrays {
  readonly name: string;
  readonly numbers: Map<string, NamedArray>;
  readonly words: Map<string, string[]>;
  /** Names of arrays that hold neither: Python objects, records. */
  readonly others: string[] = [];

  constructor(name: string, entries: readonly ZipEntry[]) {
    this.name = name;
    this.numbers = new Map(npzArrays(entries, name).map((array) => [array.name, array]));
    this.words = new Map();
    for (const { path, read } of entries) {
      const key = path.replace(/\.npy$/, "");
      if (key === path || this.numbers.has(key)) continue;
      const words = wordsOfNpy(read(), this.what(key));
      if (words === undefined) this.others.push(key);
      else this.words.set(key, words);
    }
  }

  what(key: string): string {
    return `array "${key}" of ${this.name}`;
  }

  /** The first of these names that holds numbers. */
  firstOf(keys: readonly string[]): NamedArray | undefined {
    return keys.map((key) => this.numbers.get(key)).find((array) => array !== undefined);
  }

  /** A one-dimensional array of numbers; a dataError when it is of another shape. */
  list(key: string): NumericData {
    const { shape, data } = this.numbers.get(key)!;
    if (shape.length !== 1) throw dataError(`${this.what(key)} has the shape ${shapeText(shape)}; a list is needed`);
    return data;
  }

  contents(): string {
    const numbers = [...this.numbers.values()].map(({ name, shape }) => `${name} (${shapeText(shape)})`);
    return [...numbers, ...this.words.keys()].join(", ") || "no arrays";
  }
}

function labelling(arrays: Arrays, size: number, options: LabelledOptions, used: readonly string[]): Labelling {
  const { name } = arrays;
  const columns: Record<string, Int32Array> = {};
  for (const [key, { shape, data }] of arrays.numbers) {
    if ([...labelArrays, ...lengthArrays, ...used].includes(key) || shape.length !== 1) continue;
    const column = data instanceof Float64Array ? undefined : integerColumn(data, size);
    if (column !== undefined) columns[key] = column;
  }
  const key = labelArrays.find((one) => arrays.numbers.has(one) || arrays.words.has(one));
  const unreadable = labelArrays.find((one) => arrays.others.includes(one));
  if (key === undefined && unreadable !== undefined) {
    throw dataError(
      `${arrays.what(unreadable)} holds neither numbers nor a list of words; save classes as one of them`,
    );
  }
  if (key === undefined && options.allowUnlabelled) return { ...withoutLabels(size, options), columns };
  if (key === undefined) {
    throw dataError(`${name} holds samples, but no array "labels" with their classes; it holds ${arrays.contents()}`);
  }
  const words = arrays.words.get(key);
  if (words !== undefined) {
    if (words.length !== size) throw dataError(`${arrays.what(key)} has ${words.length} values for ${size} samples`);
    return { ...labelsFromWords(words, options.classNames, arrays.what(key)), columns };
  }
  const labels = labelsFrom(arrays.list(key), size, arrays.what(key));
  const classKey = classArrays.find((one) => arrays.words.has(one));
  const ofFile = classKey === undefined ? undefined : arrays.words.get(classKey);
  return { labels, classNames: namesFor(labels, options.classNames, ofFile, name), columns };
}

/** Frames of each sample that count; all of them by default. */
function frameCounts(arrays: Arrays, size: number, frames: number): Uint32Array {
  const lengths = arrays.firstOf(lengthArrays);
  if (lengths === undefined) return new Uint32Array(size).fill(frames);
  const what = arrays.what(lengths.name);
  if (lengths.data.length !== size) throw dataError(`${what} has ${lengths.data.length} values for ${size} samples`);
  return Uint32Array.from(lengths.data as ArrayLike<number | bigint>, (value, i) => {
    const count = Number(value);
    if (Number.isInteger(count) && count >= 1 && count <= frames) return count;
    throw dataError(`${what} gives sample ${i} ${value} frames; there are 1 to ${frames}`);
  });
}

/** Smallest and largest number; bytes range from 0 to 255 whatever is met. Undefined when all numbers are the same. */
function rangeOf({ data, name }: NamedArray, arrays: Arrays, values: number): [number, number] | undefined {
  if (data instanceof Uint8Array) return [0, 255];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const value = Math.fround(Number(data[i]));
    if (!Number.isFinite(value)) {
      throw dataError(
        `${arrays.what(name)} holds ${data[i]} in sample ${Math.floor(i / values)}; fill or drop it first`,
      );
    }
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? [low, high] : undefined;
}

function withoutBigInts(data: NumericData): Exclude<NumericData, BigInt64Array | BigUint64Array> {
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? toFloat64(data) : data;
}

function framesSet(arrays: Arrays, options: LabelledOptions): LabelledSet {
  const samples = arrays.numbers.get("samples")!;
  const { name } = arrays;
  const [size, frames, channels] = samples.shape;
  if (samples.shape.length !== 3 || samples.data.length === 0) {
    const what = arrays.what("samples");
    throw dataError(`${what} has the shape ${shapeText(samples.shape)}; samples x frames x channels are needed`);
  }
  const facts = labelling(arrays, size, options, ["samples"]);
  const counts = frameCounts(arrays, size, frames);
  const range = rangeOf(samples, arrays, frames * channels);
  let data = withoutBigInts(samples.data);
  return {
    ...facts,
    name,
    kind: "frames",
    size,
    channels,
    frames: counts.reduce((a, b) => Math.max(a, b)),
    range,
    notes: [],
    ...sampleReader(
      name,
      size,
      (index) => {
        const start = index * frames * channels;
        const values = new Float32Array(data.subarray(start, start + counts[index] * channels));
        return { kind: "frames", frames: counts[index], values };
      },
      () => {
        data = new Uint8Array(0);
      },
    ),
  };
}

/** Starts of the samples and, after them, the end of the last. */
function sampleBounds(arrays: Arrays, spikes: number): number[] {
  const bounds = Array.from(arrays.list("offsets") as ArrayLike<number | bigint>, Number);
  const what = arrays.what("offsets");
  const labels = labelArrays.map((key) => arrays.numbers.get(key)?.data ?? arrays.words.get(key)).find((one) => one);
  // Both conventions are met: with the end of the last sample, and without.
  if (labels !== undefined && bounds.length === labels.length) bounds.push(spikes);
  if (bounds[0] !== 0 || bounds.at(-1) !== spikes) {
    throw dataError(
      `${what} goes from ${bounds[0]} to ${bounds.at(-1)}; it must start at 0 and end at ${spikes}, the number of spikes`,
    );
  }
  const bad = bounds.findIndex((bound, i) => !Number.isInteger(bound) || (i > 0 && bound < bounds[i - 1]));
  if (bad >= 0) throw dataError(`${what} is ${bounds[bad]} at place ${bad}; offsets are whole numbers that never fall`);
  return bounds;
}

function spikesSet(arrays: Arrays, timesKey: string, reading: Reading): LabelledSet {
  const times = arrays.list(timesKey);
  const units = arrays.list("units");
  if (times.length !== units.length) {
    throw dataError(`${arrays.name} has ${times.length} ${timesKey} and ${units.length} units; each spike has both`);
  }
  const bounds = sampleBounds(arrays, times.length);
  const facts = labelling(arrays, bounds.length - 1, reading.options, [timesKey, "units", "offsets"]);
  const msPerUnit = timesKey === "times" ? 1000 : 1;
  return buildSpikeSet(arrays.name, reading, reading.options.channels, (sink) => {
    for (let i = 0; i + 1 < bounds.length; i++) {
      sink.add(
        millisecondsOf(times, bounds[i], bounds[i + 1], msPerUnit),
        channelsOf(units, bounds[i], bounds[i + 1], `sample ${i} of ${arrays.name}`),
      );
    }
    return facts;
  });
}

/** @throws UserError when the file is damaged, of neither layout, or breaks a rule. */
export function readNpzSet(name: string, entries: readonly ZipEntry[], reading: Reading): LabelledSet {
  const arrays = new Arrays(name, entries);
  if (arrays.numbers.has("samples")) return framesSet(arrays, reading.options);
  const timesKey = ["times", "times_ms"].find((key) => arrays.numbers.has(key));
  if (timesKey !== undefined && arrays.numbers.has("units") && arrays.numbers.has("offsets")) {
    return spikesSet(arrays, timesKey, reading);
  }
  throw dataError(
    `${name} holds ${arrays.contents()}; labelled samples are "samples" (samples x frames x channels) and "labels", or ` +
      'spikes as "times" in s, "units", "offsets" and "labels"',
  );
}
