/** The reading end of every set: indices are checked, and a closed set says so. */

import { dataError } from "../../base/errors.ts";
import type { LabelledSet, Sample } from "../labelled-set.ts";

/**
 * @param sample makes one sample; its arrays must be new.
 * @param release gives back what the set holds; called once.
 */
export function sampleReader(
  name: string,
  size: number,
  sample: (index: number) => Sample,
  release: () => void,
): Pick<LabelledSet, "read" | "close"> {
  let open = true;
  return {
    async read(indices) {
      if (!open) throw dataError(`${name} was closed before its samples were read`);
      return Array.from(indices, (index) => {
        if (!(Number.isInteger(index) && index >= 0 && index < size)) {
          throw new RangeError(`sample ${index} of ${size} of ${name}`);
        }
        return sample(index);
      });
    },
    close() {
      if (open) release();
      open = false;
    },
  };
}
