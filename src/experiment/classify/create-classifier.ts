/**
 * The library's door to classifiers: from an experiment, as a person writes it, to a network that is trained epoch by
 * epoch, tested, used and kept. The same in Node and in a page; what differs is handed in as a `ClassifierMachine`.
 */
import { UserError } from "../../base/errors.ts";
import type { LabelledSet, Sample } from "../../data/labelled-set.ts";
import type { LearningPlan } from "../../learning/gradient/learning-plan.ts";
import type { NetworkValues } from "../../learning/gradient/spec.ts";
import { StreamingClassifier } from "../../learning/gradient/stream.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import type { TrainingSpec } from "../../learning/gradient/training-spec.ts";
import type { MakeTrainer } from "../../learning/initialisation/pretraining.ts";
import type { StartReport } from "../../learning/initialisation/report.ts";
import { type ReadBytes, readFileConstants } from "../file-constants.ts";
import { packState, unpackState } from "../packed-state.ts";
import { PlainState } from "../plain-state.ts";
import { type OpenSet, samplesOf } from "./data.ts";
import type { EpochReport } from "./epoch-sums.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { healthOf } from "./health.ts";
import { describeInitial, homeostasisText, initialise } from "./initialise.ts";
import type { LoopState, TrainingLoop } from "./loop.ts";
import { guardClassifier } from "./memory.ts";
import { makeLoop, type Prepared, plainReader, prepareClassification } from "./prepare.ts";
import { type ClassifyExperiment, type ClassifyInput, parseClassify } from "./schema.ts";

export interface CreateClassifierOptions {
  /**
   * Samples to learn from, in place of a file named in `data.train`: from `openLabelledSet`, or made by hand. Closed with
   * the classifier.
   */
  readonly train?: LabelledSet;
  /** Samples to test on, in place of `data.test`. */
  readonly test?: LabelledSet;
  /** What `save()` gave: training goes on from there. */
  readonly saved?: Uint8Array;
  /** Worker threads. Default: one per core, at most `learning.lanes`. Results do not depend on it. */
  readonly threads?: number;
  /** Fused multiply-add where the machine has it. Default false: faster, but last digits differ between machines. */
  readonly fast?: boolean;
  /** Refuse what needs more memory than there is. Default true; a page is not told how much there is. */
  readonly checkMemory?: boolean;
  /** Called with what a person should know but what stops nothing. Default: collected in `classifier.notes`. */
  onWarning?(message: string): void;
}

/** What the experiment says; `data.train` may be left out when samples are handed over. */
export type ClassifierInput = Omit<ClassifyInput, "kind" | "data"> & {
  readonly kind?: "classify";
  readonly data?: Partial<ClassifyInput["data"]>;
};

/** What a platform supplies. */
export interface ClassifierMachine {
  readonly cores: number;
  /** Bytes that can still be taken. Absent where the platform does not tell. */
  availableMemory?(): number;
  readonly openSet: OpenSet;
  /** Of the files that constants name. */
  readonly readBytes: ReadBytes;
  createGradientTrainer(
    spec: TrainingSpec,
    plan: LearningPlan,
    options: { readonly threads: number },
  ): Promise<GradientTrainer>;
}

/** A classifier and its data. Made by `createClassifier`; to be closed after use. */
export class Classifier {
  /** The experiment without any "auto": written as JSON it makes the same classifier again. */
  readonly experiment: ClassifyExperiment;
  /** Guesses, choices, warnings, and what is wrong with the training where something is. */
  readonly notes: readonly string[];
  readonly classNames: readonly string[];
  readonly #loop: TrainingLoop;
  readonly #prepared: Prepared;
  readonly #history: EpochReport[] = [];
  readonly #warn: (message: string) => void;

  constructor(loop: TrainingLoop, prepared: Prepared, notes: readonly string[], warn: (message: string) => void) {
    this.#loop = loop;
    this.#prepared = prepared;
    this.#warn = warn;
    this.notes = notes;
    this.experiment = prepared.experiment;
    this.classNames = prepared.data.classNames;
  }

  /** Epochs completed. */
  get epoch(): number {
    return this.#loop.epoch;
  }

  /** The epoch that was best in validation; null where nothing is held out. */
  get bestEpoch(): number | null {
    return this.#loop.best?.epoch ?? null;
  }

