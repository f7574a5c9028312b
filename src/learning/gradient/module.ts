/**
 * The WebAssembly module of one network: the time loops of `reference.ts` (`forward-pass.ts`, `backward-pass.ts`) around
 * its kernels (`network-kernels.ts`).
 */
import { addRateCosts } from "../../kernels/rate-cost/wasm.ts";
import { f32x4, i32, ModuleBuilder, v128 } from "../../wasm/assembler.ts";
import { addBackward, addRoundMatrices } from "./backward-pass.ts";
import { addForward } from "./forward-pass.ts";
import { addNetworkKernels, type NetworkPlan } from "./network-kernels.ts";

/** What the module exports. Steps are of the sample; `tapeFrom` is the step whose row is the first of the tape. */
export interface GradientKernels {
  /** Steps from .. to-1 of a sample. `form`: of its input, a sum of flags (`inputForm`). */
  readonly forward: (from: number, to: number, tapeFrom: number, form: number) => void;
  /** Back from step to-1 to from. `steps`: length of the sample. */
  readonly backward: (from: number, to: number, tapeFrom: number, form: number, steps: number) => void;
  /** Where products are taken in integers: makes these of the present weights, before `backward`. */
  readonly roundMatrices: () => void;
  /** Adds one block as large as the gradients to another; addresses in bytes. */
  readonly addBlock: (to: number, from: number) => void;
}

export function gradientModule(plan: NetworkPlan): Uint8Array<ArrayBuffer> {
  const { network, values, at, options } = plan;
  const module = new ModuleBuilder();
  const kernels = addNetworkKernels(module, plan);
  addForward(module, kernels);
  if (options.costsOverTime) {
    for (const [p, { size }] of network.populations.entries()) {
      if (p === network.readout) continue;
      const { inputs, spikeAdjoint, cost, spikeStarts } = at.populations[p];
      // Between the passes these two rows are free.
      const arrays = { filtered: inputs, constant: spikeAdjoint, costs: cost, spikeStarts };
      addRateCosts(module, `rateCosts${p}`, size, arrays);
    }
  }
  addBlockSum(module, 4 * values.length);
  if (options.backward) {
    addRoundMatrices(module, kernels);
    addBackward(module, kernels);
  }
  return module.toBytes();
}

/** to[:] += from[:], blocks of so many bytes. */
function addBlockSum(module: ModuleBuilder, bytes: number): void {
  module.function("addBlock", { to: "i32", from: "i32" }, (f, { to, from }) => {
    const end = f.let(i32.add(to, i32.const(bytes)));
    f.while(
      () => i32.ltU(to, end),
      () => {
        f.push(v128.store(to, f32x4.add(v128.load(to), v128.load(from))));
        f.advance(to, 16);
        f.advance(from, 16);
      },
    );
  });
}
