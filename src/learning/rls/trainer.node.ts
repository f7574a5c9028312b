/** RLS training in Node: worker threads. */
import { nodeGroup } from "../../device/cpu/threads.node.ts";
import type { RlsSpec } from "./spec.ts";
import { RlsTrainer } from "./trainer.ts";
import type { TrainerOptions, TrainerTargets } from "./trainer-options.ts";

/**
 * A trainer whose network is built and whose targets are set, on `options.threads` worker threads.
 * @throws UserError for what cannot work; nothing keeps running then.
 */
export function createRlsTrainer(spec: RlsSpec, targets: TrainerTargets, options: TrainerOptions): Promise<RlsTrainer> {
  return RlsTrainer.create(spec, targets, options, {
    canShareMemory: true,
    start: (size) => nodeGroup(new URL("./worker.node.js", import.meta.url), size),
  });
}
