/**
 * e-prop and BPTT on the same network and the same data, the bundled spoken digits, in ever finer steps: accuracy after
 * some epochs, milliseconds per sample, memory. Everything but the rule is the same; each training is a process of its own.
 */
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import type { Rule, TrainingChoice } from "./gradient-networks.ts";
import { runJob } from "./gradient-process.ts";
import { lengthsUpTo } from "./gradient-scaling.ts";
import {
  describeMachine,
  digits,
  machineLine,
  percent,
  type Spread,
  spreadOf,
  spreadText,
  table,
} from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const durationMs = 1000;
const lengths = [100, 250, 500, 1000, 2000, 4000];
const trainingSamples = 360;
/** Mean rate of an input in these data, which initial weights are drawn for. */
const dataRateHz = 8;
const defaultEpochs = 20;
const batch = 30;

interface Row {
  readonly steps: number;
  readonly rule: Rule;
  /** Over the seeds. */
  readonly testAccuracy: Spread;
  readonly trainAccuracy: Spread;
  /** One thread, later epochs. */
  readonly msPerSample: Spread;
  readonly engineBytes: number;
  /** The most of the process, the data included. */
  readonly bytesOverBase: number;
  readonly hiddenHz: number;
}

async function measure(
  rule: Rule,
  steps: number,
  { neurons, seed, epochs, seeds }: { neurons: number; seed: number; epochs: number; seeds: number },
): Promise<Row> {
  const dtMs = durationMs / steps;
  const choice: TrainingChoice = {
    cell: "StorkLIF",
    rule,
    neurons,
    seed,
    dtMs,
    outputs: 10,
    dataRateHz,
    rate: 5e-3,
    epochs,
    batchesPerEpoch: trainingSamples / batch,
    clipNorm: 1,
  };
  const results = [];
  for (let s = 0; s < seeds; s++) {
    const job = { choice: { ...choice, seed: seed + s }, batch, epochs, threads: 1 };
    results.push(await runJob({ ...job, data: { type: "digits", steps, dtMs } }));
  }
  // The first epoch meets code that is not yet optimised.
  const perEpoch = results.flatMap(({ seconds }) => (seconds.length > 1 ? seconds.slice(1) : seconds));
  return {
    steps,
    rule,
    testAccuracy: spreadOf(results.map(({ accuracy }) => accuracy.test ?? Number.NaN)),
    trainAccuracy: spreadOf(results.map(({ accuracy }) => accuracy.train)),
    msPerSample: spreadOf(perEpoch.map((seconds) => (1000 * seconds) / trainingSamples)),
    engineBytes: results[0].engineBytes,
    bytesOverBase: Math.max(...results.map(({ peakBytes, baseBytes }) => peakBytes - baseBytes)),
    hiddenHz: (1000 * results[0].hiddenShare) / dtMs,
  };
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const { seed } = options;
  const neurons = options.neurons ?? 128;
  const epochs = options.epochs ?? defaultEpochs;
  const seeds = options.repeat ?? 1;
  const rows: Row[] = [];
  for (const steps of lengthsUpTo(options.steps ?? Number.POSITIVE_INFINITY, lengths)) {
    for (const rule of ["eprop", "bptt"] as const) {
      progress.say(`rules: ${rule}, ${steps} steps`);
      rows.push(await measure(rule, steps, { neurons, seed, epochs, seeds }));
    }
  }
  if (!options.json) {
    context.stdout.write(
      `spoken digits (360 to train, 120 to test), ${neurons} recurrent current-based LIF neurons, ${epochs} epochs, ` +
        `${seeds} seed${seeds === 1 ? "" : "s"}, one thread; median (lowest..highest)\n` +
        machineLine(machine) +
        table(
          ["steps", "dt ms", "rule", "test", "train", "ms/sample", "engine MB", "process MB over base", "hidden Hz"],
          rows.map((row) => [
            `${row.steps}`,
            `${durationMs / row.steps}`,
            row.rule,
            percents(row.testAccuracy),
            percents(row.trainAccuracy),
            spreadText(row.msPerSample),
            (row.engineBytes / 1e6).toFixed(1),
            (row.bytesOverBase / 1e6).toFixed(0),
            digits(row.hiddenHz),
          ]),
        ),
    );
  }
  return { machine, seed, seeds, neurons, epochs, rows };
}

const percents = ({ median, min, max }: Spread): string =>
  min === max ? percent(median) : `${percent(median)} (${percent(min)}..${percent(max)})`;

export const rules: Workload = {
  name: "rules",
  about: "e-prop and BPTT side by side: accuracy, ms per sample and memory against the number of steps",
  run,
};
