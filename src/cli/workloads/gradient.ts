/**
 * The gradient engine on one core and on several: milliseconds per sample and where they go, seconds and memory per batch,
 * threads and batch sizes, length of samples. Beside the figures stand what was asked for and what others take
 * (docs/benchmarks.md says where those numbers are from).
 */
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { inPlaceBandwidth } from "./bandwidth.ts";
import { type HeterogeneityRow, measureHeterogeneity } from "./gradient-heterogeneity.ts";
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
import { measureSixteenBits, type SixteenBitsRow } from "./gradient-sixteen-bits.ts";
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
const distinctSamples = 8;
/** Differences of a few per cent need more rounds than the rest. */
const costRounds = 5;
/** Share of neurons and steps at which the hidden layer of the dense programs was measured. */
const denseHiddenShare = 0.03;
/** Of theirs, 2 % of the inputs spike in a step of 2 ms. */
const denseSpikes = { dtMs: 2, perStep: 15 } as const;
const sparseSurrogate = { type: "sparseFastSigmoid", beta: 100, width: 0.2 } as const;
const batchSizes = [1, batchSize, 256, 512];

/** What holds for 256, 512 and 1024 neurons and 1000 steps; other sizes have nothing to be compared with. */
const compared = {
  steps: 1000,
  neurons: 256,
  /** Milliseconds per sample of ALIF e-prop that were asked for. */
  asked: { 256: 4.5, 512: 9, 1024: 24 } as Record<number, number>,
  /** Of GeNN's CPU backend at its best, one core. */
  genn: { ALIF: { 256: 420, 512: 1106, 1024: 3112 }, LIF: { 256: 284 } } as Record<string, Record<number, number>>,
  /** A batch of 32 in PyTorch, and what was asked for. */
  batches: {
    1000: { targetSeconds: 0.25, targetBytes: 120e6, published: { seconds: [0.68, 0.77], bytes: 840e6 } },
    100: { targetSeconds: 0.025, targetBytes: null, published: { seconds: [0.065, 0.065], bytes: null } },
  } as Record<number, Pick<BatchRow, "targetSeconds" | "targetBytes" | "published">>,
};

type ComparedParts = PartsRow & { readonly others: number | null };

/** The two networks that most sections measure, and samples for them. */
interface Setup {
  readonly seed: number;
  readonly neurons: number;
  readonly steps: number;
  readonly repeat: number;
  readonly samples: readonly LabelledEvents[];
  readonly alif: TrainingChoice;
  readonly bptt: TrainingChoice;
  readonly say: (text: string) => void;
}

const pairOf = ({ alif, bptt }: Setup): [name: string, choice: TrainingChoice][] => [
  ["ALIF e-prop", alif],
  ["current-based LIF BPTT", bptt],
];

async function partsOf(setup: Setup, sizes: readonly number[], relaxedToo: boolean): Promise<ComparedParts[]> {
  const { alif, bptt, samples, repeat, steps, say } = setup;
  const networks: [name: string, choice: TrainingChoice, peer?: string][] = [
    ...sizes.map((neurons): [string, TrainingChoice, string] => ["ALIF e-prop", { ...alif, neurons }, "ALIF"]),
    ["LIF e-prop", { ...alif, cell: "GennLIF" }, "LIF"],
    ["ALIF BPTT", { ...alif, rule: "bptt" }],
    ["current-based LIF BPTT", bptt],
    ["the same, sparse surrogate", { ...bptt, surrogate: sparseSurrogate }],
  ];
  const bandwidths = new Map<number, Promise<Spread>>();
  const bandwidthOf = (bytes: number): Promise<Spread> => {
    const known = bandwidths.get(bytes) ?? inPlaceBandwidth(1, bytes, 15);
    bandwidths.set(bytes, known);
    return known;
  };
  const rows: ComparedParts[] = [];
  for (const relaxed of relaxedToo ? [false, true] : [false]) {
    for (const [name, choice, peer] of networks) {
      say(`${name}, ${choice.neurons} neurons${relaxed ? ", relaxed SIMD" : ""}`);
      const isCompared = peer !== undefined && steps === compared.steps;
      const target = isCompared && peer === "ALIF" ? (compared.asked[choice.neurons] ?? null) : null;
      const row = await measureParts(name, { ...choice, relaxed }, samples, { repeat, target, bandwidthOf });
      rows.push({ ...row, others: isCompared ? (compared.genn[peer][choice.neurons] ?? null) : null });
    }
  }
  return rows;
}

