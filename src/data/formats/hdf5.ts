/**
 * Reading HDF5 files from bytes or from a file that stays where it is, with h5wasm behind it. This file adds what a
 * reader of other people's files needs: no silent failure, sizes checked before memory is asked for, messages that name
 * the dataset, and a library instance that survives damaged files (hdf5-module.ts).
 *
 * HDF5 keeps checksums of its own structure and, for compressed data, of the data; plain uncompressed numbers have none,
 * so a flipped bit in them cannot be noticed by any reader.
 */

import { dataError, didYouMean } from "../../base/errors.ts";
import type { Hdf5Attribute, Hdf5Dataset, Hdf5File, Hdf5Sequences } from "./hdf5-file.ts";
import { refuseEndlessHeaps } from "./hdf5-heaps.ts";
import { hdf5Module, reportFailure } from "./hdf5-module.ts";
import { memorySource, mountSource, unmountSource } from "./hdf5-source.ts";
import type { H5Metadata, H5Module, Hdf5Source } from "./hdf5-types.ts";
import { dtypeOf, kindOf, reasonOf, typedValues } from "./hdf5-values.ts";
import { byteCount, elementCount, largestBytes, shapeText } from "./limits.ts";
import type { NumericArray } from "./numeric-array.ts";

/** Filters HDF5 itself can undo; others need plug-ins. */
const knownFilters = new Set([1, 2, 3, 5, 6]);

/** Data no larger than this are read whatever the size of the file: a dataset never written has only a fill value. */
const graceBytes = 2 ** 20;

let opened = 0;

/** One file of one library instance. Every call into the library passes through `guard`. */
class WasmHdf5File implements Hdf5File {
  readonly name: string;
  readonly datasets: readonly Hdf5Dataset[];
  readonly damaged: readonly string[];
  readonly #module: H5Module;
  readonly #id: bigint;
  readonly #virtualName: string;
  readonly #fileBytes: number;
  readonly #paths = new Set<string>([""]);
  readonly #byPath = new Map<string, Hdf5Dataset>();
  readonly #metadata = new Map<string, H5Metadata>();
  #open = true;

