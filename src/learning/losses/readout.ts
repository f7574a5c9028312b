/**
 * From a readout trace y [steps x outputs], step by step, to one number per output, and back.
 *
 *   last        r_k = y_k(T-1)
 *   sum         r_k = sum_t y_k(t)
 *   mean        r_k = sum_t y_k(t) / T
 *   max         r_k = max_t y_k(t); the gradient goes to the first maximal step
 *   spikeCount  r_k = sum_t y_k(t), for outputs that spike: y_k(t) is 0 or 1
 */
import type { Floats } from "./softmax.ts";

export const reductions = ["last", "sum", "mean", "max", "spikeCount"] as const;
export type Reduction = (typeof reductions)[number];

/** One number per output, and where a maximum lies. */
export class ReducedReadout {
  readonly kind: Reduction;
  readonly values: Float64Array;
  /** With `max`: the first maximal step of every output. */
  readonly steps: Uint32Array;

  constructor(kind: Reduction, outputs: number) {
    this.kind = kind;
    this.values = new Float64Array(outputs);
    this.steps = new Uint32Array(outputs);
  }

  /** Reduces steps from .. to-1 of y, at least one. A value that stays NaN makes the result NaN. */
  reduce(y: Floats, from: number, to: number): void {
    const { kind, values, steps } = this;
    const outputs = values.length;
    const end = to * outputs;
    for (let k = 0; k < outputs; k++) {
      if (kind === "last") {
        values[k] = y[end - outputs + k];
      } else if (kind === "max") {
        let maximum = -Infinity;
        let at = from * outputs + k;
        for (let i = at; i < end; i += outputs) {
          if (y[i] <= maximum) continue;
          maximum = y[i];
          at = i;
        }
        values[k] = maximum;
        steps[k] = (at - k) / outputs;
      } else {
        let sum = 0;
        for (let i = from * outputs + k; i < end; i += outputs) sum += y[i];
        values[k] = kind === "mean" ? sum / (to - from) : sum;
      }
    }
  }

  /** The opposite direction: adds the gradient of y to dy, given the gradient of the values just reduced. */
  spread(gradient: Float64Array, dy: Floats, from: number, to: number): void {
    const { kind, steps } = this;
    const outputs = gradient.length;
    for (let k = 0; k < outputs; k++) {
      if (kind === "last") dy[(to - 1) * outputs + k] += gradient[k];
      else if (kind === "max") dy[steps[k] * outputs + k] += gradient[k];
      else {
        const share = kind === "mean" ? gradient[k] / (to - from) : gradient[k];
        for (let i = from * outputs + k; i < to * outputs; i += outputs) dy[i] += share;
      }
    }
  }

  /** The output with the largest value, the lowest if several have it. */
  largest(): number {
    let best = 0;
    for (let k = 1; k < this.values.length; k++) if (this.values[k] > this.values[best]) best = k;
    return best;
  }
}
