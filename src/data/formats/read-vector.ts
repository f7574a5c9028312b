/** One list of finite numbers out of a file of any format that is read: a constant with a value for every neuron. */

import { dataError, didYouMean } from "../../base/errors.ts";
import { listed } from "./choose-arrays.ts";
import { readCsv } from "./csv.ts";
import { openHdf5 } from "./hdf5.ts";
import { gunzip } from "./inflate.ts";
import { shapeText } from "./limits.ts";
import { readNpy } from "./npy.ts";
import { readNpz } from "./npz.ts";
import { type NumericArray, toFloat64 } from "./numeric-array.ts";
import { vectorLength } from "./orientation.ts";
import { sniff } from "./sniff.ts";

interface Named {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly numeric: boolean;
}

/** The array that was named, or the only list that the file holds. */
function choose(all: readonly Named[], file: string, dataset: string | undefined): string {
  if (dataset !== undefined) {
    const wanted = dataset.replace(/^\/+/, "");
    const found = all.find(({ name }) => name === wanted);
    if (found === undefined) {
      const names = all.map(({ name }) => name);
      throw dataError(`${file} has no array "${wanted}"${didYouMean(wanted, names) || `; it holds ${listed(all)}`}`);
    }
    if (!found.numeric) throw dataError(`"${wanted}" of ${file} holds ${found.dtype} values, not numbers`);
    return wanted;
  }
  const lists = all.filter(({ numeric, shape }) => numeric && vectorLength(shape) !== undefined);
  if (lists.length === 1) return lists[0].name;
  throw dataError(
    lists.length === 0
      ? `${file} holds no list of numbers; it holds ${listed(all)}`
      : `${file} holds several lists: ${listed(lists)}; choose one by "dataset"`,
  );
}

function checked({ shape, data }: NumericArray, what: string): Float64Array {
  if (vectorLength(shape) === undefined) {
    throw dataError(`${what} has the shape ${shapeText(shape)}; a list of numbers is needed`);
  }
  const values = toFloat64(data);
  if (values.length === 0) throw dataError(`${what} is empty`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw dataError(`${what} has ${values[bad]} at position ${bad}; every number must be finite`);
  return values;
}

/**
 * Reads a list of numbers from HDF5, .npy, .npz or CSV, each also packed as .gz; the kind is judged by the bytes.
 *
 * @param name of the file, for messages
 * @param dataset which array, dataset or column; may be left out where there is only one list
 * @throws UserError when the file is damaged, of another kind, or holds anything but finite numbers there
 */
export async function readVector(bytes: Uint8Array, name: string, dataset?: string): Promise<Float64Array> {
  switch (sniff(bytes, name)) {
    case "gzip": {
      const inner = gunzip(bytes, name);
      const innerName = name.replace(/\.gz$/i, "");
      if (sniff(inner, innerName) === "gzip") throw dataError(`${name} is packed twice by gzip; unpack it once`);
      return readVector(inner, innerName, dataset);
    }
    case "npy":
      if (dataset !== undefined) throw dataError(`${name} is one array; leave "dataset" out`);
      return checked(readNpy(bytes, name), name);
    case "npz": {
      const arrays = readNpz(bytes, name);
      const chosen = choose(
        arrays.map((array) => ({ ...array, numeric: true })),
        name,
        dataset,
      );
      return checked(arrays.find((array) => array.name === chosen)!, `"${chosen}" of ${name}`);
    }
    case "csv": {
      const { columns, named, rows, values } = readCsv(bytes, name, { wordColumns: [] });
      // One line of numbers without names is a list too.
      if (!named && rows === 1 && dataset === undefined) return values;
      const tables = columns.map((column) => ({ name: column, shape: [rows], dtype: "number", numeric: true }));
      const c = columns.indexOf(choose(tables, name, dataset));
      return Float64Array.from({ length: rows }, (_, row) => values[row * columns.length + c]);
    }
    case "hdf5":
    case "jld": {
      const file = await openHdf5(bytes, name);
      try {
        const all = file.datasets.map(({ path, shape, dtype, kind }) => ({
          name: path,
          shape,
          dtype,
          numeric: kind === "number",
        }));
        const chosen = choose(all, name, dataset);
        return checked(file.readNumbers(chosen), `"${chosen}" of ${name}`);
      } finally {
        file.close();
      }
    }
  }
}
