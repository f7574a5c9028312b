/**
 * What every communicator does, asked of those that fit in one thread. Members in threads of their own:
 * test/device/communicator.test.ts.
 */
import { describe, expect, it } from "vitest";
import type { Communicator } from "./contract.ts";
import { SingleCommunicator } from "./single.ts";
import { requestStop, ThreadsCommunicator, threadsMemory } from "./threads.ts";

const kinds: [string, () => Communicator][] = [
  ["single", () => new SingleCommunicator()],
  ["threads", () => new ThreadsCommunicator(threadsMemory(1, 8), 0)],
];

describe.each(kinds)("the %s communicator of one member", (_, make) => {
  it("returns its own spikes", () => {
    const communicator = make();
    expect([communicator.rank, communicator.size]).toEqual([0, 1]);
    const spikes = Uint32Array.of(5, 6, 9, 0, 0, 0, 0, 0);
    const all = new Uint32Array(8).fill(77);
    for (const count of [3, 0, 1, 8]) {
      communicator.barrier();
      expect(communicator.allgatherSpikes(spikes, count, all)).toBe(count);
      expect(all.subarray(0, count)).toEqual(spikes.subarray(0, count));
    }
  });

  it("leaves sums and broadcasts as they are", () => {
    const communicator = make();
    const values = Float64Array.from({ length: 2050 }, (_, i) => i / 3);
    communicator.allreduce(values);
    communicator.broadcast(values);
    expect(values).toEqual(Float64Array.from({ length: 2050 }, (_, i) => i / 3));
    expect(communicator.stopRequested).toBe(false);
  });
});

describe("the memory of threads", () => {
  it("shows a request to stop after the next exchange, and no longer once it is withdrawn", () => {
    const memory = threadsMemory(1, 0);
    const communicator = new ThreadsCommunicator(memory, 0);
    const seen = () => {
      communicator.allgatherSpikes(new Uint32Array(0), 0, new Uint32Array(0));
      return communicator.stopRequested;
    };
    expect(seen()).toBe(false);
    requestStop(memory);
    expect(communicator.stopRequested).toBe(false);
    expect([seen(), seen()]).toEqual([true, true]);
    requestStop(memory, false);
    expect([seen(), seen()]).toEqual([false, false]);
  });

  it("gives every member lists of its own, whatever the capacity", () => {
    for (const capacity of [0, 1, 7, 8]) {
      const { buffer } = threadsMemory(3, capacity);
      const communicator = new ThreadsCommunicator({ size: 1, capacity, buffer }, 0);
      const spikes = new Uint32Array(capacity).fill(0xffffffff);
      expect(communicator.allgatherSpikes(spikes, capacity, new Uint32Array(capacity))).toBe(capacity);
    }
  });

  it("takes up counting where the members before left it", () => {
    const memory = threadsMemory(1, 1);
    const all = new Uint32Array(1);
    new ThreadsCommunicator(memory, 0).allgatherSpikes(Uint32Array.of(3), 1, all);
    new ThreadsCommunicator(memory, 0).allgatherSpikes(Uint32Array.of(4), 1, all);
    expect(all[0]).toBe(4);
  });
});
