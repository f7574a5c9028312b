/**
 * Random numbers as a function, not as a sequence.
 *
 * Value i of stream s under a seed is always the same number, whoever asks, in whatever order and in however many
 * pieces. So a network does not change when neurons are spread over other workers, when a run is resumed in the middle
 * or when one more quantity becomes random. A stream is one use (`streamKind`) of one neuron or one trial.
 */

export interface RandomSource {
  /** Fills `out` with uniforms in [0,1), values start .. start+out.length-1 of the stream. */
  uniform(stream: number, start: number, out: Float64Array): void;
  /** The same for standard normals. */
  normal(stream: number, start: number, out: Float64Array): void;
  /** m distinct integers of 0..n-1 in random order, every ordered choice equally likely. 0 <= m <= n < 2^32. */
  sample(stream: number, n: number, m: number): Uint32Array;
}

/**
 * What a stream is for. The numbers are part of the results: never renumber, only append. 1 to 7 are those of the
 * golden runs. "Per neuron" and "per trial" say what the index of the stream counts.
 */
export const streamKind = {
  /** Targets of the static recurrent connections, per presynaptic neuron. */
  static: 1,
  /** Sources of the plastic excitatory connections, per postsynaptic neuron. */
  plasticExcitatory: 2,
  /** Sources of the plastic inhibitory connections, per postsynaptic neuron. */
  plasticInhibitory: 3,
  /** Ornstein-Uhlenbeck stimulus: per task and population in the engine (kernels/noise), per neuron in the golden runs. */
  stimulus: 4,
  /** Phase of a sinusoidal target, per neuron. */
  phase: 5,
  /** Voltages at the start, per trial. */
  startVoltage: 6,
  /** Noise: per trial and population in the engine (kernels/noise), per trial in the golden runs. */
  noise: 7,
  /** Rates of the feedforward neurons, per neuron. */
  feedforwardRate: 8,
  /** Spikes of the feedforward neurons, per trial. */
  feedforwardSpikes: 9,
  /** Which neurons are trained; index 0. */
  trainedSubset: 10,
  /** For tests. */
  test: 11,
  /** Sources of the plastic feedforward connections, per postsynaptic neuron. */
  plasticFeedforward: 12,
  /** Initial weights where they are random, per postsynaptic neuron. */
  initialWeight: 13,
  /** What is drawn while an experiment is resolved; the index is a hash of its place in the experiment. */
  named: 14,
  /** Augmentation of a training sample, per epoch and sample (data/encoding/sample-draws). */
  augmentation: 15,
  /** Random encoding of a sample, per epoch and sample. */
  encoding: 16,
  /** Order of the training samples, per epoch. */
  batchOrder: 17,
  /** Which samples are held out, per class. */
  split: 18,
  /** Initial weights of a network that learns by gradients. */
  gradientInitial: 19,
  /** Random feedback weights of e-prop. */
  feedback: 20,
  /** Spikes left out while training. */
  dropout: 21,
  /** Where deep rewiring creates synapses, per projection and optimiser step. */
  rewiring: 22,
} as const;

const INDICES = 2 ** 40;
const KINDS = 2 ** 13;

/** Stream number of the index-th neuron or trial: kind * 2^40 + index, with 0 <= kind < 2^13 and 0 <= index < 2^40. */
export function streamOf(kind: number, index: number): number {
  if (
    !(Number.isInteger(kind) && kind >= 0 && kind < KINDS && Number.isInteger(index) && index >= 0 && index < INDICES)
  ) {
    throw new RangeError(`stream kind ${kind} and index ${index} must be integers with kind < 2^13 and index < 2^40`);
  }
  return kind * INDICES + index;
}
