/**
 * Losses of one sample: the readout trace in, loss, gradient of the trace, prediction and class probabilities out.
 *
 * A loss is put together from a readout (`readout.ts`), which reduces the trace to one row of numbers or leaves every
 * step as a row, and a loss of rows (`cross-entropy.ts`, `squared-error.ts`). Arithmetic is float64. Samples have their
 * own lengths; a mean over the batch is the caller's, by `weight`.
 */
import { UserError } from "../../base/errors.ts";
import { CrossEntropy } from "./cross-entropy.ts";
import { complete, type Kinds } from "./description.ts";
import { ReducedReadout, type Reduction, reductions } from "./readout.ts";
import { checkTarget, type RowLoss, type Target } from "./row-loss.ts";
import { type Floats, softmax } from "./softmax.ts";
import { SquaredError } from "./squared-error.ts";

/** What every loss needs to know about the readout. */
interface ReadoutSettings {
  /** What the loss is taken of. "perStep": of every step, and added up. Default "max"; "perStep" for e-prop. */
  readonly readout?: Reduction | "perStep";
  /** What classes are predicted from. Default the readout itself, and "mean" with "perStep". */
  readonly prediction?: Reduction | null;
  /** The error window: only steps fromStep <= t < toStep count, in the readout and in the prediction. Default 0. */
  readonly fromStep?: number;
  /** Default null: to the end of the sample. */
  readonly toStep?: number | null;
  /** With "perStep": add the losses of the scored steps up, or divide by their number. Default "sum". */
  readonly overSteps?: "sum" | "mean";
}

/** What an experiment can say about its loss. */
export type LossDescription =
  | (ReadoutSettings & {
      readonly type: "crossEntropy";
      /** One factor per class on the loss of its samples. Default null: 1 for all. */
      readonly classWeights?: readonly number[] | null;
    })
  | (ReadoutSettings & {
      /** Cross-entropy that attends to samples not yet learned: times (1 - p)^gamma. */
      readonly type: "focal";
      /** Default 2. */
      readonly gamma?: number;
      readonly classWeights?: readonly number[] | null;
    })
  | (ReadoutSettings & {
      /** 1/2 sum of squared differences to a target trace, or to a label as numbers. */
      readonly type: "squaredError";
      /** Target of the label's output, in units of the readout. Default 1. */
      readonly on?: number;
      /** Target of the other outputs. Default 0. */
      readonly off?: number;
    });

const readoutSettings = {
  readout: { words: [...reductions, "perStep"], default: "max" },
  prediction: { words: reductions, default: null },
  fromStep: { default: 0, min: 0, integer: true },
  toStep: { default: null, min: 1, integer: true },
  overSteps: { words: ["sum", "mean"], default: "sum" },
} as const;
const classWeights = { each: { min: 0 }, default: null } as const;

export const lossKinds: Kinds<LossDescription> = {
  crossEntropy: { ...readoutSettings, classWeights },
  focal: { ...readoutSettings, classWeights, gamma: { default: 2, min: 0 } },
  squaredError: { ...readoutSettings, on: { default: 1 }, off: { default: 0 } },
};

export interface Prediction {
  /** The class with the largest predicted readout, the lowest of equals. */
  predicted: number;
  /** Softmax of the predicted readout, [outputs]. */
  readonly probabilities: Float64Array;
}

export interface Evaluation extends Prediction {
  loss: number;
}

export class Loss {
  readonly outputs: number;
  readonly #rowLoss: RowLoss;
  /** null: every step is a row. */
  readonly #readout: ReducedReadout | null;
  readonly #prediction: ReducedReadout;
  readonly #fromStep: number;
  readonly #toStep: number;
  readonly #meanOverSteps: boolean;
  readonly #gradient: Float64Array;
  readonly #result: Evaluation;

