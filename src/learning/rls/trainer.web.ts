/** RLS training in a browser: web workers, several where the page may share memory (cross-origin isolation). */
import { webGroup } from "../../device/cpu/threads.web.ts";
import type { RlsSpec } from "./spec.ts";
import { RlsTrainer } from "./trainer.ts";
import type { TrainerOptions, TrainerTargets } from "./trainer-options.ts";

/**
 * As in Node (trainer.node.ts). Also with one thread the work is done in a worker, so that the page stays responsive; but
 * then nothing reaches it during a trial, and `interrupt` has no effect.
 */
export function createRlsTrainer(spec: RlsSpec, targets: TrainerTargets, options: TrainerOptions): Promise<RlsTrainer> {
  return RlsTrainer.create(spec, targets, options, {
    canShareMemory: globalThis.crossOriginIsolated === true,
    start: (size) => webGroup(() => new Worker(new URL("./worker.web.js", import.meta.url), { type: "module" }), size),
  });
}
