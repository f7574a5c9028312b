/**
 * The published benchmark of TrainSpikingNet: a million neurons with 1024 static and 90 plastic synapses each, one full
 * iteration. With --neurons a smaller network of the same shape: the synapses per neuron stay.
 *
 * Its time stands beside a floor: the bytes that must move at least, as fast as memory is multiplied in place. P is read
 * and written at each update; a neuron's 5 state variables are read and written at each step (they may stay in a cache:
 * then the floor is beaten); a static event reads its target, a plastic event reads its target and slot and touches one
 * sector of 32 bytes with the weight.
 */
import { availableMemory } from "../../experiment/memory.ts";
import { formatBytes } from "../../experiment/memory-guard.ts";
import { presets } from "../../experiment/presets.ts";
import { resolveExperiment } from "../../experiment/resolve.ts";
import { parseExperiment } from "../../experiment/schema.ts";
import type { IterationReport, TimeSplit } from "../../learning/rls/results.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { formatCount } from "../talk.ts";
import { inPlaceBandwidth } from "./bandwidth.ts";
import {
  describeMachine,
  digits,
  machineLine,
  peakRssBytes,
  percent,
  type Spread,
  spreadOf,
  spreadText,
  table,
} from "./measurement.ts";
import { type Counts, chosenThreads, countsOf, iterate, kernelShare, medianSplit, withTrainer } from "./training.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const publishedNeurons = 1_000_000;
const published = {
  source: "Arthur, Kim, Chen, Preibisch, Darshan 2023, Front Neuroinform, doi 10.3389/fninf.2023.1099510",
  neurons: publishedNeurons,
  secondsPerIteration: { "48 Intel cores": 1260, "NVIDIA A100": 48 },
};

const bandwidthBytes = 1.2e9;

interface FloorRow {
  readonly part: string;
  readonly events: number;
  readonly bytes: number;
  readonly floorSeconds: number;
  /** null: measured together with the row above. */
  readonly measuredSeconds: number | null;
  /** Of one core. */
  readonly nanosecondsPerEvent: number | null;
}

function floorOf(
  size: Counts,
  trialMs: number,
  rateHz: number,
  split: TimeSplit,
  machine: { threads: number; bandwidth: number; block: number },
): FloorRow[] {
  const { neurons, plasticInputs, staticOutputs, steps, updates, bytesOfP } = size;
  const spikes = (rateHz * neurons * trialMs) / 1000;
  const row = (part: string, events: number, bytes: number, measured: number | null, timed = events): FloorRow => ({
    part,
    events,
    bytes,
    floorSeconds: bytes / machine.bandwidth,
    measuredSeconds: measured,
    nanosecondsPerEvent: measured === null || timed === 0 ? null : (1e9 * measured * machine.threads) / timed,
  });
  const passes = Math.ceil(updates / machine.block);
  const staticEvents = spikes * staticOutputs;
  const plasticEvents = spikes * plasticInputs;
  return [
    row("RLS updates (P)", neurons * updates, 2 * bytesOfP * passes, split.rls),
    row("neuron steps", neurons * steps, 40 * neurons * steps, split.neurons + split.noise),
    row("static events", staticEvents, 4 * staticEvents, split.delivery, staticEvents + plasticEvents),
    row("plastic events", plasticEvents, 40 * plasticEvents, null),
  ];
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const threads = chosenThreads(options);
  const repeat = options.repeat ?? 1;
  const preset = presets.million.experiment;
  const experiment = parseExperiment(
    {
      ...preset,
      seed: options.seed,
      neurons: options.neurons ?? publishedNeurons,
      learning: {
        ...preset.learning,
        ...(options.precision && { precision: options.precision }),
        ...(options.block && { block: options.block }),
      },
    },
    "the workload",
  );
  const { spec } = resolveExperiment(experiment, null);
  const size = countsOf(spec);
  const estimate = await (await context.engine()).estimateMemory(spec, { threads, fast: options.fast });
  progress.say(`memory: ${formatBytes(estimate.total)} needed, ${formatBytes(availableMemory())} available`);

  // What does not fit is refused here, before anything is built.
  return withTrainer(
    context,
    progress,
    experiment,
    { threads, fast: options.fast },
    async (trainer, _, buildSeconds) => {
      progress.say(`built in ${digits(buildSeconds)} s, with the run of the static network; now training`);
      const reports: IterationReport[] = [];
      for (let i = 0; i < repeat; i++) {
        reports.push(await iterate(trainer, true));
        progress.say(
          `iteration ${i + 1}/${repeat}: ${digits(reports[i].seconds)} s, ${reports[i].rateHz.toFixed(2)} Hz`,
        );
      }
      const peak = peakRssBytes();
      await trainer.close();
      const bandwidth = await inPlaceBandwidth(threads, Math.min(bandwidthBytes, Math.max(1e6, size.bytesOfP)));
      const seconds = spreadOf(reports.map((report) => report.seconds));
      const split = medianSplit(reports);
      const { rateHz, health } = reports[reports.length - 1];
      const trialMs = size.steps * spec.timing.dtMs;
      const { block } = spec.learning;
      const floor = floorOf(size, trialMs, rateHz, split, { threads, bandwidth: bandwidth.median, block });
      const scaled = size.neurons !== publishedNeurons;
      const result = {
        machine,
        seed: options.seed,
        size,
        scaled,
        threads,
        simd: options.fast && machine.simd.relaxed ? "relaxed" : "plain",
        precision: spec.learning.precision,
        block,
        repeat,
        memory: { estimateBytes: estimate.total, parts: estimate.parts, peakRssBytes: peak },
        buildSeconds,
        secondsPerIteration: seconds,
        split,
        kernelShare: kernelShare(split),
        rateHz,
        resets: health.resets,
        inPlaceGigabytesPerSecond: gigabytes(bandwidth),
        floor,
        floorSeconds: floor.reduce((sum, { floorSeconds }) => sum + floorSeconds, 0),
        published: {
          ...published,
          speedUp: scaled
            ? null
            : Object.fromEntries(
                Object.entries(published.secondsPerIteration).map(([on, mark]) => [on, mark / seconds.median]),
              ),
        },
      };
      if (!options.json) context.stdout.write(textOf(result));
      return result;
    },
  );
}

