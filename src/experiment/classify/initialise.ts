/** The phase before training: weights that look at data, homeostasis, and what the network would do with them. */
import { exitCode, UserError } from "../../base/errors.ts";
import { shuffledBatches } from "../../data/encoding/batches.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import type { LearningPlan } from "../../learning/gradient/learning-plan.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { initialWeights } from "../../learning/initialisation/draw.ts";
import { type HomeostasisReport, scaleToRates } from "../../learning/initialisation/homeostasis.ts";
import { type MakeTrainer, pretrainRates } from "../../learning/initialisation/pretraining.ts";
import { describeStart, type StartReport } from "../../learning/initialisation/report.ts";
import { dataDependentWeights, isSequential } from "../../learning/initialisation/sequential.ts";
import { type Prepared, plainReader } from "./prepare.ts";
import { spread } from "./summary.ts";

/** How training begins. */
export interface Initialised {
  /** That of the experiment, with weights in place of rules where they looked at data. */
  readonly plan: LearningPlan;
  /** Null where there was no such phase. */
  readonly homeostasis: HomeostasisReport | null;
}

/** Training samples that stand for all, as they were recorded. */
async function samplesOf(prepared: Prepared, most = Number.POSITIVE_INFINITY): Promise<StepEvents[]> {
  const { training } = prepared.data;
  const count = Math.min(most, prepared.experiment.network.initialisation.samples);
  const samples = await plainReader(prepared, training).prepare(0, spread(training.indices, count));
  return samples.map(({ events }) => events);
}

/** Batches of the homeostatic phase: all training samples in random order, again and again. */
function batchesOf(prepared: Prepared): (i: number) => Promise<LabelledEvents[]> {
  const { experiment, data } = prepared;
  const reader = plainReader(prepared, data.training);
  const { samples } = experiment.network.initialisation;
  const batches = shuffledBatches(experiment.seed, 0, data.training.indices, samples);
  return (i) => reader.prepare(0, batches[i % batches.length]);
}

const mostBatches = { scaling: 20, regularisers: 200 } as const;

/**
 * Weights to start from. The same bytes for any number of threads.
 * @param make a trainer for the phase in which only rates are learned; it is closed here
 * @throws UserError for rules that the data do not allow
 */
export async function initialise(prepared: Prepared, make: MakeTrainer): Promise<Initialised> {
  const { experiment, spec, plan } = prepared;
  const { exact, homeostasis } = experiment.network.initialisation;
  const network = await compileNetwork(spec);
  const looks = exact || isSequential(network, plan.projections);
  if (!looks && homeostasis === null) return { plan, homeostasis: null };
  const started = looks
    ? dataDependentWeights({
        network,
        starts: plan.projections,
        seed: spec.seed,
        dataRateHz: plan.dataRateHz,
        samples: await samplesOf(prepared),
        exact,
      })
    : initialWeights(network, plan.projections, spec.seed, plan.dataRateHz);
  const withWeights = (weights: readonly Float32Array[]): LearningPlan => ({
    ...plan,
    projections: plan.projections.map((one, k) => ({ ...one, initial: weights[k] })),
  });
  if (homeostasis === null) return { plan: withWeights(started), homeostasis: null };
  const { by, lowHz, highHz, silentShare } = homeostasis;
  if (lowHz >= highHz) {
    throw new UserError(
      `network.initialisation.homeostasis has lowHz ${lowHz} and highHz ${highHz}; lowHz must be below highHz`,
      exitCode.usage,
    );
  }
  const bounds = { lowHz, highHz, silentShare, batches: homeostasis.batches ?? mostBatches[by] };
  const batches = batchesOf(prepared);
  if (by === "regularisers") {
    const { weights, report } = await pretrainRates(spec, plan, started, make, batches, bounds);
    return { plan: withWeights(weights), homeostasis: report };
  }
  const events = async (i: number) => (await batches(i)).map((sample) => sample.events);
  const targetHz = homeostasis.targetHz ?? Math.sqrt(lowHz * highHz);
  const report = await scaleToRates(network, started, events, { ...bounds, targetHz });
  return { plan: withWeights(started), homeostasis: report };
}

/** In one sentence what a homeostatic phase came to. */
export function homeostasisText({ by, reached, course }: HomeostasisReport): string {
  const changes = course.length - 1;
  const how = by === "scaling" ? "scaling of weights" : "rate regularisers";
  const rates = course[course.length - 1].map(({ name, rateHz }) => `${name} ${rateHz.toFixed(1)} Hz`).join(", ");
  const times = `${changes} change${changes === 1 ? "" : "s"}`;
  return reached
    ? `homeostasis: after ${times} by ${how} all layers are within bounds: ${rates}`
    : `homeostasis: ${times} by ${how} did not bring all layers within bounds: ${rates}; ` +
        "raise network.initialisation.homeostasis.batches, or start nearer (sigma)";
}

/**
 * What the network would do with these weights before any training.
 * @param most samples to look at; default: as many as `network.initialisation.samples` says
 */
export async function describeInitial(
  prepared: Prepared,
  weights: readonly Float32Array[],
  most?: number,
): Promise<StartReport> {
  const samples = await samplesOf(prepared, most);
  return describeStart(await compileNetwork(prepared.spec), prepared.plan.projections, weights, samples);
}
