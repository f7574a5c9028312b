/**
 * The readout reduced to one number per output while it is still going on: after any step the same numbers, to the bit, as
 * `losses/readout.ts` gives for the trace up to there.
 */
import { complete } from "../losses/description.ts";
import { type LossDescription, lossKinds } from "../losses/loss.ts";
import type { Reduction } from "../losses/readout.ts";

export class RunningReadout {
  readonly #kind: Reduction;
  readonly #fromStep: number;
  readonly #toStep: number;
  /** Last value, largest value or sum. */
  readonly #kept: Float64Array;
  readonly #values: Float64Array;
  #steps = 0;

  /** @param loss says which reduction classes are predicted from, and which steps count */
  constructor(outputs: number, loss: LossDescription = { type: "crossEntropy" }) {
    const { readout, prediction, fromStep, toStep } = complete("loss", loss, lossKinds);
    this.#kind = prediction ?? (readout === "perStep" ? "mean" : readout);
    this.#fromStep = fromStep;
    this.#toStep = toStep ?? Number.POSITIVE_INFINITY;
    this.#kept = new Float64Array(outputs);
    this.#values = new Float64Array(outputs);
  }

  get steps(): number {
    return this.#steps;
  }

  /** The readout of the next step. */
  add(row: Float32Array): void {
    const t = this.#steps++;
    if (t < this.#fromStep || t >= this.#toStep) return;
    const kept = this.#kept;
    const isFirst = t === this.#fromStep;
    if (this.#kind === "last") for (let k = 0; k < kept.length; k++) kept[k] = row[k];
    else if (this.#kind !== "max") for (let k = 0; k < kept.length; k++) kept[k] += row[k];
    else for (let k = 0; k < kept.length; k++) if (isFirst || !(row[k] <= kept[k])) kept[k] = row[k];
  }

  /** One number per output, zeros before the first step that counts: a view that the next call overwrites. */
  values(): Float64Array {
    const counted = Math.min(this.#steps, this.#toStep) - this.#fromStep;
    const divisor = this.#kind === "mean" && counted > 0 ? counted : 1;
    for (let k = 0; k < this.#kept.length; k++) this.#values[k] = this.#kept[k] / divisor;
    return this.#values;
  }

  /** The output with the largest value, the lowest if several have it. */
  largest(): number {
    const values = this.values();
    let best = 0;
    for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
    return best;
  }

  reset(): void {
    this.#kept.fill(0);
    this.#steps = 0;
  }
}
