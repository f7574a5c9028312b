/**
 * The recursive least-squares update of one neuron, in float64 and plain words: the twin of the fast kernel.
 *
 * x are the traces of the neuron's M inputs, w its weights, P the inverse of (penalty + sum of x x'), u the rest of its
 * current. With the target f:
 * ```
 *   k = P x          c = 1 / (1 + x'k)          P <- P - c k k'
 *   e = w'x + u - f                             w <- w - c e k
 * ```
 * Source: Haykin, Adaptive Filter Theory, ch. 10 (forgetting factor 1); FORCE: Sussillo & Abbott 2009, Neuron 63:544.
 * TrainSpikingNet (since March 2024) leaves c out of the last line: `compat: "trainspikingnet"`.
 */
export interface ReferenceUpdate {
  /** Error before the step. */
  readonly error: number;
  /** x'Px before the step; a healthy P has it >= 0. */
  readonly gain: number;
}

/** @param P M x M, row by row, symmetric; changed in place unless x'Px < 0. @param w length M; changed in place. */
export function updateRls(
  P: Float64Array,
  w: Float64Array,
  x: ArrayLike<number>,
  restMinusTarget: number,
  compat: "none" | "trainspikingnet" = "none",
): ReferenceUpdate {
  const M = w.length;
  const k = new Float64Array(M);
  for (let a = 0; a < M; a++) {
    let sum = 0;
    for (let b = 0; b < M; b++) sum += P[a * M + b] * x[b];
    k[a] = sum;
  }
  let gain = 0;
  let error = restMinusTarget;
  for (let a = 0; a < M; a++) {
    gain += x[a] * k[a];
    error += w[a] * x[a];
  }
  if (!(gain >= 0)) return { error, gain };
  const c = 1 / (1 + gain);
  const step = compat === "none" ? c * error : error;
  for (let a = 0; a < M; a++) {
    for (let b = 0; b < M; b++) P[a * M + b] -= c * k[a] * k[b];
    w[a] -= step * k[a];
  }
  return { error, gain };
}

/**
 * P before any sample: the inverse of diag(lambda) + mu S, where S is 1 between inputs of the same sign.
 *
 * Per sign block of size n: (1/lambda) (I - mu / (lambda + n mu) 1 1'). Inputs of sign 0 (feed-forward) have a penalty of
 * their own and belong to no block.
 */
export function initialP(
  signs: Int8Array,
  lambda: number,
  lambdaFeedforward: number,
  mu: number,
): (row: number, column: number) => number {
  const positive = signs.reduce((n, sign) => n + (sign > 0 ? 1 : 0), 0);
  const negative = signs.reduce((n, sign) => n + (sign < 0 ? 1 : 0), 0);
  return (row, column) => {
    const sign = signs[row];
    if (sign === 0) return row === column ? 1 / lambdaFeedforward : 0;
    if (sign !== signs[column]) return 0;
    const n = sign > 0 ? positive : negative;
    return ((row === column ? 1 : 0) - mu / (lambda + n * mu)) / lambda;
  };
}
