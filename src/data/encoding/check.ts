/** The one way in which this folder refuses a number that a person gave. */

import { UserError } from "../../base/errors.ts";

export interface Bounds {
  readonly min?: number;
  /** Exclusive lower end. */
  readonly above?: number;
  readonly max?: number;
  /** Must be a whole number. */
  readonly whole?: boolean;
}

function boundsText({ min, above, max, whole }: Bounds): string {
  const parts = [whole ? "a whole number" : "a finite number"];
  if (min !== undefined) parts.push(`>= ${min}`);
  if (above !== undefined) parts.push(`> ${above}`);
  if (max !== undefined) parts.push(`${min === undefined && above === undefined ? "" : "and "}<= ${max}`);
  return parts.join(" ");
}

/**
 * Returns the number when it lies within its bounds.
 * @param name whose number it is, as the user wrote it: `encoder "latency": tauMs`.
 */
export function checkNumber(name: string, value: number, bounds: Bounds): number {
  const { min = -Infinity, above = -Infinity, max = Infinity, whole = false } = bounds;
  if (
    typeof value !== "number" ||
    !Number.isFinite(value) ||
    value < min ||
    value > max ||
    !(value > above) ||
    (whole && !Number.isSafeInteger(value))
  ) {
    throw new UserError(`${name} is ${value}; it must be ${boundsText(bounds)}`);
  }
  return value;
}
