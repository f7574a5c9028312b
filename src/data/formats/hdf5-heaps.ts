/**
 * A check that the HDF5 library lacks: in a damaged global heap (where texts of variable length are kept) an object of
 * number 0 and size 0 makes the library walk in place for ever, and nothing can interrupt it. Such heaps are found here
 * first. Layout: HDF5 file format specification, section III.E "Global Heap".
 */

import { dataError } from "../../base/errors.ts";

/** "GCOL", version 1, three zeros. */
const signature = [0x47, 0x43, 0x4f, 0x4c, 1, 0, 0, 0];
const headerBytes = 16;

/**
 * Whether the library would never leave the heap that starts at `start`. Lengths are 8 bytes in every file met, but the
 * library, built for 32 bits, keeps the low 4 and wraps around; so does this walk.
 */
function isEndless(view: DataView, start: number): boolean {
  const end = Math.min(start + view.getUint32(start + 8, true), view.byteLength);
  let at = start + headerBytes;
  while (at + headerBytes <= end) {
    const number = view.getUint16(at, true);
    const length = view.getUint32(at + 8, true);
    const step = number === 0 ? length : (headerBytes + ((length + 7) & ~7)) >>> 0;
    if (step === 0) return true;
    at += step;
  }
  return false;
}

/** @throws UserError when reading text from these bytes might not end. */
export function refuseEndlessHeaps(bytes: Uint8Array, name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = bytes.indexOf(signature[0]);
  while (at >= 0 && at + headerBytes <= bytes.length) {
    if (signature.every((byte, i) => bytes[at + i] === byte) && isEndless(view, at)) {
      throw dataError(`${name} is damaged: the heap of its texts at byte ${at} has lost its structure`);
    }
    at = bytes.indexOf(signature[0], at + 1);
  }
}
