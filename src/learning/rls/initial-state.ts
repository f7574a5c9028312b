/** The values that a state of the neurons starts a trial with. */
import type { initialStates } from "../../model/index.ts";
import type { RandomSource } from "../../random/streams.ts";
import { valueAt } from "./spec.ts";

type InitialState = ReturnType<typeof initialStates>[string];

/**
 * @param first index of the neuron of `out[0]`: value i of the stream, and of constants that differ, belongs to neuron i
 */
export function drawInitialState(
  initial: InitialState,
  random: RandomSource,
  stream: number,
  first: number,
  out: Float32Array | Float64Array,
): void {
  if (initial.kind === "constant") {
    for (let i = 0; i < out.length; i++) out[i] = valueAt(initial.value, first + i);
    return;
  }
  const draws = new Float64Array(out.length);
  if (initial.kind === "normal") {
    random.normal(stream, first, draws);
    for (let i = 0; i < out.length; i++) {
      out[i] = valueAt(initial.mean, first + i) + valueAt(initial.sd, first + i) * draws[i];
    }
  } else {
    random.uniform(stream, first, draws);
    for (let i = 0; i < out.length; i++) {
      const low = valueAt(initial.low, first + i);
      out[i] = low + (valueAt(initial.high, first + i) - low) * draws[i];
    }
  }
}
