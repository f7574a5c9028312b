/**
 * The regulariser of GeNN's e-prop (Knight & Nowotny, NICE 2022): every neuron's firing rate, low-pass filtered while the
 * sample runs, is compared with a target, and the difference joins the learning signal of that step:
 *
 *   f_j(t) = a f_j(t-1) + (1 - a) z_j(t),   a = exp(-dt / tau)
 *   M_j(t) += c (f_j(t) - f*)               f* = target rate x dt, in spikes per step
 *
 * This is the gradient of c/2 sum_j (f_j - f*)^2 with f taken for z: no exact derivative of a loss, but what published
 * runs use. Each sample depends on its own spikes alone. f is one number per neuron, which the caller keeps: all 0 at the
 * start of a sample, or carried over from the last.
 */
import { exp } from "../../math/elementary.ts";
import { complete, type Kinds } from "./description.ts";
import type { Floats } from "./softmax.ts";

export interface FilteredRateDescription {
  readonly type: "filteredRate";
  /** c. Default 1e-3. */
  readonly strength?: number;
  /** Default 10. */
  readonly targetHz?: number;
  /** Time constant of the filter. Default 500. */
  readonly tauMs?: number;
}

export const filteredRateKinds: Kinds<FilteredRateDescription> = {
  filteredRate: {
    strength: { default: 1e-3, min: 0 },
    targetHz: { default: 10, min: 0 },
    tauMs: { default: 500, above: 0 },
  },
};

export class FilteredRate {
  readonly strength: number;
  /** f*, spikes per step. */
  readonly target: number;
  /** a. */
  readonly decay: number;

  /** @throws UserError for settings that are unknown or out of range; `path` is where they stand. */
  constructor(description: FilteredRateDescription, dtMs: number, path = "regulariser") {
    const { strength, targetHz, tauMs } = complete(path, description, filteredRateKinds);
    this.strength = strength;
    this.target = (targetHz * dtMs) / 1000;
    this.decay = exp(-dtMs / tauMs);
  }

  /**
   * One step: advances f [neurons] by the spikes spikes[from .. to-1] (neuron numbers) and adds c (f - f*) to the
   * gradient's values start .. start+neurons-1. Between steps f is kept decayed, ready for the next one: one pass less.
   */
  step(f: Float64Array, spikes: ArrayLike<number>, from: number, to: number, gradient: Floats, start: number): void {
    const { strength, target, decay } = this;
    for (let s = from; s < to; s++) f[spikes[s]] += 1 - decay;
    for (let j = 0; j < f.length; j++) {
      gradient[start + j] += strength * (f[j] - target);
      f[j] *= decay;
    }
  }

  /**
   * A whole sample: adds to the gradient [steps x neurons]. The spikes of step t are spikes[starts[t] .. starts[t+1]-1].
   * @param f [neurons], advanced to the end of the sample
   */
  trace(f: Float64Array, spikes: ArrayLike<number>, starts: ArrayLike<number>, steps: number, gradient: Floats): void {
    for (let t = 0; t < steps; t++) this.step(f, spikes, starts[t], starts[t + 1], gradient, t * f.length);
  }
}
