/** `volley train` and `volley resume` for classifiers: epochs, then the test, then the report. */
import { performance } from "node:perf_hooks";
import { type Evaluation, evaluate } from "../../experiment/classify/evaluate.ts";
import { plainReader } from "../../experiment/classify/prepare.ts";
import { type ClassifierOutcome, restoreLoop, runClassifierTraining } from "../../experiment/classify/run-training.ts";
import type { ClassifyExperiment } from "../../experiment/classify/schema.ts";
import { describeEnvironment } from "../../experiment/environment.ts";
import { freeRunPath, RunFolder } from "../../experiment/run-folder.ts";
import { median } from "../../experiment/training.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { Stopping } from "../stopping.ts";
import { formatDuration, jsonLine } from "../talk.ts";
import { EpochProgress } from "./progress.ts";
import { type ClassifierSession, openSession } from "./session.ts";

export interface ClassifierFlags {
  readonly threads?: number;
  readonly out?: string;
  readonly json?: boolean;
  readonly report: boolean;
}

export async function trainClassifier(
  context: Context,
  experiment: ClassifyExperiment,
  flags: ClassifierFlags,
): Promise<void> {
  const progress = new Progress(context);
  const session = await openSession(progress, experiment, flags.threads);
  try {
    const { prepared, threads } = session;
    const path = flags.out ?? (await freeRunPath(experiment.name));
    const run = await RunFolder.create(path, {
      experiment: prepared.experiment,
      environment: describeEnvironment({ threads, fast: false, command: context.command }),
    });
    const stopping = new Stopping(context, progress);
    try {
      if (prepared.notes.length > 0) await run.writeResult("notes.json", prepared.notes);
      await run.writeResult("data.json", prepared.summary);
      await finish(context, progress, stopping, run, session, flags);
    } finally {
      stopping.close();
      run.release();
    }
  } finally {
    await session.close();
  }
}

export async function finish(
  context: Context,
  progress: Progress,
  stopping: Stopping,
  run: RunFolder,
  session: ClassifierSession,
  flags: { readonly json?: boolean; readonly report: boolean; readonly restoredSha256?: string },
): Promise<void> {
  const started = performance.now();
  const { loop, prepared, fingerprint } = session;
  const shown = new EpochProgress(progress, prepared.experiment.learning.epochs);
  const outcome = await runClassifierTraining(
    loop,
    run,
    { fingerprint, ...(flags.restoredSha256 === undefined ? {} : { restoredSha256: flags.restoredSha256 }) },
    {
      batch: (state) => shown.batch(state),
      epoch: (report, health) => {
        shown.epoch(report);
        for (const { message } of health) progress.warn(message);
      },
    },
    stopping.interruption,
  );
  progress.finish();
  if (outcome.kind === "interrupted") {
    throw stopping.error(
      `stopped in epoch ${loop.epoch + 1} of ${prepared.experiment.learning.epochs}; continue with: volley resume ${run.path}`,
    );
  }
  const samples = await prepared.data.openTest();
  let tested: Evaluation | null = null;
  if (samples !== null) {
    progress.say(`testing on ${samples.indices.length} samples`);
    tested = await evaluate(
      loop.trainer,
      plainReader(prepared, samples),
      prepared.scoring,
      () => stopping.interruption.requested,
    );
    if (tested === null) {
      throw stopping.error(`training is complete, the test was stopped; test with: volley test ${run.path}`);
    }
  }
  printOutcome(context, progress, run, outcome, tested, flags.json ?? false, (performance.now() - started) / 1000);
}

function printOutcome(
  context: Context,
  progress: Progress,
  run: RunFolder,
  { epochs, checkpointSha256 }: ClassifierOutcome,
  tested: Evaluation | null,
  json: boolean,
  seconds: number,
): void {
  const last = epochs.at(-1);
  if (json) {
    context.stdout.write(
      jsonLine({
        run: run.path,
        epochs: last?.epoch ?? 0,
        accuracy: {
          train: last?.train.accuracy ?? null,
          validation: last?.validation?.accuracy ?? null,
          test: tested?.accuracy ?? null,
        },
        secondsPerEpoch: median(epochs.map((report) => report.seconds)),
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
        checkpointSha256,
      }),
    );
  }
  progress.say(`done in ${formatDuration(seconds)}: ${run.path}`);
}
void restoreLoop;
