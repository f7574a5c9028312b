/**
 * Descriptive statistics, as pure functions of arrays. Sums are float64 in index order, so results are reproducible.
 *
 * What cannot be computed is NaN, never a guess: the mean of nothing, the correlation with a constant. A NaN among the
 * values makes the result NaN. Variances divide by n, as `numpy.var` does.
 */

export type Numbers = ArrayLike<number>;

export function mean(values: Numbers): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Mean squared deviation from the mean; 0 for one value, NaN for none. */
export function variance(values: Numbers): number {
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - centre) ** 2;
  return sum / values.length;
}

/**
 * Quantiles at the given fractions (each 0..1), in their order; between two order statistics the value is interpolated
 * linearly (type 7 of Hyndman and Fan 1996, the default of numpy and R).
 */
export function quantiles(values: Numbers, fractions: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  const last = sorted.length - 1;
  // The sort puts NaN at the end.
  if (last < 0 || Number.isNaN(sorted[last])) return fractions.map(() => NaN);
  return fractions.map((fraction) => {
    if (!(fraction >= 0 && fraction <= 1)) throw new RangeError(`quantile ${fraction} must lie between 0 and 1`);
    const position = fraction * last;
    const below = Math.floor(position);
    const weight = position - below;
    return weight === 0 ? sorted[below] : sorted[below] * (1 - weight) + sorted[below + 1] * weight;
  });
}

export function quantile(values: Numbers, fraction: number): number {
  return quantiles(values, [fraction])[0];
}

export function median(values: Numbers): number {
  return quantile(values, 0.5);
}

/** Median distance from the median, unscaled (times 1.4826 it estimates the standard deviation of a normal). */
export function medianAbsoluteDeviation(values: Numbers): number {
  const centre = median(values);
  return median(Float64Array.from(values, (value) => Math.abs(value - centre)));
}

/** Pearson's correlation of two arrays of one length, -1..1; NaN if either is constant or has fewer than two values. */
export function pearson(a: Numbers, b: Numbers): number {
  checkSameLength(a, b, "correlate");
  // Asked of the values themselves: the rounded mean of a constant need not equal it.
  if (isConstant(a) || isConstant(b)) return NaN;
  const meanA = mean(a);
  const meanB = mean(b);
  let aa = 0;
  let bb = 0;
  let ab = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] - meanA;
    const y = b[i] - meanB;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  // Rounding may lead past 1 by an ulp or two.
  return Math.max(-1, Math.min(1, ab / (Math.sqrt(aa) * Math.sqrt(bb))));
}

/**
 * 1 - mean((predicted - target)^2) / variance(target): 1 is perfect, 0 is no better than the target's mean, and worse
 * predictions are negative. NaN if the target is constant.
 */
export function varianceExplained(predicted: Numbers, target: Numbers): number {
  checkSameLength(predicted, target, "compare");
  if (isConstant(target)) return NaN;
  let error = 0;
  for (let i = 0; i < target.length; i++) error += (predicted[i] - target[i]) ** 2;
  return 1 - error / target.length / variance(target);
}

/**
 * Coefficient of variation of the intervals between spikes: standard deviation / mean. 0 for a clock, 1 for a Poisson
 * process. NaN with fewer than two intervals.
 *
 * @param steps spike times of one neuron, ascending, in any unit.
 */
export function cvIsi(steps: Numbers): number {
  if (steps.length < 3) return NaN;
  const intervals = new Float64Array(steps.length - 1);
  for (let i = 0; i < intervals.length; i++) intervals[i] = steps[i + 1] - steps[i];
  return Math.sqrt(variance(intervals)) / mean(intervals);
}

/** Variance / mean of spike counts, one count per trial or window; 1 for a Poisson process. NaN without spikes. */
export function fanoFactor(counts: Numbers): number {
  return variance(counts) / mean(counts);
}

export interface Histogram {
  /** bins + 1 ascending edges. */
  readonly edges: Float64Array;
  /** Values in [edges[i], edges[i+1]); the last bin includes its upper edge. */
  readonly counts: Uint32Array;
}

/**
 * Counts of values in `bins` bins of equal width.
 *
 * @param range lowest and highest edge; by default the range of the finite values, widened by 0.5 on both sides if they
 *   are all equal. Values outside and NaN are not counted.
 */
export function histogram(values: Numbers, bins: number, range?: readonly [number, number]): Histogram {
  if (!(Number.isInteger(bins) && bins >= 1)) throw new RangeError(`a histogram of ${bins} bins cannot be made`);
  const [low, high] = range ?? finiteRange(values);
  if (!(low < high && Number.isFinite(high - low))) {
    throw new RangeError(`the range of a histogram must ascend and be finite, not ${low} to ${high}`);
  }
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) =>
    i === bins ? high : low + ((high - low) * i) / bins,
  );
  const counts = new Uint32Array(bins);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value >= low && value <= high)) continue;
    let bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
    // The quotient is rounded; the edges decide.
    if (value < edges[bin]) bin--;
    else if (bin < bins - 1 && value >= edges[bin + 1]) bin++;
    counts[bin]++;
  }
  return { edges, counts };
}

function finiteRange(values: Numbers): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function isConstant(values: Numbers): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

function checkSameLength(a: Numbers, b: Numbers, verb: string): void {
  if (a.length !== b.length)
    throw new RangeError(`cannot ${verb} ${a.length} values with ${b.length}; lengths must be equal`);
}
