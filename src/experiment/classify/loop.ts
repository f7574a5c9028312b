/**
 * The training of a classifier, epoch after epoch: batches out, sums in, validation, the best weights so far. It can stop
 * between any two batches, or give up a running one, and go on later, in another process if need be, as if it had never
 * stopped: all that it is lies in `state()`.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import { shuffledBatches } from "../../data/encoding/batches.ts";
import type { BatchReport, GradientTrainer, TrainerState } from "../../learning/gradient/trainer.ts";
import type { SampleReader } from "./data.ts";
import { evaluate, type Figures, figuresOf, isBetter, type Scoring, turn } from "./evaluate.ts";
import { activityOf, type LayerActivity } from "./health.ts";
import type { ClassifyExperiment } from "./schema.ts";

/** One line of `metrics.jsonl`. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** While learning. */
  readonly train: Figures;
  /** Of the weights at the end of the epoch; null where nothing is held out. */
  readonly validation: Figures | null;
  /** Mean loss of the regularisers. */
  readonly regularisation: number;
  /** Of the last batch. */
  readonly learningRate: number;
  /** Norm of all gradients together before clipping, mean over batches. */
  readonly gradientNorm: number;
  /** By group of parameters. */
  readonly gradientNorms: Readonly<Record<string, number>>;
  readonly layers: readonly LayerActivity[];
  readonly samples: number;
  readonly samplesPerSecond: number;
  /** Wall time, validation included. */
  readonly seconds: number;
  /** Of these: waiting for samples, and validation. */
  readonly split: { readonly data: number; readonly validation: number };
}

export interface BatchProgress {
  /** From 1, the one that is running. */
  readonly epoch: number;
  /** Samples of this epoch learned from so far, and all of them. */
  readonly done: number;
  readonly samples: number;
  readonly figures: Figures;
  /** By layer. */
  readonly ratesHz: readonly number[];
  readonly samplesPerSecond: number;
}

export type Parameters = Pick<TrainerState, "parameters" | "feedback" | "synapses">;

export interface BestSoFar {
  readonly epoch: number;
  readonly figures: Figures;
  readonly parameters: Parameters;
}

/** Why training ended before its last epoch. */
export type EarlyEnd = "patience" | "goal";

/** Over the batches of an epoch so far. */
interface Sums {
  loss: number;
  regularisation: number;
  correct: number;
  samples: number;
  steps: number;
  /** Of the last batch. */
  learningRate: number;
  gradientNorm: number;
  gradientNorms: Record<string, number>;
  support: { inside: number; seen: number }[];
  counts: Float64Array[];
}

/** Everything the training is. Arrays and plain values only. */
export interface LoopState {
  /** Completed. */
  readonly epoch: number;
  /** Batches completed in the epoch that is running. */
  readonly batch: number;
  readonly sums: Sums;
  readonly best: BestSoFar | null;
  readonly ended: EarlyEnd | null;
  readonly trainer: TrainerState;
}

export interface LoopTask {
  readonly experiment: ClassifyExperiment;
  readonly scoring: Scoring;
  readonly training: SampleReader;
  readonly validation: SampleReader | null;
}

/** How a loop is told to stop: what it asks for between batches, and what wakes it up while it waits for one. */
export interface StopRequest {
  readonly requested: boolean;
  onRequest(listener: () => void): () => void;
}

const never: StopRequest = { requested: false, onRequest: () => () => {} };

export class TrainingLoop {
  readonly trainer: GradientTrainer;
  readonly task: LoopTask;
  #epoch = 0;
  #batch = 0;
  #sums: Sums;
  #best: BestSoFar | null = null;
  #ended: EarlyEnd | null = null;
  /** A batch that was given up while it ran, and the state before it. */
  #givenUp: { readonly running: Promise<BatchReport>; readonly before: LoopState } | null = null;

  constructor(trainer: GradientTrainer, task: LoopTask) {
    this.trainer = trainer;
    this.task = task;
    this.#sums = this.#noSums();
  }

  /** Epochs completed. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether the next batch is the first of its epoch. */
  get betweenEpochs(): boolean {
    return this.#batch === 0;
  }

  get best(): BestSoFar | null {
    return this.#best;
  }

  get ended(): EarlyEnd | null {
    return this.#ended;
  }

  get finished(): boolean {
    return this.#ended !== null || this.#epoch >= this.task.experiment.learning.epochs;
  }

