/** NumPy's .npz: a zip archive of .npy files. */

import { zipSync } from "fflate";
import { dataError } from "../../base/errors.ts";
import { byteCount, largestBytes } from "./limits.ts";
import { readNpy, writeNpy } from "./npy.ts";
import type { NamedArray, NumericData } from "./numeric-array.ts";
import { type ZipEntry, zipEntries } from "./zip.ts";

/**
 * Reads the arrays of a .npz file.
 *
 * @param wanted names (without .npy) of the arrays to read; all by default. Arrays that hold no numbers (text, Python
 *   objects) are left out unless asked for by name.
 * @returns arrays in the order of the file.
 * @throws UserError when the archive is damaged, a checksum fails, or it would unpack to more than 1 GiB.
 */
export function readNpz(bytes: Uint8Array, name: string, wanted?: readonly string[]): NamedArray[] {
  const source = {
    size: bytes.length,
    slice: (position: number, length: number) => bytes.subarray(position, position + length),
  };
  return npzArrays(zipEntries(source, name), name, wanted);
}

/** `readNpz` of an archive whose directory has been read. */
export function npzArrays(entries: readonly ZipEntry[], name: string, wanted?: readonly string[]): NamedArray[] {
  const arrays: NamedArray[] = [];
  let total = 0;
  const seen = new Set<string>();
  for (const { path, size, read } of entries) {
    if (!path.endsWith(".npy")) continue;
    const key = path.slice(0, -4);
    if (wanted !== undefined && !wanted.includes(key)) continue;
    if (seen.has(key)) throw dataError(`${name} has two arrays called "${key}"; the file is damaged`);
    seen.add(key);
    const what = `array "${key}" of ${name}`;
    total += size;
    if (!(total <= largestBytes)) {
      throw dataError(
        `${what} claims ${byteCount(size)}; at most ${byteCount(largestBytes)} in all are read, so it is left alone`,
      );
    }
    const npy = read(what);
    if (wanted === undefined && isNotNumeric(npy)) continue;
    arrays.push({ name: key, ...readNpy(npy, what) });
  }
  return arrays;
}

/** Text, objects and records announce themselves in the first bytes of the header. */
function isNotNumeric(npy: Uint8Array): boolean {
  const header = new TextDecoder("latin1").decode(npy.subarray(0, 128));
  return /'descr'\s*:\s*(?:'[<>|=]?[OSUVMm]|\[)/.test(header);
}

/** Writes arrays as an uncompressed .npz, which `np.load` reads. Deterministic: the same arrays give the same bytes. */
export function writeNpz(arrays: Record<string, { data: NumericData; shape?: readonly number[] }>): Uint8Array {
  const files: Record<string, Uint8Array> = {};
  for (const [key, { data, shape }] of Object.entries(arrays)) files[`${key}.npy`] = writeNpy(data, shape);
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}
