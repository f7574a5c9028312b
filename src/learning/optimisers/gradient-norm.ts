/** The length of the gradient over all parameters, and a limit on it (Pascanu, Mikolov & Bengio, ICML 2013). */

/**
 * sum g^2 in float64 and in one fixed order: four interleaved sums, because the additions of a single one would wait for
 * each other.
 */
export function squaredNorm(g: Float32Array): number {
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
  return a + b + (c + d);
}

/** Scales gradients, whose norm together is `norm`, to that of `maximum` if it is larger; not where it is not finite. */
export function clipNorm(gradients: readonly Float32Array[], norm: number, maximum: number): void {
  if (!(norm > maximum && norm < Infinity)) return;
  const factor = maximum / norm;
  for (const g of gradients) for (let i = 0; i < g.length; i++) g[i] *= factor;
}
