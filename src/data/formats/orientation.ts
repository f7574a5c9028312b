/** Which axis of a matrix is time: neighbours in time resemble each other, neighbouring neurons do not. */

import type { NumericArray } from "./numeric-array.ts";

export type Orientation = "neurons-by-rows" | "rows-by-neurons";

/**
 * Mean squared difference of neighbours along an axis, over that of strangers (von Neumann's ratio, halved): near 1 for
 * noise, near 0 for a smooth course. Lines that never change say nothing; 1 when all lines are such or too short.
 */
function roughness(data: ArrayLike<number>, lines: number, length: number, lineStep: number, step: number): number {
  if (length < 4) return 1;
  let sum = 0;
  let counted = 0;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep;
    let mean = 0;
    for (let i = 0; i < length; i++) mean += data[start + i * step];
    mean /= length;
    let spread = 0;
    let steps = 0;
    for (let i = 0; i < length; i++) {
      const value = data[start + i * step];
      spread += (value - mean) ** 2;
      if (i > 0) steps += (value - data[start + (i - 1) * step]) ** 2;
    }
    if (spread > 0) {
      sum += steps / (2 * spread);
      counted++;
    }
  }
  return counted === 0 ? 1 : sum / counted;
}

/**
 * The orientation that the numbers themselves suggest, or undefined when they do not say: noise along both axes, smooth
 * along both, too few rows.
 *
 * @param first extent of the first axis, `second` of the second; `data` holds at least `first * second` numbers.
 */
export function orientationBySmoothness(
  data: ArrayLike<number>,
  first: number,
  second: number,
): Orientation | undefined {
  const downwards = roughness(data, second, first, 1, second);
  const across = roughness(data, first, second, second, 1);
  if (across < 0.5 && across * 2 < downwards) return "neurons-by-rows";
  if (downwards < 0.5 && downwards * 2 < across) return "rows-by-neurons";
  return undefined;
}

/** Length of a vector: of n numbers, of n x 1 or of 1 x n, as MATLAB saves it. Undefined for a matrix. */
export function vectorLength(shape: readonly number[]): number | undefined {
  if (shape.length === 1) return shape[0];
  return shape.length === 2 && Math.min(...shape) === 1 ? Math.max(...shape) : undefined;
}

/** A column of times found beside the data. */
export interface TimeAxis {
  readonly name: string;
  readonly length: number;
  /** In ms, when the unit is known and the spacing even. */
  readonly intervalMs?: number;
}

const timeName =
  /^(?:t|times?|timestamps?|bin_?(?:centers?|centres?)|time_?(?:bins?|axis|points?)?)(?:[_ (]*(ms|s|sec|seconds)\)?)?$/i;

/** Whether a name is one that people give to a column of times. */
export function isTimeName(name: string): boolean {
  return timeName.test(name.split("/").at(-1) ?? "");
}

/** Reads a column of times; undefined when it is not strictly rising and so no time axis. */
export function timeAxis(name: string, array: NumericArray | { data: Float64Array }): TimeAxis | undefined {
  const times = array.data;
  const length = times.length;
  if (length < 2) return undefined;
  const step = Number(times[1]) - Number(times[0]);
  let even = true;
  for (let i = 1; i < length; i++) {
    const here = Number(times[i]) - Number(times[i - 1]);
    if (!(here > 0)) return undefined;
    // Times printed with few digits wobble; 1 % is within what a table may round.
    if (Math.abs(here - step) > 0.01 * step) even = false;
  }
  const unit = timeName.exec(name.split("/").at(-1) ?? "")?.[1]?.toLowerCase();
  const mean = (Number(times[length - 1]) - Number(times[0])) / (length - 1);
  // Sums of binary fractions: 20.000000000000004 ms is 20 ms.
  const scaled = Number((mean * (unit === "ms" ? 1 : 1000)).toPrecision(9));
  return { name, length, intervalMs: even && unit !== undefined && Number.isFinite(scaled) ? scaled : undefined };
}