  constructor(module: H5Module, id: bigint, virtualName: string, bytes: number, name: string) {
    this.#module = module;
    this.#id = id;
    this.#virtualName = virtualName;
    this.#fileBytes = bytes;
    this.name = name;
    const damaged: string[] = [];
    const names = this.#guard("the list of its contents", () => module.get_names(id, "/", true));
    for (const path of [...names].sort()) {
      this.#paths.add(path);
      try {
        if (module.get_type(id, path) !== module.H5G_DATASET) continue;
        const meta = module.get_dataset_metadata(id, path);
        // A null dataspace: a dataset that holds nothing, not even one value.
        if (meta.shape === null) continue;
        const entry: Hdf5Dataset = { path, shape: meta.shape, dtype: dtypeOf(meta), kind: kindOf(meta) };
        this.#metadata.set(path, meta);
        this.#byPath.set(path, entry);
      } catch (error) {
        reportFailure(error);
        damaged.push(path);
      }
    }
    this.datasets = [...this.#byPath.values()];
    this.damaged = damaged;
  }

  #guard<T>(what: string, call: () => T): T {
    if (!this.#open) throw dataError(`${this.name} was closed before ${what} was read`);
    try {
      return call();
    } catch (error) {
      if (error instanceof Error && error.name === "UserError") throw error;
      reportFailure(error);
      throw dataError(`${what} of ${this.name} cannot be read (${reasonOf(error)}); the file is damaged`, error);
    }
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  describe(path: string): Hdf5Dataset {
    const wanted = path.replace(/^\/+/, "");
    const entry = this.#byPath.get(wanted);
    if (entry !== undefined) return entry;
    if (this.damaged.includes(wanted)) throw dataError(`dataset "${wanted}" of ${this.name} is damaged`);
    if (this.has(wanted)) throw dataError(`"${wanted}" of ${this.name} is no dataset with values; it may be a group`);
    const paths = this.datasets.map((dataset) => dataset.path);
    const some = paths.length === 0 ? "it holds none" : `it holds ${paths.slice(0, 12).join(", ")}`;
    const more = paths.length > 12 ? ` and ${paths.length - 12} more` : "";
    throw dataError(`${this.name} has no dataset "${wanted}"${didYouMean(wanted, paths) || `; ${some}${more}`}`);
  }

  /** Refuses datasets that cannot be read, or claim more than the file can hold. Returns their size in bytes. */
  #checkedSize(entry: Hdf5Dataset, meta: H5Metadata): number {
    const what = `dataset "${entry.path}" of ${this.name}`;
    const filters = this.#guard(what, () => this.#module.get_dataset_filters(this.#id, entry.path));
    const strange = filters.find((filter) => !knownFilters.has(filter.id));
    if (strange !== undefined) {
      throw dataError(
        `${what} is packed by the filter ${strange.name || strange.id}, which is not available here; save it with gzip`,
      );
    }
    const bytes = elementCount(entry.shape, what) * meta.size;
    // Deflate cannot pack better than 1 to 1032; without a filter nothing is packed at all.
    const plausible = Math.max(graceBytes, this.#fileBytes * (filters.length > 0 ? 1032 : 1));
    if (bytes > largestBytes || bytes > plausible) {
      throw dataError(
        `${what} claims ${shapeText(entry.shape)} values, ${byteCount(bytes)}, ` +
          (bytes > plausible
            ? `more than a file of ${byteCount(this.#fileBytes)} can hold; the file is damaged`
            : `and at most ${byteCount(largestBytes)} are read; save fewer values or as float32`),
      );
    }
    return bytes;
  }

  /** Runs `use` with zeroed library memory of `bytes` bytes. */
  #withMemory<T>(bytes: number, what: string, use: (pointer: number) => T): T {
    return this.#guard(what, () => {
      const pointer = this.#module._malloc(Math.max(bytes, 8));
      if (pointer === 0) throw dataError(`${what} of ${this.name} needs ${byteCount(bytes)}, more than is free`);
      try {
        // What the library does not fill must not be left-over memory: all-ones is NaN in every float type.
        this.#module.HEAPU8.fill(0xff, pointer, pointer + bytes);
        return use(pointer);
      } finally {
        this.#module._free(pointer);
      }
    });
  }

  readNumbers(path: string): NumericArray {
    const entry = this.describe(path);
    if (entry.kind !== "number") {
      throw dataError(`dataset "${entry.path}" of ${this.name} holds ${entry.dtype} values; numbers are needed`);
    }
    const size = this.#checkedSize(entry, this.#metadata.get(entry.path)!);
    const what = `dataset "${entry.path}"`;
    const bytes = this.#withMemory(size, what, (pointer) => {
      // Nothing to read in an empty dataset, and the library dislikes being asked.
      if (size > 0) this.#read(entry.path, pointer);
      return this.#module.HEAPU8.slice(pointer, pointer + size);
    });
    return { shape: entry.shape, data: typedValues(entry.dtype, bytes), dtype: entry.dtype };
  }

  /** @param part start and count of a one-dimensional dataset; all of it by default. */
  #read(path: string, pointer: number, part?: readonly [bigint, bigint]): void {
    const [start, count, step] = part === undefined ? [null, null, null] : [[part[0]], [part[1]], [1n]];
    const status = this.#module.get_dataset_data(this.#id, path, count, start, step, BigInt(pointer));
    if (status < 0) throw new Error(`HDF5 returned ${status}`);
  }

  readStrings(path: string): string[] {
    const entry = this.describe(path);
    if (entry.kind !== "string") {
      throw dataError(`dataset "${entry.path}" of ${this.name} holds ${entry.dtype} values; text is needed`);
    }
    const meta = this.#metadata.get(entry.path)!;
    const size = this.#checkedSize(entry, meta);
    return this.#withMemory(size, `dataset "${entry.path}"`, (pointer) => {
      if (size === 0) return [];
      this.#read(entry.path, pointer);
      return this.#decode(meta, pointer, size, entry.path, "");
    });
  }

  /** Text at `pointer`: fixed-length cells, or pointers to text that is handed back to the library afterwards. */
  #decode(meta: H5Metadata, pointer: number, size: number, path: string, attribute: string): string[] {
    const bytes = this.#module.HEAPU8.slice(pointer, pointer + size);
    if (!meta.vlen) {
      const decoder = new TextDecoder();
      return Array.from({ length: size / meta.size }, (_, i) => {
        const cell = bytes.subarray(i * meta.size, (i + 1) * meta.size);
        const end = cell.indexOf(0);
        return decoder.decode(end < 0 ? cell : cell.subarray(0, end)).trimEnd();
      });
    }
    const pointers = new Uint32Array(bytes.buffer);
    const texts = Array.from(pointers, (at) => (at === 0 ? "" : this.#module.UTF8ToString(at)));
    this.#module.reclaim_vlen_memory(this.#id, path, attribute, BigInt(pointer));
    return texts;
  }

  readSequences(path: string, start: number, count: number): Hdf5Sequences {
    const entry = this.describe(path);
    const what = `dataset "${entry.path}"`;
    if (entry.kind !== "sequences" || entry.shape.length !== 1) {
      const held = `${shapeText(entry.shape)} values of ${entry.dtype}`;
      throw dataError(`${what} of ${this.name} holds ${held}; a list of sequences of numbers is needed`);
    }
    const meta = this.#metadata.get(entry.path)!;
    const element = meta.vlen_type!;
    this.#checkedSize(entry, meta);
    if (!(start >= 0 && count >= 0 && start + count <= entry.shape[0])) {
      throw new RangeError(`sequences ${start} to ${start + count} of ${entry.shape[0]}`);
    }
    const module = this.#module;
    const bytes = count * meta.size;
    return this.#withMemory(bytes, `${what}, values ${start} to ${start + count - 1},`, (pointer) => {
      // The library writes a length and a pointer for each sequence; pointers left over would be followed by `reclaim`.
      module.HEAPU8.fill(0, pointer, pointer + bytes);
      if (count > 0) this.#read(entry.path, pointer, [BigInt(start), BigInt(count)]);
      const places = new Uint32Array(module.HEAPU8.slice(pointer, pointer + bytes).buffer);
      const offsets = new Uint32Array(count + 1);
      for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i] + places[2 * i];
      const packed = new Uint8Array(offsets[count] * element.size);
      for (let i = 0; i < count; i++) {
        const at = places[2 * i + 1];
        packed.set(module.HEAPU8.subarray(at, at + places[2 * i] * element.size), offsets[i] * element.size);
      }
      if (count > 0) module.reclaim_vlen_memory_count(this.#id, entry.path, "", BigInt(pointer), [BigInt(count)]);
      return { data: typedValues(dtypeOf(element), packed), offsets };
    });
  }

  attribute(path: string, name: string): Hdf5Attribute | undefined {
    const module = this.#module;
    const at = path === "" ? "/" : path;
    const what = `attribute "${name}" of "${at}"`;
    if (!this.has(path)) this.describe(path);
    const names = this.#guard(what, () => module.get_attribute_names(this.#id, at));
    if (!names.includes(name)) return undefined;
    const meta = this.#guard(what, () => module.get_attribute_metadata(this.#id, at, name));
    if (meta.shape === null) return undefined;
    const count = elementCount(meta.shape, what);
    const size = count * meta.size;
    // Attributes live in object headers or small heaps of the file.
    if (size > Math.max(2 ** 16, this.#fileBytes)) throw dataError(`${what} of ${this.name} claims ${byteCount(size)}`);
    if (size === 0) return [];
    const kind = kindOf(meta);
    const values = this.#withMemory(size, what, (pointer): readonly number[] | readonly string[] => {
      module.get_attribute_data(this.#id, at, name, BigInt(pointer));
      if (kind === "string") return this.#decode(meta, pointer, size, at, name);
      const bytes = module.HEAPU8.slice(pointer, pointer + size);
      if (kind === "number") return Array.from(typedValues(dtypeOf(meta), bytes) as ArrayLike<number | bigint>, Number);
      if (kind === "reference" && meta.ref_type === "object") {
        return Array.from({ length: count }, (_, i) => {
          const reference = bytes.slice(i * meta.size, (i + 1) * meta.size);
          return (module.get_referenced_name(this.#id, reference, true) ?? "").replace(/^\/+/, "");
        });
      }
      throw dataError(`${what} of ${this.name} is of a type that is not read`);
    });
    return meta.shape.length === 0 ? values[0] : values;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // Both are best effort: after a trap the instance may refuse, and it is about to be dropped anyway.
    try {
      this.#module.close_file(this.#id);
    } catch (error) {
      reportFailure(error);
    }
    removeFile(this.#module, this.#virtualName);
  }
}

function removeFile(module: H5Module, virtualName: string): void {
  try {
    unmountSource(module, virtualName);
  } catch (error) {
    reportFailure(error);
  }
}

/**
 * Opens an HDF5 file held in memory, or one that is read piece by piece where it is. The bytes are used in place and
 * must not be changed until `close()`.
 *
 * @param name used in messages.
 * @throws UserError when the bytes are not HDF5, truncated, or damaged where the list of contents is kept.
 */
export async function openHdf5(input: Uint8Array | Hdf5Source, name: string): Promise<Hdf5File> {
  const source = input instanceof Uint8Array ? memorySource(input) : input;
  refuseEndlessHeaps(source, name);
  const module = await hdf5Module();
  const virtualName = `/volley-${opened++}.h5`;
  mountSource(module, virtualName, source);
  let id: bigint | undefined;
  try {
    id = module.open(virtualName, module.H5F_ACC_RDONLY, false, -1, -1);
    if (id < 0n) throw new Error("HDF5 does not recognise it");
    return new WasmHdf5File(module, id, virtualName, source.size, name);
  } catch (error) {
    if (id !== undefined && id >= 0n) {
      try {
        module.close_file(id);
      } catch (closing) {
        reportFailure(closing);
      }
    }
    removeFile(module, virtualName);
    if (error instanceof Error && error.name === "UserError") throw error;
    reportFailure(error);
    throw dataError(`${name} cannot be opened as HDF5 (${reasonOf(error)}); it is damaged or truncated`, error);
  }
}