async function batchesOf({ seed, bptt, steps, repeat, say }: Setup): Promise<BatchRow[]> {
  const rows: BatchRow[] = [];
  for (const length of new Set([steps, Math.min(100, steps)])) {
    const spikes = { seed, steps: length, ...denseSpikes };
    const few = (await shdLikeSamples({ ...spikes, samples: 2 })).map((sample) => sample.events);
    const choice = await withActivity({ ...bptt, dtMs: denseSpikes.dtMs }, few, denseHiddenShare);
    const nothing = { targetSeconds: null, targetBytes: null, published: null };
    const others = (choice.neurons === compared.neurons ? compared.batches[length] : undefined) ?? nothing;
    for (const [name, change] of [
      ["fastSigmoid(20)", {}],
      ["the same, products in int16", { products: "int16" }],
      ["sparseFastSigmoid(100, 0.2)", { surrogate: sparseSurrogate }],
    ] as const) {
      say(`batches of ${batchSize}, ${length} steps, ${name}`);
      rows.push(
        await measureBatch({ name, ...others }, { ...choice, ...change }, spikes, { batch: batchSize, repeat }),
      );
    }
  }
  return rows;
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const { seed, neurons = compared.neurons } = options;
  const repeat = options.repeat ?? defaultRepeat;
  const longest = options.steps ?? defaultLongest;
  const steps = Math.min(compared.steps, longest);
  const threadsOf = threadCounts(options.threads);
  const samples = await shdLikeSamples({ seed, samples: distinctSamples, steps });
  const few = samples.slice(0, 2).map((sample) => sample.events);
  const setup: Setup = {
    ...{ seed, neurons, steps, repeat, samples },
    alif: { cell: "GennALIF", rule: "eprop", neurons, seed },
    bptt: await withActivity({ cell: "StorkLIF", rule: "bptt", neurons, seed }, few, denseHiddenShare),
    say: (text) => progress.say(`gradient: ${text}`),
  };

  const parts = await partsOf(
    setup,
    options.neurons === undefined ? [256, 512, 1024] : [neurons],
    machine.simd.relaxed,
  );
  const twins: TwinComparison[] = [];
  for (const [name, choice] of pairOf(setup)) {
    setup.say(`the float64 twin of ${name}`);
    twins.push(await compareWithTwin(name, choice, samples[0], { steps: Math.min(100, steps), repeat }));
  }
  const heterogeneity: HeterogeneityRow[] = [];
  for (const [name, choice] of pairOf(setup)) {
    setup.say(`${name}, time constants of single neurons`);
    heterogeneity.push(await measureHeterogeneity(name, choice, samples, costRounds * repeat));
  }
  setup.say("32 and 16 bits");
  const sixteenBits = await measureSixteenBits("current-based LIF BPTT", setup.bptt, samples, repeat);
  const batches = await batchesOf(setup);
  const threads: ThreadRow[] = [];
  for (const [name, choice] of pairOf(setup)) {
    setup.say(`${name}, batches of ${batchSizes.join(", ")}, ${threadsOf.join(" and ")} threads`);
    threads.push(...(await measureThreads(name, choice, samples, { batches: batchSizes, threadsOf, repeat })));
  }
  const lengths = lengthsUpTo(longest, [500, 1000, 2000, 5000, 10_000]);
  const [short] = await shdLikeSamples({ seed, samples: 1, steps: lengths[0] });
  const byLength: LengthRow[] = [];
  for (const [name, choice] of pairOf(setup)) {
    setup.say(`${name}, ${lengths[0]} to ${longest} steps`);
    byLength.push(...(await measureLength(name, choice, short.events, { lengths, repeat })));
  }

  if (!options.json) {
    context.stdout.write(
      `gradient engine: 700 inputs, ${digits(parts[0].inputEvents)} events in ${steps} steps, 20 classes; median of ${repeat} (lowest..highest)\n` +
        machineLine(machine) +
        `\nmilliseconds per sample, one thread; optimiser: Adam's share of a batch of ${batchSize}; floor: rows of weights and gradients read and written in place\n` +
        partsTable(parts) +
        `\nmilliseconds of the processor per sample in the trainer, ${neurons} neurons with time constants of their own; three variants of one network in turns\n` +
        heterogeneityTable(heterogeneity) +
        `\nthe float64 twin, first steps of a sample\n${twinTable(twins)}` +
        `\nwhat is kept of a sample for the way back (tape) and products of errors with weights, in 32 and in 16 bits; gradients beside those in 32 bits\n` +
        sixteenBitsTable(sixteenBits) +
        `\ncurrent-based LIF BPTT, ${neurons} neurons, batches of ${batchSize} in a process of their own, 2 % of the inputs and ${percent(denseHiddenShare)} of the neurons per step\n` +
        batchTable(batches) +
        `\nsamples per second in the trainer, ${neurons} neurons\n${threadTable(threads)}` +
        `\nmicroseconds per step, forward and backward, by number of steps (asked for: within 10 %)\n` +
        lengthTable(lengths, byLength),
    );
  }
  return { machine, seed, repeat, parts, heterogeneity, twins, sixteenBits, batches, threads, lengths: byLength };
}

const orDash = (value: number | null): string => (value === null ? "-" : digits(value));

function partsTable(rows: readonly ComparedParts[]): string {
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

const extra = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(1)} %`;

function heterogeneityTable(rows: readonly HeterogeneityRow[]): string {
  return table(
    ["network", "one value", "one per neuron", "costs", "asked for", "trained", "costs", "asked for"],
    rows.map((row) => [
      row.name,
      spreadText(row.homogeneous),
      spreadText(row.heterogeneous),
      extra(row.heterogeneousRatio),
      extra(row.asked.heterogeneous),
      spreadText(row.trained),
      extra(row.trainedRatio),
      extra(row.asked.trained),
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

function sixteenBitsTable(rows: readonly SixteenBitsRow[]): string {
  return table(
    ["network", "tape", "products", "steps", "forward ms", "backward ms", "tape MB", "engine MB", "largest difference"],
    rows.map((row) => [
      row.name,
      row.tape,
      row.products,
      `${row.steps}`,
      spreadText(row.forward),
      spreadText(row.backward),
      (row.tapeBytes / 1e6).toFixed(2),
      (row.engineBytes / 1e6).toFixed(2),
      row.largestDifference.toExponential(1),
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
      ...lengths.map((steps) => digits(row.microsecondsPerStep[steps]?.median ?? Number.NaN)),
      row.largestRatio.toFixed(2),
    ]),
  );
}

export const gradient: Workload = {
  name: "gradient",
  about: "training by gradients: ms per sample, batches, threads, length of samples",
  run,
};
