/** A trained classifier of a run: its network again, without the data that it was trained on. */
import { exitCode, UserError } from "../../base/errors.ts";
import type { Encoder } from "../../data/encoding/encoder.ts";
import type { LearnedState } from "../../learning/gradient/trainer.ts";
import { fingerprintOfClassifier } from "../fingerprint.ts";
import { PlainState } from "../plain-state.ts";
import type { RunFolder } from "../run-folder.ts";
import { restoreNewest } from "../training.ts";
import type { LoopState } from "./loop.ts";
import { type ResolvedNetwork, resolveNetwork } from "./resolve.ts";
import type { ClassifyExperiment } from "./schema.ts";
import { type DataSummary, encoderOf } from "./summary.ts";

export interface Trained extends ResolvedNetwork {
  readonly experiment: ClassifyExperiment;
  readonly summary: DataSummary;
  readonly encoder: Encoder;
  /** Of the parameters. */
  readonly epoch: number;
  /** For `GradientTrainer.restoreParameters`. */
  readonly parameters: LearnedState;
}

/** @throws UserError for a run that is damaged, or that has nothing to read yet */
export async function readTrained(
  run: RunFolder,
  which: "last" | "best",
  onWarning: (message: string) => void = () => {},
): Promise<Trained> {
  const experiment = await run.classifyExperiment();
  const summary = await run.readResult<DataSummary>("data.json");
  const state = new PlainState();
  const fingerprint = summary === undefined ? "" : fingerprintOfClassifier(experiment, summary);
  const restored =
    summary === undefined ? undefined : await restoreNewest(run, state, { fingerprint, onWarning, setAside: false });
  if (summary === undefined || restored === undefined) {
    throw new UserError(
      `${run.path} has no checkpoint yet, so there is nothing to use; train with: volley resume ${run.path}`,
      exitCode.noInput,
    );
  }
  const { epoch, best, trainer } = state.value() as unknown as LoopState;
  if (which === "best" && best === null) {
    throw new UserError(`${run.path} has no best epoch yet: nothing was validated; use the last one`, exitCode.noInput);
  }
  return {
    ...(await resolveNetwork(experiment, summary)),
    experiment,
    summary,
    encoder: encoderOf(experiment, summary.info),
    epoch: which === "best" ? best!.epoch : epoch,
    parameters: which === "best" ? best!.parameters : trainer,
  };
}
