/** How much memory a network will take, from the same plan that its memories are later allocated by. */
import { compileNetwork } from "../learning/rls/compile.ts";
import { planShard } from "../learning/rls/shard-memory.ts";
import type { RlsSpec } from "../learning/rls/spec.ts";
import type { MemoryEstimate, TrainerOptions } from "./trainer-contract.ts";

/** A WebAssembly memory ends at 4 GiB; a shard stays well below. */
const shardBytes = 3 * 2 ** 30;
/** Node itself, and one worker thread with its compiled code. */
const processBytes = 80e6;
const workerBytes = 30e6;

/** Bytes by purpose, before anything is allocated. */
export async function estimateMemory(spec: RlsSpec, options: TrainerOptions): Promise<MemoryEstimate> {
  const network = await compileNetwork(spec);
  const { trained } = spec.plastic;
  const trainedCount =
    trained === "all" ? spec.neurons : "indices" in trained ? trained.indices.length : trained.fraction * spec.neurons;
  const plan = planShard(network, {
    capacity: 16 * Math.ceil(spec.neurons / 16 + 2),
    segments: 2,
    trained: Math.round(trainedCount),
    staticSynapses: spec.static === null ? 0 : 2 * spec.static.K * spec.neurons,
  });
  const shards = Math.max(options.threads, Math.ceil(plan.bytes / shardBytes));
  // Every shard has its own lists of who spiked and of where each neuron's synapses begin.
  const perShard =
    4 * network.sources + 4 * (network.sources + 1) + (spec.static === null ? 0 : 4 * (spec.neurons + 1));
  const parts: Record<string, number> = {
    ...plan.parts,
    "lists per shard": (shards - 1) * perShard,
    process: processBytes + options.threads * workerBytes,
  };
  return { total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0), parts };
}
