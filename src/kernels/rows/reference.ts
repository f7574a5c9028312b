/**
 * What spikes do to rows of a matrix, in plain float64. W is [source][target]; row i belongs to source i.
 *
 *   accumulate:  current[:] += value_i W[i][:]       for every spike i: delivery, forward in time
 *   scatter:     G[i][:] += value_i adjoint[:]       for every spike i: the gradient of the weights, backward in time
 *   dots:        out[i] += W[i][:] . adjoint[:]      for every source i: the adjoint of its spikes
 *
 * A sparse matrix has, for source i, synapses offsets[i] .. offsets[i+1] with `targets` and one weight each.
 */
export interface RowShape {
  readonly sources: number;
  readonly targets: number;
  /** Null for a dense matrix. */
  readonly sparse: { readonly offsets: Uint32Array; readonly targets: Uint32Array } | null;
}

/** Calls `visit(index of the weight, target)` along row i. */
export function alongRow(shape: RowShape, i: number, visit: (weight: number, target: number) => void): void {
  if (shape.sparse === null) {
    for (let j = 0; j < shape.targets; j++) visit(i * shape.targets + j, j);
    return;
  }
  const { offsets, targets } = shape.sparse;
  for (let s = offsets[i]; s < offsets[i + 1]; s++) visit(s, targets[s]);
}

type Spikes = readonly { readonly source: number; readonly value: number }[];

export function accumulate(shape: RowShape, weights: ArrayLike<number>, spikes: Spikes, current: Float64Array): void {
  for (const { source, value } of spikes) {
    alongRow(shape, source, (weight, target) => {
      current[target] += value * weights[weight];
    });
  }
}

export function scatter(shape: RowShape, adjoint: ArrayLike<number>, spikes: Spikes, gradient: Float64Array): void {
  for (const { source, value } of spikes) {
    alongRow(shape, source, (weight, target) => {
      gradient[weight] += value * adjoint[target];
    });
  }
}

export function dots(shape: RowShape, weights: ArrayLike<number>, adjoint: ArrayLike<number>, out: Float64Array): void {
  for (let i = 0; i < shape.sources; i++) {
    alongRow(shape, i, (weight, target) => {
      out[i] += weights[weight] * adjoint[target];
    });
  }
}
