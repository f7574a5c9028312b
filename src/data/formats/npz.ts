/**
 * NumPy's .npz: a zip archive of .npy files. The central directory is read here, so that every size is checked before
 * anything is unpacked and every checksum afterwards; fflate does the inflating and writes archives.
 */

import { zipSync } from "fflate";
import { dataError } from "../../base/errors.ts";
import { crc32, inflateExactly } from "./inflate.ts";
import { byteCount, largestBytes } from "./limits.ts";
import { readNpy, writeNpy } from "./npy.ts";
import type { NamedArray, NumericData } from "./numeric-array.ts";

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;

/** Sizes and offset of an entry that are kept in its zip64 extra field because they did not fit 32 bits. */
function zip64Numbers(view: DataView, start: number, length: number, wanted: number): number[] {
  let at = start;
  while (at + 4 <= start + length) {
    const size = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && size >= 8 * wanted && at + 4 + size <= start + length) {
      return Array.from({ length: wanted }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    }
    at += 4 + size;
  }
  return [];
}

function directory(bytes: Uint8Array, view: DataView, name: string): Entry[] {
  const damaged = (): never => {
    throw dataError(`${name} has a damaged or missing zip directory; the file is truncated or not a .npz`);
  };
  let end = bytes.length - 22;
  const lowest = Math.max(0, end - 65_535);
  while (end >= lowest && view.getUint32(end, true) !== endOfDirectory) end--;
  if (end < lowest) return damaged();
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== directoryEntry) return damaged();
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > end) return damaged();
    const numbers = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    const large = numbers.filter((number) => number === 0xffffffff).length;
    if (large > 0) {
      const wide = zip64Numbers(view, at + 46 + nameLength, extraLength, large);
      if (wide.length !== large) return damaged();
      for (let k = 0; k < 3; k++) if (numbers[k] === 0xffffffff) numbers[k] = wide.shift()!;
    }
    if ((view.getUint16(at + 8, true) & 1) !== 0) {
      throw dataError(`${name} is an encrypted zip archive; save it without a password`);
    }
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      size: numbers[0],
      packed: numbers[1],
      offset: numbers[2],
    });
    at = next;
  }
  return entries;
}

function contents(bytes: Uint8Array, view: DataView, entry: Entry, what: string): Uint8Array {
  if (entry.offset + 30 > bytes.length || view.getUint32(entry.offset, true) !== localHeader) {
    throw dataError(`${what} is not where the zip directory says; the file is damaged`);
  }
  const start = entry.offset + 30 + view.getUint16(entry.offset + 26, true) + view.getUint16(entry.offset + 28, true);
  if (start + entry.packed > bytes.length) throw dataError(`${what} runs past the end of the file, which is truncated`);
  const packed = bytes.subarray(start, start + entry.packed);
  if (entry.method === 8) return inflateExactly(packed, entry.size, entry.crc, what);
  if (entry.method !== 0) {
    throw dataError(`${what} is packed by zip method ${entry.method}; save with np.savez or np.savez_compressed`);
  }
  if (entry.packed !== entry.size || crc32(packed) !== entry.crc) {
    throw dataError(`${what} does not match its checksum; the file is damaged`);
  }
  return packed;
}

/**
 * Reads the arrays of a .npz file.
 *
 * @param wanted names (without .npy) of the arrays to read; all by default. Arrays that hold no numbers (text, Python
 *   objects) are left out unless asked for by name.
 * @returns arrays in the order of the file.
 * @throws UserError when the archive is damaged, a checksum fails, or it would unpack to more than 1 GiB.
 */
export function readNpz(bytes: Uint8Array, name: string, wanted?: readonly string[]): NamedArray[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 22) throw dataError(`${name} is too short for a .npz file; it is truncated`);
  const arrays: NamedArray[] = [];
  let total = 0;
  const seen = new Set<string>();
  for (const entry of directory(bytes, view, name)) {
    if (!entry.name.endsWith(".npy")) continue;
    const key = entry.name.slice(0, -4);
    if (wanted !== undefined && !wanted.includes(key)) continue;
    if (seen.has(key)) throw dataError(`${name} has two arrays called "${key}"; the file is damaged`);
    seen.add(key);
    const what = `array "${key}" of ${name}`;
    total += entry.size;
    // Deflate cannot pack better than 1 to 1032: a larger claim is a damaged or hostile file.
    if (!(total <= largestBytes) || entry.size > 1032 * entry.packed + 64) {
      throw dataError(
        `${what} claims ${byteCount(entry.size)} from ${byteCount(entry.packed)} in the file; at most ` +
          `${byteCount(largestBytes)} in all are read, so it is left alone`,
      );
    }
    const npy = contents(bytes, view, entry, what);
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
