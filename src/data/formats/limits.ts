/**
 * How much a reader is willing to allocate on the word of a file. A few bytes can claim terabytes; every claim is
 * compared with these before memory is asked for.
 */

import { dataError } from "../../base/errors.ts";

/** Largest array or unpacked file, in bytes. WebAssembly HDF5 works in 2 GiB, half of it for one dataset. */
export const largestBytes = 2 ** 30;

/** A human-readable byte count. */
export function byteCount(bytes: number): string {
  if (!(bytes >= 1000)) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toPrecision(3)} ${units[unit]}`;
}

/** `12 x 3` for error messages. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "a single number" : shape.join(" x ");
}

/** Product of a shape; a dataError when an extent is no whole number >= 0 or the product is too large to index. */
export function elementCount(shape: readonly number[], what: string): number {
  let count = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw dataError(`${what} claims the shape ${shapeText(shape)}, which no array can have; the file is damaged`);
    }
    count *= extent;
  }
  if (!Number.isSafeInteger(count)) {
    throw dataError(`${what} claims ${shapeText(shape)} values, more than any file can hold; the file is damaged`);
  }
  return count;
}
