/** The few statistics that figures need. Values that are not numbers are left out, never counted as zero. */

/** Finite values, ascending. */
export function sortedFinite(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).filter(Number.isFinite).sort();
}

/** Quantile q of ascending values, linear between neighbours; NaN for none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = Math.min(1, Math.max(0, q)) * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export function median(values: ArrayLike<number>): number {
  return quantile(sortedFinite(values), 0.5);
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    sum += values[i];
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

export function standardDeviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    sum += (values[i] - centre) ** 2;
    count++;
  }
  return count === 0 ? Number.NaN : Math.sqrt(sum / count);
}

/** Row by row over trials: the median, and the median absolute deviation from it. */
export function medianAndDeviation(
  trials: readonly Float32Array[],
  rows: number,
): { median: Float32Array; mad: Float32Array } {
  const middle = new Float32Array(rows);
  const mad = new Float32Array(rows);
  const column = new Float64Array(trials.length);
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < trials.length; t++) column[t] = trials[t][row];
    const centre = median(column);
    for (let t = 0; t < trials.length; t++) column[t] = Math.abs(column[t] - centre);
    middle[row] = centre;
    mad[row] = median(column);
  }
  return { median: middle, mad };
}

/** Mean over a centred window of odd length; gaps are skipped, and a window of gaps stays a gap (NaN). */
export function runningMean(values: ArrayLike<number>, window: number): Float32Array {
  const half = (window - 1) >> 1;
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    let sum = 0;
    let count = 0;
    for (let j = Math.max(0, i - half); j <= Math.min(values.length - 1, i + half); j++) {
      if (!Number.isFinite(values[j])) continue;
      sum += values[j];
      count++;
    }
    out[i] = count === 0 ? Number.NaN : sum / count;
  }
  return out;
}

/** Counts of values in equal bins over [low, high); the last bin includes `high`. */
export function histogram(values: ArrayLike<number>, low: number, high: number, bins: number) {
  const counts = new Float64Array(bins);
  let below = 0;
  let above = 0;
  const scale = bins / (high - low);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    if (value < low) below++;
    else if (value > high) above++;
    else counts[Math.min(bins - 1, Math.floor((value - low) * scale))]++;
  }
  return { counts, below, above };
}

/** Round numbers 1, 2 or 5 x 10^n that cover [low, high] in about `wanted` intervals. */
export function niceTicks(low: number, high: number, wanted = 5): number[] {
  const raw = (high - low) / wanted;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999) ?? power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Multiply, do not add up: 3 x 0.1 is written 0.3 after rounding to the step's own digits.
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}

/**
 * 95 % interval of a share of independent cases (Wilson 1927): where p lies such that the observed share is no further
 * off than 1.96 standard errors of p.
 */
export function shareInterval(share: number, cases: number): readonly [number, number] {
  const z2 = 1.959964 ** 2 / cases;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = Math.sqrt(z2 * share * (1 - share) + (z2 * z2) / 4) / (1 + z2);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
