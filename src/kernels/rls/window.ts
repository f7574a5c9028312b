/**
 * The low-memory form of RLS: no P is kept. At every update it is rebuilt from its start and the last few samples of the
 * neuron, in the cache, and the newest sample moves the weights. An approximation: what is older is forgotten.
 * Source: the `small` mode of TrainSpikingNet, which solves the same system by factorisation.
 */
import { f32, i32, type ModuleBuilder, memory } from "../../wasm/assembler.ts";
import { neuronField, neuronRecordBytes, synapseBytes } from "./neuron-memory.ts";
import { type RlsKernelOptions, updateOne } from "./wasm.ts";

/**
 * Adds `rlsUpdateWindow(count, P, synapses, neurons, samples, newest, remembered, ring, scratch, bounds)`: `samples` holds
 * a ring of `ring` trace vectors per neuron, of which the `remembered` up to index `newest` count. `P` is the start,
 * followed by room for one more and for a pending k. The error of the newest sample is the `bias` of the neuron's record plus w'x.
 */
export function addRlsWindowKernel(module: ModuleBuilder, options: RlsKernelOptions): void {
  const { layout } = options;
  const xBytes = 16 * layout.tileRows;
  module.function(
    "rlsUpdateWindow",
    {
      count: "i32",
      P: "i32",
      synapses: "i32",
      neurons: "i32",
      samples: "i32",
      newest: "i32",
      remembered: "i32",
      ring: "i32",
      scratch: "i32",
      bounds: "i32",
    },
    (f, { count, P, synapses, neurons, samples, newest, remembered, ring, scratch, bounds }) => {
      const work = f.let(i32.add(P, i32.const(layout.bytes)));
      const pending = f.let(i32.add(work, i32.const(layout.bytes)));
      const age = f.local("i32");
      const x = f.local("i32");
      const index = f.local("i32");
      f.while(
        () => count,
        () => {
          f.push(memory.copy(work, P, i32.const(layout.bytes)));
          f.push(f32.store(neurons, f32.const(0), neuronField.pendingFactor));
          const bias = f.let(f32.load(neurons, neuronField.bias));
          f.set(age, remembered);
          f.repeat(
            () => {
              f.set(age, i32.sub(age, i32.const(1)));
              f.set(index, i32.sub(newest, age));
              f.if(i32.ltS(index, i32.const(0)), () => f.set(index, i32.add(index, ring)));
              f.set(x, i32.add(samples, i32.mul(index, i32.const(xBytes))));
              const args = { P: work, pending, synapses, neurons, x, k: scratch, bounds, bias };
              f.if(
                age,
                () => updateOne(f, options, args, false),
                () => updateOne(f, options, args),
              );
            },
            () => age,
          );
          f.set(samples, i32.add(samples, i32.mul(ring, i32.const(xBytes))));
          f.advance(synapses, synapseBytes(layout));
          f.advance(neurons, neuronRecordBytes);
          f.set(count, i32.sub(count, i32.const(1)));
        },
      );
    },
  );
}