const gigabytes = ({ median, min, max }: Spread): Spread => ({ median: median / 1e9, min: min / 1e9, max: max / 1e9 });

function textOf(result: {
  machine: ReturnType<typeof describeMachine>;
  size: Counts;
  scaled: boolean;
  threads: number;
  simd: string;
  precision: string;
  block: number;
  memory: { estimateBytes: number; peakRssBytes: number };
  buildSeconds: number;
  secondsPerIteration: Spread;
  split: TimeSplit;
  kernelShare: number;
  rateHz: number;
  inPlaceGigabytesPerSecond: Spread;
  floor: readonly FloorRow[];
  floorSeconds: number;
}): string {
  const { size, split, scaled } = result;
  const marks = Object.entries(published.secondsPerIteration).map(([on, mark]) => `${mark} s on ${on}`);
  const cells = (row: FloorRow) => [
    row.part,
    row.events.toExponential(2),
    formatBytes(row.bytes),
    digits(row.floorSeconds),
    row.measuredSeconds === null ? "with the above" : digits(row.measuredSeconds),
    row.nanosecondsPerEvent === null ? "" : digits(row.nanosecondsPerEvent),
  ];
  return [
    `${formatCount(size.neurons)} neurons, ${size.staticOutputs} static and ${size.plasticInputs} plastic synapses each, ` +
      `${size.steps} steps, ${size.updates} updates${scaled ? "; SCALED: the published network has 1 000 000 neurons" : ""}\n`,
    machineLine(result.machine),
    `${result.threads} threads, ${result.simd} SIMD, ${result.precision} P${result.block > 1 ? `, blocks of ${result.block} samples` : ""}\n`,
    `memory            ${formatBytes(result.memory.estimateBytes)} estimated, ${formatBytes(result.memory.peakRssBytes)} largest resident size of the process\n`,
    `build             ${digits(result.buildSeconds)} s, with the run of the static network\n`,
    `one iteration     ${spreadText(result.secondsPerIteration)} s, ${percent(result.kernelShare)} in kernels, ${result.rateHz.toFixed(2)} Hz\n`,
    `time split        ${Object.entries(split)
      .map(([part, seconds]) => `${part} ${digits(seconds)}`)
      .join(", ")} s\n`,
    `in place          ${spreadText(result.inPlaceGigabytesPerSecond)} GB/s\n`,
    table(["floor", "events", "bytes", "floor s", "measured s", "ns per event and core"], result.floor.map(cells)),
    `floor in all      ${digits(result.floorSeconds)} s\n`,
    `published         ${marks.join(", ")} per iteration of ${formatCount(published.neurons)} neurons (${published.source})${
      scaled ? "; not to be compared with this smaller network" : ""
    }\n`,
  ].join("");
}

export const million: Workload = {
  name: "million",
  about: "the published million neurons (or --neurons of the same shape): one iteration beside its floor",
  run,
};
