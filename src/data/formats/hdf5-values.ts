/** HDF5's types and error texts in the reader's terms. */

import type { Hdf5Dataset } from "./hdf5-file.ts";
import type { H5Metadata } from "./hdf5-types.ts";
import type { NumericData } from "./numeric-array.ts";
import { float16ToFloat32 } from "./numeric-array.ts";

const integerClass = 0;
const floatClass = 1;
const stringClass = 3;
const bitFieldClass = 4;
const referenceClass = 7;
const enumClass = 8;
const sequenceClass = 9;

/** What a reader can do with values of a type. */
export function kindOf(meta: H5Metadata): Hdf5Dataset["kind"] {
  if (meta.type === stringClass) return "string";
  if (meta.type === referenceClass) return "reference";
  if (meta.type === sequenceClass) {
    return meta.vlen_type !== undefined && kindOf(meta.vlen_type) === "number" ? "sequences" : "other";
  }
  return dtypeOf(meta) === "other" ? "other" : "number";
}

/** `float64`, `uint8`, `string`, `sequences of float16`, ...; `other` for what is not read. */
export function dtypeOf(meta: H5Metadata): string {
  const { type, size } = meta;
  const whole = type === integerClass || type === bitFieldClass || (type === enumClass && meta.enum_type?.type === 0);
  if (whole && [1, 2, 4, 8].includes(size)) return `${meta.signed ? "int" : "uint"}${8 * size}`;
  if (type === floatClass && [2, 4, 8].includes(size)) return `float${8 * size}`;
  if (type === stringClass) return "string";
  if (type === referenceClass) return "reference";
  if (type === sequenceClass && meta.vlen_type !== undefined) return `sequences of ${dtypeOf(meta.vlen_type)}`;
  return "other";
}

/** What HDF5 said, reduced to its innermost reason. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reasons = [...text.matchAll(/#\d+: .*?\(\): (.*)/g)].map((match) => match[1].trim());
  return (reasons.at(-1) ?? text.split("\n")[0]).slice(0, 160);
}

/** The number of each of the 65 536 patterns of float16, made when first needed: ten times faster than computing. */
let float16Numbers: Float32Array | undefined;

function float16Values(bits: Uint16Array): Float32Array {
  float16Numbers ??= float16ToFloat32(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = float16Numbers[bits[i]];
  return values;
}

/** Raw little-endian bytes as numbers of a type that `dtypeOf` named. */
export function typedValues(dtype: string, bytes: Uint8Array): NumericData {
  const buffer = bytes.buffer as ArrayBuffer;
  switch (dtype) {
    case "float64":
      return new Float64Array(buffer);
    case "float32":
      return new Float32Array(buffer);
    case "float16":
      return float16Values(new Uint16Array(buffer));
    case "int64":
      return new BigInt64Array(buffer);
    case "uint64":
      return new BigUint64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
      return new Uint16Array(buffer);
    case "int8":
      return new Int8Array(buffer);
    default:
      return bytes;
  }
}
