/** Iterations of a training run, timed: what the workloads that train have in common. */
import { availableParallelism } from "node:os";
import type { Experiment, ExperimentInput } from "../../experiment/schema.ts";
import { parseExperiment } from "../../experiment/schema.ts";
import type { RlsTrainer } from "../../experiment/trainer-contract.ts";
import { type PLayout, pLayout } from "../../kernels/rls/layout.ts";
import type { IterationReport, TimeSplit } from "../../learning/rls/results.ts";
import type { RlsSpec } from "../../learning/rls/spec.ts";
import { trialSteps } from "../../learning/rls/timing.ts";
import { median } from "../../math/statistics.ts";
import type { Context } from "../context.ts";
import type { Progress } from "../progress.ts";
import { createTrainer, type Prepared, prepare } from "../session.ts";
import { inPlaceBandwidth } from "./bandwidth.ts";
import {
  describeMachine,
  digits,
  type Machine,
  machineLine,
  percent,
  type Spread,
  spreadOf,
  spreadText,
  table,
  threadCounts,
} from "./measurement.ts";
import type { WorkloadOptions } from "./workload.ts";

/** What an iteration consists of, counted. */
export interface Counts {
  readonly neurons: number;
  readonly plasticInputs: number;
  readonly staticOutputs: number;
  readonly tasks: number;
  readonly steps: number;
  readonly updates: number;
  readonly bytesOfP: number;
}

export function countsOf(spec: RlsSpec): Counts {
  const { steps, rows } = trialSteps(spec.timing);
  const plasticInputs = 2 * spec.plastic.inputsPerType + (spec.feedforward?.size ?? 0);
  const layout: PLayout = pLayout(plasticInputs, spec.learning.precision);
  return {
    neurons: spec.neurons,
    plasticInputs,
    staticOutputs: spec.static === null ? 0 : 2 * spec.static.K,
    tasks: spec.tasks,
    steps,
    updates: rows,
    bytesOfP: spec.neurons * layout.bytes,
  };
}

/** One iteration to its end. Nobody interrupts a workload but by ending the process. */
export async function iterate(trainer: RlsTrainer, measure: boolean): Promise<IterationReport> {
  const report = await trainer.iterate({ measure });
  if (report === "interrupted") throw new Error("an iteration that nobody interrupted ended early");
  return report;
}

/** Part by part: the timer samples steps, and a step in which another process had the core weighs sixteenfold. */
export function medianSplit(reports: readonly IterationReport[]): TimeSplit {
  const names = Object.keys(reports[0].split) as (keyof TimeSplit)[];
  return Object.fromEntries(
    names.map((name) => [name, median(reports.map(({ split }) => split[name]))]),
  ) as unknown as TimeSplit;
}

/** The part of an iteration that is spent in WebAssembly. */
export function kernelShare(split: TimeSplit): number {
  const total = Object.values(split).reduce((a, b) => a + b, 0);
  return (split.rls + split.neurons + split.noise + split.delivery) / total;
}

/** Resolves, checks the memory, builds, and closes again whatever happens. */
export async function withTrainer<T>(
  context: Context,
  progress: Progress,
  experiment: Experiment,
  machine: { threads: number; fast: boolean },
  body: (trainer: RlsTrainer, prepared: Prepared, buildSeconds: number) => Promise<T>,
): Promise<T> {
  const prepared = await prepare(context, progress, experiment, machine);
  const started = performance.now();
  const trainer = await createTrainer(progress, prepared);
  try {
    return await body(trainer, prepared, (performance.now() - started) / 1000);
  } finally {
    await trainer.close();
  }
}

/** A way to run the same network. */
interface Way {
  readonly name: string;
  readonly learning: NonNullable<ExperimentInput["learning"]>;
  readonly fast: boolean;
}

interface Row {
  readonly name: string;
  readonly simd: "plain" | "relaxed";
  readonly threads: number;
  readonly buildSeconds: number;
  readonly secondsPerIteration: Spread;
  /** The first way in this list on one thread is the baseline of the run. */
  readonly ratioToBaseline: number;
  readonly speedUpOverOneThread: number;
  /** Seconds of one worker: mean over workers, median over iterations. */
  readonly split: TimeSplit;
  readonly kernelShare: number;
  /** P read and written once per update, or once per block, as fast as memory of its size is multiplied in place. */
  readonly floorSecondsOfP: number;
  readonly rateHz: number;
}

export interface NetworkTimes {
  readonly machine: Machine;
  readonly seed: number;
  readonly size: Counts;
  readonly repeat: number;
  readonly correlationMeasured: boolean;
  readonly inPlaceGigabytesPerSecond: Readonly<Record<string, Spread>>;
  readonly rows: readonly Row[];
}

const defaultRepeat = 5;