  /** Use `makeLoss`. */
  constructor(outputs: number, settings: Required<ReadoutSettings>, rowLoss: RowLoss) {
    const { readout, prediction, fromStep, toStep, overSteps } = settings;
    this.outputs = outputs;
    this.#rowLoss = rowLoss;
    this.#readout = readout === "perStep" ? null : new ReducedReadout(readout, outputs);
    this.#prediction =
      this.#readout !== null && (prediction ?? readout) === readout
        ? this.#readout
        : new ReducedReadout(prediction ?? "mean", outputs);
    this.#fromStep = fromStep;
    this.#toStep = toStep ?? Infinity;
    this.#meanOverSteps = overSteps === "mean";
    this.#gradient = new Float64Array(outputs);
    this.#result = { loss: 0, predicted: 0, probabilities: new Float64Array(outputs) };
  }

  /**
   * @param y readout trace, [steps x outputs] row by row; may be longer
   * @param steps length of this sample
   * @param dy takes `weight` times the gradient of the loss, [steps x outputs]; every value of these is written
   * @param weight factor on loss and gradient: 1 for a sum over samples, 1 / batch for a mean
   * @returns the same object at every call
   * @throws UserError for a label or trace that does not fit, and for a sample without a step in the error window
   */
  evaluate(y: Floats, steps: number, target: Target, dy: Floats, weight = 1): Evaluation {
    const { outputs } = this;
    const from = this.#fromStep;
    const to = this.#windowEnd(steps);
    checkTarget(target, this.#readout === null ? steps : 1, outputs);
    dy.fill(0, 0, steps * outputs);
    if (this.#readout === null) {
      const count = this.#meanOverSteps ? this.#rowLoss.scored(target, from, to) : 1;
      this.#result.loss = count > 0 ? this.#rowLoss.evaluate(y, from, to, target, dy, weight / count) : 0;
    } else {
      this.#readout.reduce(y, from, to);
      this.#result.loss = this.#rowLoss.evaluate(this.#readout.values, 0, 1, target, this.#gradient, weight);
      this.#readout.spread(this.#gradient, dy, from, to);
    }
    if (this.#prediction !== this.#readout) this.#prediction.reduce(y, from, to);
    this.#classify();
    return this.#result;
  }

  /** Prediction without a target; the same object at every call. Arguments as for `evaluate`. */
  predict(y: Floats, steps: number): Prediction {
    this.#prediction.reduce(y, this.#fromStep, this.#windowEnd(steps));
    this.#classify();
    return this.#result;
  }

  #classify(): void {
    this.#result.predicted = this.#prediction.largest();
    softmax(this.#prediction.values, this.#result.probabilities);
  }

  #windowEnd(steps: number): number {
    const end = Math.min(steps, this.#toStep);
    if (end > this.#fromStep) return end;
    throw new UserError(
      `a sample has ${steps} steps, but the loss counts only from step ${this.#fromStep} on; ` +
        "lower fromStep or leave such samples out",
    );
  }
}

/**
 * @param outputs number of readout neurons: classes, or values of a target per step
 * @param path where the description stands, for messages
 * @throws UserError for settings that are unknown, out of range or exclude each other
 */
export function makeLoss(description: LossDescription, outputs: number, path = "loss"): Loss {
  const settings = complete(path, description, lossKinds);
  const { fromStep, toStep, readout, overSteps } = settings;
  if (toStep !== null && toStep <= fromStep) {
    throw new UserError(`${path}.toStep is ${toStep}; it must be above ${path}.fromStep, which is ${fromStep}`);
  }
  if (overSteps === "mean" && readout !== "perStep") {
    throw new UserError(
      `${path}.overSteps is "mean", which needs the readout "perStep", not "${readout}"; leave overSteps out`,
    );
  }
  if (settings.type === "squaredError") {
    return new Loss(outputs, settings, new SquaredError(outputs, settings.on, settings.off));
  }
  const weights = settings.classWeights;
  if (weights !== null && weights.length !== outputs) {
    throw new UserError(
      `${path}.classWeights has ${weights.length} numbers; give one for each of the ${outputs} classes`,
    );
  }
  const gamma = settings.type === "focal" ? settings.gamma : 0;
  return new Loss(outputs, settings, new CrossEntropy(outputs, gamma, weights));
}
