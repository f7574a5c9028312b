/** Labelled sets that are made, not read: a sample is computed whenever it is asked for, and is the same every time. */

import type { LabelledSet, SpikeTrains } from "../../labelled-set.ts";

export interface GeneratedSetParts {
  readonly name: string;
  readonly channels: number;
  /** No spike falls later, ms. */
  readonly durationMs: number;
  readonly classNames: readonly string[];
  readonly labels: Uint32Array;
  readonly columns?: Readonly<Record<string, Int32Array>>;
  readonly notes?: readonly string[];
  /** Must depend on the index alone. */
  readonly sample: (index: number) => SpikeTrains;
}

export function generatedSet(parts: GeneratedSetParts): LabelledSet {
  const { sample, columns = {}, notes = [], labels, ...rest } = parts;
  const size = labels.length;
  return {
    ...rest,
    kind: "spikes",
    size,
    labels,
    columns,
    notes,
    async read(indices) {
      return Array.from(indices, (index) => {
        if (!(Number.isInteger(index) && index >= 0 && index < size)) {
          throw new RangeError(`sample ${index} of ${parts.name}, which has ${size}`);
        }
        return sample(index);
      });
    },
    close() {},
  };
}
