/**
 * Files in a zip archive that is read piece by piece: its directory first, then each file when asked for. Every size is
 * checked before anything is unpacked, and every checksum afterwards.
 */

import { dataError } from "../../base/errors.ts";
import { crc32, inflateExactly } from "./inflate.ts";
import { byteCount, largestBytes } from "./limits.ts";

/** Bytes that can be had at any place; fewer than `length` at the end. */
export interface SlicedBytes {
  readonly size: number;
  slice(position: number, length: number): Uint8Array;
}

export interface ZipEntry {
  readonly path: string;
  /** Bytes when unpacked, and in the archive, as the directory claims. */
  readonly size: number;
  readonly packed: number;
  /**
   * The bytes, unpacked and compared with their checksum.
   * @param what to call them in messages. Default: by path and archive.
   * @throws UserError when they are damaged, truncated, encrypted, or claim more than 1 GiB.
   */
  read(what?: string): Uint8Array;
}

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
const signatureOfZip = [0x50, 0x4b, 0x03, 0x04];
/** Stands for a number that did not fit 32 bits. */
const elsewhere = 0xffffffff;

export function isZip(head: Uint8Array): boolean {
  return signatureOfZip.every((byte, i) => head[i] === byte);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Where the directory lies: at the end, before a comment of at most 65 535 bytes. */
function findDirectory(source: SlicedBytes, name: string): { count: number; bytes: Uint8Array } {
  const start = Math.max(0, source.size - 22 - 65_535);
  const tail = source.slice(start, source.size - start);
  const view = viewOf(tail);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== endOfDirectory) end--;
  if (end < 0) throw dataError(`${name} has no zip directory at its end; the archive is truncated`);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === elsewhere) {
    throw dataError(`${name} is a zip archive of more than 65 534 files or 4 GB; unpack it and give the folder`);
  }
  if (at + size > start + end) throw dataError(`the zip directory of ${name} is damaged`);
  return { count, bytes: source.slice(at, size) };
}

/** Numbers of an entry that are kept in its zip64 extra field; fewer than wanted when it has none. */
function zip64Numbers(view: DataView, start: number, length: number, wanted: number): number[] {
  const end = Math.min(start + length, view.byteLength);
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    const size = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && size >= 8 * wanted && at + 4 + size <= end) {
      return Array.from({ length: wanted }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    }
  }
  return [];
}

/**
 * The files of an archive, in its order; folders are left out.
 * @throws UserError when the directory is damaged or missing.
 */
export function zipEntries(source: SlicedBytes, name: string): ZipEntry[] {
  const { count, bytes } = findDirectory(source, name);
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directoryEntry) {
      throw dataError(`the zip directory of ${name} is damaged: it ends after ${i} of ${count} files`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) throw dataError(`the zip directory of ${name} is damaged: it ends inside file ${i}`);
    const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const numbers = [24, 20, 42].map((place) => view.getUint32(at + place, true));
    const large = numbers.filter((number) => number === elsewhere).length;
    const wide = zip64Numbers(view, at + 46 + nameLength, extraLength, large);
    if (wide.length < large) throw dataError(`the zip directory of ${name} is damaged: it has no size of "${path}"`);
    const [size, packed, offset] = numbers.map((number) => (number === elsewhere ? wide.shift()! : number));
    const fields = {
      size,
      packed,
      offset,
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
    };
    at = next;
    if (path.endsWith("/")) continue;
    entries.push({ path, size, packed, read: (what = `"${path}" of ${name}`) => contents(source, fields, what) });
  }
  return entries;
}

interface Fields {
  readonly size: number;
  readonly packed: number;
  readonly offset: number;
  readonly encrypted: boolean;
  readonly method: number;
  readonly crc: number;
}

function contents(source: SlicedBytes, fields: Fields, what: string): Uint8Array {
  const { size, packed, offset, encrypted, method, crc } = fields;
  if (encrypted) throw dataError(`${what} is encrypted; save it without a password`);
  if (method !== 0 && method !== 8) {
    throw dataError(`${what} is packed by zip method ${method}; pack it by deflate, as np.savez_compressed does`);
  }
  const local = offset + 30 > source.size ? undefined : viewOf(source.slice(offset, 30));
  if (local === undefined || local.getUint32(0, true) !== localHeader) {
    throw dataError(`${what} is not where the zip directory says; the archive is damaged`);
  }
  const start = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  // Deflate cannot pack better than 1 to 1032: a larger claim is a damaged or hostile file.
  if (start + packed > source.size || size > largestBytes || size > 1032 * packed + 64) {
    throw dataError(`${what} claims ${byteCount(size)} from ${byteCount(packed)}; the archive is damaged or truncated`);
  }
  const bytes = source.slice(start, packed);
  if (method === 8) return inflateExactly(bytes, size, crc, what);
  if (packed !== size || crc32(bytes) !== crc) throw dataError(`${what} does not match its checksum; it is damaged`);
  return bytes;
}
