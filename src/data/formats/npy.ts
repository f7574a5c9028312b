/**
 * NumPy's .npy: one array. Magic "\x93NUMPY", version, a header that is the text of a Python dict with the keys descr,
 * fortran_order and shape, then the raw values (NumPy enhancement proposal 1). Versions 1 to 3 are read; 1 is written.
 */

import { dataError } from "../../base/errors.ts";
import { byteCount, elementCount, largestBytes, shapeText } from "./limits.ts";
import type { NumericArray, NumericData } from "./numeric-array.ts";
import { float16ToFloat32, fortranToC } from "./numeric-array.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Headers are below 200 bytes; NumPy itself refuses more than 10 000 characters of an untrusted file. */
const largestHeader = 10_000;

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: number[];
}

function parseHeader(text: string, name: string): Header {
  const dict = text.trim();
  const keys = [...dict.matchAll(/'(\w+)'\s*:/g)].map((match) => match[1]).sort();
  const order = /'fortran_order'\s*:\s*(True|False)\s*[,}]/.exec(dict);
  const shape = /'shape'\s*:\s*\(((?:\s*\d+L?\s*,?)*)\s*\)\s*[,}]/.exec(dict);
  const descr = /'descr'\s*:\s*'([^']*)'\s*[,}]/.exec(dict);
  if (descr === null && /'descr'\s*:\s*[[(]/.test(dict)) {
    throw dataError(`${name} holds a structured array (named fields); save each field as a plain array of numbers`);
  }
  const whole = dict.startsWith("{") && dict.endsWith("}") && keys.join() === "descr,fortran_order,shape";
  if (!whole || order === null || shape === null || descr === null) {
    throw dataError(`${name} has a damaged .npy header: ${JSON.stringify(dict.slice(0, 120))}`);
  }
  const extents = shape[1]
    .split(",")
    .map((extent) => extent.trim().replace(/L$/, ""))
    .filter((extent) => extent !== "")
    .map(Number);
  return { descr: descr[1], fortran: order[1] === "True", shape: extents };
}

/** Bytes per element by NumPy kind letter and size, e.g. f8. */
const readers: Record<string, (buffer: ArrayBuffer) => NumericData> = {
  b1: (buffer) => new Uint8Array(buffer),
  i1: (buffer) => new Int8Array(buffer),
  u1: (buffer) => new Uint8Array(buffer),
  i2: (buffer) => new Int16Array(buffer),
  u2: (buffer) => new Uint16Array(buffer),
  i4: (buffer) => new Int32Array(buffer),
  u4: (buffer) => new Uint32Array(buffer),
  i8: (buffer) => new BigInt64Array(buffer),
  u8: (buffer) => new BigUint64Array(buffer),
  f2: (buffer) => float16ToFloat32(new Uint16Array(buffer)),
  f4: (buffer) => new Float32Array(buffer),
  f8: (buffer) => new Float64Array(buffer),
};

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) {
    for (let i = start, j = start + size - 1; i < j; i++, j--) [bytes[i], bytes[j]] = [bytes[j], bytes[i]];
  }
}

function refuseType(descr: string, name: string): never {
  const kind = descr.replace(/^[<>|=]/, "")[0];
  const reason: Record<string, string> = {
    O: "Python objects (a pickle, which can run code when read); save a plain array: np.save(file, a.astype(float))",
    c: "complex numbers; save the real part or the modulus",
    U: "text; save numbers",
    S: "text; save numbers",
    V: "raw records; save each field as a plain array of numbers",
    M: "dates; save times as numbers",
    m: "time differences; save them as numbers",
  };
  throw dataError(`${name} holds ${reason[kind] ?? `values of type "${descr}", which is not read; save float64`}`);
}

/**
 * Reads one .npy array, in C order whatever order the file has. bool becomes 0/1, float16 becomes float32.
 *
 * @param name used in messages.
 * @throws UserError when the bytes are damaged, truncated, too long, or hold something else than numbers.
 */
export function readNpy(bytes: Uint8Array, name: string): NumericArray {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw dataError(`${name} is not a .npy file: it does not start with \\x93NUMPY`);
  }
  const major = bytes[6];
  if (major < 1 || major > 3) throw dataError(`${name} is .npy version ${major}; versions 1 to 3 are known`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (major > 1 && bytes.length < 12) throw dataError(`${name} ends inside its .npy header; the file is truncated`);
  const headerStart = major === 1 ? 10 : 12;
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > largestHeader) {
    throw dataError(`${name} claims a .npy header of ${byteCount(headerBytes)}; the file is damaged`);
  }
  const dataStart = headerStart + headerBytes;
  if (dataStart > bytes.length) throw dataError(`${name} ends inside its .npy header; the file is truncated`);
  const header = parseHeader(new TextDecoder("utf-8").decode(bytes.subarray(headerStart, dataStart)), name);

  const type = /^([<>|=]?)([a-z]\d+)$/.exec(header.descr);
  const reader = type === null ? undefined : Object.hasOwn(readers, type[2]) ? readers[type[2]] : undefined;
  if (type === null || reader === undefined) return refuseType(header.descr, name);
  const size = Number(type[2].slice(1));
  if (header.shape.length > 32)
    throw dataError(`${name} claims ${header.shape.length} dimensions; the file is damaged`);
  const count = elementCount(header.shape, name);
  const held = bytes.length - dataStart;
  if (count * size !== held) {
    throw dataError(
      `${name} should hold ${shapeText(header.shape)} values of ${size} bytes, ${byteCount(count * size)}, but has ` +
        `${byteCount(held)} after its header; the file is ${held < count * size ? "truncated" : "damaged"}`,
    );
  }
  if (held > largestBytes) {
    throw dataError(`${name} holds ${byteCount(held)}; at most ${byteCount(largestBytes)} are read: save fewer values`);
  }
  const values = Uint8Array.prototype.slice.call(bytes, dataStart);
  if (type[1] === ">") swapBytes(values, size);
  const data = reader(values.buffer as ArrayBuffer);
  return {
    shape: header.shape,
    data: header.fortran ? fortranToC(data, header.shape) : data,
    dtype: header.descr,
  };
}

function descrOf(data: NumericData): string {
  if (data instanceof Float64Array) return "<f8";
  if (data instanceof Float32Array) return "<f4";
  if (data instanceof BigInt64Array) return "<i8";
  if (data instanceof BigUint64Array) return "<u8";
  if (data instanceof Int32Array) return "<i4";
  if (data instanceof Uint32Array) return "<u4";
  if (data instanceof Int16Array) return "<i2";
  if (data instanceof Uint16Array) return "<u2";
  return data instanceof Int8Array ? "|i1" : "|u1";
}

/**
 * Writes one .npy array (version 1, C order, little-endian), as `np.save` would.
 *
 * @param shape defaults to one dimension; its product must be the number of values.
 */
export function writeNpy(data: NumericData, shape: readonly number[] = [data.length]): Uint8Array {
  if (elementCount(shape, "the array to write") !== data.length) {
    throw dataError(`cannot write ${data.length} values as an array of ${shapeText(shape)}; give the shape they have`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The header is padded so that the values start at a multiple of 64, and ends with a newline.
  const padded = `${dict}${" ".repeat(63 - ((10 + dict.length) % 64))}\n`;
  const bytes = new Uint8Array(10 + padded.length + data.byteLength);
  bytes.set(magic);
  bytes.set([1, 0, padded.length & 255, padded.length >> 8], 6);
  bytes.set(new TextEncoder().encode(padded), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + padded.length);
  return bytes;
}
