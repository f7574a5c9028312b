/** Damaged copies of files, for property tests of readers. */

import fc from "fast-check";

type Edit = (bytes: Uint8Array) => Uint8Array;

/** One random damage: truncation, flipped bytes, a header edit, an insertion, a deletion, a repeated or blanked stretch. */
export function mutation(length: number): fc.Arbitrary<Edit> {
  const place = fc.nat({ max: length - 1 });
  const early = fc.nat({ max: Math.min(length, 256) - 1 });
  const byte = fc.integer({ min: 0, max: 255 });
  const overwrite = (at: number, values: readonly number[]): Edit => {
    return (bytes) => {
      const copy = bytes.slice();
      values.forEach((value, i) => {
        if (at + i < copy.length) copy[at + i] = value;
      });
      return copy;
    };
  };
  const truncate = place.map((end): Edit => (bytes) => bytes.slice(0, end));
  const flips = fc
    .array(fc.tuple(place, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 })
    .map((list): Edit => (bytes) => {
      const copy = bytes.slice();
      for (const [at, mask] of list) copy[at] ^= mask;
      return copy;
    });
  const header = fc
    .tuple(early, fc.array(byte, { minLength: 1, maxLength: 4 }))
    .map(([at, values]) => overwrite(at, values));
  // Counts and sizes of all formats are little-endian integers or digits.
  const numbers = fc
    .tuple(place, fc.constantFrom([0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80], [57, 57, 57, 57]))
    .map(([at, values]) => overwrite(at, values));
  const insert = fc.tuple(place, fc.array(byte, { minLength: 1, maxLength: 64 })).map(([at, values]): Edit => (bytes) => {
    const copy = new Uint8Array(bytes.length + values.length);
    copy.set(bytes.subarray(0, at));
    copy.set(values, at);
    copy.set(bytes.subarray(at), at + values.length);
    return copy;
  });
  const remove = fc.tuple(place, fc.integer({ min: 1, max: 64 })).map(([at, count]): Edit => (bytes) => {
    const copy = new Uint8Array(Math.max(0, bytes.length - count));
    copy.set(bytes.subarray(0, Math.min(at, copy.length)));
    copy.set(bytes.subarray(at + count), Math.min(at, copy.length));
    return copy;
  });
  const blank = fc.tuple(place, fc.integer({ min: 8, max: 512 })).map(([at, count]): Edit => (bytes) => {
    return bytes.slice().fill(0, at, at + count);
  });
  return fc.oneof(truncate, flips, header, numbers, insert, remove, blank);
}
