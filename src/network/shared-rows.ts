/**
 * Connections that share weights, as a convolution's do. Neurons of a layer with a shape lie channels last (position by
 * position, the channels of one position together), so that the weights from one source to all filters at one position
 * are one contiguous row.
 */
export interface SharedRows {
  /** Targets that one row of weights reaches: filters, or filters per group. */
  readonly width: number;
  /** Rows of weights: `[rows][width]` are all that is learned. */
  readonly rows: number;
  /** Blocks of source i are `offsets[i]` .. `offsets[i + 1]`. */
  readonly offsets: Uint32Array;
  /** By block: its row of weights. */
  readonly weightRows: Uint32Array;
  /** By block: the first of the `width` targets that it reaches. */
  readonly firstTargets: Uint32Array;
}
