/**
 * Makes small HDF5 files in the layout of SHD, which h5wasm cannot write (lists of variable length, float16). Written
 * after the HDF5 file format specification, version 3: superblock 0, object headers 1, links in headers, contiguous
 * data, sequences in global heaps. h5py reads them too.
 */

type NumberType = "float16" | "float32" | "float64" | "uint8" | "int16" | "uint16" | "int32" | "int64";

export interface SpikeFile {
  readonly samples: readonly { readonly times: readonly number[]; readonly units: readonly number[] }[];
  readonly labels?: readonly number[];
  /** Class names. */
  readonly keys?: readonly string[];
  /** Under `extra`. */
  readonly columns?: Readonly<Record<string, readonly number[]>>;
  /** Default float16, as in SHD. */
  readonly timeType?: NumberType;
  /** Default uint16. */
  readonly unitType?: NumberType;
  readonly bigEndian?: boolean;
}

const sizes: Record<NumberType, number> = {
  float16: 2,
  float32: 4,
  float64: 8,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
};

/** Bits of the nearest float16. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // The step between neighbours at this size; below 2^-14 it no longer shrinks.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const even = (x: number): number => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const steps = size === 0 ? 0 : even(size / 2 ** (exponent - 10));
  return sign | (steps + (size === 0 ? 0 : (exponent + 14) * 1024));
}

function encode(values: readonly number[], type: NumberType, bigEndian: boolean): Uint8Array {
  const size = sizes[type];
  const view = new DataView(new ArrayBuffer(values.length * size));
  const write: Record<NumberType, (at: number, value: number) => void> = {
    float16: (at, value) => view.setUint16(at, float16Bits(value), !bigEndian),
    float32: (at, value) => view.setFloat32(at, value, !bigEndian),
    float64: (at, value) => view.setFloat64(at, value, !bigEndian),
    uint8: (at, value) => view.setUint8(at, value),
    int16: (at, value) => view.setInt16(at, value, !bigEndian),
    uint16: (at, value) => view.setUint16(at, value, !bigEndian),
    int32: (at, value) => view.setInt32(at, value, !bigEndian),
    int64: (at, value) => view.setBigInt64(at, BigInt(value), !bigEndian),
  };
  values.forEach((value, i) => write[type](i * size, value));
  return new Uint8Array(view.buffer);
}

/** Little-endian integers of the given widths in bytes, one after the other. */
function pack(...fields: readonly [width: number, value: number | bigint][]): Uint8Array {
  const bytes: number[] = [];
  for (const [width, value] of fields) {
    for (let i = 0; i < width; i++) bytes.push(Number((BigInt(value) >> BigInt(8 * i)) & 255n));
  }
  return Uint8Array.from(bytes);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function padded(bytes: Uint8Array, multiple = 8): Uint8Array {
  return concat(bytes, new Uint8Array((multiple - (bytes.length % multiple)) % multiple));
}

const nowhere = 0xffffffffffffffffn;

/** Datatype messages (format specification, IV.A.2.d). */
function numberType(type: NumberType, bigEndian: boolean): Uint8Array {
  const size = sizes[type];
  const order = bigEndian ? 1 : 0;
  if (!type.startsWith("float")) {
    const signed = type.startsWith("int") ? 8 : 0;
    return pack([1, 0x10], [1, order | signed], [2, 0], [4, size], [2, 0], [2, 8 * size]);
  }
  const [exponentBits, fractionBits, bias] = { 2: [5, 10, 15], 4: [8, 23, 127], 8: [11, 52, 1023] }[size]!;
  return pack(
    // Bit 5: the leading 1 of the fraction is not stored.
    [1, 0x11], [1, order | 0x20], [1, 8 * size - 1], [1, 0], [4, size],
    [2, 0], [2, 8 * size], [1, fractionBits], [1, exponentBits], [1, 0], [1, fractionBits], [4, bias],
  );
}

const fixedText = (length: number): Uint8Array => pack([1, 0x13], [3, 0], [4, length]);
const sequenceOf = (element: Uint8Array): Uint8Array => concat(pack([1, 0x19], [3, 0], [4, 16]), element);

class Hdf5Writer {
  readonly #parts: Uint8Array[] = [];
  #size = 96;

  /** Adds bytes and returns their address. */
  add(bytes: Uint8Array): number {
    const at = this.#size;
    const whole = padded(bytes);
    this.#parts.push(whole);
    this.#size += whole.length;
    return at;
  }

  #object(messages: readonly [type: number, body: Uint8Array][]): number {
    const bodies = messages.map(([type, body]) => {
      const whole = padded(body);
      return concat(pack([2, type], [2, whole.length], [4, 0]), whole);
    });
    const all = concat(...bodies);
    return this.add(concat(pack([2, 1], [2, messages.length], [4, 1], [4, all.length], [4, 0]), all));
  }

  /** A list of values of which each takes as many bytes as the type says. */
  dataset(type: Uint8Array, count: number, data: Uint8Array): number {
    const address = data.length === 0 ? nowhere : this.add(data);
    return this.#object([
      [1, pack([1, 1], [1, 1], [6, 0], [8, count])],
      [3, type],
      [5, pack([1, 2], [1, 2], [1, 0], [1, 0])],
      [8, pack([1, 3], [1, 1], [8, address], [8, data.length])],
    ]);
  }

  /** A list of sequences: their elements in global heaps of at most 64 objects, and a place for each. */
  sequences(element: Uint8Array, elementBytes: number, lists: readonly Uint8Array[]): number {
    const places: Uint8Array[] = [];
    for (let start = 0; start < lists.length; start += 64) {
      const together = lists.slice(start, start + 64);
      const objects = together.map((list, i) => {
        return concat(pack([2, i + 1], [2, 1], [4, 0], [8, list.length]), padded(list));
      });
      const used = 16 + objects.reduce((sum, { length }) => sum + length, 0);
      const size = Math.max(4096, used + 16);
      const free = pack([2, 0], [2, 0], [4, 0], [8, size - used]);
      const heap = new Uint8Array(size);
      heap.set(concat(new TextEncoder().encode("GCOL"), pack([4, 1], [8, size]), ...objects, free));
      const address = this.add(heap);
      together.forEach((list, i) => {
        places.push(pack([4, list.length / elementBytes], [8, list.length === 0 ? 0 : address], [4, list.length === 0 ? 0 : i + 1]));
      });
    }
    return this.dataset(sequenceOf(element), lists.length, concat(...places));
  }

  group(members: Readonly<Record<string, number>>): number {
    const links = Object.entries(members).map(([name, address]): [number, Uint8Array] => {
      const text = new TextEncoder().encode(name);
      return [6, concat(pack([1, 1], [1, 0], [1, text.length]), text, pack([8, address]))];
    });
    return this.#object([[2, pack([2, 0], [8, nowhere], [8, nowhere])], [10, pack([2, 0])], ...links]);
  }

  finish(root: number): Uint8Array {
    const superblock = concat(
      Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
      pack([4, 0], [1, 0], [1, 8], [1, 8], [1, 0], [2, 4], [2, 16], [4, 0]),
      pack([8, 0], [8, nowhere], [8, this.#size], [8, nowhere]),
      pack([8, 0], [8, root], [4, 0], [4, 0], [8, 0], [8, 0]),
    );
    return concat(superblock, ...this.#parts);
  }
}

/** Bytes of an HDF5 file in the layout of SHD; parts that are left out are not in the file. */
export function writeSpikeHdf5(contents: SpikeFile): Uint8Array {
  const { samples, labels, keys, columns = {}, timeType = "float16", unitType = "uint16", bigEndian = false } = contents;
  const writer = new Hdf5Writer();
  const lists = (of: "times" | "units", type: NumberType): number =>
    writer.sequences(
      numberType(type, bigEndian),
      sizes[type],
      samples.map((sample) => encode(sample[of], type, bigEndian)),
    );
  const list = (values: readonly number[]): number =>
    writer.dataset(numberType("uint16", false), values.length, encode(values, "uint16", false));
  const root: Record<string, number> = {
    spikes: writer.group({ times: lists("times", timeType), units: lists("units", unitType) }),
  };
  if (labels !== undefined) root.labels = list(labels);
  const extra: Record<string, number> = {};
  for (const [name, values] of Object.entries(columns)) extra[name] = list(values);
  if (keys !== undefined) {
    const length = Math.max(...keys.map((key) => new TextEncoder().encode(key).length));
    const cells = keys.map((key) => {
      const cell = new Uint8Array(length);
      cell.set(new TextEncoder().encode(key));
      return cell;
    });
    extra.keys = writer.dataset(fixedText(length), keys.length, concat(...cells));
  }
  if (Object.keys(extra).length > 0) root.extra = writer.group(extra);
  return writer.finish(writer.group(root));
}
