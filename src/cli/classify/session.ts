/** The steps that the commands share for classifiers: from an experiment, or from a run, to a trainer. */
import { availableParallelism } from "node:os";
import { exitCode, UserError } from "../../base/errors.ts";
import { downloadCommand } from "../../data/labelled/public-sets.ts";
import type { LabelledSet } from "../../data/labelled-set.ts";
import type { OpenSet } from "../../experiment/classify/data.ts";
import { homeostasisText, initialise } from "../../experiment/classify/initialise.ts";
import type { TrainingLoop } from "../../experiment/classify/loop.ts";
import { guardClassifier } from "../../experiment/classify/memory.ts";
import { makeLoop, type Prepared, prepareClassification } from "../../experiment/classify/prepare.ts";
import type { ResolvedNetwork } from "../../experiment/classify/resolve.ts";
import { type ClassifyExperiment, parseClassify } from "../../experiment/classify/schema.ts";
import { encoderOf } from "../../experiment/classify/summary.ts";
import { readTrained, type Trained } from "../../experiment/classify/trained.ts";
import { neuronLayers } from "../../experiment/classify/views.ts";
import { readConstantsFile } from "../../experiment/constants-file.ts";
import { readFileConstants } from "../../experiment/file-constants.ts";
import { fingerprintOfClassifier } from "../../experiment/fingerprint.ts";
import { availableMemory } from "../../experiment/memory.ts";
import type { RunFolder } from "../../experiment/run-folder.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import type { HomeostasisReport } from "../../learning/initialisation/homeostasis.ts";
import type { MakeTrainer } from "../../learning/initialisation/pretraining.ts";
import { runtimeFeatures } from "../features.ts";
import type { Progress } from "../progress.ts";
import { type MachineOptions, shortPath } from "../session.ts";
import { formatCount } from "../talk.ts";

export interface ClassifierSession {
  readonly prepared: Prepared;
  readonly loop: TrainingLoop;
  readonly fingerprint: string;
  readonly threads: number;
  /** What was done to bring rates within bounds; null: nothing. */
  readonly homeostasis: HomeostasisReport | null;
  close(): Promise<void>;
}

/** Opens files of samples, saying so. */
export function openerOf(progress: Progress): OpenSet {
  return async (path, options): Promise<LabelledSet> => {
    progress.say(`reading ${shortPath(path)}`);
    const { openLabelledFile } = await import("../../data/labelled/open-labelled-set.node.ts");
    try {
      return await openLabelledFile(path, options);
    } catch (error) {
      if (!(error instanceof UserError && error.exitCode === exitCode.noInput)) throw error;
      const command = downloadCommand(shortPath(path));
      throw new UserError(
        command === null
          ? `${error.message}; name your files by --data and --test, or fetch a public set: volley data get --help`
          : `${error.message}; get it with: ${command}, or name your files by --data and --test`,
        exitCode.noInput,
        { cause: error },
      );
    }
  };
}

/** Threads asked for, or one per core; never more than the lanes in which a batch is summed. */
function chooseThreads(asked: number | undefined, lanes: number, progress: Progress): number {
  const cores = availableParallelism();
  if (asked !== undefined && asked > lanes) {
    progress.warn(
      `${asked} threads were asked for, but batches are summed in ${lanes} lanes: ${lanes} threads are used; ` +
        "raise learning.lanes for more (results then differ in the last digits)",
    );
  } else if (asked !== undefined && asked > cores) {
    progress.warn(`${asked} threads on ${cores} cores wait for each other; use --threads ${cores} or leave it out`);
  }
  return Math.min(asked ?? cores, lanes);
}

/** Fused multiply-add, where it was asked for and the runtime has it. */
function usesRelaxedSimd(fast: boolean, progress: Progress): boolean {
  if (!fast) return false;
  const { relaxedSimd } = runtimeFeatures();
  if (!relaxedSimd)
    progress.warn("this runtime has no relaxed SIMD, so --fast changes nothing; newer versions of Node have it");
  return relaxedSimd;
}

/** A neuron takes about so long per step, in seconds. */
const neuronStep = 30e-9;
/** A batch that takes longer than this would keep Ctrl-C waiting if it ran in this thread. */
const longestWait = 0.5;

