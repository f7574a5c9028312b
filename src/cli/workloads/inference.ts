/**
 * Inference of one stream, step by step: microseconds per step, latency of a sample of sequential MNIST, memory. Beside
 * them the same network fed whole samples, a network too small to matter (what a call costs), the float64 twin, and what
 * others take (docs/benchmarks.md says where those numbers are from).
 */
import { thresholdCrossingEncoder } from "../../data/encoding/threshold-crossing.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { referenceGradients } from "../../learning/gradient/reference.ts";
import { StreamingClassifier } from "../../learning/gradient/stream.ts";
import { type Draws, openDraws } from "../../random/draws.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { inPlaceBandwidth } from "./bandwidth.ts";
import {
  eventCount,
  hiddenShare,
  initialEngine,
  initialNetwork,
  shdLikeSamples,
  type TrainingChoice,
  trainingOf,
  withActivity,
} from "./gradient-networks.ts";
import { describeMachine, digits, machineLine, type Spread, spreadOf, spreadText, table } from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const defaultRepeat = 15;
const steps = 1000;
const twinSteps = 50;
/** Microseconds per step, ALIF 256 at 8 Hz and LIF 256 at 27 Hz. */
const published = {
  GennALIF: { gennCpu: 3.7, pytorch: [24, 35] as const, rateHz: 8 },
  GennLIF: { gennCpu: 4.3, pytorch: [24, 35] as const, rateHz: 27 },
};
/** Milliseconds per sample of sequential MNIST, batch 1, GeNN on an i5-9400F. */
const publishedSampleMs = 4.1;

interface StepRow {
  readonly name: string;
  readonly neurons: number;
  readonly hiddenHz: number;
  readonly eventsPerStep: number;
  /** Microseconds per step of the stream, and of single steps. */
  readonly stream: Spread;
  readonly slowestPercent: number;
  /** Of whole samples in one call. */
  readonly whole: Spread;
  /** Of the stream of a network of 4 neurons that nothing arrives at. */
  readonly call: Spread;
  /** Of the float64 twin, forward and back. */
  readonly twin: number;
  /** Rows of weights, read as fast as memory of their size. */
  readonly floor: number;
  readonly gennCpu: number;
  readonly pytorch: readonly [number, number];
  readonly memoryBytes: number;
}

/** What arrives at each step. */
function rowsOf({ steps: length, offsets, channels }: StepEvents): Uint32Array[] {
  return Array.from({ length }, (_, t) => channels.subarray(offsets[t], offsets[t + 1]));
}

async function streamOf(choice: TrainingChoice): Promise<StreamingClassifier> {
  const training = trainingOf(choice);
  const { network, values } = await initialNetwork(training);
  return new StreamingClassifier({ network, values, loss: training.spec.loss });
}

/** Microseconds per step of whole passes, the first few not counted: they meet code that is not yet optimised. */
function timePasses(repeat: number, samples: readonly StepEvents[], pass: (sample: number) => void): Spread {
  const times: number[] = [];
  for (let round = -5; round < repeat; round++) {
    const sample = (round + 5) % samples.length;
    const started = performance.now();
    pass(sample);
    if (round >= 0) times.push((1000 * (performance.now() - started)) / samples[sample].steps);
  }
  return spreadOf(times);
}

function timeStream(classifier: StreamingClassifier, samples: readonly StepEvents[], repeat: number): Spread {
  const rows = samples.map(rowsOf);
  return timePasses(repeat, samples, (sample) => {
    classifier.reset();
    for (const channels of rows[sample]) classifier.step(channels);
  });
}

/** The time that 99 of 100 steps stay below, microseconds, with the clock read around every step. */
function slowestPercent(classifier: StreamingClassifier, samples: readonly StepEvents[], repeat: number): number {
  const times: number[] = [];
  for (let round = 0; round < repeat; round++) {
    classifier.reset();
    for (const channels of rowsOf(samples[round % samples.length])) {
      const started = performance.now();
      classifier.step(channels);
      times.push(1000 * (performance.now() - started));
    }
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(0.99 * times.length)];
}

async function measureSteps(
  choice: TrainingChoice & { readonly cell: keyof typeof published },
  samples: readonly StepEvents[],
  repeat: number,
): Promise<StepRow> {
  const { gennCpu, pytorch, rateHz } = published[choice.cell];
  const active = await withActivity(choice, samples, rateHz / 1000);
  const training = trainingOf(active);
  const engine = await initialEngine(training, { backward: false });
  const share = hiddenShare(engine, samples);
  const classifier = await streamOf(active);
  const tiny = await streamOf({ ...active, neurons: 4 });
  const silence = { steps, offsets: new Uint32Array(steps + 1), channels: new Uint32Array(0), values: null };
  const { network, values } = await initialNetwork(training);
  const { size } = network.populations[1];
  const started = performance.now();
  referenceGradients(network, values, { ...samples[0], steps: twinSteps }, (outputs) => ({
    loss: 0,
    derivative: outputs,
  }));
  const twin = (1000 * (performance.now() - started)) / twinSteps;
  const eventsPerStep = samples.reduce((sum, sample) => sum + eventCount(sample) / sample.steps, 0) / samples.length;
  const spikesPerStep = share * choice.neurons;
  const bytesPerStep = 4 * (choice.neurons * (eventsPerStep + spikesPerStep) + size * spikesPerStep);
  const bandwidth = await inPlaceBandwidth(1, 4 * engine.values.length, 15);
  return {
    name: choice.cell === "GennALIF" ? "ALIF" : "LIF",
    neurons: choice.neurons,
    hiddenHz: 1000 * share,
    eventsPerStep,
    stream: timeStream(classifier, samples, repeat),
    slowestPercent: slowestPercent(classifier, samples, repeat),
    whole: timePasses(repeat, samples, (sample) => {
      engine.forward(samples[sample]);
    }),
    call: timeStream(tiny, [silence], repeat),
    twin,
    floor: (1e6 * bytesPerStep) / bandwidth.median,
    gennCpu,
    pytorch,
    memoryBytes: classifier.memoryBytes,
  };
}

