/** Files in a tar archive (POSIX ustar and pax, GNU): a header of 512 bytes, then the file, padded to 512. */

import { dataError } from "../../base/errors.ts";
import { byteCount } from "../formats/limits.ts";
import type { ByteSource } from "./byte-source.ts";

export interface ArchiveEntry {
  readonly path: string;
  read(): Uint8Array;
}

const block = 512;
/** Names and attributes of the following entry; longer ones are no names. */
const longestExtension = 2 ** 20;

export function isTar(head: Uint8Array): boolean {
  return text(head.subarray(257, 262)) === "ustar";
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Octal digits, or, when the highest bit is set, a big-endian binary number. */
function numberIn(bytes: Uint8Array): number {
  if ((bytes[0] & 0x80) !== 0) return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, bytes[0] & 0x7f);
  const digits = text(bytes).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : digits === "" ? 0 : Number.NaN;
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
}

/** Records of a pax header: "length key=value\n". */
function paxRecords(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (const match of new TextDecoder().decode(bytes).matchAll(/\d+ ([^=\n]+)=([^\n]*)\n/g)) {
    records.set(match[1], match[2]);
  }
  return records;
}

/**
 * The plain files of an archive, in its order. Their bytes are read when asked for.
 * @throws UserError when the archive is damaged or truncated.
 */
export function tarEntries(source: ByteSource, name: string): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let longPath: string | undefined;
  let longSize: number | undefined;
  for (let at = 0; at + block <= source.size; ) {
    const header = source.slice(at, block);
    if (header.every((byte) => byte === 0)) return entries;
    if (numberIn(header.subarray(148, 156)) !== checksum(header)) {
      throw dataError(`${name} is damaged: the entry at byte ${at} of the archive does not match its checksum`);
    }
    const kind = String.fromCharCode(header[156]);
    const size = (kind === "x" ? undefined : longSize) ?? numberIn(header.subarray(124, 136));
    const start = at + block;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > source.size) {
      throw dataError(`${name} ends inside a file of ${byteCount(size)} at byte ${at}; the archive is truncated`);
    }
    at = start + block * Math.ceil(size / block);
    if (kind === "L" || kind === "x") {
      if (size > longestExtension) throw dataError(`${name} is damaged: a name of ${byteCount(size)}`);
      const extension = source.slice(start, size);
      if (kind === "L") longPath = text(extension);
      else {
        const records = paxRecords(extension);
        longPath = records.get("path") ?? longPath;
        longSize = records.has("size") ? Number(records.get("size")) : undefined;
      }
      continue;
    }
    if (kind === "0" || kind === "\0") {
      const prefix = isTar(header) && header[263] === 48 ? text(header.subarray(345, 500)) : "";
      const path = longPath ?? `${prefix}${prefix === "" ? "" : "/"}${text(header.subarray(0, 100))}`;
      entries.push({ path, read: () => source.slice(start, size) });
    }
    longPath = undefined;
    longSize = undefined;
  }
  // Whole archives end with two empty blocks.
  throw dataError(`${name} has no end; the archive is truncated`);
}
