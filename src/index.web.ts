/** The library `volley` in a browser: bundlers come here by the condition "browser" of package.json. */
import {
  type Classifier,
  type ClassifierInput,
  type CreateClassifierOptions,
  createClassifierOn,
} from "./experiment/classify/create-classifier.ts";
import { fetchLabelledSet } from "./experiment/classify/labelled-file.web.ts";
import { type CreateTrainerOptions, createTrainerOn, type Trainer } from "./experiment/create-trainer.ts";
import { fetchFile } from "./experiment/fetch-file.web.ts";
import { fetchRecording } from "./experiment/recording-file.web.ts";
import type { ExperimentInput } from "./experiment/schema.ts";
import { createGradientTrainer } from "./learning/gradient/trainer.web.ts";
import { createRlsTrainer } from "./learning/rls/trainer.web.ts";

export * from "./exports.ts";

/**
 * As in Node (index.ts), on web workers: the page stays responsive. More than one thread needs memory that workers may
 * share, which browsers give to pages served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`; other pages train on one
 * thread, with the same results.
 */
export function createTrainer(experiment: ExperimentInput = {}, options: CreateTrainerOptions = {}): Promise<Trainer> {
  const machine = {
    cores: navigator.hardwareConcurrency,
    readRecording: fetchRecording,
    readBytes: fetchFile,
    createRlsTrainer,
  };
  return createTrainerOn(machine, experiment, options);
}

/** As in Node (index.ts), on web workers, which need no shared memory here. Files are fetched. */
export function createClassifier(
  experiment: ClassifierInput,
  options: CreateClassifierOptions = {},
): Promise<Classifier> {
  const machine = {
    cores: navigator.hardwareConcurrency,
    openSet: fetchLabelledSet,
    readBytes: fetchFile,
    createGradientTrainer,
  };
  return createClassifierOn(machine, experiment, options);
}
