/** What a worker of a training by gradients answers: the calls of trainer.ts, on the member that it holds. */
import type { Host } from "../../device/cpu/group.ts";
import { type CountRequest, GradientMember, type RunRequest } from "./member.ts";
import type { SparseRows } from "./spec.ts";
import type { CutSurrogate } from "./surrogate.ts";
import type { TrainingSpec } from "./training-spec.ts";

export function gradientHost(): Host {
  let member: GradientMember;
  return {
    create: async (spec: TrainingSpec) => {
      member = await GradientMember.create(spec);
    },
    setFeedback: (projection: number, block: Float32Array) => member.setFeedback(projection, block),
    setSparse: (projection: number, rows: SparseRows) => member.setSparse(projection, rows),
    setSurrogate: (population: number, surrogate: CutSurrogate) => member.setSurrogate(population, surrogate),
    run: (request: RunRequest) => member.run(request),
    countSpikes: (request: CountRequest) => member.countSpikes(request),
  };
}