  /** Batches of an epoch, from 1: all training samples in random order, or the next so many of them. */
  batches(epoch: number): Uint32Array[] {
    const { seed, learning } = this.task.experiment;
    const { indices } = this.task.training.samples;
    const { batch, samplesPerEpoch } = learning;
    if (samplesPerEpoch === null) return shuffledBatches(seed, epoch, indices, batch);
    // Rounds through all samples, each in an order of its own, laid end to end and cut into epochs.
    const order = new Uint32Array(samplesPerEpoch);
    const first = (epoch - 1) * samplesPerEpoch;
    for (let at = 0; at < samplesPerEpoch; ) {
      const round = Math.floor((first + at) / indices.length);
      const place = (first + at) % indices.length;
      const [shuffled] = shuffledBatches(seed, round + 1, indices, indices.length);
      const part = shuffled.subarray(place, place + samplesPerEpoch - at);
      order.set(part, at);
      at += part.length;
    }
    const cut: Uint32Array[] = [];
    for (let at = 0; at < order.length; at += batch) cut.push(order.subarray(at, at + batch));
    return cut;
  }

  /**
   * Goes on to the end of the epoch.
   * @returns "interrupted" when asked to stop before; the state is then that of the last whole batch
   */
  async runEpoch(
    stop: StopRequest = never,
    onBatch: (progress: BatchProgress) => void = () => {},
  ): Promise<EpochReport | "interrupted"> {
    const epoch = this.#epoch + 1;
    const { training, validation, scoring } = this.task;
    const batches = this.batches(epoch);
    const samples = batches.reduce((sum, { length }) => sum + length, 0);
    const started = performance.now();
    let [waited, doneHere] = [0, 0];
    let next = this.#batch < batches.length ? training.prepare(epoch, batches[this.#batch]) : undefined;
    while (this.#batch < batches.length) {
      if (stop.requested) return "interrupted";
      const asked = performance.now();
      const prepared = await next!;
      waited += performance.now() - asked;
      this.#sums.learningRate = (this.task.experiment.learning.optimiser.rate ?? 0) * this.trainer.rateFactor;
      const running = this.#givenUp?.running ?? this.trainer.trainBatch(prepared);
      this.#givenUp = null;
      if (this.#batch + 1 < batches.length) next = training.prepare(epoch, batches[this.#batch + 1]);
      const report = await this.#orStop(running, stop);
      if (report === "interrupted") return report;
      this.#checkFinite(report.loss, report.gradientNorm);
      this.#add(report);
      this.#batch++;
      doneHere += report.samples;
      const samplesPerSecond = (1000 * doneHere) / (performance.now() - started);
      onBatch({
        epoch,
        done: this.#sums.samples,
        samples,
        figures: figuresOf(scoring, this.#sums.loss, this.#sums.correct, this.#sums.samples),
        ratesHz: this.#activity().map(({ rateHz }) => rateHz),
        samplesPerSecond,
      });
      await turn();
    }
    const trained = performance.now();
    let measured: Figures | null = null;
    if (validation !== null) {
      measured = await evaluate(this.trainer, validation, scoring, () => stop.requested);
      if (measured === null) return "interrupted";
      this.#checkFinite(measured.loss, 0);
      const { loss, accuracy, normalisedError } = measured;
      measured = { loss, accuracy, normalisedError };
    }
    const ended = performance.now();
    const sums = this.#sums;
    const mean = 1 / batches.length;
    const perSample = doneHere === 0 ? 0 : (trained - started) / 1000 / doneHere;
    const report: EpochReport = {
      epoch,
      train: figuresOf(scoring, sums.loss, sums.correct, sums.samples),
      validation: measured,
      regularisation: sums.regularisation * mean,
      learningRate: sums.learningRate,
      gradientNorm: sums.gradientNorm * mean,
      gradientNorms: Object.fromEntries(
        Object.keys(sums.gradientNorms)
          .sort()
          .map((name) => [name, sums.gradientNorms[name] * mean]),
      ),
      layers: this.#activity(),
      samples: sums.samples,
      samplesPerSecond: perSample === 0 ? 0 : 1 / perSample,
      // Of an epoch that another process began, what it would have taken here.
      seconds: perSample * sums.samples + (ended - trained) / 1000,
      split: { data: waited / 1000, validation: (ended - trained) / 1000 },
    };
    this.trainer.reportLoss((measured ?? report.train).loss);
    this.#epoch = epoch;
    this.#batch = 0;
    this.#sums = this.#noSums();
    if (measured !== null && (this.#best === null || isBetter(measured, this.#best.figures))) {
      const { parameters, feedback, synapses } = this.trainer.state();
      this.#best = { epoch, figures: measured, parameters: { parameters, feedback, synapses } };
    }
    this.#ended = this.#reasonToEnd(measured ?? report.train);
    return report;
  }

  /** All that the training is now; when a batch was given up, as before that batch. */
  state(): LoopState {
    return this.#givenUp?.before ?? this.#present();
  }

  /** @throws UserError when the state is of another network */
  async restore({ epoch, batch, sums, best, ended, trainer }: LoopState): Promise<void> {
    await this.trainer.restore(trainer);
    this.#epoch = epoch;
    this.#batch = batch;
    this.#sums = sums;
    this.#best = best;
    this.#ended = ended;
    this.#givenUp = null;
  }

  #present(): LoopState {
    return {
      epoch: this.#epoch,
      batch: this.#batch,
      sums: {
        ...this.#sums,
        gradientNorms: { ...this.#sums.gradientNorms },
        support: this.#sums.support.map((own) => ({ ...own })),
        counts: this.#sums.counts.map((own) => own.slice()),
      },
      best: this.#best,
      ended: this.#ended,
      trainer: this.trainer.state(),
    };
  }

  /** The report of a batch, unless the wish to stop comes first and the batch has not moved the weights yet. */
  async #orStop(running: Promise<BatchReport>, stop: StopRequest): Promise<BatchReport | "interrupted"> {
    const before = this.trainer.steps;
    let stopListening = () => {};
    const stopped = new Promise<"interrupted">((resolve) => {
      stopListening = stop.onRequest(() => resolve("interrupted"));
    });
    try {
      const first = await Promise.race([running, stopped]);
      if (first !== "interrupted" || this.trainer.steps !== before) return await running;
      running.catch(() => {});
      this.#givenUp = { running, before: this.#present() };
      return first;
    } finally {
      stopListening();
    }
  }

  #checkFinite(loss: number, gradientNorm: number): void {
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return;
    const what = Number.isFinite(loss) ? `the norm of the gradient is ${gradientNorm}` : `the loss is ${loss}`;
    throw new UserError(
      `training diverged in epoch ${this.#epoch + 1}, batch ${this.#batch + 1}: ${what}. Likely cause: too large a step; ` +
        "lower learning.optimiser.rate or give learning.clipNorm, for example 1",
      exitCode.diverged,
    );
  }

  #noSums(): Sums {
    const { populations } = this.trainer.network;
    return {
      loss: 0,
      regularisation: 0,
      correct: 0,
      samples: 0,
      steps: 0,
      learningRate: 0,
      gradientNorm: 0,
      gradientNorms: {},
      support: populations.map(() => ({ inside: 0, seen: 0 })),
      counts: populations.map(({ size }) => new Float64Array(size)),
    };
  }

