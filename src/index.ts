/** The library `volley` in Node. Browsers take index.web.ts, which offers the same. */
import { availableParallelism } from "node:os";
import { type CreateTrainerOptions, createTrainerOn, type Trainer } from "./experiment/create-trainer.ts";
import { availableMemory } from "./experiment/memory.ts";
import { readRecordingFile } from "./experiment/recording-file.ts";
import type { ExperimentInput } from "./experiment/schema.ts";
import { createRlsTrainer } from "./learning/rls/trainer.node.ts";

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
    createRlsTrainer,
  };
  return createTrainerOn(machine, experiment, options);
}
