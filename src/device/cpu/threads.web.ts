/** Web workers. */
import { type AnswerMessage, answer, type CallMessage, ChannelGroup, type Host, transferable } from "./group.ts";

/** @param start makes a worker whose module calls `serveWeb`; bundlers want to see `new Worker(new URL(...))` whole. */
export function webGroup(start: () => Worker, size: number): ChannelGroup {
  return new ChannelGroup(size, (rank, onAnswer, onDeath) => {
    const worker = start();
    worker.onmessage = ({ data }: MessageEvent<AnswerMessage>) => onAnswer(data);
    // A module that cannot be loaded gives a bare event without a message.
    worker.onerror = ({ message }) => {
      onDeath(new Error(`worker ${rank} failed: ${message ?? "its module could not be loaded; is it served?"}`));
    };
    worker.onmessageerror = () => onDeath(new Error(`worker ${rank} sent what this page cannot read`));
    return {
      post: (message) => worker.postMessage(message),
      close: async () => {
        worker.terminate();
        onDeath(new Error("the workers were closed before they answered"));
      },
    };
  });
}

/** Answers calls in a web worker. */
export function serveWeb(host: Host): void {
  globalThis.onmessage = async ({ data }: MessageEvent<CallMessage>) => {
    const reply = await answer(host, data);
    // In a worker the second argument is the list of what to transfer; the DOM types describe windows.
    globalThis.postMessage(reply, { transfer: transferable(reply.result) });
  };
}
