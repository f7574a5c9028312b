/** A short name for "the same experiment": the hash of everything that decides which bytes training produces. */
import { createHash, type Hash } from "node:crypto";
import type { RlsSpec } from "../learning/rls/spec.ts";
import { canonicalJson } from "./checkpoint.ts";
import type { TrainerTargets } from "./trainer-contract.ts";

function update(hash: Hash, value: unknown): void {
  const arrays: ArrayBufferView[] = [];
  const text = canonicalJson(value, (item) => {
    if (!ArrayBuffer.isView(item)) return item;
    arrays.push(item);
    return { array: item.constructor.name, bytes: item.byteLength };
  });
  hash.update(text);
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

/** SHA-256 over the spec and the targets, in hexadecimal. Threads, paths, dates and the number of iterations are not in it. */
export function fingerprintOf(spec: RlsSpec, targets: TrainerTargets): string {
  const hash = createHash("sha256");
  const { recording, sinusoids, copies } = targets;
  const data = recording && {
    quantity: recording.quantity,
    tasks: recording.tasks,
    rows: recording.rows,
    neurons: recording.neurons,
    values: recording.values,
  };
  // A module's address says where it lies on this machine; its name is what belongs to the experiment.
  const model = { ...spec.model, type: spec.model.type.split("/").pop() };
  update(hash, { spec: { ...spec, model }, sinusoids, copies, data });
  return hash.digest("hex");
}
