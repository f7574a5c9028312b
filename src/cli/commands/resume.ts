/** `volley resume`: goes on with a run from its newest checkpoint, to the byte as if it had never stopped. */
import type { Command } from "commander";
import { UserError } from "../../base/errors.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import { restoreNewest } from "../../experiment/training.ts";
import { resumeClassifier } from "../classify/train.ts";
import type { Context } from "../context.ts";
import { refuseFlags } from "../kinds.ts";
import { Progress } from "../progress.ts";
import { createTrainer, prepare, wholeNumber } from "../session.ts";
import { Stopping } from "../stopping.ts";
import { trainAndFinish } from "./finish.ts";

interface ResumeFlags {
  readonly iterations?: number;
  readonly epochs?: number;
  readonly threads?: number;
  readonly json?: boolean;
  readonly report: boolean;
}

const examples = `Examples:
  volley resume runs/alm                        after Ctrl-C, a crash or a full disk
  volley resume runs/alm --iterations 400       train a finished run further, to 400 iterations in total

`;

export function addResume(program: Command, context: Context): void {
  program
    .command("resume")
    .summary("continue a run")
    .description("Continues a run from its newest checkpoint, as if it had never stopped.")
    .argument("<run>", "the folder of the run")
    .option("--iterations <n>", "training trials in total, those done included", wholeNumber("--iterations", 1))
    .option("--epochs <n>", "the same of a classifier, in epochs", wholeNumber("--epochs", 1))
    .option("--threads <n>", "worker threads (default: one per core)", wholeNumber("--threads", 1))
    .option("--json", "print one JSON object on stdout at the end, and nothing else")
    .option("--no-report", "do not write report.html")
    .addHelpText("beforeAll", examples)
    .action(async (path: string, flags: ResumeFlags) => {
      const kind = await (await RunFolder.open(path)).kind();
      const { iterations, epochs } = flags;
      refuseFlags(kind, { iterations, epochs });
      return kind === "classify" ? resumeClassifier(context, path, flags) : resume(context, path, flags);
    });
}

export async function resume(context: Context, path: string, flags: ResumeFlags): Promise<void> {
  const progress = new Progress(context);
  const run = await RunFolder.openToWrite(path);
  const stopping = new Stopping(context, progress);
  try {
    const kept = await run.experiment();
    const experiment = { ...kept, iterations: flags.iterations ?? kept.iterations };
    const environment = await run.environment();
    const prepared = await prepare(context, progress, experiment, {
      threads: flags.threads,
      fast: environment?.fast ?? false,
    });
    const trainer = await stopping.during(
      createTrainer(progress, prepared),
      `stopped while the network was built; nothing was lost, continue with: volley resume ${path}`,
    );
    try {
      const restored = await restoreNewest(run, trainer, {
        fingerprint: prepared.fingerprint,
        onWarning: (message) => progress.warn(message),
        setAside: true,
      });
      if (restored === undefined) progress.say("this run has no checkpoint yet; starting from the beginning");
      else if (!restored.header.withP && trainer.iteration < experiment.iterations) {
        progress.warn(
          "P was kept out of this checkpoint: training goes on with P as at the start, not exactly as if never stopped",
        );
      }
      await refuseFinished(run, trainer.iteration, experiment.iterations);
      if (experiment.iterations !== kept.iterations) await run.writeExperiment(prepared.experiment);
      if (restored !== undefined) progress.say(`continuing after iteration ${trainer.iteration}`);
      await trainAndFinish(context, progress, stopping, run, prepared, trainer, {
        json: flags.json ?? false,
        report: flags.report,
        ...(restored === undefined ? {} : { restoredSha256: restored.sha256 }),
      });
    } finally {
      await trainer.close();
    }
  } finally {
    stopping.close();
    run.release();
  }
}

async function refuseFinished(run: RunFolder, done: number, wanted: number): Promise<void> {
  if (done < wanted) return;
  // Stopped in the test after training: then the test is what is left to do.
  if (done === wanted && (await run.test())?.iteration !== done) return;
  throw new UserError(
    `${run.path} has done ${done} of ${wanted} iterations; to train further give a larger total: --iterations ${2 * done}`,
  );
}
