/** The RLS kernel alone: microseconds per update against what memory allows, against the cache, against its twin. */
import { exitCode, UserError } from "../../base/errors.ts";
import type { WorkerGroup } from "../../device/cpu/group.ts";
import { availableMemory } from "../../experiment/memory.ts";
import { formatBytes } from "../../experiment/memory-guard.ts";
import type { Precision } from "../../kernels/rls/layout.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { together, withRigs } from "./bandwidth.ts";
import type { RigSize, Simd } from "./kernel-rig.ts";
import {
  describeMachine,
  digits,
  machineLine,
  percent,
  type Spread,
  spreadOf,
  spreadText,
  table,
  threadCounts,
} from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

/** Larger than any cache. */
const defaultBytes = 1.2e9;
const defaultRepeat = 5;
/** What lies beside P for each neuron is at most this fraction of it. */
const besideP = 0.35;

interface Row {
  readonly inputs: number;
  readonly precision: Precision;
  readonly simd: Simd;
  readonly threads: number;
  /** Over all threads. */
  readonly neurons: number;
  readonly bytesOfP: number;
  /** Time over updates of all threads together. */
  readonly microsecondsPerUpdate: Spread;
  /** P read once and written once. */
  readonly gigabytesPerSecond: number;
  /** The same bytes multiplied in place, by the same threads, in the same seconds. */
  readonly inPlaceGigabytesPerSecond: Spread;
  readonly ratioToInPlace: number;
  readonly speedUpOverOneThread: number;
  /** One thread with P of few neurons. */
  readonly inCacheMicroseconds: Spread;
  /** The float64 twin, one thread. */
  readonly twinMicroseconds: Spread;
  readonly speedUpOverTwin: number;
  /** Of the weights after one update, relative to the largest. */
  readonly largestDifferenceFromTwin: number;
}

async function measure(
  group: WorkerGroup,
  setup: { seed: number; inputs: number; precision: Precision; bytes: number; repeat: number },
  threadsOf: readonly number[],
): Promise<Row[]> {
  const { inputs, precision, repeat } = setup;
  const [{ neurons, bytesPerNeuron, simd: simds }] = await group.callAll<RigSize>("prepare", (rank) => [
    { ...setup, rank },
  ]);
  const twin = await group.call<{ seconds: number[]; difference: number }>(0, "twin", [repeat]);
  const inCache = new Map<Simd, number[]>();
  for (const simd of simds) inCache.set(simd, await group.call<number[]>(0, "cached", [simd, repeat]));

  // One round after another, so that a machine that drifts drifts for all.
  const seconds = new Map<string, number[]>();
  const note = (key: string, value: number) => seconds.set(key, [...(seconds.get(key) ?? []), value]);
  for (let round = -1; round < repeat; round++) {
    for (const threads of threadsOf) {
      const inPlace = await together(group, threads, "multiply");
      if (round >= 0) note(`${threads}`, inPlace);
      for (const simd of simds) {
        const update = await together(group, threads, "update", [simd]);
        if (round >= 0) note(`${threads} ${simd}`, update);
      }
    }
  }
  const microseconds = (values: readonly number[], updates: number) => spreadOf(values.map((s) => (1e6 * s) / updates));
  return simds.flatMap((simd) => {
    const alone = microseconds(seconds.get(`1 ${simd}`)!, neurons).median;
    return threadsOf.map((threads): Row => {
      const gigabytes = (2 * threads * neurons * bytesPerNeuron) / 1e9;
      const perUpdate = microseconds(seconds.get(`${threads} ${simd}`)!, threads * neurons);
      const inPlace = spreadOf(seconds.get(`${threads}`)!.map((s) => gigabytes / s));
      const rate = (2 * bytesPerNeuron) / perUpdate.median / 1e3;
      const twinMicroseconds = microseconds(twin.seconds, 1);
      return {
        inputs,
        precision,
        simd,
        threads,
        neurons: threads * neurons,
        bytesOfP: threads * neurons * bytesPerNeuron,
        microsecondsPerUpdate: perUpdate,
        gigabytesPerSecond: rate,
        inPlaceGigabytesPerSecond: inPlace,
        ratioToInPlace: rate / inPlace.median,
        speedUpOverOneThread: alone / perUpdate.median,
        inCacheMicroseconds: microseconds(inCache.get(simd)!, 1),
        twinMicroseconds,
        speedUpOverTwin: twinMicroseconds.median / perUpdate.median,
        largestDifferenceFromTwin: twin.difference,
      };
    });
  });
}

function tableOf(rows: readonly Row[]): string {
  return table(
    ["M", "P", "SIMD", "threads", "us/update", "GB/s", "in-place GB/s", "ratio", "speed-up", "in cache us", "twin us"],
    rows.map((row) => [
      `${row.inputs}`,
      row.precision,
      row.simd,
      `${row.threads}`,
      spreadText(row.microsecondsPerUpdate),
      digits(row.gigabytesPerSecond),
      spreadText(row.inPlaceGigabytesPerSecond),
      percent(row.ratioToInPlace),
      digits(row.speedUpOverOneThread),
      digits(row.inCacheMicroseconds.median),
      digits(row.twinMicroseconds.median),
    ]),
  );
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const bytes = options.bytes ?? defaultBytes;
  const repeat = options.repeat ?? defaultRepeat;
  const threadsOf = threadCounts(options.threads);
  const threads = Math.max(...threadsOf);
  const needed = threads * bytes * (1 + besideP);
  if (needed > availableMemory()) {
    throw new UserError(
      `the kernel workload needs ${formatBytes(needed)} of memory, but ${formatBytes(availableMemory())} are available; ` +
        "lower --bytes (P in each thread) or --threads",
      exitCode.unavailable,
    );
  }
  const rows = await withRigs(threads, async (group) => {
    const all: Row[] = [];
    for (const inputs of [45, 90, 128, 256]) {
      for (const precision of ["f32", "int16"] as const) {
        progress.say(`kernel: M ${inputs}, ${precision}`);
        all.push(...(await measure(group, { seed: options.seed, inputs, precision, bytes, repeat }, threadsOf)));
      }
    }
    return all;
  });
  if (!options.json) {
    context.stdout.write(
      `RLS update, ${formatBytes(bytes)} of P in each thread, median of ${repeat} (lowest..highest); GB/s: P read and written\n` +
        machineLine(machine) +
        tableOf(rows),
    );
  }
  return { machine, seed: options.seed, bytesPerThread: bytes, repeat, rows };
}

export const kernel: Workload = {
  name: "kernel",
  about: "the RLS update alone, against memory bandwidth, cache and its float64 twin",
  run,
};
