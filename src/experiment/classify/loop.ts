/**
 * The training of a classifier, epoch after epoch: batches out, sums in, validation, the best weights so far. It can stop
 * between any two batches, or give up a running one, and go on later, in another process if need be, as if it had never
 * stopped: all that it is lies in `state()`.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import { shuffledBatches } from "../../data/encoding/batches.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import type { BatchReport } from "../../learning/gradient/results.ts";
import type { GradientTrainer, LearnedState, TrainerState } from "../../learning/gradient/trainer.ts";
import type { SampleReader } from "./data.ts";
import { addBatch, copySums, type EpochReport, type EpochSums, noSums, reportOf, trainFigures } from "./epoch-sums.ts";
import { evaluate, type Figures, isBetter, type Scoring, turn } from "./evaluate.ts";
import { activityOf } from "./health.ts";
import type { ClassifyExperiment } from "./schema.ts";

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

export interface BestSoFar {
  readonly epoch: number;
  readonly figures: Figures;
  readonly parameters: LearnedState;
}

/** Why training ended before its last epoch. */
export type EarlyEnd = "patience" | "goal";

/** Everything the training is. Arrays and plain values only. */
export interface LoopState {
  /** Completed. */
  readonly epoch: number;
  /** Batches completed in the epoch that is running. */
  readonly batch: number;
  readonly sums: EpochSums;
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

interface RunningBatch {
  readonly running: Promise<BatchReport>;
  /** Learning rate of its step. */
  readonly rate: number;
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
  #sums: EpochSums;
  #best: BestSoFar | null = null;
  #ended: EarlyEnd | null = null;
  /** A batch that was given up while it ran, and the state before it. */
  #givenUp: (RunningBatch & { readonly before: LoopState }) | null = null;

  constructor(trainer: GradientTrainer, task: LoopTask) {
    this.trainer = trainer;
    this.task = task;
    this.#sums = noSums(this.trainer.network);
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
    const { scoring } = this.task;
    const { network } = this.trainer;
    const batches = this.batches(epoch);
    const samples = batches.reduce((sum, { length }) => sum + length, 0);
    const started = performance.now();
    let [waited, doneHere] = [0, 0];
    let next = this.#prepare(epoch, batches[this.#batch]);
    while (this.#batch < batches.length) {
      if (stop.requested) return "interrupted";
      const asked = performance.now();
      const prepared = await next;
      waited += performance.now() - asked;
      const learning = this.#givenUp ?? { rate: this.#rate(), running: this.trainer.trainBatch(prepared) };
      this.#givenUp = null;
      next = this.#prepare(epoch, batches[this.#batch + 1]);
      const report = await this.#orStop(learning, stop);
      if (report === "interrupted") return report;
      this.#checkFinite(report.loss, report.gradientNorm);
      addBatch(this.#sums, report, learning.rate);
      this.#batch++;
      doneHere += report.samples;
      onBatch({
        epoch,
        done: this.#sums.samples,
        samples,
        figures: trainFigures(scoring, this.#sums),
        ratesHz: activityOf(network, this.#sums).map(({ rateHz }) => rateHz),
        samplesPerSecond: (1000 * doneHere) / (performance.now() - started),
      });
      await turn();
    }
    const trained = performance.now();
    const measured = await this.#validate(stop);
    if (measured === "interrupted") return measured;
    const report = reportOf(epoch, network, scoring, this.#sums, {
      batches: batches.length,
      validation: measured,
      times: {
        perSample: doneHere === 0 ? 0 : (trained - started) / 1000 / doneHere,
        waiting: waited / 1000,
        validation: (performance.now() - trained) / 1000,
      },
    });
    this.trainer.reportLoss((measured ?? report.train).loss);
    this.#epoch = epoch;
    this.#batch = 0;
    this.#sums = noSums(network);
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
      sums: copySums(this.#sums),
      best: this.#best,
      ended: this.#ended,
      trainer: this.trainer.state(),
    };
  }

  /** The report of a batch, unless the wish to stop comes first and the batch has not moved the weights yet. */
  async #orStop(batch: RunningBatch, stop: StopRequest): Promise<BatchReport | "interrupted"> {
    const { running } = batch;
    const before = this.trainer.steps;
    let stopListening = () => {};
    const stopped = new Promise<"interrupted">((resolve) => {
      stopListening = stop.onRequest(() => resolve("interrupted"));
    });
    try {
      const first = await Promise.race([running, stopped]);
      if (first !== "interrupted" || this.trainer.steps !== before) return await running;
      running.catch(() => {});
      this.#givenUp = { ...batch, before: this.#present() };
      return first;
    } finally {
      stopListening();
    }
  }

  /** Samples for a batch to come; of none there are none. Nobody may be left to hear that reading failed. */
  #prepare(epoch: number, indices: Uint32Array | undefined): Promise<LabelledEvents[]> {
    const prepared = indices === undefined ? Promise.resolve([]) : this.task.training.prepare(epoch, indices);
    prepared.catch(() => {});
    return prepared;
  }

  /** Learning rate of the next step. */
  #rate(): number {
    return (this.task.experiment.learning.optimiser.rate ?? 0) * this.trainer.rateFactor;
  }

  async #validate(stop: StopRequest): Promise<Figures | null | "interrupted"> {
    const { validation, scoring } = this.task;
    if (validation === null) return null;
    const measured = await evaluate(this.trainer, validation, scoring, () => stop.requested);
    if (measured === null) return "interrupted";
    this.#checkFinite(measured.loss, 0);
    const { loss, accuracy, normalisedError } = measured;
    return { loss, accuracy, normalisedError };
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
