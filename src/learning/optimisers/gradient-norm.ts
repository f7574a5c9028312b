/** The length of the gradient over all parameters, and a limit on it (Pascanu, Mikolov & Bengio, ICML 2013). */

/**
 * sqrt(sum g^2) over all arrays, in float64 and in one fixed order: array by array, four interleaved sums each, because
 * the additions of a single one would wait for each other.
 */
export function globalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const g of gradients) {
    const whole = g.length - (g.length % 4);
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0; i < whole; i += 4) {
      a += g[i] * g[i];
      b += g[i + 1] * g[i + 1];
      c += g[i + 2] * g[i + 2];
      d += g[i + 3] * g[i + 3];
    }
    for (let i = whole; i < g.length; i++) a += g[i] * g[i];
    sum += a + b + (c + d);
  }
  return Math.sqrt(sum);
}

/**
 * Scales all gradients by maximum / norm if their norm is larger; one that is not finite leaves them as they are.
 * @returns the norm before
 */
export function clipGlobalNorm(gradients: readonly Float32Array[], maximum: number): number {
  const norm = globalNorm(gradients);
  if (norm > maximum && norm < Infinity) {
    const factor = maximum / norm;
    for (const g of gradients) for (let i = 0; i < g.length; i++) g[i] *= factor;
  }
  return norm;
}
