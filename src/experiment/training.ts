/**
 * The training loop of a run: iterate, write the metrics, keep checkpoints, watch, stop when asked.
 *
 * Knows a trainer only through its contract, a terminal not at all, so it serves the command line, the library and a
 * page alike.
 */
import { exitCode, UserError } from "../base/errors.ts";
import type { Checkpointable } from "../learning/rls/checkpointable.ts";
import type { IterationReport, TestReport } from "../learning/rls/results.ts";
import type { OpenCheckpoint } from "./checkpoint.ts";
import type { Interruption } from "./interruption.ts";
import type { MetricsWriter } from "./metrics.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Experiment } from "./schema.ts";
import type { RlsTrainer, TestOptions } from "./trainer-contract.ts";
import { divergence } from "./watch.ts";

export interface TrainingEvents {
  iteration(report: IterationReport, progress: { total: number; correlation: number | null }): void;
  checkpoint(written: { path: string; bytes: number; sha256: string; iteration: number }): void;
}

export interface TrainingPlan {
  /** In total, those before a resume included. */
  readonly iterations: number;
  readonly correlationEvery: number;
  readonly checkpoint: Experiment["checkpoint"];
  readonly fingerprint: string;
  /** SHA-256 of the checkpoint that the trainer was restored from: it need not be written again. */
  readonly restoredSha256?: string;
}

export interface TrainingOutcome {
  readonly kind: "finished" | "interrupted";
  /** Iterations completed. */
  readonly iterations: number;
  /** The last one measured. */
  readonly correlation: number | null;
  /** Median over the iterations of the run. */
  readonly secondsPerIteration: number | null;
  /** SHA-256 of the newest checkpoint, which holds the state as it is now. */
  readonly checkpointSha256: string;
}

/** A function of the iteration alone, so that a resumed run measures where one never stopped does. */
export function measuresCorrelation(iteration: number, every: number): boolean {
  return iteration === 1 || iteration % every === 0;
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Puts the newest whole checkpoint into a fresh state. Returns its header, or undefined for a run without one. */
export async function restoreNewest(
  run: RunFolder,
  into: Checkpointable,
  options: { fingerprint: string; onWarning(message: string): void; setAside: boolean },
): Promise<Pick<OpenCheckpoint, "path" | "header" | "sha256" | "bytes"> | undefined> {
  const checkpoint = await run.checkpoints.openNewest(options);
  if (checkpoint === undefined) return undefined;
  try {
    if (checkpoint.header.fingerprint !== options.fingerprint) {
      throw new UserError(
        `checkpoint ${checkpoint.path} belongs to another experiment: experiment.json or the data were changed since; ` +
          "put them back, or train anew in another folder",
        exitCode.data,
      );
    }
    await checkpoint.restore(into);
    const { path, header, sha256, bytes } = checkpoint;
    return { path, header, sha256, bytes };
  } finally {
    await checkpoint.close();
  }
}

/** Trains from where the trainer stands. Throws a `UserError` with exit code `diverged` when the numbers run away. */
export async function runTraining(
  trainer: RlsTrainer,
  run: RunFolder,
  plan: TrainingPlan,
  events: TrainingEvents,
  interruption: Interruption,
): Promise<TrainingOutcome> {
  const metrics = await run.openMetrics(trainer.iteration);
  const stopListening = interruption.onRequest(() => trainer.interrupt());
  try {
    return await trainingLoop(trainer, run, metrics, plan, events, interruption);
  } finally {
    stopListening();
    await metrics.close();
  }
}

async function trainingLoop(
  trainer: RlsTrainer,
  run: RunFolder,
  metrics: MetricsWriter<IterationReport>,
  plan: TrainingPlan,
  events: TrainingEvents,
  interruption: Interruption,
): Promise<TrainingOutcome> {
  const past = await run.metrics();
  const seconds = past.map((report) => report.seconds);
  let correlation = past.findLast((report) => report.correlation !== null)?.correlation ?? null;
  let sha256 = plan.restoredSha256 ?? "";
  let savedAt = performance.now();
  let unsaved = plan.restoredSha256 === undefined;

  const save = async () => {
    await metrics.sync();
    const { withP } = plan.checkpoint;
    const written = await run.checkpoints.write(trainer, {
      kind: "rls",
      fingerprint: plan.fingerprint,
      iteration: trainer.iteration,
      withP,
    });
    sha256 = written.sha256;
    savedAt = performance.now();
    unsaved = false;
    events.checkpoint({ ...written, iteration: trainer.iteration });
  };
  const outcome = (kind: TrainingOutcome["kind"]): TrainingOutcome => ({
    kind,
    iterations: trainer.iteration,
    correlation,
    secondsPerIteration: median(seconds),
    checkpointSha256: sha256,
  });

  while (trainer.iteration < plan.iterations) {
    const measure = measuresCorrelation(trainer.iteration + 1, plan.correlationEvery);
    if (interruption.requested) break;
    unsaved = true;
    const report = await iterate(trainer, run, measure);
    if (report === "interrupted") break;
    await metrics.append(report);
    seconds.push(report.seconds);
    if (report.correlation !== null) correlation = report.correlation;
    events.iteration(report, { total: plan.iterations, correlation });
    const fault = divergence(report, trainer.spec);
    if (fault !== undefined) throw await diverged(run, `training diverged in iteration ${report.iteration}: ${fault}`);
    const due = performance.now() - savedAt >= 1000 * plan.checkpoint.everySeconds;
    if (due && trainer.iteration < plan.iterations && !interruption.requested) await save();
  }
  if (unsaved) await save();
  return outcome(trainer.iteration < plan.iterations ? "interrupted" : "finished");
}

/** One iteration; when the trainer itself finds that numbers ran away, its message is completed with what is kept. */
async function iterate(
  trainer: RlsTrainer,
  run: RunFolder,
  measure: boolean,
): Promise<IterationReport | "interrupted"> {
  try {
    return await trainer.iterate({ measure });
  } catch (error) {
    if (error instanceof UserError && error.exitCode === exitCode.diverged) throw await diverged(run, error.message);
    throw error;
  }
}

/** The message of a training that ran away, with what is kept of it. */
export async function diverged(run: RunFolder, message: string): Promise<UserError> {
  const [newest] = await run.checkpoints.list();
  const kept =
    newest === undefined ? "No checkpoint was written before." : `The last good checkpoint is kept: ${newest.path}`;
  return new UserError(`${message}. ${kept}`, exitCode.diverged);
}

/** A frozen test, and the one that the run keeps: an earlier test of the same weights with more trials stays. */
export interface TestOutcome {
  readonly report: TestReport;
  readonly kept: TestReport;
}

/** The frozen test of a trained network; its result goes into the run. */
export async function runTest(
  trainer: RlsTrainer,
  run: RunFolder,
  options: TestOptions,
  interruption: Interruption,
): Promise<TestOutcome | "interrupted"> {
  const stopListening = interruption.onRequest(() => trainer.interrupt());
  try {
    const report = await trainer.test(options);
    return report === "interrupted" ? report : { report, kept: await run.writeTest(report) };
  } finally {
    stopListening();
  }
}
