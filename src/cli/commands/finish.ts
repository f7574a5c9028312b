/** How `train` and `resume` go from a trainer to a finished, or safely stopped, run. */
import { performance } from "node:perf_hooks";
import type { Interruption } from "../../experiment/interruption.ts";
import type { RunFolder } from "../../experiment/run-folder.ts";
import type { RlsTrainer } from "../../experiment/trainer-contract.ts";
import { runTest, runTraining, type TrainingOutcome } from "../../experiment/training.ts";
import type { Context } from "../context.ts";
import { testLines } from "../figures.ts";
import type { Progress } from "../progress.ts";
import { type Prepared, sampleWeights, writeRunReport } from "../session.ts";
import type { Stopping } from "../stopping.ts";
import { formatDuration, jsonLine } from "../talk.ts";

export interface FinishOptions {
  readonly json: boolean;
  readonly report: boolean;
  readonly restoredSha256?: string;
}

/** Trains to the experiment's number of iterations, tests with frozen weights, writes the report, prints the outcome. */
export async function trainAndFinish(
  context: Context,
  progress: Progress,
  stopping: Stopping,
  run: RunFolder,
  prepared: Prepared,
  trainer: RlsTrainer,
  options: FinishOptions,
): Promise<void> {
  const started = performance.now();
  const { experiment, spec } = prepared;
  const { interruption } = stopping;
  const inputs = 2 * spec.plastic.inputsPerType + (spec.feedforward?.size ?? 0);
  const earlier = await run.readResult<{ before: Float32Array }>("weights.json");
  const before =
    earlier?.before ?? (trainer.iteration === 0 ? await sampleWeights(trainer, inputs, spec.neurons) : null);
  if (before !== null && earlier === undefined) await run.writeResult("weights.json", { before, after: before });

  const stopWatching = progress.watchTrial(
    () => `iteration ${trainer.iteration + 1}/${experiment.iterations}`,
    () => trainer.trialFraction,
  );
  const outcome = await runTraining(
    trainer,
    run,
    {
      iterations: experiment.iterations,
      correlationEvery: experiment.correlationEvery,
      checkpoint: experiment.checkpoint,
      fingerprint: prepared.fingerprint,
      ...(options.restoredSha256 === undefined ? {} : { restoredSha256: options.restoredSha256 }),
    },
    {
      iteration: (report, state) => progress.iteration(report, state),
      checkpoint: () => {},
    },
    interruption,
  ).finally(stopWatching);
  progress.finish();
  if (outcome.kind === "interrupted") {
    throw stopping.error(
      `stopped after ${outcome.iterations} of ${experiment.iterations} iterations; continue with: volley resume ${run.path}`,
    );
  }
  if (before !== null) {
    await run.writeResult("weights.json", { before, after: await sampleWeights(trainer, inputs, spec.neurons) });
  }
  const tested = await frozenTest(progress, run, prepared, trainer, interruption);
  if (tested === "interrupted") {
    throw stopping.error(`training is complete, the test was stopped; test with: volley test ${run.path}`);
  }
  const reportPath = options.report ? await writeRunReport(context, run) : undefined;
  printOutcome(context, progress, run, outcome, options.json, {
    test: tested === undefined ? "" : testLines(tested.report),
    seconds: (performance.now() - started) / 1000,
    reportPath,
  });
}

async function frozenTest(
  progress: Progress,
  run: RunFolder,
  { experiment, spec }: Prepared,
  trainer: RlsTrainer,
  interruption: Interruption,
) {
  const { trials } = experiment.test;
  if (trials === 0) return undefined;
  progress.say(
    `testing with frozen weights: ${trials} trial${trials === 1 ? "" : "s"}${spec.tasks > 1 ? ` of each of ${spec.tasks} tasks` : ""}`,
  );
  const onTrial = (done: number, total: number) => progress.trial(done, total);
  return runTest(trainer, run, { ...experiment.test, onTrial }, interruption);
}

function printOutcome(
  context: Context,
  progress: Progress,
  run: RunFolder,
  outcome: TrainingOutcome,
  json: boolean,
  extra: { test: string; seconds: number; reportPath: string | undefined },
): void {
  if (json) {
    const { iterations, correlation, secondsPerIteration, checkpointSha256 } = outcome;
    const peakRssBytes = process.resourceUsage().maxRSS * 1024;
    context.stdout.write(
      jsonLine({ run: run.path, iterations, correlation, secondsPerIteration, peakRssBytes, checkpointSha256 }),
    );
  } else {
    context.stdout.write(extra.test);
  }
  progress.say(`done in ${formatDuration(extra.seconds)}: ${run.path}`);
  if (extra.reportPath !== undefined) progress.say(`report: ${extra.reportPath}`);
}
