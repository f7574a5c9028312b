/** The communicator of a worker that is alone. */
import type { Communicator } from "./contract.ts";

export class SingleCommunicator implements Communicator {
  readonly rank = 0;
  readonly size = 1;
  stopRequested = false;

  barrier(): void {}

  allgatherSpikes(spikes: Uint32Array, count: number, all: Uint32Array): number {
    for (let i = 0; i < count; i++) all[i] = spikes[i];
    return count;
  }

  allreduce(): void {}

  broadcast(): void {}
}