function waysOf(machine: Machine): Way[] {
  const ways: Way[] = [
    { name: "f32", learning: { precision: "f32", block: 1 }, fast: false },
    { name: "int16", learning: { precision: "int16", block: 1 }, fast: false },
    { name: "f32, block 10", learning: { precision: "f32", block: 10 }, fast: false },
  ];
  if (machine.simd.relaxed) ways.push({ ...ways[0], fast: true }, { ...ways[1], fast: true });
  return ways;
}

/** Every way of training a network on one thread and on several. */
export async function timeNetwork(
  context: Context,
  progress: Progress,
  given: ExperimentInput,
  options: WorkloadOptions,
): Promise<NetworkTimes> {
  const machine = describeMachine();
  const repeat = options.repeat ?? defaultRepeat;
  const threadsOf = threadCounts(options.threads);
  const input = {
    ...given,
    seed: options.seed,
    ...(options.neurons === undefined ? {} : { neurons: options.neurons }),
  };
  const rows: Row[] = [];
  const bandwidths: Record<string, Spread> = {};
  let size: Counts | undefined;
  let correlationMeasured = false;
  for (const threads of threadsOf) {
    for (const way of waysOf(machine)) {
      progress.say(`${way.name}${way.fast ? ", relaxed SIMD" : ""}, ${threads} thread${threads === 1 ? "" : "s"}`);
      const experiment = parseExperiment(
        { ...input, learning: { ...input.learning, ...way.learning } },
        "the workload",
      );
      await withTrainer(
        context,
        progress,
        experiment,
        { threads, fast: way.fast },
        async (trainer, prepared, build) => {
          const counts = countsOf(prepared.spec);
          size ??= counts;
          correlationMeasured = experiment.correlationEvery === 1;
          bandwidths[threads] ??= await inPlaceBandwidth(threads, counts.bytesOfP);
          await iterate(trainer, correlationMeasured);
          const reports: IterationReport[] = [];
          for (let i = 0; i < repeat; i++) reports.push(await iterate(trainer, correlationMeasured));
          const seconds = spreadOf(reports.map((report) => report.seconds));
          const split = medianSplit(reports);
          const passes = Math.ceil(counts.updates / (way.learning.block ?? 1));
          const alone = rows.find((row) => row.name === way.name && row.threads === 1 && sameSimd(row, way));
          rows.push({
            name: way.name,
            simd: way.fast ? "relaxed" : "plain",
            threads,
            buildSeconds: build,
            secondsPerIteration: seconds,
            ratioToBaseline: rows.length === 0 ? 1 : seconds.median / rows[0].secondsPerIteration.median,
            speedUpOverOneThread: alone === undefined ? 1 : alone.secondsPerIteration.median / seconds.median,
            split,
            kernelShare: kernelShare(split),
            floorSecondsOfP: (2 * counts.bytesOfP * passes) / bandwidths[threads].median,
            rateHz: reports[reports.length - 1].rateHz,
          });
        },
      );
    }
  }
  const gigabytes = Object.fromEntries(
    Object.entries(bandwidths).map(([threads, { median, min, max }]) => [
      `${threads} thread${threads === "1" ? "" : "s"}`,
      { median: median / 1e9, min: min / 1e9, max: max / 1e9 },
    ]),
  );
  return {
    machine,
    seed: options.seed,
    size: size!,
    repeat,
    correlationMeasured,
    inPlaceGigabytesPerSecond: gigabytes,
    rows,
  };
}

const sameSimd = (row: Row, way: Way): boolean => (row.simd === "relaxed") === way.fast;

export function networkTable(title: string, times: NetworkTimes): string {
  const { size, repeat } = times;
  return [
    `${title}: ${size.neurons} neurons, ${size.plasticInputs} plastic and ${size.staticOutputs} static synapses each, ` +
      `${size.steps} steps, ${size.updates} updates; seconds per iteration, median of ${repeat} (lowest..highest)\n`,
    machineLine(times.machine),
    `in place: ${Object.entries(times.inPlaceGigabytesPerSecond)
      .map(([threads, spread]) => `${spreadText(spread)} GB/s with ${threads}`)
      .join(", ")}\n`,
    table(
      [
        ...["P", "SIMD", "threads", "s/iteration", "to baseline", "speed-up", "in kernels"],
        ...["rls", "neurons", "noise", "delivery", "exchange", "other", "floor of P", "Hz"],
      ],
      times.rows.map((row) => [
        row.name,
        row.simd,
        `${row.threads}`,
        spreadText(row.secondsPerIteration),
        digits(row.ratioToBaseline),
        digits(row.speedUpOverOneThread),
        percent(row.kernelShare),
        ...(["rls", "neurons", "noise", "delivery", "exchange", "other"] as const).map((part) =>
          row.split[part].toFixed(4),
        ),
        row.floorSecondsOfP.toFixed(4),
        row.rateHz.toFixed(2),
      ]),
    ),
  ].join("");
}

/** Threads asked for, or one per core. */
export const chosenThreads = (options: WorkloadOptions): number => options.threads ?? availableParallelism();
