/** The shards of one worker: which neurons they hold, and their static synapses. */
import { fixedOutDegree, loadRule, type StaticRule } from "../../network/connectivity.ts";
import { partition } from "../../network/partition.ts";
import { Philox } from "../../random/philox.ts";
import type { CompiledNetwork } from "./compile.ts";
import { Shard } from "./shard.ts";
import { planShard } from "./shard-memory.ts";
import { staticRows } from "./static-rows.ts";
import { trainedNeurons } from "./trained.ts";
import type { MemberSetup } from "./trial.ts";

/** Allocates and fills everything but the plastic synapses, which may depend on a run of the static network. */
export async function buildShards(
  network: CompiledNetwork,
  setup: MemberSetup,
  { rank, size }: { rank: number; size: number },
): Promise<Shard[]> {
  const { spec } = network;
  const trained = trainedNeurons(spec);
  const perNeuron = planShard(network, { capacity: 65536, segments: 2, trained: 65536, staticSynapses: 0 });
  const staticBytes = spec.static ? 2 * spec.static.K * (network.options.arrivals === "weights" ? 6 : 2) : 0;
  const ranges = partition(network.populations, size, {
    bytesPerNeuron: perNeuron.bytes / 65536 + staticBytes,
    bytesFixed: 12 * network.sources,
    shardNeurons: setup.shardNeurons,
  })[rank];
  const random = new Philox(spec.seed);
  let statics: ReturnType<typeof staticRows> | null = null;
  if (spec.static) {
    const { K, rule } = spec.static;
    const connect = rule ? await loadRule<StaticRule>(rule) : fixedOutDegree;
    const context = { random, neurons: spec.neurons, excitatory: spec.excitatory, K };
    statics = staticRows(
      spec.neurons,
      ranges,
      (source) => connect(source, context),
      2 * K,
      network.options.arrivals === "weights",
    );
  }
  const shards: Shard[] = [];
  for (const [s, range] of ranges.entries()) {
    const first = range.segments[0]?.firstGlobal ?? 0;
    const last = range.segments.at(-1);
    const end = last ? last.firstGlobal + last.size : first;
    const own = trained.filter((neuron) => neuron >= first && neuron < end);
    shards.push(new Shard(network, range, own, statics?.[s] ?? null, setup.relaxed));
    if (statics) statics[s] = { offsets: new Uint32Array(0), targets: new Uint16Array(0), weights: null };
  }
  return shards;
}
