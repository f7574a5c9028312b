import { gzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { csvFile, hdf5File, npyFile, npzFile } from "../../../test/data/make-files.ts";
import { gunzip } from "./inflate.ts";
import { readRecording } from "./read-recording.ts";
import { sniff } from "./sniff.ts";

test("kinds are told by their bytes, whatever the name", async () => {
  const hdf5 = await hdf5File();
  expect(sniff(hdf5, "x.csv")).toBe("hdf5");
  expect(sniff(hdf5, "x.jld2")).toBe("jld");
  expect(sniff(npyFile(), "x.h5")).toBe("npy");
  expect(sniff(npzFile(), "x")).toBe("npz");
  expect(sniff(csvFile(), "x.npy")).toBe("csv");
  expect(sniff(gzipSync(csvFile()), "x")).toBe("gzip");
  const julia = new Uint8Array(512 + hdf5.length);
  julia.set(new TextEncoder().encode("HDF5-based Julia Data Format, version 0.1.1"));
  julia.set(hdf5, 512);
  expect(sniff(julia, "x.h5")).toBe("jld");
});

test.each([
  ["MATLAB 5.0 MAT-file", /-v7\.3/],
  ["PAR1....", /Parquet/],
  ["\x80\x04\x95", /pickle/],
  ["\x00\x01\x02\x03", /unknown kind/],
  ["", /empty/],
])("%j is refused with advice", (start, message) => {
  expect(() =>
    sniff(
      Uint8Array.from(start, (c) => c.charCodeAt(0)),
      "x.dat",
    ),
  ).toThrow(message);
});

test("gzip: truncated, flipped, or claiming too little", () => {
  const plain = new TextEncoder().encode("1,2,3\n".repeat(5000));
  const packed = gzipSync(plain);
  expect(gunzip(packed, "x.gz")).toEqual(plain);
  expect(() => gunzip(packed.slice(0, packed.length - 9), "x.gz")).toThrow(/x\.gz/);
  const wrong = packed.slice();
  wrong[packed.length - 7] ^= 1;
  expect(() => gunzip(wrong, "x.gz")).toThrow(/checksum/);
});

test("every format is also read packed by gzip, once", async () => {
  const h5 = await readRecording(gzipSync(await hdf5File()), "x.h5.gz");
  expect(h5).toMatchObject({ tasks: 2, intervalMs: 20 });
  await expect(readRecording(gzipSync(gzipSync(npzFile())), "x.gz")).rejects.toThrow(/twice/);
});

test("a zip archive without arrays is no recording", async () => {
  const sheet = zipSync({ "xl/workbook.xml": new Uint8Array(9) });
  await expect(readRecording(sheet, "table.xlsx")).rejects.toThrow(/holds no matrix of numbers/);
});
