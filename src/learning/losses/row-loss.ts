/** What a loss of rows is given and gives back; the rows are the steps of a readout trace, or the one row it reduces to. */
import { UserError } from "../../base/errors.ts";
import type { Floats } from "./softmax.ts";

/** A readout to be followed, [steps x outputs], or [1 x outputs] with a reduced readout. */
export interface TargetTrace {
  readonly trace: Floats;
  /** Factors on the squared errors, one per step or one per value of the trace. Absent: 1. */
  readonly mask?: Floats | Uint8Array;
}

/** What a sample should have led to: a class or a trace. */
export type Target = { readonly label: number } | TargetTrace;

export interface RowLoss {
  /**
   * Loss of rows from .. to-1 of y [rows x outputs]. Writes `scale` times the gradient to the same rows of dy.
   * @returns `scale` times the loss
   */
  evaluate(y: Floats, from: number, to: number, target: Target, dy: Floats, scale: number): number;
  /** How many of these rows count. */
  scored(target: Target, from: number, to: number): number;
}

/** @param rows how many rows a trace must have: the steps of the sample, or 1 with a reduced readout */
export function checkTarget(target: Target, rows: number, outputs: number): void {
  if ("label" in target) {
    if (Number.isInteger(target.label) && target.label >= 0 && target.label < outputs) return;
    throw new UserError(
      `a sample has the label ${target.label}, but the network has ${outputs} outputs, for labels 0 to ${outputs - 1}`,
    );
  }
  const size = rows * outputs;
  if (target.trace.length !== size) {
    throw new UserError(
      `a target trace has ${target.trace.length} values; it needs ${rows} x ${outputs} (steps x outputs)`,
    );
  }
  const masked = target.mask?.length;
  if (masked !== undefined && masked !== size && masked !== rows) {
    throw new UserError(
      `the mask of a target has ${masked} values; give one per step (${rows}) or per value (${size})`,
    );
  }
}
