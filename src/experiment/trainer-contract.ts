/** What a run needs of a trainer: the public side of learning/rls/trainer.ts, so that tests can put another in its place. */
import type { Checkpointable } from "../learning/rls/checkpointable.ts";
import type { IterationReport, TestReport } from "../learning/rls/results.ts";
import type { RlsSpec } from "../learning/rls/spec.ts";
import type { TestOptions, TrainerOptions, TrainerTargets } from "../learning/rls/trainer-options.ts";

export type { TestOptions, TrainerOptions, TrainerTargets };

export interface RlsTrainer extends Checkpointable {
  readonly spec: RlsSpec;
  /** Iterations completed. */
  readonly iteration: number;
  iterate(options: { measure: boolean }): Promise<IterationReport | "interrupted">;
  /** The running trial or test stops at the next time step; the state stays consistent and can be checkpointed. */
  interrupt(): void;
  /** How far the running trial has come, 0 to 1. */
  readonly trialFraction: number;
  test(options: TestOptions): Promise<TestReport | "interrupted">;
  /** [trained][M]. */
  weights(): Promise<Float32Array>;
  connectivity(): Promise<{ trained: Uint32Array; presynaptic: Uint32Array; inputs: number }>;
  close(): Promise<void>;
}

export interface MemoryEstimate {
  readonly total: number;
  readonly parts: Readonly<Record<string, number>>;
}

/** How trainers are made. */
export interface Engine {
  createRlsTrainer(spec: RlsSpec, targets: TrainerTargets, options: TrainerOptions): Promise<RlsTrainer>;
  estimateMemory(spec: RlsSpec, options: TrainerOptions): Promise<MemoryEstimate>;
}
