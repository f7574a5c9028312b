/** Rigs in worker threads, and how fast memory can be read and written in place: what a time is compared with. */
import type { WorkerGroup } from "../../device/cpu/group.ts";
import { nodeGroup } from "../../device/cpu/threads.node.ts";
import type { Interval } from "./kernel-rig.ts";
import { type Spread, spreadOf } from "./measurement.ts";

export async function withRigs<T>(threads: number, body: (group: WorkerGroup) => Promise<T>): Promise<T> {
  const group = nodeGroup(new URL("./kernel-worker.js", import.meta.url), threads);
  try {
    return await body(group);
  } finally {
    await group.close();
  }
}

/** Seconds from the first start to the last end of something that the first `threads` rigs do at once. */
export async function together(
  group: WorkerGroup,
  threads: number,
  method: "multiply" | "update",
  args: unknown[] = [],
): Promise<number> {
  const intervals = await Promise.all(
    Array.from({ length: threads }, (_, rank) => group.call<Interval>(rank, method, args)),
  );
  const start = Math.min(...intervals.map((interval) => interval.start));
  const end = Math.max(...intervals.map((interval) => interval.end));
  return (end - start) / 1000;
}

/**
 * Bytes per second, each counted once for reading and once for writing, of multiplying `bytes` in place.
 *
 * @param bytes over all threads.
 */
export function inPlaceBandwidth(threads: number, bytes: number, repeat = 5): Promise<Spread> {
  return withRigs(threads, async (group) => {
    const setup = { seed: 1, inputs: 128, precision: "f32", bytes: bytes / threads };
    const sizes = await group.callAll<{ neurons: number; bytesPerNeuron: number }>("prepare", (rank) => [
      { ...setup, rank },
    ]);
    const moved = sizes.reduce((sum, { neurons, bytesPerNeuron }) => sum + 2 * neurons * bytesPerNeuron, 0);
    await together(group, threads, "multiply");
    const rates: number[] = [];
    for (let i = 0; i < repeat; i++) rates.push(moved / (await together(group, threads, "multiply")));
    return spreadOf(rates);
  });
}
