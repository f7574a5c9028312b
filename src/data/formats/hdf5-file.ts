/** What an open HDF5 file shows of itself and lets be read (`hdf5.ts`). */
import type { NumericArray, NumericData } from "./numeric-array.ts";

export interface Hdf5Dataset {
  /** Full path without a leading slash, such as `units/spike_times`. */
  readonly path: string;
  /** Empty for a single value. */
  readonly shape: readonly number[];
  /** `float64`, `uint8`, `string`, `reference`, `sequences of float16`, ... */
  readonly dtype: string;
  /** `sequences`: each value is a list of numbers of its own length. */
  readonly kind: "number" | "string" | "reference" | "sequences" | "other";
}

/** Lists of numbers, one after the other: list i is `data[offsets[i]]` to `data[offsets[i + 1] - 1]`. */
export interface Hdf5Sequences {
  readonly data: NumericData;
  /** One more than there are lists. */
  readonly offsets: Uint32Array;
}

/** Numbers, text, or paths of the objects that object references point to. */
export type Hdf5Attribute = number | string | readonly number[] | readonly string[];

export interface Hdf5File {
  readonly name: string;
  /** All datasets that can be described, sorted by path. */
  readonly datasets: readonly Hdf5Dataset[];
  /** Paths of objects whose description is damaged. */
  readonly damaged: readonly string[];
  /** Whether a group or dataset of this path exists. */
  has(path: string): boolean;
  /** The dataset's description; a dataError with the nearest name when there is none. */
  describe(path: string): Hdf5Dataset;
  /** Numbers in row-major order. Booleans and enumerations are read as their numbers, float16 as float32. */
  readNumbers(path: string): NumericArray;
  /** Text values in row-major order. */
  readStrings(path: string): string[];
  /** `count` values from `start` on of a one-dimensional dataset of sequences; float16 as float32. */
  readSequences(path: string, start: number, count: number): Hdf5Sequences;
  /** Value of an attribute of a group ("" is the root) or dataset; undefined when there is none of that name. */
  attribute(path: string, name: string): Hdf5Attribute | undefined;
  /** Frees the file. Reading afterwards is an error. */
  close(): void;
}
