/** What a member of a network is told: of itself, and of a trial; and what it tells of one. */
import type { TimeSplit } from "./results.ts";
import type { RlsSpec } from "./spec.ts";

export interface MemberSetup {
  readonly spec: RlsSpec;
  readonly relaxed: boolean;
  readonly shardNeurons?: number;
}

/** `static`: without plastic synapses and stimulus; `train`: with learning; `test`: frozen. */
export type TrialKind = "static" | "train" | "test";

export interface TrialRequest {
  readonly kind: TrialKind;
  /** Number of the trial among the random streams. */
  readonly trial: number;
  readonly task: number;
  /** Record windowed currents (and, in tests, spikes). */
  readonly record: boolean;
  /** P is multiplied by this before its first update. */
  readonly keep: number;
}

/** What the members of a network tell about a trial, each for its own neurons. */
export interface TrialOutcome {
  readonly finished: boolean;
  /** Spikes of every own neuron. */
  readonly spikeCounts: Uint32Array;
  readonly split: TimeSplit;
  readonly resets: number;
  /** A sum of |weights| too large for fixed-point arrivals, or not a number: training has diverged. */
  readonly diverged: boolean;
}

/** Trials of frozen tests take these numbers among the random streams (training trials: the iteration). */
export const firstTestTrial = 2 ** 30;
