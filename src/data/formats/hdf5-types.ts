/** The part of h5wasm's low-level interface that the reader uses; its own declarations do not cover all of it. */

export interface H5Metadata {
  readonly shape: number[] | null;
  readonly chunks: number[] | null;
  /** HDF5 class: 0 integer, 1 float, 3 string, 4 bit field, 7 reference, 8 enumeration, 9 variable length. */
  readonly type: number;
  /** Bytes per element. */
  readonly size: number;
  readonly signed: boolean;
  readonly vlen: boolean;
  readonly total_size: number;
  readonly ref_type?: "object" | "region";
  readonly enum_type?: { readonly type: number };
  /** Of a sequence of variable length: what it is a sequence of. */
  readonly vlen_type?: H5Metadata;
}

export interface H5Filter {
  readonly id: number;
  readonly name: string;
}

/**
 * Bytes that can be read at any place: a file that need not be in memory. `read` fills as much of `target` as there is
 * from `position` on, and returns how many bytes that was.
 */
export interface Hdf5Source {
  /** Bytes. */
  readonly size: number;
  read(target: Uint8Array, position: number): number;
}

/** A file of the library's own file system (Emscripten's MEMFS), as far as it is replaced here. */
export interface H5Node {
  usedBytes: number;
  stream_ops: {
    read(stream: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number;
  };
}

export interface H5Module {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32?: Uint32Array;
  readonly H5F_ACC_RDONLY: number;
  readonly H5G_DATASET: number;
  readonly FS: {
    writeFile(path: string, data: Uint8Array, options?: { canOwn?: boolean }): void;
    unlink(path: string): void;
    lookupPath(path: string): { readonly node: H5Node };
  };
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  UTF8ToString(pointer: number): string;
  activate_throwing_error_handler(): number;
  open(name: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(file: bigint): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_type(file: bigint, path: string): number;
  get_dataset_metadata(file: bigint, path: string): H5Metadata;
  get_dataset_filters(file: bigint, path: string): H5Filter[];
  get_dataset_data(
    file: bigint,
    path: string,
    count: bigint[] | null,
    offset: bigint[] | null,
    strides: bigint[] | null,
    pointer: bigint,
  ): number;
  get_attribute_names(file: bigint, path: string): string[];
  get_attribute_metadata(file: bigint, path: string, name: string): H5Metadata;
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, attribute: string, pointer: bigint): number;
  reclaim_vlen_memory_count(file: bigint, path: string, attribute: string, pointer: bigint, count: bigint[]): number;
  get_referenced_name(file: bigint, reference: Uint8Array, isObject: boolean): string | null;
}
