/**
 * How much memory it takes to look at a network before it is trained (learning/initialisation/measure.ts). It is done in
 * the main thread, one population after the other.
 */
import { compileNetwork } from "../../learning/gradient/compile.ts";
import { layOutMemory, layOutValues } from "../../learning/gradient/layout.ts";
import { programsOf } from "../../learning/gradient/programs.ts";
import { type GradientNetwork, synapseCount } from "../../learning/gradient/spec.ts";
import type { TrainingSpec } from "../../learning/gradient/training-spec.ts";
import { networkToLookAt } from "../../learning/initialisation/measure.ts";
import { formatBytes } from "../memory-guard.ts";
import type { MemoryEstimate } from "../trainer-contract.ts";
import type { Prepared } from "./prepare.ts";
import { type DataSummary, encoderOf } from "./summary.ts";

/** Of every synapse of the projection that is drawn or described: its number, its unit, what arrives through it. */
const bytesPerSynapse = 8 + 4 + 8;

/** The memory in which a network runs forward. */
function engineBytes(network: GradientNetwork, steps: number, events: number): number {
  const programs = programsOf(network);
  const capacity = { steps, events, tapeSteps: 0 };
  return layOutMemory(network, programs, layOutValues(network, programs), capacity, {
    perNeuron: () => true,
    costsOverTime: false,
    tape: "float32",
    products: "float32",
    gradients: false,
  }).bytes;
}

/** Bytes by purpose, on top of what is there already. */
export async function estimateStart(
  spec: TrainingSpec,
  summary: DataSummary,
  use: { readonly maxSteps: number; readonly samples: number },
): Promise<MemoryEstimate> {
  const network = await compileNetwork(spec);
  const steps = Math.max(64, use.maxSteps);
  const engines = network.populations.map((_, p) =>
    engineBytes(networkToLookAt(network, p), steps, Math.ceil(1.5 * summary.events)),
  );
  const synapses = network.projections.map((projection) => synapseCount(network, projection));
  const parts = {
    // A memory that has to grow, or the one of the population before, is there beside the next one.
    "looking at it before training": 2 * Math.max(...engines),
    "weights before training":
      4 * synapses.reduce((sum, count) => sum + count, 0) + bytesPerSynapse * Math.max(...synapses),
    "samples before training": Math.min(use.samples, summary.training) * (8 * summary.events + 4 * use.maxSteps),
  };
  return { total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0), parts };
}

/**
 * Why there can be no look at a network now, when that of the training is there already; null: there is room for it.
 * @param samples that are to be looked at
 * @param available bytes that can be taken
 */
export async function noRoomToLook(
  { experiment, spec, summary }: Pick<Prepared, "experiment" | "spec" | "summary">,
  samples: number,
  available: number,
): Promise<string | null> {
  const { maxSteps } = encoderOf(experiment, summary.info);
  const { total } = await estimateStart(spec, summary, { maxSteps, samples });
  return total <= available
    ? null
    : `looking at the network before training takes ${formatBytes(total)} of memory, but ${formatBytes(available)} are left`;
}
