/** An array of numbers as a file held it: what every container format (npy, npz, HDF5) gives and the reader uses. */

export type NumericData =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface NumericArray {
  /** Row-major ("C order"): the last index runs fastest. Empty for a single number. */
  readonly shape: readonly number[];
  readonly data: NumericData;
  /** Element type as the file names it, for messages. */
  readonly dtype: string;
}

/** A NumericArray under the name the file gives it. */
export interface NamedArray extends NumericArray {
  readonly name: string;
}

/** Values as doubles; 64-bit integers beyond 2^53 are rounded. Returns the same memory when it already is doubles. */
export function toFloat64(data: NumericData): Float64Array {
  if (data instanceof Float64Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const values = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) values[i] = Number(data[i]);
    return values;
  }
  return Float64Array.from(data);
}

/** Half-precision (IEEE binary16) bits to numbers. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i];
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 0x1f;
    const fraction = h & 0x3ff;
    if (exponent === 0) values[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) values[i] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else values[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}

/** Element (i, j, k, ...) of a Fortran-ordered array moved to C order. */
export function fortranToC<T extends NumericData>(data: T, shape: readonly number[]): T {
  const rank = shape.length;
  if (rank < 2 || data.length === 0) return data;
  const result = data.slice() as T;
  const index = new Array<number>(rank).fill(0);
  const stride = new Array<number>(rank);
  let step = 1;
  for (let d = 0; d < rank; d++) {
    stride[d] = step;
    step *= shape[d];
  }
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from];
    // Advance the C-order index, and the Fortran-order place with it.
    for (let d = rank - 1; d >= 0; d--) {
      index[d]++;
      from += stride[d];
      if (index[d] < shape[d]) break;
      from -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}
