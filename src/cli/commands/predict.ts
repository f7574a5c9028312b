/** `volley predict`: classes of samples, labelled or not, by a trained classifier. */
import type { Command } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { type LabelledSet, noLabel } from "../../data/labelled-set.ts";
import { checkFits, likeTrained, SampleReader, type Samples } from "../../experiment/classify/data.ts";
import type { Trained } from "../../experiment/classify/trained.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import { openTrained } from "../classify/session.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { wholeNumber } from "../session.ts";
import { Stopping } from "../stopping.ts";
import { formatCount, jsonLine } from "../talk.ts";

interface PredictFlags {
  readonly samples?: readonly number[];
  readonly labels?: string;
  readonly best?: boolean;
  readonly threads?: number;
  readonly json?: boolean;
}

/** One line of output. */
interface Prediction {
  readonly sample: number;
  readonly predicted: string;
  readonly probability: number;
  /** The class that the file gives; null where it gives none. */
  readonly label: string | null;
  /** Of every class. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** Samples that are in memory at once. */
const chunk = 128;

const examples = `Examples:
  volley predict runs/digits new.h5
  volley predict runs/digits new.h5 --samples 0,7,12
  volley predict runs/digits new.h5 --json > predictions.jsonl

`;

export function addPredict(program: Command, context: Context): void {
  program
    .command("predict")
    .summary("classify samples with a trained network")
    .description(
      "Prints the predicted class of every sample, its probability and, where the file has it, the true class. Files are " +
        "read as those that the network was trained on; classes may be missing.",
    )
    .argument("<run>", "the folder of the run")
    .argument("<file>", "samples: any file, or folder of event files, that volley data info reads")
    .option("--samples <i,j,...>", "only these samples, the first is 0", sampleNumbers)
    .option("--labels <file>", "idx: the file of labels (default: the one beside the images, if there is one)")
    .option("--best", "use the epoch that was best in validation instead of the last")
    .option("--threads <n>", "worker threads (default: one per core)", wholeNumber("--threads", 1))
    .option("--json", "print one JSON object per sample, with the probabilities of all classes, and nothing else")
    .addHelpText("beforeAll", examples)
    .action((path: string, file: string, flags: PredictFlags) => predict(context, path, file, flags));
}

function sampleNumbers(text: string): number[] {
  return text.split(",").map((part) => {
    const index = Number(part);
    if (part.trim() !== "" && Number.isSafeInteger(index) && index >= 0) return index;
    throw new UserError(
      `--samples is "${text}"; give numbers of samples with commas between them, such as 0,7,12`,
      exitCode.usage,
    );
  });
}

async function predict(context: Context, path: string, file: string, flags: PredictFlags): Promise<void> {
  const progress = new Progress(context);
  const run = await RunFolder.open(path);
  if ((await run.kind()) !== "classify") {
    throw new UserError(`${path} is a network that follows recorded rates; only classifiers predict classes`);
  }
  const stopping = new Stopping(context, progress);
  try {
    const { trained, trainer } = await openTrained(progress, run, flags.best ? "best" : "last", flags.threads);
    try {
      const set = await openSamples(trained, file, flags.labels);
      try {
        const indices = chosenSamples(set, flags.samples);
        let [labelled, correct] = [0, 0];
        for await (const prediction of predictions(trained, trainer, set, indices)) {
          if (stopping.interruption.requested) throw stopping.error("stopped");
          context.stdout.write(flags.json ? jsonLine(prediction) : line(prediction, trained.summary.classNames));
          if (prediction.label === null) continue;
          labelled++;
          if (prediction.label === prediction.predicted) correct++;
        }
        const right = labelled === 0 ? "" : `; ${correct} of ${formatCount(labelled)} with a known class are right`;
        const samples = `${formatCount(indices.length)} sample${indices.length === 1 ? "" : "s"}`;
        progress.say(`epoch ${trained.epoch}: ${samples}${right}`);
      } finally {
        set.close();
      }
    } finally {
      await trainer.close();
    }
  } finally {
    stopping.close();
  }
}

/** @throws UserError when the file cannot be read, or its samples are not such as the network knows */
async function openSamples(
  { experiment, summary }: Trained,
  file: string,
  labelsFile: string | undefined,
): Promise<LabelledSet> {
  if (summary.traces !== null) {
    throw new UserError("this network follows curves and knows no classes, so there is nothing to predict");
  }
  const trained = { ...summary.info, classNames: summary.classNames };
  const { labels: _, testLabels: __, ...reading } = experiment.data.reading;
  const { openLabelledFile } = await import("../../data/labelled/open-labelled-set.node.ts");
  const set = await openLabelledFile(file, {
    ...reading,
    ...(labelsFile === undefined ? {} : { labelsFile }),
    ...likeTrained(trained),
    allowUnlabelled: true,
  });
  try {
    checkFits(set, trained);
    return set;
  } catch (error) {
    set.close();
    throw error;
  }
}

function chosenSamples(set: LabelledSet, asked: readonly number[] | undefined): Uint32Array {
  const beyond = asked?.find((index) => index >= set.size);
  if (beyond !== undefined) {
    throw new UserError(`--samples names sample ${beyond}, but ${set.name} has samples 0 to ${set.size - 1}`);
  }
  return asked === undefined ? Uint32Array.from({ length: set.size }, (_, i) => i) : Uint32Array.from(asked);
}

async function* predictions(
  { encoder, experiment, summary: { classNames } }: Trained,
  trainer: GradientTrainer,
  set: LabelledSet,
  indices: Uint32Array,
): AsyncGenerator<Prediction> {
  // Nothing is learned and no loss is shown, so any class will do as the target.
  const samples: Samples = { set, indices, target: () => ({ label: 0 }) };
  const reader = new SampleReader(samples, encoder, experiment.seed);
  const count = classNames.length;
  for (let at = 0; at < indices.length; at += chunk) {
    const own = indices.subarray(at, at + chunk);
    const { predicted, probabilities } = await trainer.test(await reader.prepare(0, own));
    for (const [i, sample] of own.entries()) {
      const label = set.labels[sample];
      yield {
        sample,
        predicted: classNames[predicted[i]],
        probability: probabilities[i * count + predicted[i]],
        label: label === noLabel ? null : classNames[label],
        probabilities: Object.fromEntries(classNames.map((name, k) => [name, probabilities[i * count + k]])),
      };
    }
  }
}

/** `12  seven  0.973  (nine)`: the class in brackets where the file gives another one. */
function line({ sample, predicted, probability, label }: Prediction, classNames: readonly string[]): string {
  const width = Math.max(...classNames.map((name) => name.length));
  const known = label === null ? "" : label === predicted ? `  ${label}` : `  (${label})`;
  return `${String(sample).padStart(6)}  ${predicted.padEnd(width)}  ${probability.toFixed(3)}${known}\n`;
}
