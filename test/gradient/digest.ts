/** One hash of named arrays: what "the same bytes" means. */
import { createHash } from "node:crypto";

export const digest = (arrays: Readonly<Record<string, Float32Array>>): string => {
  const hash = createHash("sha256");
  for (const [name, { buffer, byteOffset, byteLength }] of Object.entries(arrays)) {
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
};
