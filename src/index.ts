/** The library `volley` in Node. Browsers take index.web.ts, which offers the same. */
import { availableParallelism } from "node:os";
import { openLabelledFile } from "./data/labelled/open-labelled-set.node.ts";
import {
  type Classifier,
  type ClassifierInput,
  type CreateClassifierOptions,
  createClassifierOn,
} from "./experiment/classify/create-classifier.ts";
import { readConstantsFile } from "./experiment/constants-file.ts";
import { type CreateTrainerOptions, createTrainerOn, type Trainer } from "./experiment/create-trainer.ts";
import { availableMemory } from "./experiment/memory.ts";
import { readRecordingFile } from "./experiment/recording-file.ts";
import type { ExperimentInput } from "./experiment/schema.ts";
import { createGradientTrainer } from "./learning/gradient/trainer.node.ts";
import { createRlsTrainer } from "./learning/rls/trainer.node.ts";

export { type OpenOptions, openLabelledFile } from "./data/labelled/open-labelled-set.node.ts";
export * from "./exports.ts";

/**
 * Checks an experiment, fills in its defaults, builds the network on worker threads and sets its targets.
 *
 * @param experiment the same object that `volley train` takes as JSON; `{}` is a network of 4096 neurons that learns
 *   sine waves. In code, `targets.file` is a path relative to the working directory (in a page, a URL), and
 *   `model.type` of a model of your own is an absolute URL.
 * @throws UserError for what cannot work, with what to do about it; nothing keeps running then.
 *
 * @example examples/library.mjs, which a test runs
 * ```js
 * import { readFile } from "node:fs/promises";
 * import { createTrainer, readRecording } from "volley";
 *
 * const recording = await readRecording(await readFile("session.nwb"), "session.nwb");
 * const trainer = await createTrainer(
 *   { neurons: 200, static: null, noise: { sigma: 0.65 }, plastic: { inputsPerType: 32 }, iterations: 30 },
 *   { recording, threads: 2 },
 * );
 * for await (const { iteration, correlation } of trainer.train()) console.log(iteration, correlation);
 * console.log((await trainer.test({ trials: 20 })).psth.windowed);
 * const weights = await trainer.weights();
 * await trainer.close();
 * ```
 */
export function createTrainer(experiment: ExperimentInput = {}, options: CreateTrainerOptions = {}): Promise<Trainer> {
  const machine = {
    cores: availableParallelism(),
    availableMemory,
    readRecording: readRecordingFile,
    readBytes: readConstantsFile,
    createRlsTrainer,
  };
  return createTrainerOn(machine, experiment, options);
}

/**
 * Checks an experiment of kind "classify", opens its data, and builds a network that learns by gradients (exact ones by
 * backpropagation through time, or e-prop) on worker threads.
 *
 * @param experiment the same object that `volley train` takes as JSON; `kind` may be left out. Paths are relative to the
 *   working directory (in a page, URLs).
 * @throws UserError for what cannot work, with what to do about it; nothing keeps running then.
 *
 * @example examples/classifier.mjs, which a test runs
 * ```js
 * const classifier = await createClassifier({
 *   data: { train: "digits-train.h5.gz", test: "digits-test.h5.gz" },
 *   network: { dtMs: 4, layers: [{ neurons: 128, model: { type: "ALIF" } }] },
 *   learning: { rule: "eprop", epochs: 20 },
 * });
 * for await (const { epoch, train, validation } of classifier.epochs()) console.log(epoch, validation.accuracy);
 * console.log((await classifier.test()).accuracy);
 * await writeFile("digits.volley", await classifier.save());
 * await classifier.close();
 * ```
 */
export function createClassifier(
  experiment: ClassifierInput,
  options: CreateClassifierOptions = {},
): Promise<Classifier> {
  const machine = {
    cores: availableParallelism(),
    availableMemory,
    openSet: openLabelledFile,
    readBytes: readConstantsFile,
    createGradientTrainer,
  };
  return createClassifierOn(machine, experiment, options);
}
