/** How much memory a classifier takes in training, before any is taken; refused when there is not as much. */
import { recordsInMemory } from "../../data/labelled/record-store.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import { defaultTapeBytes } from "../../learning/gradient/engine-memory.ts";
import { layOutMemory, layOutValues, tapeBytesPerStep } from "../../learning/gradient/layout.ts";
import type { LearningPlan } from "../../learning/gradient/learning-plan.ts";
import { constantValues, programsOf } from "../../learning/gradient/programs.ts";
import type { TrainingSpec } from "../../learning/gradient/training-spec.ts";
import { isSequential } from "../../learning/initialisation/sequential.ts";
import { makeOptimiser } from "../../learning/optimisers/optimiser.ts";
import { assertFits } from "../memory-guard.ts";
import type { MemoryEstimate } from "../trainer-contract.ts";
import type { Prepared } from "./prepare.ts";
import { type ResolvedNetwork, resolveNetwork } from "./resolve.ts";
import { type ClassifyExperiment, isSpiking, type LayerSettings } from "./schema.ts";
import { estimateStart } from "./start-memory.ts";
import { type DataSummary, encoderOf } from "./summary.ts";

/** Node itself with the code of Volley, and one worker thread with its compiled code. */
const processBytes = 90e6;
const workerBytes = 30e6;
/** As a set keeps them (spike-set.ts). */
const spikeBytes = 6;

/** Bytes by purpose. */
export async function estimateClassifier(
  spec: TrainingSpec,
  plan: LearningPlan,
  summary: DataSummary,
  use: { readonly threads: number; readonly maxSteps: number; readonly batch: number },
): Promise<MemoryEstimate> {
  const { threads, maxSteps, batch } = use;
  const { tape = "float32", products = "float32" } = spec;
  const network = await compileNetwork(spec);
  const programs = programsOf(network);
  const values = layOutValues(network, programs);
  const constants = network.populations.map((population, p) => constantValues(population, programs[p], {}, spec.dtMs));
  const perStep = Math.max(1, tapeBytesPerStep(network, programs, tape));
  const steps = Math.max(64, maxSteps);
  const engine = layOutMemory(
    network,
    programs,
    values,
    {
      steps,
      events: Math.ceil(1.5 * summary.events),
      tapeSteps: Math.min(steps, Math.max(1, Math.floor(defaultTapeBytes / perStep))),
    },
    {
      perNeuron: (p, name) => typeof constants[p][name] !== "number",
      costsOverTime: spec.regularisers.some(({ description }) => description.type === "filteredRate"),
      tape,
      products,
      gradients: true,
    },
  );
  const block = 4 * values.length;
  const lanesEach = Math.ceil(spec.lanes / threads);
  const spare = (Math.ceil(Math.log2(lanesEach)) + 1) * block;
  const moments = Object.keys(makeOptimiser(plan.optimiser, [{ name: "all", size: 1 }]).state().arrays).length;
  const parts: Record<string, number> = {
    engines: threads * (engine.bytes + spare),
    // The values, the optimiser's memory, sums from the workers; the best and a copy for the checkpoint.
    parameters: (1 + moments + threads + 1 + (2 + moments)) * block,
    "samples on their way": 3 * batch * (8 * summary.events + 4 * maxSteps),
    // Tables are there as the plan has them, and once more in every worker besides those of its engine.
    connections: (1 + threads) * tableBytes(spec),
    data: Math.min(recordsInMemory, spikeBytes * summary.events * (summary.training + summary.validation)),
    process: processBytes + (threads > 1 ? threads * workerBytes : 0),
  };
  return { total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0), parts };
}

function tableBytes({ projections }: TrainingSpec): number {
  const arrays = projections.flatMap(({ connectivity }) =>
    connectivity === "dense" ? [] : Object.values(connectivity),
  );
  return arrays.reduce((sum: number, array) => sum + (typeof array === "number" ? 0 : array.byteLength), 0);
}

/** The larger of training and of what comes before it, where samples are looked at for the weights to start from. */
export async function estimateAll(
  { network: { initialisation } }: ClassifyExperiment,
  { spec, plan }: ResolvedNetwork,
  summary: DataSummary,
  use: Parameters<typeof estimateClassifier>[3],
): Promise<MemoryEstimate & { readonly phase: "start" | "training" }> {
  const training = await estimateClassifier(spec, plan, summary, use);
  const { samples, exact, homeostasis } = initialisation;
  const looks = exact || homeostasis?.by === "scaling" || isSequential(await compileNetwork(spec), plan.projections);
  if (!looks) return { ...training, phase: "training" };
  const start = await estimateStart(spec, summary, { maxSteps: use.maxSteps, samples });
  // The engines of the training are made when the weights are known.
  const { connections, data } = training.parts;
  const total = start.total + connections + data + processBytes;
  if (total <= training.total) return { ...training, phase: "training" };
  return { total, parts: { ...start.parts, connections, data, process: processBytes }, phase: "start" };
}

/** @throws UserError with need, have, and the largest size of the largest layer that fits */
export async function guardClassifier(
  { experiment, spec, plan, summary }: Pick<Prepared, "experiment" | "spec" | "plan" | "summary">,
  threads: number,
  available: number,
): Promise<void> {
  const use = { threads, maxSteps: encoderOf(experiment, summary.info).maxSteps, batch: experiment.learning.batch };
  const { layers } = experiment.network;
  const sizeAt = (i: number) => (isSpiking(layers[i]) ? (layers[i].neurons as number) : 0);
  const largest = layers.reduce((best, _, i) => (sizeAt(i) > sizeAt(best) ? i : best), 0);
  const knob = knobOf(layers[largest]);
  const smaller = async (size: number) => {
    const changed = layers.map((layer, i): LayerSettings => {
      const other = i === largest ? ({ ...layer, [knob.key]: size * knob.step } as LayerSettings) : layer;
      // What follows from the shapes below is to follow again.
      return other.type === "dense" ? other : { ...other, neurons: "auto" };
    });
    const network = await resolveNetwork(
      { ...experiment, network: { ...experiment.network, layers: changed } },
      summary,
    );
    return (await estimateAll(experiment, network, summary, use)).total;
  };
  const { phase, ...needed } = await estimateAll(experiment, { spec, plan }, summary, use);
  const unit = knob.step === 1 ? "" : ` ${knob.step} x`;
  await assertFits(
    {
      size: knob.size / knob.step,
      sizeName: `network.layers.${largest}.${knob.key} =${unit}`,
      needed,
      estimate: smaller,
      advice:
        phase === "training"
          ? knob.advice
          : "Fewer samples that are looked at (network.initialisation.samples) make it smaller too",
    },
    available,
  );
}

/** What makes a layer smaller: neurons, or filters in steps that its groups divide. */
function knobOf(layer: LayerSettings): { key: string; size: number; step: number; advice: string } {
  const threads = "fewer --threads make it smaller too";
  if (layer.type === "conv1d" || layer.type === "conv2d") {
    const advice = `A larger stride, pooling, or ${threads}`;
    return { key: "filters", size: layer.filters, step: layer.groups, advice };
  }
  const advice = `Fewer connections (network.layers.0.connections below 1) or ${threads}`;
  return { key: "neurons", size: layer.neurons as number, step: 1, advice };
}
