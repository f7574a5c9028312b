/**
 * Cross-entropy of rows with a label, and its focal form (Lin et al., ICCV 2017, arXiv 1708.02002, eq. 5):
 *
 *   p = softmax(y)
 *   loss = - c_l (1 - p_l)^gamma log p_l                                l the label, c its class weight; gamma = 0: plain
 *   d loss / d y_k = c_l f (p_k - [k = l])
 *   f = (1 - p_l)^gamma (1 - gamma p_l log(p_l) / (1 - p_l))            1 if gamma = 0
 */
import { UserError } from "../../base/errors.ts";
import { exp, log } from "../../math/elementary.ts";
import type { RowLoss, Target } from "./row-loss.ts";
import { exponentials, type Floats, maximumOf } from "./softmax.ts";

export class CrossEntropy implements RowLoss {
  readonly #gamma: number;
  readonly #classWeights: Float64Array;
  readonly #exponentials: Float64Array;

  constructor(outputs: number, gamma: number, classWeights: readonly number[] | null) {
    this.#gamma = gamma;
    this.#classWeights = Float64Array.from({ length: outputs }, (_, k) => classWeights?.[k] ?? 1);
    this.#exponentials = new Float64Array(outputs);
  }

  scored(_target: Target, from: number, to: number): number {
    return to - from;
  }

  evaluate(y: Floats, from: number, to: number, target: Target, dy: Floats, scale: number): number {
    if (!("label" in target)) {
      throw new UserError(
        "cross-entropy needs a label for every sample; to follow a trace choose the loss squaredError",
      );
    }
    const { label } = target;
    const e = this.#exponentials;
    const outputs = e.length;
    const gamma = this.#gamma;
    const weight = this.#classWeights[label] * scale;
    let loss = 0;
    for (let t = from; t < to; t++) {
      const start = t * outputs;
      const maximum = maximumOf(y, start, outputs);
      const sum = exponentials(y, start, outputs, maximum, e);
      const surprise = maximum + log(sum) - y[start + label];
      let slope = weight;
      if (gamma === 0) {
        loss += surprise;
      } else {
        const p = e[label] / sum;
        const rest = 1 - p;
        const focus = rest > 0 ? exp(gamma * log(rest)) : 0 * rest;
        loss += focus * surprise;
        slope *= rest > 0 ? focus * (1 + (gamma * p * surprise) / rest) : focus;
      }
      const share = slope / sum;
      for (let k = 0; k < outputs; k++) dy[start + k] = share * e[k];
      dy[start + label] = share * (e[label] - sum);
    }
    return loss * weight;
  }
}
