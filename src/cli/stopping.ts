/** Ctrl-C and SIGTERM: the first asks the run to stop and keep its state, the second ends the process at once. */
import { type ExitCode, exitCode, UserError } from "../base/errors.ts";
import { Interruption } from "../experiment/interruption.ts";
import type { Context, StopSignal } from "./context.ts";
import type { Progress } from "./progress.ts";

const codeOf: Record<StopSignal, ExitCode> = { SIGINT: exitCode.interrupted, SIGTERM: exitCode.terminated };

export class Stopping {
  readonly interruption = new Interruption();
  private readonly disconnect: () => void;
  private signal: StopSignal | undefined;

  constructor(context: Context, progress: Progress) {
    this.disconnect = context.onSignal((signal) => {
      if (this.signal !== undefined) {
        progress.finish();
        context.exitNow(codeOf[signal]);
        return;
      }
      this.signal = signal;
      progress.say("stopping and saving the state; once more stops at once without saving");
      this.interruption.request();
    });
  }

  /** Waits for something that cannot be interrupted; a signal stops the waiting, not the thing. */
  async during<Result>(work: Promise<Result>, message: string): Promise<Result> {
    let stopListening = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stopListening = this.interruption.onRequest(() => reject(this.error(message)));
    });
    work.catch(() => {}); // when the signal wins, the work's own failure interests nobody
    try {
      return await Promise.race([work, stopped]);
    } finally {
      stopListening();
    }
  }

  /** What ends the command after a signal. */
  error(message: string): UserError {
    return new UserError(message, codeOf[this.signal ?? "SIGINT"]);
  }

  close(): void {
    this.disconnect();
  }
}
