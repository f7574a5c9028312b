/** The training of a classifier in a run folder: epochs, metrics, checkpoints, and a good state left behind however it ends. */
import { exitCode, UserError } from "../../base/errors.ts";
import type { OpenCheckpoint } from "../checkpoint.ts";
import type { Interruption } from "../interruption.ts";
import { PlainState } from "../plain-state.ts";
import type { RunFolder } from "../run-folder.ts";
import { diverged, restoreNewest } from "../training.ts";
import type { EpochReport } from "./epoch-sums.ts";
import { type HealthMessage, healthOf } from "./health.ts";
import type { BatchProgress, LoopState, TrainingLoop } from "./loop.ts";

export interface ClassifierEvents {
  batch(progress: BatchProgress): void;
  epoch(report: EpochReport, health: readonly HealthMessage[]): void;
}

export interface ClassifierRunPlan {
  readonly fingerprint: string;
  /** SHA-256 of the checkpoint that the loop was restored from: it need not be written again. */
  readonly restoredSha256?: string;
}

export interface ClassifierOutcome {
  readonly kind: "finished" | "interrupted";
  /** Of all epochs, those before a resume included. */
  readonly epochs: readonly EpochReport[];
  /** SHA-256 of the newest checkpoint, which holds the state as it is now. */
  readonly checkpointSha256: string;
}

/** Puts the newest whole checkpoint into a fresh loop. Returns its header, or undefined for a run without one. */
export async function restoreLoop(
  run: RunFolder,
  loop: TrainingLoop,
  options: { fingerprint: string; onWarning(message: string): void; setAside: boolean },
): Promise<Pick<OpenCheckpoint, "header" | "sha256"> | undefined> {
  const state = new PlainState();
  const restored = await restoreNewest(run, state, options);
  if (restored !== undefined) await loop.restore(state.value() as unknown as LoopState);
  return restored;
}

/** Trains from where the loop stands. Throws a `UserError` with exit code `diverged` when the numbers run away. */
export async function runClassifierTraining(
  loop: TrainingLoop,
  run: RunFolder,
  plan: ClassifierRunPlan,
  events: ClassifierEvents,
  interruption: Interruption,
): Promise<ClassifierOutcome> {
  const { experiment } = loop.task;
  const metrics = await run.openEpochs(loop.epoch);
  try {
    const epochs = await run.epochs();
    let sha256 = plan.restoredSha256 ?? "";
    let unsaved = plan.restoredSha256 === undefined;
    let savedAt = performance.now();
    const save = async () => {
      await metrics.sync();
      const written = await run.checkpoints.write(new PlainState({ ...loop.state() }), {
        kind: "classify",
        fingerprint: plan.fingerprint,
        iteration: loop.epoch,
      });
      sha256 = written.sha256;
      unsaved = false;
      savedAt = performance.now();
    };
    while (!loop.finished && !interruption.requested) {
      unsaved = true;
      const report = await runEpoch(loop, run, interruption, events);
      if (report === "interrupted") break;
      await metrics.append(report);
      epochs.push(report);
      const said = healthOf(epochs, experiment).filter(({ epoch }) => epoch === report.epoch);
      events.epoch(report, said);
      const due = performance.now() - savedAt >= 1000 * experiment.checkpoint.everySeconds;
      if (due && !loop.finished && !interruption.requested) await save();
    }
    if (unsaved) await save();
    return { kind: loop.finished ? "finished" : "interrupted", epochs, checkpointSha256: sha256 };
  } finally {
    await metrics.close();
  }
}

async function runEpoch(loop: TrainingLoop, run: RunFolder, interruption: Interruption, events: ClassifierEvents) {
  try {
    return await loop.runEpoch(interruption, events.batch);
  } catch (error) {
    if (error instanceof UserError && error.exitCode === exitCode.diverged) throw await diverged(run, error.message);
    throw error;
  }
}
