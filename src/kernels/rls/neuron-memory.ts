/**
 * What a trained neuron has in memory besides its P: weights and traces, the k of its last update, and a record of
 * constants and statistics.
 *
 * Weights and traces interleave by four ([w0..w3][x0..x3][w4..w7]...): a spike that arrives touches one cache line for
 * both.
 */
import type { PLayout } from "./layout.ts";

/** Bytes of the interleaved weights and traces of one neuron. */
export const synapseBytes = (layout: PLayout): number => 32 * layout.tileRows;
/** Bytes of the k that is kept of the last update of one neuron. */
export const pendingBytes = (layout: PLayout): number => 16 * layout.tileRows;
/** Bytes of the scratch area: one trace vector and one k vector. */
export const scratchBytes = (layout: PLayout): number => 32 * layout.tileRows;
/** Per-neuron constants and statistics, f32: see `neuronField`. */
export const neuronRecordBytes = 48;
/**
 * Byte offsets inside the record of a trained neuron. `scale`: value of one unit of stored P. `decay`: of the traces,
 * from one learning time to the next. `bias`: the rest of the current minus the target, set before every update. The
 * others accumulate over a trial: squared error, x'Px, largest x'Px; `resetFlag` (i32) is set to 1 when x'Px was not
 * >= 0 and P must be started again; `sumAbsWeight` bounds the arrivals that this neuron can receive in one step;
 * `pendingFactor` is c (in stored units) of the update that is put off, 0 when there is none.
 */
export const neuronField = {
  scale: 0,
  decay: 4,
  bias: 8,
  squaredError: 12,
  gain: 16,
  largestGain: 20,
  resetFlag: 24,
  sumAbsWeight: 28,
  pendingFactor: 32,
} as const;
