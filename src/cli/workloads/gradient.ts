/**
 * The gradient engine on one core and on several: milliseconds per sample and where they go, seconds and memory per batch,
 * threads and batch sizes, length of samples. Beside the figures stand what was asked for and what others take
 * (docs/benchmarks.md says where those numbers are from).
 */
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { inPlaceBandwidth } from "./bandwidth.ts";
import { shdLikeSamples, type TrainingChoice, withActivity } from "./gradient-networks.ts";
import { batchSize, compareWithTwin, measureParts, type PartsRow, type TwinComparison } from "./gradient-parts.ts";
import {
  type BatchRow,
  type LengthRow,
  lengthsUpTo,
  measureBatch,
  measureLength,
  measureThreads,
  type ThreadRow,
} from "./gradient-scaling.ts";
import {
  describeMachine,
  digits,
  machineLine,
  percent,
  type Spread,
  spreadText,
  table,
  threadCounts,
} from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const defaultRepeat = 5;
const defaultLongest = 10_000;
const usualSteps = 1000;
const distinctSamples = 8;
/** Share of neurons and steps at which the hidden layer of the dense programs was measured. */
const denseHiddenShare = 0.03;
/** Of theirs, 2 % of the inputs spike in a step of 2 ms. */
const denseSpikes = { dtMs: 2, perStep: 15 } as const;
const sparseSurrogate = { type: "sparseFastSigmoid", beta: 100, width: 0.2 } as const;
const batchSizes = [1, batchSize, 256, 512];

/** Milliseconds per sample of GeNN's CPU backend at its best, e-prop, one core. */
const genn = { ALIF: { 256: 420, 512: 1106, 1024: 3112 }, LIF: { 256: 284 } } as Record<string, Record<number, number>>;
/** Milliseconds per sample that were asked for. */
const asked = { 256: 4.5, 512: 9, 1024: 24 } as Record<number, number>;

interface Part {
  readonly name: string;
  readonly choice: TrainingChoice;
  readonly target: number | null;
  readonly others: number | null;
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const { seed, neurons } = options;
  const repeat = options.repeat ?? defaultRepeat;
  const longest = options.steps ?? defaultLongest;
  const steps = Math.min(usualSteps, longest);
  const threadsOf = threadCounts(options.threads);

  const samples = await shdLikeSamples({ seed, samples: distinctSamples, steps });
  const events = samples.map((sample) => sample.events);
  const own = { neurons: neurons ?? 256, seed };
  const bptt = await withActivity({ ...own, cell: "StorkLIF", rule: "bptt" }, events.slice(0, 2), denseHiddenShare);
  const alif = { ...own, cell: "GennALIF", rule: "eprop" } as const;

  const parts: Part[] = [
    ...(neurons === undefined ? [256, 512, 1024] : [neurons]).map((size) => ({
      name: "ALIF e-prop",
      choice: { ...alif, neurons: size },
      target: asked[size] ?? null,
      others: genn.ALIF[size] ?? null,
    })),
    {
      name: "LIF e-prop",
      choice: { ...own, cell: "GennLIF", rule: "eprop" },
      target: null,
      others: genn.LIF[own.neurons] ?? null,
    },
    { name: "ALIF BPTT", choice: { ...alif, rule: "bptt" }, target: null, others: null },
    { name: "current-based LIF BPTT", choice: bptt, target: null, others: null },
    { name: "the same, sparse surrogate", choice: { ...bptt, surrogate: sparseSurrogate }, target: null, others: null },
  ];
  const bandwidths = new Map<number, Promise<Spread>>();
  const bandwidthOf = (bytes: number): Promise<Spread> => {
    const known = bandwidths.get(bytes) ?? inPlaceBandwidth(1, bytes, 15);
    bandwidths.set(bytes, known);
    return known;
  };
  const rows: (PartsRow & { readonly others: number | null })[] = [];
  for (const relaxed of machine.simd.relaxed ? [false, true] : [false]) {
    for (const { name, choice, target, others } of parts) {
      progress.say(`gradient: ${name}, ${choice.neurons} neurons${relaxed ? ", relaxed SIMD" : ""}`);
      const row = await measureParts(name, { ...choice, relaxed }, samples, { repeat, target, bandwidthOf });
      rows.push({ ...row, others });
    }
  }
  const twins: TwinComparison[] = [];
  for (const [name, choice] of [
    ["ALIF e-prop", alif],
    ["current-based LIF BPTT", bptt],
  ] as const) {
    progress.say(`gradient: the float64 twin of ${name}`);
    twins.push(await compareWithTwin(name, choice, samples[0], { steps: Math.min(100, steps), repeat }));
  }

  const batches: BatchRow[] = [];
  for (const [length, seconds, bytes, published] of [
    [steps, 0.25, 120e6, { seconds: [0.68, 0.77], bytes: 840e6 }],
    [Math.min(100, steps), 0.025, null, { seconds: [0.065, 0.065], bytes: null }],
  ] as const) {
    const few = (await shdLikeSamples({ seed, samples: 2, steps: length, ...denseSpikes })).map(
      (sample) => sample.events,
    );
    const dense = await withActivity(
      { ...own, cell: "StorkLIF", rule: "bptt", dtMs: denseSpikes.dtMs },
      few,
      denseHiddenShare,
    );
    for (const surrogate of [undefined, sparseSurrogate]) {
      progress.say(`gradient: batches of ${batchSize}, ${length} steps`);
      const what = {
        name: surrogate === undefined ? "fastSigmoid(20)" : "sparseFastSigmoid(100, 0.2)",
        targetSeconds: seconds,
        targetBytes: bytes,
        published,
      };
      const spikes = { seed, steps: length, ...denseSpikes };
      batches.push(await measureBatch(what, { ...dense, surrogate }, spikes, { batch: batchSize, repeat }));
    }
  }

