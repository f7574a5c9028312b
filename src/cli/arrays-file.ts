/** Arrays of numbers by name in one file that Python, Julia and MATLAB read. */
import { rename, rm, writeFile } from "node:fs/promises";
import { exitCode, UserError } from "../base/errors.ts";
import { writeNpz } from "../data/formats/npz.ts";
import { writeFailed } from "../experiment/file-system.ts";

export type ExportArray = {
  readonly data: Float32Array | Float64Array | Uint32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
};
export type ExportArrays = Record<string, ExportArray>;

export /** The experiment travels along as text: in numpy `json.loads(bytes(a["experiment_json"]))`. */
function jsonArray(value: unknown): ExportArray {
  const data = new TextEncoder().encode(JSON.stringify(value));
  return { data, shape: [data.length] };
}

async function writeNpzFile(path: string, arrays: ExportArrays): Promise<void> {
  const bytes = Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
  // The zip is made in memory and its container counts with 32 bits.
  if (bytes > 2 ** 31) {
    throw new UserError("this network is too large for npz (2 GB); use --to hdf5", exitCode.unavailable);
  }
  const partial = `${path}.partial`;
  try {
    await writeFile(partial, writeNpz(arrays));
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw writeFailed(path, cause);
  }
}

async function writeHdf5File(path: string, arrays: ExportArrays): Promise<void> {
  const { default: h5wasm, File, ready } = await import("h5wasm/node");
  const module = await ready;
  void h5wasm;
  module.activate_throwing_error_handler();
  const partial = `${path}.partial`;
  try {
    const file = new File(partial, "w");
    try {
      for (const [name, { data, shape }] of Object.entries(arrays)) {
        file.create_dataset({ name, data, shape: shape.length === 0 ? [1] : [...shape] });
      }
    } finally {
      file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    const known = writeFailed(path, cause);
    throw known === cause
      ? new UserError(`cannot write ${path}: ${(cause as Error).message}`, exitCode.io, { cause })
      : known;
  }
}

/** Writes the file; it appears whole or not at all. */
export function writeArrays(path: string, format: "npz" | "hdf5", arrays: ExportArrays): Promise<void> {
  return format === "npz" ? writeNpzFile(path, arrays) : writeHdf5File(path, arrays);
}
