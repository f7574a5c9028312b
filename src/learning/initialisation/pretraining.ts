/**
 * Firing-rate homeostasis before training, by gradients: a phase that minimises nothing but regularisers of the rates
 * (Rossbroich, Gygax & Zenke 2022 add them to the loss of training), until every layer is within bounds.
 */

import { compileNetwork } from "../gradient/compile.ts";
import type { LearningPlan } from "../gradient/learning-plan.ts";
import type { LabelledEvents } from "../gradient/member.ts";
import type { GradientTrainer } from "../gradient/trainer.ts";
import type { TrainingSpec } from "../gradient/training-spec.ts";
import type { CountRegulariserDescription } from "../losses/count-regulariser.ts";
import {
  type ActivityBounds,
  type HomeostasisReport,
  isLayer,
  isWithin,
  type LayerRates,
  layerRates,
} from "./homeostasis.ts";

export type MakeTrainer = (spec: TrainingSpec, plan: LearningPlan) => Promise<GradientTrainer>;

/** Every neuron fires now and then, and the mean of a layer is within the bounds. */
function regularisersOf({ lowHz, highHz }: ActivityBounds, sampleSeconds: number): CountRegulariserDescription[] {
  return [
    { type: "lowerBound", over: "neuron" },
    { type: "lowerBound", over: "population", spikes: lowHz * sampleSeconds, strength: 1 },
    { type: "upperBound", over: "population", spikes: highHz * sampleSeconds, strength: 1 },
  ];
}

/** The same network without anything but weights to learn, and without a way back from the readout. */
function withoutErrors(spec: TrainingSpec, bounds: ActivityBounds, sampleSeconds: number): TrainingSpec {
  return {
    ...spec,
    populations: spec.populations.map((one) => ({ ...one, trainable: [], bias: false, dropout: 0 })),
    projections: spec.projections.map((one) =>
      one.target === spec.readout ? { ...one, trained: false, backward: "none" } : one,
    ),
    regularisers: spec.populations.flatMap((_, population) =>
      isLayer(spec, population)
        ? regularisersOf(bounds, sampleSeconds).map((description) => ({ population, description }))
        : [],
    ),
  };
}

/**
 * @param plan with the optimiser of training; weights that it holds are where the phase starts
 * @param nextBatch samples of batch i, counted from 0
 * @param batches changes at most
 */
export async function pretrainRates(
  spec: TrainingSpec,
  plan: LearningPlan,
  weights: readonly Float32Array[],
  make: MakeTrainer,
  nextBatch: (i: number) => Promise<readonly LabelledEvents[]>,
  bounds: ActivityBounds & { readonly batches: number },
): Promise<{ readonly weights: Float32Array<ArrayBuffer>[]; readonly report: HomeostasisReport }> {
  const first = await nextBatch(0);
  const steps = first.reduce((sum, { events }) => sum + events.steps, 0) / first.length;
  const phase = withoutErrors(spec, bounds, (steps * spec.dtMs) / 1000);
  const network = await compileNetwork(phase);
  const trainer = await make(phase, {
    ...plan,
    schedules: [],
    constants: [],
    projections: plan.projections.map((one, k) => ({
      ...one,
      initial: weights[k].slice(),
      penalty: null,
      deepR: null,
    })),
  });
  try {
    const course: LayerRates[][] = [];
    for (let i = 0; ; i++) {
      const batch = i === 0 ? first : await nextBatch(i);
      const before = trainer.values().weights;
      // The batch that shows that all is well moves the weights too: they go back to where they were seen to be.
      const { counts, steps: run } = await trainer.trainBatch(batch);
      const seconds = (run * spec.dtMs) / 1000;
      const layers = layerRates(
        network,
        counts.map((own) => ({ counts: own, seconds })),
      );
      course.push(layers);
      const reached = isWithin(layers, bounds);
      if (reached || i === bounds.batches) {
        return { weights: before.map((own) => own.slice()), report: { by: "regularisers", reached, course } };
      }
    }
  } finally {
    await trainer.close();
  }
}
