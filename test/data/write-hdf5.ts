/** Makes small HDF5 files for tests, with h5wasm's writing interface. Not part of the library. */

import h5wasm, { FS, type File } from "h5wasm";

let made = 0;

export async function writeHdf5(fill: (file: File) => void): Promise<Uint8Array> {
  await h5wasm.ready;
  const name = `/made-${made++}.h5`;
  const file = new h5wasm.File(name, "w");
  fill(file);
  file.flush();
  file.close();
  const bytes = FS!.readFile(name) as Uint8Array;
  FS!.unlink(name);
  return bytes.slice();
}
