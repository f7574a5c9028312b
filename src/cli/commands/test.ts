/** `volley test`: trials of a trained network with frozen weights. */
import { type Command, Option } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import { restoreNewest, runTest } from "../../experiment/training.ts";
import { testClassifier } from "../classify/test.ts";
import type { Context } from "../context.ts";
import { testFigures, testLines } from "../figures.ts";
import { refuseFlags } from "../kinds.ts";
import { Progress } from "../progress.ts";
import { createTrainer, prepare, wholeNumber, writeRunReport } from "../session.ts";
import { Stopping } from "../stopping.ts";
import { jsonLine } from "../talk.ts";

interface TestFlags {
  readonly trials?: number;
  readonly data?: string;
  readonly best?: boolean;
  readonly disturb?: readonly string[];
  readonly threads?: number;
  readonly json?: boolean;
  readonly report: boolean;
}

const examples = `Examples:
  volley test runs/alm --trials 50
  volley test runs/alm --trials 50 --json
  volley test runs/digits --disturb '{"type": "stretchTimes", "factors": [2]}'
  volley test runs/digits --data more-digits.h5

`;

export function addTest(program: Command, context: Context): void {
  program
    .command("test")
    .summary("test a trained network with frozen weights")
    .description(
      "Networks that follow a recording run trials with frozen weights; test.json and report.html keep the longest test " +
        "of the same weights. Classifiers are tested on samples; nothing is written.",
    )
    .argument("<run>", "the folder of the run")
    .option("--trials <n>", "trials of each task (default: as in the experiment)", wholeNumber("--trials", 1))
    .option("--data <file>", "classifiers: samples to test on (default: the test samples of the experiment)")
    .option("--best", "classifiers: test the epoch that was best in validation instead of the last")
    .addOption(
      new Option(
        "--disturb <change>",
        'classifiers: test on changed samples, for example {"type": "dropSpikes"} (repeatable; words of data.augmentation)',
      ).argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]),
    )
    .option("--threads <n>", "worker threads (default: one per core)", wholeNumber("--threads", 1))
    .option("--json", "print one JSON object on stdout, and nothing else")
    .option("--no-report", "do not renew report.html")
    .addHelpText("beforeAll", examples)
    .action(async (path: string, flags: TestFlags) => {
      const kind = await (await RunFolder.open(path)).kind();
      const { trials, data, best, disturb } = flags;
      refuseFlags(kind, { trials, data, best, disturb });
      return kind === "classify" ? testClassifier(context, path, flags) : test(context, path, flags);
    });
}

export async function test(context: Context, path: string, flags: TestFlags): Promise<void> {
  const progress = new Progress(context);
  const run = await RunFolder.openToWrite(path);
  const stopping = new Stopping(context, progress);
  try {
    const experiment = await run.experiment();
    const environment = await run.environment();
    const prepared = await prepare(context, progress, experiment, {
      threads: flags.threads,
      fast: environment?.fast ?? false,
    });
    const trainer = await stopping.during(createTrainer(progress, prepared), "stopped while the network was built");
    try {
      const restored = await restoreNewest(run, trainer, {
        fingerprint: prepared.fingerprint,
        onWarning: (message) => progress.warn(message),
        setAside: false,
      });
      if (restored === undefined) {
        throw new UserError(
          `${path} has no checkpoint yet, so there is nothing to test; train with: volley resume ${path}`,
          exitCode.noInput,
        );
      }
      const trials = flags.trials ?? Math.max(1, experiment.test.trials);
      progress.say(
        `testing after iteration ${trainer.iteration}: ${trials} trial${trials === 1 ? "" : "s"} of each task`,
      );
      const tested = await runTest(
        trainer,
        run,
        { ...experiment.test, trials, onTrial: (done, total) => progress.trial(done, total) },
        stopping.interruption,
      );
      if (tested === "interrupted") throw stopping.error("the test was stopped; the one before it is kept");
      const { report, kept } = tested;
      context.stdout.write(flags.json ? jsonLine(testFigures(report)) : testLines(report));
      if (kept !== report) {
        progress.say(
          `test.json and the report keep the earlier test of ${kept.trialsPerTask} trials; this one is only shown here`,
        );
      }
    } finally {
      await trainer.close();
    }
    if (flags.report) progress.say(`report: ${await writeRunReport(context, run)}`);
  } finally {
    stopping.close();
    run.release();
  }
}
