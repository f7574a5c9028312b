/** What a classifier would do before any training: looked at through its session. */

import { exitCode, UserError } from "../../base/errors.ts";
import { trainingReader } from "../../experiment/classify/data.ts";
import { describeInitial } from "../../experiment/classify/initialise.ts";
import { noRoomToLook } from "../../experiment/classify/start-memory.ts";
import { encoderOf } from "../../experiment/classify/summary.ts";
import { availableMemory } from "../../experiment/memory.ts";
import type { GradientNetwork } from "../../learning/gradient/spec.ts";
import type { StartReport } from "../../learning/initialisation/report.ts";
import type { InitialReport } from "../../report/initialisation/start.ts";
import type { ClassifierSession } from "./session.ts";

/** Norm of the gradient by all that leads into a layer: its weights, its bias, its constants. */
function normInto(
  { projections }: GradientNetwork,
  layer: string,
  names: readonly string[],
  norms: Readonly<Record<string, number>>,
) {
  const own = Object.entries(norms).filter(
    ([group]) =>
      group.startsWith(`${layer}.`) ||
      projections.some(({ name, target }) => name === group && names[target] === layer),
  );
  return Math.sqrt(own.reduce((sum, [, norm]) => sum + norm * norm, 0));
}

/** The gradients of the first batch of the first epoch. It moves the weights: nothing can be done with the session after. */
async function firstGradients(
  { loop, prepared }: ClassifierSession,
  start: StartReport,
): Promise<InitialReport["gradients"]> {
  const { experiment, data, summary } = prepared;
  const { trainer } = loop;
  const [indices] = loop.batches(1);
  const reader = trainingReader(experiment, data.training, encoderOf(experiment, summary.info));
  const { gradientNorms, loss, samples } = await trainer.trainBatch(await reader.prepare(1, indices));
  const names = trainer.network.populations.map(({ name }) => name);
  return {
    samples,
    loss: loss / samples,
    byLayer: start.layers.map(({ name }) => normInto(trainer.network, name, names, gradientNorms)),
    byGroup: gradientNorms,
  };
}

/**
 * All there is to say. Training cannot begin after this.
 * @throws UserError when too little memory is left for it
 */
export async function initialReport(session: ClassifierSession): Promise<InitialReport> {
  const { samples } = session.prepared.experiment.network.initialisation;
  const noRoom = await noRoomToLook(session.prepared, samples, availableMemory());
  if (noRoom !== null) {
    throw new UserError(
      `${noRoom}; fewer samples (network.initialisation.samples) or fewer neurons take less`,
      exitCode.unavailable,
    );
  }
  const start = await describeInitial(session.prepared, session.loop.trainer.values().weights);
  return { start, homeostasis: session.homeostasis, gradients: await firstGradients(session, start) };
}

/** Before training that begins now so few samples are looked at that nobody waits for it. */
const fewSamples = 16;

/**
 * What the report of a training says of its start.
 * @param available bytes that can be taken
 * @returns a sentence when a look takes more: training goes without
 */
export async function briefInitialReport(
  { prepared, loop, homeostasis }: Pick<ClassifierSession, "prepared" | "loop" | "homeostasis">,
  available = availableMemory(),
): Promise<InitialReport | string> {
  const noRoom = await noRoomToLook(prepared, fewSamples, available);
  if (noRoom !== null) return noRoom;
  const start = await describeInitial(prepared, loop.trainer.values().weights, fewSamples);
  return { start, homeostasis, gradients: null };
}
