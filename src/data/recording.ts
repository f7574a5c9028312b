/**
 * What every reader of target data returns: an array of rates or currents, [task][row][neuron].
 *
 * A *row* is one sample of the target; row q (q = 0, 1, ...) belongs to time `stimulusOff + (q + 1) * intervalMs` of a
 * trial. A *task* is one condition of the experiment (lick left, lick right).
 */
export interface Recording {
  /** `rateHz`: firing rates, non-negative. `current`: target currents in units of threshold. */
  readonly quantity: "rateHz" | "current";
  readonly tasks: number;
  readonly rows: number;
  readonly neurons: number;
  /** `tasks * rows * neurons` finite numbers; element `(task * rows + row) * neurons + neuron`. */
  readonly values: Float64Array;
  /** One name per task. */
  readonly taskNames: readonly string[];
  /** Time between rows when the file says so. */
  readonly intervalMs?: number;
  /**
   * The same shape computed from trials kept out of `values`, when the file has trials: what a trained network should
   * predict without having seen it.
   */
  readonly heldOut?: Float64Array;
  /** Notes a person should see: units dropped for their low rate, trials skipped, guesses made. */
  readonly notes: readonly string[];
}
