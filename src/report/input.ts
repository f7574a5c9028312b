import type { IterationReport, TestReport } from "../learning/rls/results.ts";

/** Everything one report shows. All of it is plain data; nothing is read from disk or clock. */
export interface ReportInput {
  readonly title: string;
  /** The resolved experiment, shown as JSON. */
  readonly experiment: unknown;
  /**
   * Version of Volley, Node, CPU, threads, seed, date ...: shown as a table in this order. A value named `command` is
   * shown as the command line that reproduces the run; `version` and `threads` help to write one when it is absent.
   */
  readonly environment: Readonly<Record<string, string | number>>;
  readonly iterations: readonly IterationReport[];
  readonly test: TestReport | null;
  /** Plastic weights of all trained neurons before and after training, in threshold x ms. */
  readonly weights: { readonly before: Float32Array; readonly after: Float32Array } | null;
  /** Warnings for the reader, in plain sentences. */
  readonly notes: readonly string[];
  readonly secondsTotal: number;
  /** Length of one step: turns the steps of `test.raster` into time. */
  readonly dtMs: number;
}
