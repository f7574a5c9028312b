/** What a workload of `volley bench` is: it measures something on this machine and says so as a table and as data. */
import type { Context } from "../context.ts";

/** What the command line may change; what is undefined is for the workload to choose. */
export interface WorkloadOptions {
  /** Nothing but the final object goes to stdout, and the command prints that. */
  readonly json: boolean;
  readonly seed: number;
  readonly threads?: number;
  readonly neurons?: number;
  /** Of the longest sample. */
  readonly steps?: number;
  /** Passes over the training data. */
  readonly epochs?: number;
  /** Longest time to train. */
  readonly minutes?: number;
  /** P in the memory of each thread. */
  readonly bytes?: number;
  /** Measurements of each thing; medians are reported. */
  readonly repeat?: number;
  /** Relaxed SIMD in the training workloads. */
  readonly fast: boolean;
  readonly precision?: "f32" | "int16";
  /** Samples per RLS update. */
  readonly block?: number;
  /** Folder for figures; absent: none are written. */
  readonly figure?: string;
}

export interface Workload {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  /** Measures and returns plain data for --json; says what it does on stderr, prints its table on stdout otherwise. */
  run(context: Context, options: WorkloadOptions): Promise<unknown>;
}

/** Loaded when the command runs. */
export type WorkloadLoader = () => Promise<readonly Workload[]>;
