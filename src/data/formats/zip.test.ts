import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { zipEntries } from "./zip.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 7);
const archive = zipSync({ "folder/": new Uint8Array(0), "folder/a.bin": content, "b.bin": [content, { level: 0 }] });

const open = (bytes: Uint8Array) =>
  zipEntries({ size: bytes.length, slice: (at, length) => bytes.subarray(at, at + length) }, "x.zip");

/** Where the directory starts, and where its entry of `b.bin` does. */
function places(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  let at = view.getUint32(end + 16, true);
  const start = at;
  while (view.getUint16(at + 28, true) !== "b.bin".length) at += 46 + view.getUint16(at + 28, true);
  return { view, end, start, entry: at };
}

/** A copy in which something of the directory is another. */
function changed(change: (at: ReturnType<typeof places>) => void): Uint8Array {
  const copy = archive.slice();
  change(places(copy));
  return copy;
}

describe("files of an archive", () => {
  test("in its order, without folders, packed and unpacked", () => {
    const entries = open(archive);
    expect(entries.map(({ path, size }) => [path, size])).toEqual([
      ["folder/a.bin", 1000],
      ["b.bin", 1000],
    ]);
    expect(entries[0].packed).toBeLessThan(100);
    for (const { read } of entries) expect(read()).toEqual(content);
  });

  test("sizes and place in a zip64 field, as large archives have them", () => {
    const { start, entry, end } = places(archive);
    const extra = new Uint8Array(4 + 3 * 8);
    const fields = new DataView(extra.buffer);
    fields.setUint16(0, 1, true);
    fields.setUint16(2, 24, true);
    const tail = entry + 46 + "b.bin".length;
    const bytes = Uint8Array.from([...archive.subarray(0, tail), ...extra, ...archive.subarray(tail)]);
    const view = new DataView(bytes.buffer);
    for (const [i, place] of [24, 20, 42].entries()) {
      fields.setBigUint64(4 + 8 * i, BigInt(view.getUint32(entry + place, true)), true);
      view.setUint32(entry + place, 0xffffffff, true);
    }
    bytes.set(extra, tail);
    view.setUint16(entry + 30, extra.length, true);
    view.setUint32(end + extra.length + 12, end - start + extra.length, true);
    expect(open(bytes)[1].read()).toEqual(content);
    view.setUint16(tail, 2, true);
    expect(() => open(bytes)).toThrow('the zip directory of x.zip is damaged: it has no size of "b.bin"');
  });
});

test.each<[string, Uint8Array, RegExp]>([
  ["nothing", new Uint8Array(0), /x\.zip has no zip directory at its end/],
  ["half an archive", archive.slice(0, 500), /x\.zip has no zip directory at its end; the archive is truncated/],
  ["too many files", changed(({ view, end }) => view.setUint16(end + 10, 0xffff, true)), /more than 65 534 files/],
  [
    "a place beyond the end",
    changed(({ view, end }) => view.setUint32(end + 16, 9999, true)),
    /directory .* is damaged/,
  ],
  ["files that are missing", changed(({ view, end }) => view.setUint16(end + 10, 9, true)), /ends after 3 of 9 files/],
  [
    "a name that is too long",
    changed(({ view, entry }) => view.setUint16(entry + 28, 999, true)),
    /ends inside file 2/,
  ],
])("%s is refused", (_, bytes, message) => {
  expect(() => open(bytes)).toThrow(message);
});

test.each<[string, Uint8Array, RegExp]>([
  ["encrypted", changed(({ view, entry }) => view.setUint16(entry + 8, 1, true)), /"b\.bin" of x\.zip is encrypted/],
  ["of another method", changed(({ view, entry }) => view.setUint16(entry + 10, 12, true)), /packed by zip method 12/],
  [
    "elsewhere",
    changed(({ view, entry }) => view.setUint32(entry + 42, 7, true)),
    /is not where the zip directory says/,
  ],
  ["beyond the end", changed(({ view, entry }) => view.setUint32(entry + 42, 2 ** 31, true)), /is not where the zip/],
  ["larger than it can be", changed(({ view, entry }) => view.setUint32(entry + 24, 2 ** 29, true)), /claims 537 MB/],
  [
    "of another size",
    changed(({ view, entry }) => view.setUint32(entry + 24, 999, true)),
    /does not match its checksum/,
  ],
  ["another file", changed(({ view, entry }) => view.setUint32(entry + 16, 1, true)), /does not match its checksum/],
])("a file that is %s is refused when it is read", (_, bytes, message) => {
  const [, last] = open(bytes);
  expect(() => last.read()).toThrow(message);
});
