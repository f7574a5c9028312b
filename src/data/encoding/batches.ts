/** The order in which an epoch meets its samples. */

import { UserError } from "../../base/errors.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { checkNumber } from "./check.ts";

export interface BatchOptions {
  /** Leaves out the last batch if it is smaller than the others. Default false. */
  readonly dropLast?: boolean;
}

/**
 * The samples in random order (Fisher and Yates's shuffle), cut into batches. A function of seed, epoch and indices: the
 * same on every machine and after a resume.
 */
export function shuffledBatches(
  seed: number,
  epoch: number,
  indices: ArrayLike<number>,
  batchSize: number,
  { dropLast = false }: BatchOptions = {},
): Uint32Array[] {
  const count = indices.length;
  checkNumber("the batch size", batchSize, { min: 1, whole: true });
  if (dropLast && batchSize > count) {
    throw new UserError(
      `a batch of ${batchSize} is larger than the ${count} samples, so dropLast leaves nothing; make it smaller`,
    );
  }
  const order = new Philox(seed).sample(streamOf(streamKind.batchOrder, epoch), count, count);
  for (let i = 0; i < count; i++) order[i] = indices[order[i]];
  const end = dropLast ? count - (count % batchSize) : count;
  const batches: Uint32Array[] = [];
  for (let at = 0; at < end; at += batchSize) batches.push(order.slice(at, Math.min(end, at + batchSize)));
  return batches;
}
