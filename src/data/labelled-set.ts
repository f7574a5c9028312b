/**
 * Labelled samples to be classified, whatever file they came from: spike trains (SHD, N-MNIST, NWB) or frames of numbers
 * (images row by row, touch sensors over time). A set is read sample by sample, so one larger than memory can train.
 */

/** Stands for the class of a sample whose class is not known. */
export const noLabel = 2 ** 32 - 1;

/** Spikes of one sample, in the order of their times. */
export interface SpikeTrains {
  readonly kind: "spikes";
  /** Ascending, ms from the start of the sample; equal times are allowed. */
  readonly timesMs: Float32Array;
  /** Channel of each spike, 0 .. channels-1. */
  readonly units: Uint32Array;
}

/** Numbers over time of one sample: `values[frame * channels + channel]`. An image is its rows. */
export interface Frames {
  readonly kind: "frames";
  readonly frames: number;
  readonly values: Float32Array;
}

export type Sample = SpikeTrains | Frames;

export interface LabelledSet {
  /** File or folder, for messages. */
  readonly name: string;
  readonly kind: Sample["kind"];
  /** Number of samples. */
  readonly size: number;
  readonly channels: number;
  /**
   * How channels lie in space, [height, width, channels] or [length, channels], the last index running fastest; of frames
   * it may be that of a whole sample. Absent: nothing is known.
   */
  readonly shape?: readonly number[];
  /** Frames of the longest sample; of a set of frames. */
  readonly frames?: number;
  /** When the last spike of the set falls, ms from the start of its sample; of a set of spikes. */
  readonly durationMs?: number;
  /** Numbers that stand for none and full, such as 0 and 255 of grey values; of a set of frames whose numbers differ. */
  readonly range?: readonly [number, number];
  readonly classNames: readonly string[];
  /** Class of each sample, 0 .. classNames.length-1; `noLabel` where it is not known, if that was allowed. */
  readonly labels: Uint32Array;
  /** Other integers known of each sample, such as `speaker`; length `size`. */
  readonly columns: Readonly<Record<string, Int32Array>>;
  /** What a user should know: values left out, events that share a time. */
  readonly notes: readonly string[];
  /** The samples with these indices, in this order. Their arrays belong to the caller. */
  read(indices: ArrayLike<number>): Promise<Sample[]>;
  /** Gives back memory and files. Reading afterwards is an error. */
  close(): void;
}

/**
 * One sample as the engine takes it: what arrives at each step. Events of step t are those from `offsets[t]` to
 * `offsets[t + 1]`, with ascending channels and no channel twice.
 */
export interface StepEvents {
  readonly steps: number;
  /** Length steps + 1. */
  readonly offsets: Uint32Array;
  readonly channels: Uint32Array;
  /** Amplitude of each event; null where all are 1 (spikes). */
  readonly values: Float32Array | null;
}
