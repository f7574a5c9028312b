/** Training by gradients in a browser: web workers, which need no shared memory here. */
import { webGroup } from "../../device/cpu/threads.web.ts";
import type { LearningPlan } from "./learning-plan.ts";
import { GradientTrainer } from "./trainer.ts";
import type { TrainingSpec } from "./training-spec.ts";

/** As in Node (trainer.node.ts); also with one thread the work is done in a worker, so that the page stays responsive. */
export async function createGradientTrainer(
  spec: TrainingSpec,
  plan: LearningPlan,
  options: { readonly threads: number },
): Promise<GradientTrainer> {
  const start = () => new Worker(new URL("./worker.web.js", import.meta.url), { type: "module" });
  const group = webGroup(start, options.threads);
  try {
    return await GradientTrainer.create(spec, plan, group);
  } catch (error) {
    await group.close();
    throw error;
  }
}
