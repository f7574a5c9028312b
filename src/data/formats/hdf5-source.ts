/**
 * Where the HDF5 library reads from. It knows files of its own in-memory file system only, so each of ours becomes an
 * empty file there whose reading is replaced: bytes in memory are not copied, and a file on disk need not be in memory.
 */

import type { H5Module, Hdf5Source } from "./hdf5-types.ts";

/** Bytes in memory, used in place. */
export function memorySource(bytes: Uint8Array): Hdf5Source {
  return {
    size: bytes.length,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  };
}

/** Makes the bytes of a source a file of the library. */
export function mountSource(module: H5Module, virtualName: string, source: Hdf5Source): void {
  module.FS.writeFile(virtualName, new Uint8Array(0));
  const { node } = module.FS.lookupPath(virtualName);
  node.usedBytes = source.size;
  node.stream_ops = {
    ...node.stream_ops,
    read(_stream, buffer, offset, length, position) {
      const wanted = Math.max(0, Math.min(length, source.size - position));
      return source.read(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, wanted), position);
    },
  };
}

/** Takes the file away again. A handle that the library forgot would otherwise keep the source alive. */
export function unmountSource(module: H5Module, virtualName: string): void {
  const { node } = module.FS.lookupPath(virtualName);
  node.usedBytes = 0;
  node.stream_ops = { ...node.stream_ops, read: () => 0 };
  module.FS.unlink(virtualName);
}