async function makeTrainer(
  { spec, plan }: ResolvedNetwork,
  use: { readonly threads: number; readonly batch: number; readonly steps: number },
): Promise<GradientTrainer> {
  const { createGradientTrainer } = await import("../../learning/gradient/trainer.node.ts");
  const neurons = spec.populations.reduce((sum, { size }) => sum + size, 0);
  const responsive = use.batch * use.steps * neurons * neuronStep > longestWait;
  return createGradientTrainer(spec, plan, { threads: use.threads, responsive });
}

/**
 * Opens the data, makes sure that everything fits into memory, and builds the network.
 * @param start "fresh": weights are to begin from, and what looks at data for them is done now. "saved": a checkpoint
 *   takes their place.
 */
export async function openSession(
  progress: Progress,
  given: ClassifyExperiment,
  machine: MachineOptions,
  start: "fresh" | "saved" = "fresh",
): Promise<ClassifierSession> {
  const { experiment, notes } = await readFileConstants(given, readConstantsFile, (value) =>
    parseClassify(value, "the experiment with the numbers of its files"),
  );
  const resolved = await prepareClassification(experiment, openerOf(progress));
  const prepared = { ...resolved, spec: { ...resolved.spec, relaxed: usesRelaxedSimd(machine.fast, progress) } };
  try {
    const threads = chooseThreads(machine.threads, experiment.learning.lanes, progress);
    for (const note of [...notes, ...prepared.notes]) progress.say(`note: ${note}`);
    await guardClassifier(prepared, threads, availableMemory());
    progress.say(describe(prepared, threads));
    const steps = encoderOf(prepared.experiment, prepared.summary.info).maxSteps;
    const use = { threads, batch: experiment.learning.batch, steps };
    const make: MakeTrainer = (spec, plan) => makeTrainer({ spec, plan }, use);
    const { plan, homeostasis } =
      start === "fresh" ? await initialise(prepared, make) : { plan: prepared.plan, homeostasis: null };
    if (homeostasis !== null) {
      if (homeostasis.reached) progress.say(homeostasisText(homeostasis));
      else progress.warn(homeostasisText(homeostasis));
    }
    const trainer = await make(prepared.spec, plan);
    return {
      prepared,
      homeostasis,
      loop: makeLoop(prepared, trainer),
      fingerprint: fingerprintOfClassifier(prepared.experiment, prepared.summary),
      threads,
      async close() {
        await trainer.close();
        prepared.data.close();
      },
    };
  } catch (error) {
    prepared.data.close();
    throw error;
  }
}

/** The network of a run with what it learned. The caller closes the trainer. */
export async function openTrained(
  progress: Progress,
  run: RunFolder,
  which: "last" | "best",
  asked?: number,
): Promise<{ readonly trained: Trained; readonly trainer: GradientTrainer }> {
  const trained = await readTrained(run, which, (message) => progress.warn(message));
  const threads = chooseThreads(asked, trained.spec.lanes, progress);
  const trainer = await makeTrainer(trained, { threads, batch: 1, steps: 1 });
  try {
    await trainer.restoreParameters(trained.parameters);
    return { trained, trainer };
  } catch (error) {
    await trainer.close();
    throw error;
  }
}

/** `BPTT`, `e-prop (symmetric feedback)`. */
export const ruleText = ({ learning }: ClassifyExperiment): string =>
  learning.rule === "bptt" ? "BPTT" : `e-prop (${learning.feedback} feedback)`;

/** A model's name without the folder of its module. */
export const modelName = (type: string): string => type.split("/").at(-1) ?? type;

function describe({ experiment, spec, summary }: Prepared, threads: number): string {
  const { network } = experiment;
  const layers = neuronLayers(network.layers).map(
    ({ neurons, model }) => `${formatCount(neurons)} ${modelName(model)}`,
  );
  const held = summary.validation === 0 ? "" : `, ${formatCount(summary.validation)} held out for validation`;
  return (
    `building network: ${[formatCount(spec.inputs), ...layers, network.readout.neurons].join(" - ")}, ` +
    `${ruleText(experiment)}; ${formatCount(summary.training)} training sample${summary.training === 1 ? "" : "s"}` +
    `${held}; ${threads} thread${threads === 1 ? "" : "s"}`
  );
}