  #add(report: BatchReport): void {
    const sums = this.#sums;
    sums.loss += report.loss;
    sums.regularisation += report.regularisation;
    sums.correct += report.correct;
    sums.samples += report.samples;
    sums.steps += report.steps;
    sums.gradientNorm += report.gradientNorm;
    for (const [name, norm] of Object.entries(report.gradientNorms)) {
      sums.gradientNorms[name] = (sums.gradientNorms[name] ?? 0) + norm;
    }
    for (const [p, { inside, seen }] of report.support.entries()) {
      sums.support[p].inside += inside;
      sums.support[p].seen += seen;
    }
    for (const [p, own] of report.counts.entries()) for (let i = 0; i < own.length; i++) sums.counts[p][i] += own[i];
  }

  #activity(): LayerActivity[] {
    return activityOf(this.trainer.network, this.#sums);
  }

  #reasonToEnd(figures: Figures): EarlyEnd | null {
    const { earlyStopping, stopAt } = this.task.experiment.learning;
    const { accuracy, normalisedError } = figures;
    const reached =
      stopAt !== null &&
      ((stopAt.accuracy !== undefined && accuracy !== null && accuracy >= stopAt.accuracy) ||
        (stopAt.normalisedError !== undefined &&
          normalisedError !== null &&
          normalisedError <= stopAt.normalisedError));
    if (reached) return "goal";
    const best = this.#best;
    const stale = earlyStopping !== null && best !== null && this.#epoch - best.epoch >= earlyStopping.patience;
    return stale ? "patience" : null;
  }
}
