/** `volley train` and `volley resume` for classifiers: epochs, then the test, then the report. */
import { performance } from "node:perf_hooks";
import { UserError } from "../../base/errors.ts";
import type { Samples } from "../../experiment/classify/data.ts";
import { describeLearned, describeOutcome, type Learned, type Outcome } from "../../experiment/classify/outcome.ts";
import { disturbedReaders, plainReader } from "../../experiment/classify/prepare.ts";
import { type ClassifierOutcome, restoreLoop, runClassifierTraining } from "../../experiment/classify/run-training.ts";
import type { ClassifyExperiment } from "../../experiment/classify/schema.ts";
import { describeEnvironment } from "../../experiment/environment.ts";
import { freeRunPath, RunFolder } from "../../experiment/run-folder.ts";
import { median } from "../../experiment/training.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import type { MachineOptions } from "../session.ts";
import { Stopping } from "../stopping.ts";
import { formatDuration, jsonLine } from "../talk.ts";
import { outcomeLines } from "./figures.ts";
import { briefInitialReport } from "./initial.ts";
import { EpochProgress } from "./progress.ts";
import { writeClassifierReport } from "./report.ts";
import { type ClassifierSession, openSession } from "./session.ts";

interface FinishFlags {
  readonly threads?: number;
  readonly json?: boolean;
  readonly report: boolean;
}

export async function trainClassifier(
  context: Context,
  experiment: ClassifyExperiment,
  flags: FinishFlags & { readonly out?: string; readonly fast?: boolean },
): Promise<void> {
  const progress = new Progress(context);
  const fast = flags.fast ?? false;
  const session = await openSession(progress, experiment, { threads: flags.threads, fast });
  try {
    const { prepared, threads } = session;
    const path = flags.out ?? (await freeRunPath(experiment.name));
    const run = await RunFolder.create(path, {
      experiment: prepared.experiment,
      environment: describeEnvironment({ threads, fast, command: context.command }),
    });
    const stopping = new Stopping(context, progress);
    try {
      if (prepared.notes.length > 0) await run.writeResult("notes.json", prepared.notes);
      await run.writeResult("data.json", prepared.summary);
      await trainAndFinish(context, progress, stopping, run, session, flags);
    } finally {
      stopping.close();
      run.release();
    }
  } finally {
    await session.close();
  }
}

export async function resumeClassifier(
  context: Context,
  path: string,
  flags: FinishFlags & { readonly epochs?: number },
): Promise<void> {
  const progress = new Progress(context);
  const run = await RunFolder.openToWrite(path);
  const stopping = new Stopping(context, progress);
  try {
    const kept = await run.classifyExperiment();
    const epochs = flags.epochs ?? kept.learning.epochs;
    const experiment = { ...kept, learning: { ...kept.learning, epochs } };
    const environment = await run.environment();
    const { session, restored } = await openRestored(progress, run, experiment, {
      threads: flags.threads,
      fast: environment?.fast ?? false,
    });
    try {
      const { loop, prepared } = session;
      await refuseFinished(run, session, epochs);
      if (epochs !== kept.learning.epochs) {
        await run.writeExperiment(prepared.experiment);
        const bound = kept.learning.schedule.find(({ type }) => type === "cosine");
        if (bound !== undefined && loop.epoch > 0) {
          progress.warn(
            `the cosine schedule now ends with epoch ${epochs}: the epochs before were trained for ${kept.learning.epochs}, ` +
              "so this is not what training all of them at once would give",
          );
        }
      }
      await run.writeResult("data.json", prepared.summary);
      progress.say(
        restored === undefined
          ? "this run has no checkpoint yet; starting from the beginning"
          : `continuing after epoch ${loop.epoch}${loop.betweenEpochs ? "" : " and a part of the next"}`,
      );
      await trainAndFinish(context, progress, stopping, run, session, {
        ...flags,
        ...(restored === undefined ? {} : { restoredSha256: restored.sha256 }),
      });
    } finally {
      await session.close();
    }
  } finally {
    stopping.close();
    run.release();
  }
}

/**
 * A session with the newest whole checkpoint in it; one that begins anew where the run has none, or only damaged ones.
 */
async function openRestored(
  progress: Progress,
  run: RunFolder,
  experiment: ClassifyExperiment,
  machine: MachineOptions,
): Promise<{ session: ClassifierSession; restored: Awaited<ReturnType<typeof restoreLoop>> }> {
  const start = (await run.checkpoints.list()).length > 0 ? "saved" : "fresh";
  const session = await openSession(progress, experiment, machine, start);
  try {
    const { loop, fingerprint } = session;
    const onWarning = (message: string) => progress.warn(message);
    const restored = await restoreLoop(run, loop, { fingerprint, onWarning, setAside: true });
    if (restored !== undefined || start === "fresh") return { session, restored };
  } catch (error) {
    await session.close();
    throw error;
  }
  await session.close();
  return { session: await openSession(progress, experiment, machine), restored: undefined };
}

