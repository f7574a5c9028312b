/** A short name for "the same experiment": the hash of everything that decides which bytes training produces. */
import { createHash, type Hash } from "node:crypto";
import type { RlsSpec } from "../learning/rls/spec.ts";
import { canonicalJson } from "./checkpoint-format.ts";
import type { ClassifyExperiment } from "./classify/schema.ts";
import type { DataSummary } from "./classify/summary.ts";
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

/** A module's address says where it lies on this machine; its name is what belongs to the experiment. */
const withoutFolder = (address: string): string => address.split("/").pop() ?? address;

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
  const model = { ...spec.model, type: withoutFolder(spec.model.type) };
  update(hash, { spec: { ...spec, model }, sinusoids, copies, data });
  return hash.digest("hex");
}

/** The same of a classifier: settings that decide what is learned, and its data. */
export function fingerprintOfClassifier(resolved: ClassifyExperiment, data: DataSummary): string {
  const { seed, learning } = resolved;
  // What the word stands for is written out in the layers.
  const { heterogeneity: _word, ...network } = resolved.network;
  const { encoder, augmentation } = resolved.data;
  const { epochs: _, earlyStopping: __, stopAt: ___, tape, products, ...rules } = learning;
  const named = <Owner extends object>(owner: Owner) => {
    if (!("model" in owner)) return owner;
    const model = owner.model as { readonly type: string };
    return { ...owner, model: { ...model, type: withoutFolder(model.type) } };
  };
  const hash = createHash("sha256");
  update(hash, {
    seed,
    encoder,
    augmentation,
    network: { ...network, layers: network.layers.map(named), readout: named(network.readout) },
    // Runs from before there was a choice of numbers are of the first.
    rules: {
      ...rules,
      ...(tape === "float32" ? {} : { tape }),
      ...(products === "float32" ? {} : { products }),
    },
    data,
  });
  return hash.digest("hex");
}
