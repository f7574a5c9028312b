/** Files in a zip archive that is read piece by piece: its directory first, then each file when asked for. */

import { dataError } from "../../base/errors.ts";
import { crc32, inflateExactly } from "../formats/inflate.ts";
import { byteCount, largestBytes } from "../formats/limits.ts";
import type { ByteSource } from "./byte-source.ts";
import type { ArchiveEntry } from "./tar.ts";

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
const signatureOfZip = [0x50, 0x4b, 0x03, 0x04];

export function isZip(head: Uint8Array): boolean {
  return signatureOfZip.every((byte, i) => head[i] === byte);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Where the directory lies: at the end, before a comment of at most 65 535 bytes. */
function findDirectory(source: ByteSource, name: string): { count: number; bytes: Uint8Array } {
  const start = Math.max(0, source.size - 22 - 65_535);
  const tail = source.slice(start, source.size - start);
  const view = viewOf(tail);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== endOfDirectory) end--;
  if (end < 0) throw dataError(`${name} has no zip directory at its end; the archive is truncated`);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) {
    throw dataError(`${name} is a zip archive of more than 65 534 files or 4 GB; unpack it and give the folder`);
  }
  if (at + size > start + end) throw dataError(`the zip directory of ${name} is damaged`);
  return { count, bytes: source.slice(at, size) };
}

/**
 * The files of an archive, in its order. Their bytes are read, unpacked and compared with their checksum when asked for.
 * @throws UserError when the directory is damaged or missing.
 */
export function zipEntries(source: ByteSource, name: string): ArchiveEntry[] {
  const { count, bytes } = findDirectory(source, name);
  const view = viewOf(bytes);
  const entries: ArchiveEntry[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directoryEntry) {
      throw dataError(`the zip directory of ${name} is damaged: it ends after ${i} of ${count} files`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const fields = {
      what: `"${path}" of ${name}`,
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (!path.endsWith("/")) entries.push({ path, read: () => contents(source, fields) });
  }
  return entries;
}

interface Fields {
  readonly what: string;
  readonly encrypted: boolean;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

function contents(source: ByteSource, { what, encrypted, method, crc, packed, size, offset }: Fields): Uint8Array {
  if (encrypted) throw dataError(`${what} is encrypted; save it without a password`);
  if (method !== 0 && method !== 8) throw dataError(`${what} is packed by zip method ${method}; pack it by deflate`);
  const local = source.slice(offset, 30);
  if (local.length < 30 || viewOf(local).getUint32(0, true) !== localHeader) {
    throw dataError(`${what} is not where the zip directory says; the archive is damaged`);
  }
  const start = offset + 30 + viewOf(local).getUint16(26, true) + viewOf(local).getUint16(28, true);
  // Deflate cannot pack better than 1 to 1032: a larger claim is a damaged or hostile file.
  if (start + packed > source.size || size > largestBytes || size > 1032 * packed + 64) {
    throw dataError(`${what} claims ${byteCount(size)} from ${byteCount(packed)}; the archive is damaged or truncated`);
  }
  const bytes = source.slice(start, packed);
  if (method === 8) return inflateExactly(bytes, size, crc, what);
  if (packed !== size || crc32(bytes) !== crc) throw dataError(`${what} does not match its checksum; it is damaged`);
  return bytes;
}
