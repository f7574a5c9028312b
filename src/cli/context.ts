/**
 * What the commands need of the world around them: streams, signals, the engine, the readers and writers of other rooms.
 *
 * `main.ts` gives them the real ones; tests give them text buffers and an engine that learns nothing.
 */
import type { Recording } from "../data/recording.ts";
import type { RecordingTargets } from "../experiment/schema.ts";
import type { Engine } from "../experiment/trainer-contract.ts";
import type { ReportInput } from "../report/input.ts";

export interface Output {
  write(text: string): void;
  /** A terminal that understands cursor movements, with this many columns; undefined for files and pipes. */
  readonly columns: number | undefined;
}

export type StopSignal = "SIGINT" | "SIGTERM";

export interface Context {
  /** Data: what a script would read. */
  readonly stdout: Output;
  /** Talk: progress, warnings, errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command line, for the record. */
  readonly command: readonly string[];
  /** Calls back at every signal until the returned function is called. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process now. */
  exitNow(code: number): void;
  /** Loaded when first needed, so that `--help` and refusals are instant. */
  engine(): Promise<Engine>;
  readRecording(targets: RecordingTargets): Promise<Recording>;
  renderReport(input: ReportInput): Promise<string>;
}
