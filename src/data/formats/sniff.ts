/** What kind of file some bytes are, judged by the bytes: names lie, first bytes rarely do. */

import { dataError } from "../../base/errors.ts";
import { isGzip } from "./inflate.ts";

export type FileKind = "hdf5" | "jld" | "npy" | "npz" | "gzip" | "csv";

const hdf5Signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

function startsWith(bytes: Uint8Array, expected: readonly number[] | string, at = 0): boolean {
  const wanted = typeof expected === "string" ? [...expected].map((c) => c.charCodeAt(0)) : expected;
  return bytes.length >= at + wanted.length && wanted.every((byte, i) => bytes[at + i] === byte);
}

/** Offset of the HDF5 signature (0, 512, 1024, 2048, ...: a file may begin with a block of its user), or -1. */
function hdf5Start(bytes: Uint8Array): number {
  if (startsWith(bytes, hdf5Signature)) return 0;
  for (let at = 512; at < bytes.length; at *= 2) if (startsWith(bytes, hdf5Signature, at)) return at;
  return -1;
}

/** Formats that are met in laboratories but not read, and what to do with them. */
const strangers: [string | number[], string][] = [
  ["MATLAB 5.0", "a MATLAB file of the old kind; save it with save('file.mat', 'rates', '-v7.3') or as .npy"],
  ["PAR1", "a Parquet file; save the table as CSV or .npz"],
  ["ARROW1", "an Arrow file; save the table as CSV or .npz"],
  [[0x80, 2], "a Python pickle, which can run code when read; save arrays with np.savez"],
  [[0x80, 3], "a Python pickle, which can run code when read; save arrays with np.savez"],
  [[0x80, 4], "a Python pickle, which can run code when read; save arrays with np.savez"],
  [[0x80, 5], "a Python pickle, which can run code when read; save arrays with np.savez"],
  ["\x28\xb5\x2f\xfd", "packed by zstd; unpack it or pack it by gzip"],
  ["BZh", "packed by bzip2; unpack it or pack it by gzip"],
  ["\xfd7zXZ", "packed by xz; unpack it or pack it by gzip"],
  ["%PDF", "a PDF document"],
];

const readableTargets = "Target data may be HDF5 (.h5, .nwb, .jld2, .mat -v7.3), .npy, .npz or CSV, each also as .gz";

/**
 * The kind of a file.
 *
 * `jld` is HDF5 written by Julia (JLD, JLD2), whose arrays are column-major. `csv` is any text.
 * @param readable what the caller reads, a sentence for the message that a file is of no known kind.
 * @throws UserError for kinds that are not read, saying how to convert, and for empty files.
 */
export function sniff(bytes: Uint8Array, name: string, readable = readableTargets): FileKind {
  if (bytes.length === 0) throw dataError(`${name} is empty (0 bytes)`);
  const start = hdf5Start(bytes);
  if (start >= 0) {
    const preface = new TextDecoder("latin1").decode(bytes.subarray(0, Math.min(start, 128)));
    return /julia/i.test(preface) || /\.jld2?$/i.test(name) ? "jld" : "hdf5";
  }
  if (startsWith(bytes, "\x93NUMPY")) return "npy";
  if (startsWith(bytes, "PK\x03\x04") || startsWith(bytes, "PK\x05\x06")) return "npz";
  if (isGzip(bytes)) return "gzip";
  for (const [signature, what] of strangers) {
    if (startsWith(bytes, signature)) throw dataError(`${name} is ${what}`);
  }
  const head = bytes.subarray(0, 4096);
  const utf16 = startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff]);
  const control = head.some((byte) => byte < 9 || (byte > 13 && byte < 32));
  if (control && !utf16) throw dataError(`${name} is of an unknown kind. ${readable}`);
  return "csv";
}