  /**
   * Trains epoch by epoch and reports each. Leaving the loop stops training; calling it again goes on from there.
   *
   * @param count how many from here. Default: up to `learning.epochs`, or to where the experiment says to stop earlier
   * @throws UserError when the numbers run away
   */
  async *epochs(count = Number.POSITIVE_INFINITY): AsyncGenerator<EpochReport, void> {
    for (let i = 0; i < count && !this.#loop.finished; i++) {
      const report = await this.#loop.runEpoch();
      if (report === "interrupted") return;
      this.#history.push(report);
      for (const { epoch, message } of healthOf(this.#history, this.experiment)) {
        if (epoch === report.epoch) this.#warn(message);
      }
      yield report;
    }
  }

  /**
   * How well the network does on samples that it has not learned from.
   *
   * @param set Default: the test samples of the experiment, which are opened only now
   * @throws UserError when there are none, or when they do not fit the network
   */
  async test(set?: LabelledSet): Promise<Evaluation> {
    const { data, scoring, summary, experiment } = this.#prepared;
    const samples =
      set === undefined
        ? await data.openTest()
        : samplesOf(
            set,
            { ...summary.info, classNames: this.classNames },
            experiment.network.dtMs,
            null,
            scoring.outputs,
          );
    if (samples === null) {
      throw new UserError("there are no samples to test on; name them in data.test, or give them: test(set)");
    }
    return (await evaluate(this.#loop.trainer, plainReader(this.#prepared, samples), scoring))!;
  }

  /**
   * Class probabilities of samples: `[sample * classes + class]`, and the class that is predicted for each.
   *
   * @param samples spikes or frames as they were recorded; the experiment's encoder is applied
   */
  async classify(samples: readonly Sample[]): Promise<{ probabilities: Float64Array; predicted: Int32Array }> {
    const { training } = this.#prepared.data;
    const read = async (indices: ArrayLike<number>) => Array.from(indices, (index) => samples[index]);
    const given = { ...training.set, size: samples.length, labels: new Uint32Array(samples.length), read };
    const indices = Uint32Array.from(samples.keys());
    const reader = plainReader(this.#prepared, { set: given, indices, target: training.target });
    const events = await reader.prepare(0, indices);
    const { probabilities, predicted } = await this.#loop.trainer.test(events);
    return { probabilities, predicted };
  }

  /**
   * The network as it is now, to be advanced step by step: batch 1, no delay. Steps last `network.dtMs`; channels are
   * those of the encoder.
   */
  stream(): StreamingClassifier {
    const { trainer } = this.#loop;
    const { loss } = this.#prepared.spec;
    return new StreamingClassifier({ network: trainer.network, values: trainer.values(), loss });
  }

  /**
   * Before training: how often the neurons of every layer fire in training samples, and how their free membranes move,
   * beside what the initial weights aim at. `network.initialisation.samples` says how many samples are looked at.
   */
  describeStart(): Promise<StartReport> {
    return describeInitial(this.#prepared, this.#loop.trainer.values().weights);
  }

  /** Weights, biases and trained constants as they are now; copies. */
  values(): NetworkValues<Float32Array> {
    return this.#loop.trainer.values();
  }

  /** Goes back to the weights that were best in validation. Training after this goes on from them. */
  async useBest(): Promise<void> {
    const { best, trainer } = this.#loop;
    if (best === null) throw new UserError("there is no best epoch yet: nothing was validated");
    await trainer.restoreParameters(best.parameters);
  }

  /** All that training has come to, in the format of checkpoint files, for the option `saved`. */
  save(): Promise<Uint8Array> {
    const label = { kind: "classify", fingerprint: "", iteration: this.epoch } as const;
    return packState(new PlainState({ ...this.#loop.state() }), label);
  }

  /** Ends the workers and frees memory and files. */
  async close(): Promise<void> {
    await this.#loop.trainer.close();
    this.#prepared.data.close();
  }
}

/** `createClassifier` of the library, on a machine. */
export async function createClassifierOn(
  machine: ClassifierMachine,
  given: ClassifierInput,
  options: CreateClassifierOptions,
): Promise<Classifier> {
  const { train, test } = options;
  const parse = (value: unknown) => parseClassify(value, "the experiment");
  const { experiment, notes: read } = await readFileConstants(
    parse(withSamples(given, options)),
    machine.readBytes,
    parse,
  );
  const open: OpenSet = async (path, settings) => {
    if (train !== undefined && path === handedOver.train) return train;
    if (test !== undefined && path === handedOver.test) return test;
    return machine.openSet(path, settings);
  };
  const resolved = await prepareClassification(experiment, open);
  const prepared = { ...resolved, spec: { ...resolved.spec, relaxed: options.fast ?? false } };
  const notes = [...read, ...prepared.notes];
  const warn = options.onWarning ?? ((message: string) => void notes.push(message));
  try {
    const threads = Math.min(checkedThreads(options.threads) ?? machine.cores, experiment.learning.lanes);
    if ((options.checkMemory ?? true) && machine.availableMemory) {
      await guardClassifier(prepared, threads, machine.availableMemory());
    }
    const make: MakeTrainer = (spec, plan) => machine.createGradientTrainer(spec, plan, { threads });
    // What was saved has its weights.
    const { plan, homeostasis } =
      options.saved === undefined ? await initialise(prepared, make) : { plan: prepared.plan, homeostasis: null };
    if (homeostasis !== null)
      (homeostasis.reached ? (said: string) => notes.push(said) : warn)(homeostasisText(homeostasis));
    const trainer = await make(prepared.spec, plan);
    try {
      const loop = makeLoop(prepared, trainer);
      if (options.saved !== undefined) {
        const { state } = await unpackState(options.saved);
        await loop.restore(state.value() as unknown as LoopState);
      }
      return new Classifier(loop, prepared, notes, warn);
    } catch (error) {
      await trainer.close();
      throw error;
    }
  } catch (error) {
    prepared.data.close();
    throw error;
  }
}

/** What stands in the experiment for samples that are no file. */
const handedOver = { train: "the training samples", test: "the test samples" };

function withSamples(given: ClassifierInput, { train, test }: CreateClassifierOptions) {
  return {
    ...given,
    kind: "classify",
    data: {
      ...given.data,
      ...(train === undefined ? {} : { train: handedOver.train }),
      ...(test === undefined ? {} : { test: handedOver.test }),
    },
  };
}

function checkedThreads(threads: number | undefined): number | undefined {
  if (threads === undefined || (Number.isSafeInteger(threads) && threads >= 1)) return threads;
  throw new UserError(`threads is ${threads}; it must be a whole number of at least 1`);
}