async function refuseFinished(run: RunFolder, { loop }: ClassifierSession, wanted: number): Promise<void> {
  if (!loop.finished) return;
  // Stopped in the test after training: then the test is what is left to do.
  if ((await run.readResult<Outcome>("outcome.json"))?.last.epoch !== loop.epoch) return;
  if (loop.ended !== null) {
    const why =
      loop.ended === "goal"
        ? "reached its goal (learning.stopAt)"
        : "was no longer getting better (learning.earlyStopping)";
    throw new UserError(`${run.path} ended after epoch ${loop.epoch}, because it ${why}; there is nothing to continue`);
  }
  throw new UserError(
    `${run.path} has done ${loop.epoch} of ${wanted} epochs; to train further give a larger total: --epochs ${2 * loop.epoch}`,
  );
}

async function trainAndFinish(
  context: Context,
  progress: Progress,
  stopping: Stopping,
  run: RunFolder,
  session: ClassifierSession,
  flags: FinishFlags & { readonly restoredSha256?: string },
): Promise<void> {
  const started = performance.now();
  const { loop, prepared, fingerprint } = session;
  const { epochs: total } = prepared.experiment.learning;
  const { interruption } = stopping;
  if (loop.epoch === 0 && loop.betweenEpochs) {
    const reader = plainReader(prepared, prepared.data.validation ?? prepared.data.training);
    const before: Learned = await describeLearned(loop.trainer, reader, prepared.scoring);
    await run.writeResult("before.json", before);
    const initial = await briefInitialReport(session);
    if (typeof initial !== "string") await run.writeResult("initial.json", initial);
    else progress.say(`note: the report will not say how the network started: ${initial}`);
  }
  const shown = new EpochProgress(progress, total);
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
    interruption,
  );
  progress.finish();
  if (outcome.kind === "interrupted") {
    throw stopping.error(`stopped in epoch ${loop.epoch + 1} of ${total}; continue with: volley resume ${run.path}`);
  }
  if (loop.ended !== null) {
    progress.say(
      loop.ended === "goal"
        ? `epoch ${loop.epoch} reached the goal`
        : `stopped early: no epoch after ${loop.best?.epoch} was better in validation`,
    );
  }
  const tested = await testOutcome(progress, session, outcome, await prepared.data.openTest(), stopping);
  if (tested === null) {
    throw stopping.error(`training is complete, the test was stopped; test with: volley resume ${run.path}`);
  }
  await run.writeResult("outcome.json", tested);
  await run.writeResult("peak.json", { bytes: process.resourceUsage().maxRSS * 1024 });
  const reportPath = flags.report ? await writeClassifierReport(run) : undefined;
  printOutcome(context, run, outcome, tested, prepared.experiment, flags.json ?? false);
  progress.say(`done in ${formatDuration((performance.now() - started) / 1000)}: ${run.path}`);
  if (reportPath !== undefined) progress.say(`report: ${reportPath}`);
}

async function testOutcome(
  progress: Progress,
  { loop, prepared }: ClassifierSession,
  { epochs }: ClassifierOutcome,
  samples: Samples | null,
  { interruption }: Stopping,
): Promise<Outcome | null> {
  if (samples !== null) progress.say(`testing on ${samples.indices.length} samples`);
  const { training, validation } = prepared.data;
  return describeOutcome({
    trainer: loop.trainer,
    spec: prepared.spec,
    scoring: prepared.scoring,
    training: plainReader(prepared, training),
    validation: validation === null ? null : plainReader(prepared, validation),
    test: samples === null ? null : plainReader(prepared, samples),
    disturbed: samples === null ? [] : disturbedReaders(prepared, samples),
    epochs,
    epoch: loop.epoch,
    best: loop.best,
    exampleTrials: prepared.experiment.exampleTrials,
    shouldStop: () => interruption.requested,
  });
}

function printOutcome(
  context: Context,
  run: RunFolder,
  { epochs, checkpointSha256 }: ClassifierOutcome,
  tested: Outcome,
  { references }: ClassifyExperiment,
  json: boolean,
): void {
  if (!json) {
    context.stdout.write(outcomeLines(tested, references));
    return;
  }
  const last = epochs.at(-1);
  context.stdout.write(
    jsonLine({
      run: run.path,
      epochs: last?.epoch ?? 0,
      accuracy: {
        train: last?.train.accuracy ?? null,
        validation: tested.last.validation?.accuracy ?? null,
        test: tested.last.test?.accuracy ?? null,
        ...(tested.last.disturbed === undefined
          ? {}
          : { disturbed: Object.fromEntries(tested.last.disturbed.map(({ name, accuracy }) => [name, accuracy])) }),
      },
      secondsPerEpoch: median(epochs.map(({ seconds }) => seconds)),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      checkpointSha256,
    }),
  );
}
