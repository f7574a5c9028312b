/** `volley test` for classifiers: the trained network on samples it has not learned from. */
import { exitCode, UserError } from "../../base/errors.ts";
import { likeTrained, openTrainingData, type Samples, samplesOf } from "../../experiment/classify/data.ts";
import { augmentation } from "../../experiment/classify/data-schema.ts";
import { type Evaluation, evaluate } from "../../experiment/classify/evaluate.ts";
import { disturbedReader, plainReader, scoringOf } from "../../experiment/classify/prepare.ts";
import type { Trained } from "../../experiment/classify/trained.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import { parse } from "../../experiment/schema-words.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { Stopping } from "../stopping.ts";
import { jsonLine } from "../talk.ts";
import { setText } from "./figures.ts";
import { openerOf, openTrained } from "./session.ts";

export interface TestClassifierFlags {
  readonly data?: string;
  readonly best?: boolean;
  /** Augmentations as JSON, applied to the samples in this order. */
  readonly disturb?: readonly string[];
  readonly threads?: number;
  readonly json?: boolean;
}

/** From `{"type": "dropSpikes"}` of the command line, each checked as in an experiment. */
function parseDisturbances(texts: readonly string[]) {
  return texts.map((text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      const example = `--disturb '{"type": "stretchTimes", "factors": [2]}'`;
      throw new UserError(`--disturb ${text} is not JSON; write for example ${example}`, exitCode.usage, { cause });
    }
    return parse(augmentation, value, "--disturb");
  });
}

/** The samples of a file, or those that the experiment keeps for the test. */
async function samplesToTest(
  progress: Progress,
  { experiment, summary }: Trained,
  file: string | undefined,
): Promise<{ readonly samples: Samples; readonly outputs: number; close(): void }> {
  const open = openerOf(progress);
  const { dtMs } = experiment.network;
  const path = file ?? (typeof experiment.data.test === "string" ? experiment.data.test : undefined);
  if (path !== undefined) {
    if (summary.traces !== null) {
      throw new UserError("this network follows curves that belong to its own data; test it without --data");
    }
    const trained = { ...summary.info, classNames: summary.classNames };
    const { labels: _, testLabels, ...reading } = experiment.data.reading;
    const set = await open(path, {
      ...reading,
      ...(testLabels === undefined ? {} : { labelsFile: testLabels }),
      ...likeTrained(trained),
    });
    const outputs = summary.classNames.length;
    return { samples: samplesOf(set, trained, dtMs, null, outputs), outputs, close: () => set.close() };
  }
  const data = await openTrainingData(experiment, open);
  const samples = (await data.openTest()) ?? (data.traces === null ? null : data.training);
  if (samples === null) {
    data.close();
    throw new UserError(
      "this run has no test samples; name a file of them: volley test RUN --data FILE",
      exitCode.noInput,
    );
  }
  return { samples, outputs: data.outputs, close: () => data.close() };
}

export async function testClassifier(context: Context, path: string, flags: TestClassifierFlags): Promise<void> {
  const progress = new Progress(context);
  const disturbances = parseDisturbances(flags.disturb ?? []);
  const run = await RunFolder.open(path);
  const stopping = new Stopping(context, progress);
  try {
    const { trained, trainer } = await openTrained(progress, run, flags.best ? "best" : "last", flags.threads);
    try {
      const { samples, outputs, close } = await samplesToTest(progress, trained, flags.data);
      try {
        const scoring = scoringOf(trained.experiment, samples, {
          outputs,
          hasClasses: trained.summary.traces === null,
        });
        const changed =
          disturbances.length === 0 ? "" : `, changed by ${disturbances.map(({ type }) => type).join(", ")}`;
        progress.say(`testing epoch ${trained.epoch} on ${samples.indices.length} samples${changed}`);
        const tested = await evaluate(
          trainer,
          disturbances.length === 0 ? plainReader(trained, samples) : disturbedReader(trained, samples, disturbances),
          scoring,
          () => stopping.interruption.requested,
          (done, total) => progress.trial(done, total),
        );
        if (tested === null) throw stopping.error("the test was stopped");
        context.stdout.write(flags.json ? jsonLine(figuresOf(tested)) : lines(tested, trained.epoch));
      } finally {
        close();
      }
    } finally {
      await trainer.close();
    }
  } finally {
    stopping.close();
  }
}

const msPerSample = ({ seconds, samples }: Evaluation): number => (1000 * seconds) / samples;

/** The object of `volley test --json`. */
function figuresOf(tested: Evaluation) {
  const { accuracy, normalisedError, samples } = tested;
  return {
    accuracy,
    ...(normalisedError === null ? {} : { normalisedError }),
    samples,
    msPerSample: msPerSample(tested),
  };
}

function lines(tested: Evaluation, epoch: number): string {
  return `epoch ${epoch}: ${setText(tested)}, loss ${tested.loss.toPrecision(4)}, ${msPerSample(tested).toPrecision(3)} ms per sample\n`;
}
