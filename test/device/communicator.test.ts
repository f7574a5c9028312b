/** The communicator of threads, between real worker threads: the contract in device/communicator/contract.ts. */
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { requestStop, type ThreadsMemory, threadsMemory } from "../../src/device/communicator/threads.ts";

type Job = "allgather" | "barrier" | "allreduce" | "broadcast" | "stop";
interface Options {
  exchanges?: number;
  capacity?: number;
  /** Called from time to time while the members work. */
  onTick?: (memory: ThreadsMemory, tick: number) => void;
}

/** Starts `size` members on one job; what each returns, by rank. */
async function run<T>(job: Job, size: number, { exchanges = 0, capacity = 0, onTick }: Options = {}): Promise<T[]> {
  const memory = threadsMemory(size, capacity);
  const counters = new SharedArrayBuffer(4 * size);
  const entry = new URL("../support/communicator-worker.mjs", import.meta.url);
  const workers = Array.from(
    { length: size },
    (_, rank) => new Worker(entry, { workerData: { memory, rank, job, exchanges, capacity, counters, seed: size } }),
  );
  try {
    return await Promise.all(
      workers.map(
        (worker) =>
          new Promise<T>((resolve, reject) => {
            worker.on("error", reject);
            worker.on("message", (message: { tick?: number; result: T }) => {
              if (message.tick === undefined) resolve(message.result);
              else onTick?.(memory, message.tick);
            });
          }),
      ),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Additions in the order of ranks, from 0. */
const inOrder = (values: number[]) => values.reduce((sum, value) => sum + value, 0);

describe.each([1, 2, 3, 4])("%i members", (size) => {
  const exchanges = size <= 2 ? 4000 : 1500;

  it("give their spikes to all, in the order of ranks", async () => {
    expect(await run("allgather", size, { exchanges, capacity: 21 })).toEqual(new Array(size).fill(0));
  });

  it("wait for each other", async () => {
    expect(await run("barrier", size, { exchanges })).toEqual(new Array(size).fill(0));
  });

  it("add numbers in the order of ranks", async () => {
    const own = [1, 2 ** 53, -(2 ** 53), 1e-3];
    const results = await run<Float64Array[]>("allreduce", size);
    for (const result of results) {
      expect(result.map((values) => values.length)).toEqual([1, 5, 1024, 2500]);
      for (const values of result) {
        for (const i of [0, 3, 1000, 1024, values.length - 1].filter((at) => at < values.length)) {
          expect(values[i]).toBe(inOrder(Array.from({ length: size }, (_, rank) => own[rank] + i * rank)));
        }
      }
    }
  });

  it("take what rank 0 has", async () => {
    for (const result of await run<Float64Array[]>("broadcast", size)) {
      for (const values of result) expect(values.every((value, i) => value === i)).toBe(true);
    }
  });

  it("see a request to stop after the same exchange", async () => {
    let wanted = false;
    const toggle = (memory: ThreadsMemory) => {
      wanted = !wanted;
      requestStop(memory, wanted);
    };
    const [first, ...others] = await run<Uint8Array>("stop", size, { exchanges: 4000, onTick: toggle });
    expect(first).toContain(1);
    expect(first[0]).toBe(0);
    for (const seen of others) expect(Buffer.compare(seen, first)).toBe(0);
  });
});

it("more members than cores still make progress", async () => {
  expect(await run("allgather", 9, { exchanges: 60, capacity: 5 })).toEqual(new Array(9).fill(0));
});
