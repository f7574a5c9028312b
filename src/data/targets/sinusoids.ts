/**
 * Sinusoidal target currents, the standard first task of FORCE training (Kim & Chow, eLife 2018): every neuron follows
 * a sine of its own phase around its own mean.
 *
 *     target_i(t) = amplitude * sin(2 pi (t - phase_i) / period) + mean_i + bias(t)
 */

import { UserError } from "../../base/errors.ts";
import { sin } from "../../math/elementary.ts";

export interface SinusoidOptions {
  /** Phase of each neuron in ms; its length is the number of neurons. */
  readonly phasesMs: ArrayLike<number>;
  /** Mean of each neuron in units of threshold: the time average of its input in the untrained network. */
  readonly means: ArrayLike<number>;
  /** Number of rows. Row q is at t = (q + 1) * intervalMs after the stimulus. */
  readonly rows: number;
  /** Time between rows in ms. */
  readonly intervalMs: number;
  /** In units of threshold. Default 0.5. */
  readonly amplitude?: number;
  /** Default 1000 ms. */
  readonly periodMs?: number;
  /** Added to all neurons: one value per row, in units of threshold. Default none. */
  readonly bias?: ArrayLike<number>;
}

/**
 * @returns `rows * neurons` currents in units of threshold, element `row * neurons + neuron`.
 * @throws UserError when lengths disagree or a number is not finite.
 */
export function sinusoids(options: SinusoidOptions): Float32Array {
  const { phasesMs, means, rows, intervalMs, amplitude = 0.5, periodMs = 1000, bias } = options;
  const neurons = phasesMs.length;
  if (means.length !== neurons) {
    throw new UserError(
      `sinusoids need one phase and one mean per neuron; got ${neurons} phases, ${means.length} means`,
    );
  }
  if (!Number.isInteger(rows) || rows < 1) throw new UserError(`sinusoids need at least one row; got rows = ${rows}`);
  if (!(intervalMs > 0 && periodMs > 0)) {
    throw new UserError(`intervalMs (${intervalMs}) and periodMs (${periodMs}) of sinusoids must be > 0 ms`);
  }
  if (bias !== undefined && bias.length !== rows) {
    throw new UserError(`the common bias of sinusoids has ${bias.length} values; it needs one per row, ${rows}`);
  }
  const targets = new Float32Array(rows * neurons);
  for (let row = 0; row < rows; row++) {
    const t = (row + 1) * intervalMs;
    const common = bias === undefined ? 0 : bias[row];
    for (let i = 0; i < neurons; i++) {
      targets[row * neurons + i] = amplitude * sin((2 * Math.PI * (t - phasesMs[i])) / periodMs) + means[i] + common;
    }
  }
  const bad = targets.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new UserError(
      `the sinusoid of neuron ${bad % neurons} is ${targets[bad]} at row ${Math.floor(bad / neurons)}; phases, means, ` +
        "bias, amplitude and times must be finite",
    );
  }
  return targets;
}
