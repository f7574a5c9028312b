/**
 * Where everything of one shard lies in its WebAssembly memory, and how much memory that is.
 *
 * The same plan serves three times: to allocate, to give kernels their addresses, and to estimate a network's memory
 * before anything is built.
 */
import { type NeuronArrays, type WorkArray, workArrays } from "../../kernels/neuron/wasm.ts";
import { type PLayout, pLayout } from "../../kernels/rls/layout.ts";
import { neuronRecordBytes, pendingBytes, scratchBytes, synapseBytes } from "../../kernels/rls/neuron-memory.ts";
import type { CompiledNetwork } from "./compile.ts";
import { trialSteps } from "./timing.ts";

export interface ShardSize {
  /** Local indices, padding included. */
  readonly capacity: number;
  readonly segments: number;
  /** Trained neurons. */
  readonly trained: number;
  readonly staticSynapses: number;
}

export interface ShardMemory {
  readonly layout: PLayout;
  readonly arrays: NeuronArrays;
  /** Work arrays that carry a trial from step to step: cleared at its start, part of its state. Noise is made anew. */
  readonly carried: readonly WorkArray[];
  /** Names of constants that are one value per neuron. */
  readonly perNeuronConstants: readonly string[];
  /** Byte address of every region by name. */
  readonly at: Readonly<Record<Region, number>>;
  readonly bytes: number;
  /** Bytes by purpose, for people. */
  readonly parts: Readonly<Record<string, number>>;
}

export type Region =
  | "constants"
  | "spikesIn"
  | "spikesOut"
  | "staticOffsets"
  | "staticTargets"
  | "staticWeights"
  | "plasticOffsets"
  | "plasticEntries"
  | "neuronOf"
  | "gains"
  | "neurons"
  | "synapses"
  | "targets"
  | "P"
  | "pending"
  | "scratch"
  | "bounds"
  | "samples"
  | "biases";

const align = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** Work arrays that this network needs. */
function neededArrays({ options, spec }: CompiledNetwork): WorkArray[] {
  const unused = new Set<WorkArray>();
  if (options.static === "none" || options.arrivals === "weights") unused.add("counts");
  if (options.static === "none" || options.arrivals === "counts") unused.add("arrivedExc").add("arrivedInh");
  if (options.noise === "none" && spec.stimulus.sigma === 0) unused.add("noise");
  return workArrays.filter((name) => !unused.has(name));
}

export function planShard(network: CompiledNetwork, size: ShardSize): ShardMemory {
  const { spec, program, inputs, sources } = network;
  const layout = pLayout(inputs, spec.learning.precision);
  const { rows } = trialSteps(spec.timing);
  const windowed = spec.learning.window > 0;
  const heldSamples = spec.learning.block > 1 ? spec.learning.block : spec.learning.window;
  const perNeuronConstants = [...program.constants, "drive"].filter((name) =>
    network.constants.some((values) => typeof values[name] !== "number"),
  );
  let bytes = 1024;
  const parts: Record<string, number> = {};
  const take = (purpose: string, length: number): number => {
    const address = bytes;
    bytes += align(length);
    parts[purpose] = (parts[purpose] ?? 0) + align(length);
    return address;
  };

  const states = [...program.equations.synapticStates, ...program.equations.membraneStates];
  const stateAt = new Map(states.map((name) => [name, take("state", 4 * size.capacity)]));
  const workAt = new Map(neededArrays(network).map((name) => [name, take("state", 4 * size.capacity)]));
  const constantAt = new Map(perNeuronConstants.map((name) => [name, take("state", 4 * size.capacity)]));
  const refractory = take("state", size.capacity);
  const refractoryPeriod = take("state", size.capacity);
  const at: Record<Region, number> = {
    constants: take("state", 4 * size.segments * (program.constants.length + 1)),
    spikesIn: take("spikes", 4 * sources),
    spikesOut: take("spikes", 4 * size.capacity),
    staticOffsets: take("static synapses", spec.static ? 4 * (spec.neurons + 1) : 0),
    staticTargets: take("static synapses", 2 * size.staticSynapses),
    staticWeights: take("static synapses", network.options.arrivals === "weights" ? 4 * size.staticSynapses : 0),
    plasticOffsets: take("plastic synapses", 4 * (sources + 1)),
    plasticEntries: take("plastic synapses", 4 * size.trained * inputs),
    neuronOf: take("state", 2 * size.trained),
    gains: take("state", typeof spec.synapses.tauPlasticMs === "number" ? 0 : 4 * size.trained),
    neurons: take("state", neuronRecordBytes * size.trained),
    synapses: take("plastic synapses", synapseBytes(layout) * size.trained),
    targets: take("targets", 4 * spec.tasks * rows * size.trained),
    // The low-memory mode keeps P at its start, and one P with one pending k to work in.
    P: take("P", windowed ? 2 * layout.bytes + pendingBytes(layout) : layout.bytes * size.trained),
    pending: take("P", windowed ? 0 : pendingBytes(layout) * size.trained),
    scratch: take("state", scratchBytes(layout)),
    bounds: take("state", synapseBytes(layout)),
    samples: take("samples", heldSamples * 16 * layout.tileRows * size.trained),
    biases: take("samples", heldSamples * 4 * size.trained),
  };
  const address = (map: Map<string, number>, name: string): number => {
    const found = map.get(name);
    // Arrays a network does not need are never read: kernels that would are not built.
    return found ?? 0;
  };
  return {
    layout,
    arrays: {
      state: (name) => address(stateAt, name),
      work: (name) => address(workAt, name),
      perNeuron: (name) => constantAt.get(name) ?? null,
      refractory,
      refractoryPeriod,
    },
    carried: [...workAt.keys()].filter((name) => name !== "noise"),
    perNeuronConstants,
    at,
    bytes,
    parts,
  };
}
