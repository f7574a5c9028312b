/**
 * Connections that share weights, as a convolution's do. Neurons of a layer with a shape lie channels last (position by
 * position, the channels of one position together), so that the weights from one source to all filters at one position
 * are one contiguous row.
 */
import { UserError } from "../base/errors.ts";

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

/**
 * The sign of every row of weights, from those of the sources that send through it.
 * @param signs 1 or -1 by source
 * @param name of the projection, for the message
 * @throws UserError where sources of both signs share a row
 */
export function signsOfRows(
  { rows, offsets, weightRows }: SharedRows,
  signs: Int8Array,
  name: string,
): Int8Array<ArrayBuffer> {
  const ofRows = new Int8Array(rows);
  for (const [source, sign] of signs.entries()) {
    for (let block = offsets[source]; block < offsets[source + 1]; block++) {
      const row = weightRows[block];
      if (ofRows[row] === -sign) {
        throw new UserError(
          `projection "${name}" shares weights between neurons that excite and neurons that inhibit, so Dale's law cannot ` +
            "hold for them; give all neurons of a channel one sign",
        );
      }
      ofRows[row] = sign;
    }
  }
  return ofRows;
}
