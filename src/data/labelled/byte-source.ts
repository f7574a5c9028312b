/** Bytes that are read in pieces, at any place: what is in memory here, and a file on disk in byte-source.node.ts. */

import { dataError } from "../../base/errors.ts";
import { memorySource } from "../formats/hdf5-source.ts";
import type { Hdf5Source } from "../formats/hdf5-types.ts";
import { byteCount, largestBytes } from "../formats/limits.ts";

export interface ByteSource extends Hdf5Source {
  /** The bytes from `position` on; fewer than `length` at the end. They must not be changed. */
  slice(position: number, length: number): Uint8Array;
  close(): void;
}

/** Bytes in memory, used in place. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return {
    ...memorySource(bytes),
    slice: (position, length) => bytes.subarray(position, position + length),
    close: () => {},
  };
}

/** All bytes, for formats that are unpacked as a whole. */
export function allBytes(source: ByteSource, name: string): Uint8Array {
  if (source.size > largestBytes) {
    throw dataError(
      `${name} has ${byteCount(source.size)}; at most ${byteCount(largestBytes)} are read of this format`,
    );
  }
  return source.slice(0, source.size);
}
