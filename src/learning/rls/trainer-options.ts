/** What an RLS trainer is told besides the network: how to run, what to follow, what to test. */
import type { Recording } from "../../data/recording.ts";

export interface TrainerOptions {
  readonly threads: number;
  /** Relaxed SIMD where the machine has it: faster, but the last digits differ between machines. */
  readonly fast: boolean;
  /** Largest number of neurons in a shard; for tests: results do not depend on it. */
  readonly shardNeurons?: number;
  onWarning?(message: string): void;
}

export interface TrainerTargets {
  /** Rates or currents to follow; null for sinusoids. */
  readonly recording: Recording | null;
  readonly sinusoids: {
    readonly amplitude: number;
    readonly periodMs: number;
    readonly bias: "none" | "ou" | "ramp";
  } | null;
  /** Model neurons per recorded neuron; trained neuron p follows recorded neuron p modulo their number. */
  readonly copies: number;
}

export interface TestOptions {
  /** Of every task. */
  readonly trials: number;
  /** Neurons to report with all their currents. */
  readonly exampleNeurons: number;
  /** Called after every trial. */
  onTrial?(done: number, total: number): void;
}
