/** The WebAssembly module of one shard: every kernel it runs, specialised for its network and its addresses. */
import { addDeliveryKernels } from "../../kernels/delivery/wasm.ts";
import { addNeuronKernel, addRecordingKernels } from "../../kernels/neuron/wasm.ts";
import { addNoiseKernel } from "../../kernels/noise/wasm.ts";
import { addRlsKernels } from "../../kernels/rls/wasm.ts";
import { addRlsWindowKernel } from "../../kernels/rls/window.ts";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import type { CompiledNetwork } from "./compile.ts";
import type { ShardMemory } from "./shard-memory.ts";

export type Kernels = Record<string, (...args: number[]) => number>;

/** @param subset whether positions among the trained neurons differ from local indices. */
export function instantiateKernels(
  network: CompiledNetwork,
  { layout, arrays }: ShardMemory,
  memory: WebAssembly.Memory,
  { subset, relaxed }: { subset: boolean; relaxed: boolean },
): Kernels {
  const { learning, seed, excitatory, synapses } = network.spec;
  const module = new ModuleBuilder();
  addNeuronKernel(module, network.program, network.options, arrays, relaxed);
  addRecordingKernels(module, network.program.equations.synapticStates, arrays);
  addNoiseKernel(module, [seed >>> 0, Math.floor(seed / 2 ** 32)]);
  addDeliveryKernels(module, {
    layout,
    firstInhibitory: excitatory,
    static: network.options.static === "none" ? "none" : network.options.arrivals,
    subset,
    gainPerNeuron: typeof synapses.tauPlasticMs !== "number",
  });
  const bounded = learning.dale || Number.isFinite(learning.maxWeight);
  const rls = { layout, relaxed, compat: learning.compat, bounded };
  addRlsKernels(module, rls);
  if (learning.window > 0) addRlsWindowKernel(module, rls);
  const compiled = new WebAssembly.Module(module.toBytes());
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as Kernels;
}
