/** Worker threads of Node. */
import { parentPort, Worker } from "node:worker_threads";
import { type AnswerMessage, answer, type CallMessage, ChannelGroup, type Host, transferable } from "./group.ts";

/** Starts `size` workers from an entry module that calls `serveNode`. */
export function nodeGroup(entry: URL, size: number): ChannelGroup {
  return new ChannelGroup(size, (rank, onAnswer, onDeath) => {
    const worker = new Worker(entry, {
      name: `volley-${rank}`,
      resourceLimits: { maxOldGenerationSizeMb: 8192 },
      ...(programIsText() && { execArgv: [] }),
    });
    let closing = false;
    worker.on("message", (message: AnswerMessage) => onAnswer(message));
    worker.on("error", onDeath);
    worker.on("exit", (code) => {
      if (!closing) onDeath(new Error(`worker ${rank} ended unexpectedly with code ${code}`));
    });
    return {
      post: (message) => worker.postMessage(message),
      close: async () => {
        closing = true;
        await worker.terminate();
      },
    };
  });
}

/**
 * Whether the program was given as text, as in `node --input-type=module -e "..."`. Workers inherit the flags of Node, and
 * with this one would not start from a file.
 */
const programIsText = (): boolean => process.execArgv.some((flag) => flag.startsWith("--input-type"));

/** Answers calls in a worker thread. */
export function serveNode(host: Host): void {
  parentPort?.on("message", async (message: CallMessage) => {
    const reply = await answer(host, message);
    parentPort?.postMessage(reply, transferable(reply.result));
  });
}
