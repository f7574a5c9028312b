/**
 * Unpacking of deflate streams and of .gz files, with a limit on what comes out and with the checksum compared: a few
 * bytes can be made to unpack into terabytes, and a flipped bit into other numbers.
 */

import { Gunzip, Inflate } from "fflate";
import { dataError } from "../../base/errors.ts";
import { byteCount, largestBytes } from "./limits.ts";

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 of zip and gzip. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Input is fed in pieces of this size, so that output can be stopped soon after it passes its limit. */
const piece = 1 << 16;

interface Stream {
  ondata: (chunk: Uint8Array, final: boolean) => void;
  push(chunk: Uint8Array, final?: boolean): void;
}

/** Runs a stream over all bytes; a dataError when it fails, does not end, or gives more than `limit` bytes. */
function unpack(stream: Stream, bytes: Uint8Array, limit: number, what: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  let ended = false;
  stream.ondata = (chunk, final) => {
    total += chunk.length;
    if (total > limit) {
      throw dataError(`${what} unpacks to more than ${byteCount(limit)}; it is damaged or not meant to be read`);
    }
    chunks.push(chunk);
    ended ||= final;
  };
  try {
    for (let start = 0; start < bytes.length; start += piece) {
      const end = Math.min(start + piece, bytes.length);
      stream.push(bytes.subarray(start, end), end === bytes.length);
    }
  } catch (error) {
    if (error instanceof Error && error.name === "UserError") throw error;
    throw dataError(`${what} cannot be unpacked (${String((error as Error)?.message ?? error)}); it is damaged`, error);
  }
  if (!ended) throw dataError(`${what} ends in the middle of its packed data; the file is truncated`);
  const result = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

/** Unpacks a raw deflate stream that must give exactly `size` bytes with checksum `crc`. */
export function inflateExactly(bytes: Uint8Array, size: number, crc: number, what: string): Uint8Array {
  const stream = new Inflate() as unknown as Stream;
  const result = size === 0 && bytes.length === 0 ? bytes : unpack(stream, bytes, size, what);
  if (result.length !== size || crc32(result) !== crc) {
    throw dataError(`${what} does not match its checksum; the file is damaged`);
  }
  return result;
}

/** Whether the bytes start as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/**
 * Unpacks a .gz file (one or several members).
 * @throws UserError when it is damaged, truncated or unpacks to more than 1 GiB.
 */
export function gunzip(bytes: Uint8Array, name: string): Uint8Array {
  const stream = new Gunzip();
  let members = 0;
  stream.onmember = () => {
    members++;
  };
  if (bytes.length < 18) throw dataError(`${name} ends in the middle of its packed data; the file is truncated`);
  const result = unpack(stream as unknown as Stream, bytes, largestBytes, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  // The trailer covers the last member only, so with several members only its presence can be relied on.
  if (members <= 1 && (view.getUint32(0, true) !== crc32(result) || view.getUint32(4, true) !== result.length >>> 0)) {
    throw dataError(`${name} does not match its checksum; the file is damaged`);
  }
  return result;
}