  const threads: ThreadRow[] = [];
  for (const [name, choice] of [
    ["ALIF e-prop", alif],
    ["current-based LIF BPTT", bptt],
  ] as const) {
    progress.say(`gradient: ${name}, batches of ${batchSizes.join(", ")}, ${threadsOf.join(" and ")} threads`);
    threads.push(...(await measureThreads(name, choice, samples, { batches: batchSizes, threadsOf, repeat })));
  }

  const lengths = lengthsUpTo(longest, [500, 1000, 2000, 5000, 10_000]);
  const [short] = await shdLikeSamples({ seed, samples: 1, steps: lengths[0] });
  const length: LengthRow[] = [];
  for (const [name, choice] of [
    ["ALIF e-prop", alif],
    ["current-based LIF BPTT", bptt],
  ] as const) {
    progress.say(`gradient: ${name}, ${lengths[0]} to ${longest} steps`);
    length.push(...(await measureLength(name, choice, short.events, { lengths, repeat })));
  }

  if (!options.json) {
    context.stdout.write(
      `gradient engine: 700 inputs, ${digits(rows[0].inputEvents)} events in ${steps} steps, 20 classes; median of ${repeat} (lowest..highest)\n` +
        machineLine(machine) +
        `\nmilliseconds per sample, one thread; optimiser: Adam's share of a batch of ${batchSize}; floor: rows of weights and gradients read and written in place\n` +
        partsTable(rows) +
        `\nthe float64 twin, first steps of a sample\n${twinTable(twins)}` +
        `\ncurrent-based LIF BPTT, ${own.neurons} neurons, batches of ${batchSize} in a process of their own, 2 % of the inputs and ${percent(denseHiddenShare)} of the neurons per step\n` +
        batchTable(batches) +
        `\nsamples per second in the trainer, ${own.neurons} neurons\n${threadTable(threads)}` +
        `\nmicroseconds per step, forward and backward, by number of steps (asked for: within 10 %)\n` +
        lengthTable(lengths, length),
    );
  }
  return { machine, seed, repeat, parts: rows, twins, batches, threads, lengths: length };
}

const orDash = (value: number | null): string => (value === null ? "-" : digits(value));

function partsTable(rows: readonly (PartsRow & { readonly others: number | null })[]): string {
  return table(
    [
      ...["network", "neurons", "SIMD", "forward", "loss", "backward", "optimiser", "together", "asked for"],
      ...["in the trainer", "GeNN CPU", "floor", "hidden Hz", "active", "computed"],
    ],
    rows.map((row) => [
      row.name,
      `${row.neurons}`,
      row.simd,
      digits(row.forward.median),
      digits(row.loss.median),
      digits(row.backward.median),
      digits(row.optimiser.median),
      spreadText(row.total),
      orDash(row.target),
      spreadText(row.trained),
      orDash(row.others),
      digits(row.floor),
      digits(row.hiddenHz),
      percent(row.activeShare),
      percent(row.computedShare),
    ]),
  );
}

function twinTable(rows: readonly TwinComparison[]): string {
  return table(
    ["network", "steps", "twin ms", "engine ms", "largest difference", "different spikes"],
    rows.map((row) => [
      row.name,
      `${row.steps}`,
      spreadText(row.twinMs),
      spreadText(row.engineMs),
      row.largestDifference.toExponential(1),
      `${row.differentSpikes}`,
    ]),
  );
}

const megabytes = (bytes: number | null): string => (bytes === null ? "-" : (bytes / 1e6).toFixed(0));

function batchTable(rows: readonly BatchRow[]): string {
  return table(
    ["surrogate", "steps", "s/batch", "asked for", "PyTorch", "MB over base", "asked for", "PyTorch", "hidden"],
    rows.map((row) => [
      row.name,
      `${row.steps}`,
      spreadText(row.seconds),
      orDash(row.targetSeconds),
      row.published === null ? "-" : [...new Set(row.published.seconds)].join("-"),
      megabytes(row.bytesOverBase),
      megabytes(row.targetBytes),
      megabytes(row.published?.bytes ?? null),
      percent(row.hiddenShare),
    ]),
  );
}

function threadTable(rows: readonly ThreadRow[]): string {
  return table(
    ["network", "batch", "threads", "samples/s", "speed-up"],
    rows.map((row) => [
      row.name,
      `${row.batch}`,
      `${row.threads}`,
      spreadText(row.samplesPerSecond),
      digits(row.speedUpOverOneThread),
    ]),
  );
}

function lengthTable(lengths: readonly number[], rows: readonly LengthRow[]): string {
  return table(
    ["network", ...lengths.map(String), "largest/smallest"],
    rows.map((row) => [
      row.name,
      ...lengths.map((steps) => digits(row.microsecondsPerStep[steps].median)),
      row.largestRatio.toFixed(2),
    ]),
  );
}

export const gradient: Workload = {
  name: "gradient",
  about: "training by gradients: ms per sample, batches, threads, length of samples",
  run,
};