const side = 28;

/** Grey values 0 to 255 of three thick strokes with soft edges, which burden the encoder about as a digit does. */
function drawImage(draws: Draws): Float32Array {
  const strokes = Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => 5 + (side - 10) * draws.uniform()));
  return Float32Array.from({ length: side * side }, (_, pixel) => {
    const [x, y] = [pixel % side, Math.floor(pixel / side)];
    const distances = strokes.map(([ax, ay, bx, by]) => {
      const [dx, dy] = [bx - ax, by - ay];
      const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
      const nearest = Math.min(1, Math.max(0, along));
      const [ex, ey] = [x - ax - nearest * dx, y - ay - nearest * dy];
      return Math.sqrt(ex * ex + ey * ey);
    });
    return Math.round(255 * Math.min(1, Math.max(0, 2 - Math.min(...distances))));
  });
}

interface SampleRow {
  readonly neurons: number;
  readonly steps: number;
  readonly channels: number;
  readonly events: number;
  readonly hiddenHz: number;
  /** Milliseconds from the first step to the class. */
  readonly stream: Spread;
  /** Milliseconds to make the events of an image. */
  readonly encoding: Spread;
  readonly published: number;
}

async function measureImages(choice: TrainingChoice, repeat: number): Promise<SampleRow> {
  const encoder = thresholdCrossingEncoder({ kind: "frames", channels: side, frames: side, range: [0, 255] });
  const draws = openDraws(choice.seed, "images");
  const images = Array.from({ length: 8 }, () => drawImage(draws));
  const encode = (image: Float32Array) => encoder.encode({ kind: "frames", frames: side, values: image }, draws);
  const samples = images.map(encode);
  const fitting = { ...choice, inputs: encoder.channels, outputs: 10 };
  const active = await withActivity(fitting, samples, published.GennALIF.rateHz / 1000);
  const share = hiddenShare(await initialEngine(trainingOf(active), { backward: false }), samples);
  const classifier = await streamOf(active);
  const perStep = timeStream(classifier, samples, repeat);
  const encoding = timePasses(repeat, samples, (sample) => {
    encode(images[sample]);
  });
  const inMs = ({ median, min, max }: Spread): Spread => {
    const factor = encoder.maxSteps / 1000;
    return { median: factor * median, min: factor * min, max: factor * max };
  };
  return {
    neurons: choice.neurons,
    steps: encoder.maxSteps,
    channels: encoder.channels,
    events: samples.reduce((sum, sample) => sum + eventCount(sample), 0) / samples.length,
    hiddenHz: 1000 * share,
    stream: inMs(perStep),
    encoding: inMs(encoding),
    published: publishedSampleMs,
  };
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const { seed } = options;
  const repeat = options.repeat ?? defaultRepeat;
  const neurons = options.neurons ?? 256;
  const samples = (await shdLikeSamples({ seed, samples: 4, steps })).map(({ events }) => events);
  const rows: StepRow[] = [];
  for (const cell of ["GennALIF", "GennLIF"] as const) {
    progress.say(`inference: ${cell}, ${neurons} neurons`);
    rows.push(await measureSteps({ cell, rule: "eprop", neurons, seed }, samples, repeat));
  }
  progress.say("inference: sequential MNIST");
  const images = await measureImages({ cell: "GennALIF", rule: "eprop", neurons, seed }, repeat);
  if (!options.json) {
    context.stdout.write(
      `inference, one stream, one thread; microseconds per step, median of ${repeat} (lowest..highest)\n` +
        machineLine(machine) +
        stepTable(rows) +
        `sequential MNIST (made strokes, ${digits(images.events)} events on ${images.channels} channels in ${images.steps} steps), ALIF ${neurons} at ${digits(images.hiddenHz)} Hz: ` +
        `${spreadText(images.stream)} ms per sample, and ${spreadText(images.encoding)} ms to encode it; GeNN on an i5-9400F ${publishedSampleMs}\n`,
    );
  }
  return { machine, seed, repeat, rows, images };
}

function stepTable(rows: readonly StepRow[]): string {
  return table(
    [
      ...["neurons", "", "hidden Hz", "events/step", "us/step", "99 % below", "GeNN CPU", "PyTorch"],
      ...["whole samples", "call alone", "floor", "twin", "memory MB"],
    ],
    rows.map((row) => [
      `${row.neurons}`,
      row.name,
      digits(row.hiddenHz),
      digits(row.eventsPerStep),
      spreadText(row.stream),
      digits(row.slowestPercent),
      digits(row.gennCpu),
      row.pytorch.join("-"),
      spreadText(row.whole),
      digits(row.call.median),
      digits(row.floor),
      digits(row.twin),
      (row.memoryBytes / 1e6).toFixed(1),
    ]),
  );
}

export const inference: Workload = {
  name: "inference",
  about: "a trained network step by step: microseconds per step, latency per sample, memory",
  run,
};
