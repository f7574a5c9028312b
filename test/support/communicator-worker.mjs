/**
 * A member of a threads communicator that does what it is told and reports what it saw. Workers cannot load TypeScript,
 * so the communicator comes from the built package.
 */
import { parentPort, workerData } from "node:worker_threads";
import { ThreadsCommunicator } from "../../dist/device/communicator/threads.js";

const { memory, rank, job, exchanges, capacity, seed } = workerData;
const communicator = new ThreadsCommunicator(memory, rank);

/** Spikes that member `rank` sends in exchange `n`: how many differs from exchange to exchange, empty lists included. */
function spikesOf(member, n, out) {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(member + 1, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35);
  state ^= state >>> 15;
  const count = (Math.imul(state, 0x2c1b3c6d) >>> 8) % (capacity + 1);
  for (let i = 0; i < count; i++) out[i] = (Math.imul(state + i, 0x297a2d39) ^ n) >>> 0;
  return count;
}

const jobs = {
  /** Number of exchanges with anything wrong in them. */
  allgather() {
    const own = new Uint32Array(capacity);
    const expected = new Uint32Array(capacity);
    const all = new Uint32Array(capacity * memory.size);
    let wrong = 0;
    for (let n = 0; n < exchanges; n++) {
      const total = communicator.allgatherSpikes(own, spikesOf(rank, n, own), all);
      let at = 0;
      let good = true;
      for (let member = 0; member < memory.size; member++) {
        const count = spikesOf(member, n, expected);
        for (let i = 0; i < count; i++) good &&= all[at + i] === expected[i];
        at += count;
      }
      if (!good || at !== total) wrong++;
      // Barriers between exchanges change which of the two lists is in use.
      if (n % 3 === 0) communicator.barrier();
    }
    return wrong;
  },

  /** Nobody may pass barrier n before all have come to it: counters of all members, seen after every barrier. */
  barrier() {
    const counters = new Int32Array(workerData.counters);
    let wrong = 0;
    for (let n = 1; n <= exchanges; n++) {
      Atomics.store(counters, rank, n);
      communicator.barrier();
      for (let member = 0; member < memory.size; member++) if (Atomics.load(counters, member) < n) wrong++;
    }
    return wrong;
  },

  /** Sums whose value depends on the order of addition, in one piece and in several. */
  allreduce() {
    const results = [];
    for (const length of [1, 5, 1024, 2500]) {
      const values = Float64Array.from({ length }, (_, i) => [1, 2 ** 53, -(2 ** 53), 1e-3][rank] + i * rank);
      communicator.allreduce(values);
      results.push(values);
    }
    return results;
  },

  broadcast() {
    const results = [];
    for (const length of [1, 1024, 2500]) {
      const values = Float64Array.from({ length }, (_, i) => 1000 * rank + i);
      communicator.broadcast(values);
      results.push(values);
    }
    return results;
  },

  /** After which exchanges the request to stop was seen: must be the same for all, however often it comes and goes. */
  stop() {
    const none = new Uint32Array(0);
    const seen = new Uint8Array(exchanges);
    for (let n = 0; n < exchanges; n++) {
      communicator.allgatherSpikes(none, 0, none);
      seen[n] = communicator.stopRequested ? 1 : 0;
      if (rank === 0 && n % 16 === 0) parentPort.postMessage({ tick: n });
    }
    return seen;
  },
};

parentPort.postMessage({ result: jobs[job]() });
