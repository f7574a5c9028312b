/** The commands' surroundings in a real process. */
import type { Context, Output } from "./context.ts";

/** @param onClosed what to do when nobody reads any more, which is no fault */
function outputOf(stream: NodeJS.WriteStream, onClosed: () => void): Output {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    onClosed();
  });
  return {
    write: (text) => void stream.write(text),
    get columns() {
      return stream.isTTY ? (stream.columns ?? 80) : undefined;
    },
  };
}

/** What `main.ts` gives to the commands, short of the rooms that are loaded when first needed. */
export function processContext(rooms: Pick<Context, "engine" | "readRecording" | "renderReport">): Context {
  return {
    // `volley inspect RUN | head` has all it wanted.
    stdout: outputOf(process.stdout, () => process.exit(0)),
    // Talk without a listener is no reason to end a training.
    stderr: outputOf(process.stderr, () => {}),
    env: process.env,
    command: ["volley", ...process.argv.slice(2)],
    onSignal(listener) {
      const onInterrupt = () => listener("SIGINT");
      const onTerminate = () => listener("SIGTERM");
      process.on("SIGINT", onInterrupt);
      process.on("SIGTERM", onTerminate);
      return () => {
        process.off("SIGINT", onInterrupt);
        process.off("SIGTERM", onTerminate);
      };
    },
    exitNow: (code) => process.exit(code),
    ...rooms,
  };
}

/** Ends the process when everything written has left it: workers or handles that linger must not keep it alive. */
export async function exitWhenWritten(code: number): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((done) => stream.write("", () => done()));
  }
  process.exit(code);
}
