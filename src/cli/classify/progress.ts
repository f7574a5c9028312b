/** The progress of a classifier's training: what every batch and every epoch says. */

import type { EpochReport } from "../../experiment/classify/epoch-sums.ts";
import type { Figures } from "../../experiment/classify/evaluate.ts";
import type { BatchProgress } from "../../experiment/classify/loop.ts";
import type { Progress } from "../progress.ts";
import { formatDuration } from "../talk.ts";

/** `loss 0.412  accuracy 87.3 %`, or the error of a curve. */
export function figuresText({ loss, accuracy, normalisedError }: Figures): string {
  const second =
    accuracy !== null
      ? `accuracy ${(100 * accuracy).toFixed(1)} %`
      : `error ${(normalisedError ?? Number.NaN).toFixed(4)}`;
  return `loss ${loss.toPrecision(3)}  ${second}`;
}

const ratesText = (ratesHz: readonly number[]): string => `${ratesHz.map((rate) => rate.toFixed(1)).join(" / ")} Hz`;

const speedText = (perSecond: number): string => `${Math.round(perSecond)} samples/s`;

export class EpochProgress {
  readonly #progress: Progress;
  readonly #total: number;
  #last: EpochReport | undefined;

  constructor(progress: Progress, total: number) {
    this.#progress = progress;
    this.#total = total;
  }

  /** The line that updates while an epoch runs. */
  batch({ epoch, done, samples, figures, ratesHz, samplesPerSecond }: BatchProgress): void {
    const rest = (this.#total - epoch) * (this.#last?.seconds ?? samples / samplesPerSecond);
    const left = (samples - done) / samplesPerSecond + rest;
    const text = [
      `epoch ${epoch}/${this.#total}`,
      figuresText(figures),
      ratesText(ratesHz),
      speedText(samplesPerSecond),
      `${formatDuration(left)} left`,
    ].join("  ");
    this.#progress.update(text, (epoch - 1 + done / samples) / this.#total);
  }

  /** A line that stays. */
  epoch(report: EpochReport): void {
    this.#last = report;
    const { epoch, train, validation, layers, samplesPerSecond, seconds } = report;
    const text = [
      `epoch ${epoch}/${this.#total}`,
      figuresText(train),
      ...(validation === null ? [] : [`validation ${figuresText(validation)}`]),
      ratesText(layers.map(({ rateHz }) => rateHz)),
      speedText(samplesPerSecond),
      ...(epoch < this.#total ? [`${formatDuration((this.#total - epoch) * seconds)} left`] : []),
    ].join("  ");
    this.#progress.say(text);
  }
}
