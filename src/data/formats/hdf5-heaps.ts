/**
 * A check that the HDF5 library lacks: in a damaged global heap (where texts and sequences of variable length are kept)
 * an object of number 0 and size 0 makes the library walk in place for ever, and nothing can interrupt it. Such heaps
 * are found here first. Layout: HDF5 file format specification, section III.E "Global Heap".
 */

import { dataError } from "../../base/errors.ts";
import type { Hdf5Source } from "./hdf5-types.ts";

/** "GCOL", version 1, three zeros. */
const signature = [0x47, 0x43, 0x4f, 0x4c, 1, 0, 0, 0];
const headerBytes = 16;

/** Bytes looked at together; a signature that lies across two pieces is found because pieces overlap. */
const piece = 2 ** 20;

/**
 * Whether the library would never leave the heap that starts at `start`. Lengths are 8 bytes in every file met, but the
 * library, built for 32 bits, keeps the low 4 and wraps around; so does this walk.
 */
function isEndless(source: Hdf5Source, start: number): boolean {
  const header = new DataView(new ArrayBuffer(headerBytes));
  const bytes = new Uint8Array(header.buffer);
  source.read(bytes, start);
  const end = Math.min(start + header.getUint32(8, true), source.size);
  let at = start + headerBytes;
  while (at + headerBytes <= end) {
    source.read(bytes, at);
    const number = header.getUint16(0, true);
    const length = header.getUint32(8, true);
    const step = number === 0 ? length : (headerBytes + ((length + 7) & ~7)) >>> 0;
    if (step === 0) return true;
    at += step;
  }
  return false;
}

/** @throws UserError when reading text or sequences from these bytes might not end. */
export function refuseEndlessHeaps(source: Hdf5Source, name: string): void {
  const buffer = new Uint8Array(Math.min(piece, source.size));
  for (let start = 0; start + headerBytes <= source.size; start += piece - signature.length) {
    const bytes = buffer.subarray(0, source.read(buffer, start));
    let at = bytes.indexOf(signature[0]);
    while (at >= 0) {
      const isHeap = signature.every((byte, i) => bytes[at + i] === byte);
      if (isHeap && start + at + headerBytes <= source.size && isEndless(source, start + at)) {
        throw dataError(`${name} is damaged: the heap of its texts at byte ${start + at} has lost its structure`);
      }
      at = bytes.indexOf(signature[0], at + 1);
    }
  }
}
