/** Training by gradients in Node: worker threads, or this thread alone. */
import { LocalGroup } from "../../device/cpu/group.ts";
import { nodeGroup } from "../../device/cpu/threads.node.ts";
import { gradientHost } from "./host.ts";
import type { LearningPlan } from "./learning-plan.ts";
import { GradientTrainer } from "./trainer.ts";
import type { TrainingSpec } from "./training-spec.ts";

/**
 * @param options.threads workers; 1 does the work in the calling thread
 * @param options.responsive one worker gets a thread, too: the calling thread then stays free for signals while a long batch
 *   runs. Default false; results are the same
 * @throws UserError for what cannot work; nothing keeps running then
 */
export async function createGradientTrainer(
  spec: TrainingSpec,
  plan: LearningPlan,
  options: { readonly threads: number; readonly responsive?: boolean },
): Promise<GradientTrainer> {
  const { threads, responsive = false } = options;
  const group =
    threads === 1 && !responsive
      ? new LocalGroup(gradientHost())
      : nodeGroup(new URL("./worker.node.js", import.meta.url), threads);
  try {
    return await GradientTrainer.create(spec, plan, group);
  } catch (error) {
    await group.close();
    throw error;
  }
}
