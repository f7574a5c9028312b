/** Which neurons are trained: their global indices, ascending. */
import { UserError } from "../../base/errors.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { RlsSpec } from "./spec.ts";

export function trainedNeurons({ neurons, seed, plastic }: RlsSpec): Uint32Array {
  const { trained } = plastic;
  if (trained === "all") return Uint32Array.from({ length: neurons }, (_, i) => i);
  if ("fraction" in trained) {
    const count = Math.round(trained.fraction * neurons);
    return new Philox(seed).sample(streamOf(streamKind.trainedSubset, 0), neurons, count).sort();
  }
  const indices = Uint32Array.from(new Set(trained.indices)).sort();
  const last = indices.at(-1) ?? 0;
  if (indices.length === 0 || last >= neurons) {
    throw new UserError(
      indices.length === 0
        ? "plastic.trained.indices is empty; name at least one neuron to train"
        : `plastic.trained.indices contains ${last}, but neurons go from 0 to ${neurons - 1}`,
    );
  }
  return indices;
}
