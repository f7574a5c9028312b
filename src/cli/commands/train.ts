/** `volley train`: from an experiment, a preset or a data file to a trained network, its test and its report. */
import { type Command, Option } from "commander";
import { didYouMean, UserError } from "../../base/errors.ts";
import { parseClassify } from "../../experiment/classify/schema.ts";
import { describeEnvironment } from "../../experiment/environment.ts";
import { kindOf } from "../../experiment/kind.ts";
import { loadExperiment } from "../../experiment/load-experiment.ts";
import { allPresets } from "../../experiment/presets.ts";
import { freeRunPath, RunFolder } from "../../experiment/run-folder.ts";
import { parseExperiment } from "../../experiment/schema.ts";
import { trainClassifier } from "../classify/train.ts";
import type { Context } from "../context.ts";
import { applyClassifierFlags, applyFlags, type ExperimentFlags, setOption } from "../experiment-flags.ts";
import { refuseFlags } from "../kinds.ts";
import { Progress } from "../progress.ts";
import { createTrainer, prepare, wholeNumber } from "../session.ts";
import { Stopping } from "../stopping.ts";
import { trainAndFinish } from "./finish.ts";

export interface TrainFlags extends ExperimentFlags {
  readonly threads?: number;
  readonly out?: string;
  readonly json?: boolean;
  readonly fast?: boolean;
  readonly p: boolean;
  readonly report: boolean;
}

const examples = `Examples:
  volley train alm                              a real recording, about a minute
  volley train my-experiment.json               your own experiment
  volley train --data session.nwb               your own recording, settings of the preset alm
  volley train sinusoids --neurons 1000 --set learning.lambda=0.4 --out runs/small
  volley train alm --json > result.json         one object on stdout, progress on stderr

`;

function presetList(): string {
  const width = Math.max(...Object.keys(allPresets).map((name) => name.length));
  return Object.entries(allPresets)
    .map(([name, preset]) => `  ${name.padEnd(width)}  ${preset.about}`)
    .join("\n");
}

export function addTrain(program: Command, context: Context): void {
  program
    .command("train")
    .summary("train a network on a recording, a preset or an experiment file")
    .description("Trains a network, tests it with frozen weights and writes a report.")
    .argument("[experiment]", 'a preset, or a file .json, .js, .mjs, .ts (default: "alm")')
    .option("--preset <name>", "the same by option: volley train --preset digits")
    .addOption(setOption("change one setting, for example learning.lambda=0.4"))
    .option("--data <file>", "follow this recording: HDF5, NWB, npy, npz, CSV, JLD2; or the word sinusoids")
    .option("--neurons <n>", "size of the network", wholeNumber("--neurons", 2))
    .option("--test <file>", "classifiers: test samples, used after training only")
    .option("--epochs <n>", "classifiers: how often training meets all samples", wholeNumber("--epochs", 1))
    .option("--iterations <n>", "training trials in total", wholeNumber("--iterations", 1))
    .option("--seed <n>", "seed of all random numbers", wholeNumber("--seed", 0))
    .option("--threads <n>", "worker threads (default: one per core)", wholeNumber("--threads", 1))
    .option("--out <folder>", "where the run goes (default: runs/<name>)")
    .option("--json", "print one JSON object on stdout at the end, and nothing else")
    .option("--fast", "relaxed SIMD where the runtime has it: faster, last digits depend on the machine")
    .addOption(new Option("--no-p", "keep P out of checkpoints: small files, but resuming starts P anew"))
    .option("--no-report", "do not write report.html")
    .addHelpText("beforeAll", examples)
    .addHelpText("after", () => `\nPresets:\n${presetList()}`)
    .action((experiment: string | undefined, flags: TrainFlags & { readonly preset?: string }) =>
      train(context, chosen(experiment, flags.preset), flags),
    );
}

function chosen(experiment: string | undefined, preset: string | undefined): string {
  if (preset === undefined) return experiment ?? "alm";
  if (experiment !== undefined) {
    throw new UserError(`both an experiment (${experiment}) and --preset ${preset} are given; leave one of them out`);
  }
  const names = Object.keys(allPresets);
  if (names.includes(preset)) return preset;
  throw new UserError(
    `--preset ${preset}: there is no such preset${didYouMean(preset, names) || `; the presets are ${names.join(", ")}`}`,
  );
}

export async function train(context: Context, given: string, flags: TrainFlags): Promise<void> {
  const progress = new Progress(context);
  const loaded = await loadExperiment(given);
  const kind = kindOf(loaded.value, loaded.source);
  const { neurons, iterations, epochs, test } = flags;
  refuseFlags(kind, { neurons, iterations, epochs, test, "no-p": kind === "classify" && !flags.p });
  if (kind === "classify") {
    const experiment = parseClassify(applyClassifierFlags(loaded.value, flags), loaded.source);
    return trainClassifier(context, experiment, flags);
  }
  const experiment = parseExperiment(applyFlags(loaded.value, flags), loaded.source);
  const fast = flags.fast ?? false;
  const prepared = await prepare(context, progress, experiment, { threads: flags.threads, fast });
  const path = flags.out ?? (await freeRunPath(experiment.name));
  const run = await RunFolder.create(path, {
    experiment: prepared.experiment,
    environment: describeEnvironment({ threads: prepared.options.threads, fast, command: context.command }),
  });
  const stopping = new Stopping(context, progress);
  try {
    if (prepared.notes.length > 0) await run.writeResult("notes.json", prepared.notes);
    const trainer = await stopping.during(
      createTrainer(progress, prepared),
      `stopped while the network was built; start again with: volley resume ${run.path}`,
    );
    try {
      await trainAndFinish(context, progress, stopping, run, prepared, trainer, {
        json: flags.json ?? false,
        report: flags.report,
      });
    } finally {
      await trainer.close();
    }
  } finally {
    stopping.close();
    run.release();
  }
}
