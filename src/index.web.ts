/** The library `volley` in a browser: bundlers come here by the condition "browser" of package.json. */
import { type CreateTrainerOptions, createTrainerOn, type Trainer } from "./experiment/create-trainer.ts";
import { fetchRecording } from "./experiment/recording-file.web.ts";
import type { ExperimentInput } from "./experiment/schema.ts";
import { createRlsTrainer } from "./learning/rls/trainer.web.ts";

export * from "./exports.ts";

/**
 * As in Node (index.ts), on web workers: the page stays responsive. More than one thread needs memory that workers may
 * share, which browsers give to pages served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`; other pages train on one
 * thread, with the same results.
 */
export function createTrainer(experiment: ExperimentInput = {}, options: CreateTrainerOptions = {}): Promise<Trainer> {
  const machine = { cores: navigator.hardwareConcurrency, readRecording: fetchRecording, createRlsTrainer };
  return createTrainerOn(machine, experiment, options);
}
