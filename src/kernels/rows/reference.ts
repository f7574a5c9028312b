/**
 * What spikes do to rows of a matrix, in plain float64. W is [source][target]; row i belongs to source i.
 *
 *   accumulate:  current[:] += gain value_i W[i][:]       for every spike i: delivery, forward in time
 *   scatter:     G[i][:] += gain value_i adjoint[:]       for every spike i: the gradient of the weights, backward in time
 *   dots:        out[i] += gain W[i][:] . adjoint[:]      for every source i: the adjoint of its spikes
 *
 * Connections may share weights, as those of a convolution do: source i then has several blocks of `width` neighbouring
 * targets, each with a row of the weights [rows][width]. A gradient is summed over all connections that share a weight.
 */
export interface RowShape {
  readonly sources: number;
  readonly targets: number;
  readonly connectivity: "dense" | SparseConnections | SharedConnections;
}

/** Synapses offsets[i] .. offsets[i+1] are those of source i; each has a target and a weight. */
export interface SparseConnections {
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
}

/** Blocks offsets[i] .. offsets[i+1] are those of source i: row weightRows[b] reaches `width` targets from firstTargets[b]. */
export interface SharedConnections {
  readonly width: number;
  readonly offsets: Uint32Array;
  readonly weightRows: Uint32Array;
  readonly firstTargets: Uint32Array;
}

/** Calls `visit(index of the weight, target)` for all connections of source i. */
export function alongRow(shape: RowShape, i: number, visit: (weight: number, target: number) => void): void {
  const { connectivity, targets } = shape;
  if (connectivity === "dense") {
    for (let j = 0; j < targets; j++) visit(i * targets + j, j);
    return;
  }
  const [from, to] = [connectivity.offsets[i], connectivity.offsets[i + 1]];
  if (!("width" in connectivity)) {
    for (let s = from; s < to; s++) visit(s, connectivity.targets[s]);
    return;
  }
  const { width, weightRows, firstTargets } = connectivity;
  for (let b = from; b < to; b++) {
    for (let c = 0; c < width; c++) visit(weightRows[b] * width + c, firstTargets[b] + c);
  }
}

type Spikes = readonly { readonly source: number; readonly value: number }[];

export function accumulate(
  shape: RowShape,
  weights: ArrayLike<number>,
  spikes: Spikes,
  current: Float64Array,
  gain = 1,
): void {
  for (const { source, value } of spikes) {
    alongRow(shape, source, (weight, target) => {
      current[target] += gain * value * weights[weight];
    });
  }
}

export function scatter(
  shape: RowShape,
  adjoint: ArrayLike<number>,
  spikes: Spikes,
  gradient: Float64Array,
  gain = 1,
): void {
  for (const { source, value } of spikes) {
    alongRow(shape, source, (weight, target) => {
      gradient[weight] += gain * value * adjoint[target];
    });
  }
}

export function dots(
  shape: RowShape,
  weights: ArrayLike<number>,
  adjoint: ArrayLike<number>,
  out: Float64Array,
  gain = 1,
): void {
  for (let i = 0; i < shape.sources; i++) {
    alongRow(shape, i, (weight, target) => {
      out[i] += gain * weights[weight] * adjoint[target];
    });
  }
}
