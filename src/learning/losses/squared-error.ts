/**
 * Squared error of rows, with the factor 1/2 that makes the gradient the error itself (Bellec et al., Nat. Commun.
 * 11:3625, 2020), summed over outputs:
 *
 *   loss = 1/2 sum_t sum_k m_k(t) (y_k(t) - y*_k(t))^2
 *   d loss / d y_k(t) = m_k(t) (y_k(t) - y*_k(t))
 *
 * The mask m is 1 where none is given. A label stands for the target `on` at its own output and `off` at the others.
 */
import type { RowLoss, Target, TargetTrace } from "./row-loss.ts";
import type { Floats } from "./softmax.ts";

export class SquaredError implements RowLoss {
  readonly #on: number;
  readonly #off: number;
  readonly #outputs: number;

  constructor(outputs: number, on: number, off: number) {
    this.#outputs = outputs;
    this.#on = on;
    this.#off = off;
  }

  scored(target: Target, from: number, to: number): number {
    if (!("trace" in target) || target.mask === undefined) return to - from;
    const { mask, trace } = target;
    const perRow = mask.length === trace.length ? this.#outputs : 1;
    let sum = 0;
    for (let i = from * perRow; i < to * perRow; i++) sum += mask[i];
    return sum / perRow;
  }

  evaluate(y: Floats, from: number, to: number, target: Target, dy: Floats, scale: number): number {
    if ("trace" in target) return this.#toTrace(y, from, to, target, dy, scale);
    const outputs = this.#outputs;
    let loss = 0;
    for (let t = from; t < to; t++) {
      for (let k = 0; k < outputs; k++) {
        const i = t * outputs + k;
        const error = y[i] - (k === target.label ? this.#on : this.#off);
        loss += error * error;
        dy[i] = scale * error;
      }
    }
    return 0.5 * scale * loss;
  }

  #toTrace(y: Floats, from: number, to: number, target: TargetTrace, dy: Floats, scale: number) {
    const { trace, mask } = target;
    const outputs = this.#outputs;
    const perEntry = mask?.length === trace.length;
    let loss = 0;
    for (let t = from; t < to; t++) {
      for (let k = 0; k < outputs; k++) {
        const i = t * outputs + k;
        const weight = mask === undefined ? 1 : mask[perEntry ? i : t];
        const error = y[i] - trace[i];
        loss += weight * error * error;
        dy[i] = scale * weight * error;
      }
    }
    return 0.5 * scale * loss;
  }
}
