/** A made-up run of a classifier of believable shape: spoken digits on 700 channels, everything seeded. */
import type {
  ClassificationReportInput,
  EpochMetrics,
  ExampleTrial,
  LayerSpikes,
  MembraneTrace,
} from "../../src/report/classification/input.ts";
import { generator } from "./fixture.ts";

type Random = ReturnType<typeof generator>;

const digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

export interface ClassificationSize {
  readonly inputs?: number;
  readonly layers?: readonly { readonly name: string; readonly size: number; readonly model: string }[];
  readonly classNames?: readonly string[];
  readonly epochs?: number;
  readonly steps?: number;
  readonly trials?: number;
}

const withDefaults = (size: ClassificationSize) => ({
  inputs: 700,
  layers: [{ name: "hidden", size: 256, model: "GennALIF" }],
  classNames: digits,
  epochs: 40,
  steps: 500,
  trials: 6,
  ...size,
});

const dtMs = 2;

/** Lists of spikes per step, ascending, from a chance per step and neuron. */
function spikeLists(steps: number, neurons: number, chance: (step: number, neuron: number) => number, random: Random) {
  const starts = new Uint32Array(steps + 1);
  const list: number[] = [];
  for (let t = 0; t < steps; t++) {
    for (let n = 0; n < neurons; n++) if (random.uniform() < chance(t, n)) list.push(n);
    starts[t + 1] = list.length;
  }
  return { starts, neurons: Uint32Array.from(list) };
}

/** Three bands of sound that glide, with an onset and an end. */
function inputEvents(steps: number, inputs: number, digit: number, random: Random): ExampleTrial["input"] {
  const glide = (t: number, k: number): number =>
    inputs * (0.16 + 0.27 * k + 0.07 * Math.sin(digit * 1.7 + k + (2.4 * t) / steps) + 0.05 * Math.cos(k * digit));
  const { starts, neurons } = spikeLists(
    steps,
    inputs,
    (t, n) => {
      const loud = t > 0.05 * steps && t < (0.62 + 0.02 * digit) * steps ? 1 : 0.03;
      let p = 0.002;
      for (let k = 0; k < 3; k++) p += 0.11 * Math.exp(-(((n - glide(t, k)) / (0.025 * inputs)) ** 2)) * loud;
      return p;
    },
    random,
  );
  return { steps, offsets: starts, channels: neurons, values: null };
}

/** A leaky integrator with noise that spikes where it crosses 0; the spikes of one neuron become those of the trace. */
function membrane(layer: number, neuron: number, spikes: LayerSpikes, steps: number, random: Random): MembraneTrace {
  const margin = new Float32Array(steps);
  let v = -0.6;
  for (let t = 0; t < steps; t++) {
    const fires = spikes.neurons.subarray(spikes.starts[t], spikes.starts[t + 1]).includes(neuron);
    v = 0.95 * (v + 0.6) - 0.6 + 0.035 * random.normal() + 0.004;
    margin[t] = fires ? 0.05 + 0.05 * random.uniform() : Math.min(v, -0.01);
    if (fires) v = -0.9;
  }
  return { layer, neuron, margin };
}

function softmax(values: readonly number[]): Float64Array {
  const top = Math.max(...values);
  const powers = values.map((v) => Math.exp(v - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Float64Array.from(powers, (p) => p / sum);
}

function hiddenSpikes(steps: number, size: number, random: Random): LayerSpikes {
  const rates = Float64Array.from({ length: size }, () => 0.02 * Math.exp(0.9 * random.normal() - 0.4));
  const phase = Float64Array.from({ length: size }, () => 6 * random.uniform());
  return spikeLists(
    steps,
    size,
    (t, n) => rates[n] * (0.3 + 1.4 * Math.max(0, Math.sin(phase[n] + (6 * t) / steps))) * (t > 20 ? 1 : 0),
    random,
  );
}

function trial(
  position: number,
  size: ReturnType<typeof withDefaults>,
  { label, prediction }: { label: number; prediction: number },
  random: Random,
): ExampleTrial {
  const { steps, inputs, layers, classNames } = size;
  const spikes = layers.map(({ size: neurons }) => hiddenSpikes(steps, neurons, random));
  const outputs = classNames.length;
  const readout = new Float32Array(steps * outputs);
  const state = new Float64Array(outputs);
  for (let t = 0; t < steps; t++) {
    for (let o = 0; o < outputs; o++) {
      const evidence = (o === prediction ? 0.05 : o === label ? 0.042 : 0) * (t > 0.15 * steps ? 1 : 0);
      state[o] = 0.985 * state[o] + evidence + 0.03 * random.normal() - 0.004;
      readout[t * outputs + o] = state[o];
    }
  }
  const last = softmax(
    Array.from({ length: outputs }, (_, o) => 1.4 * (o === prediction ? 3.4 : o === label ? 3 : Math.abs(state[o]))),
  );
  return {
    set: "test",
    sample: 17 + 31 * position,
    dtMs,
    steps,
    input: inputEvents(steps, inputs, label, random),
    spikes,
    membranes: layers.flatMap((_, l) =>
      [3, 40 % layers[l].size, 11].map((n) => membrane(l, n, spikes[l], steps, random)),
    ),
    readout,
    target: null,
    label,
    prediction,
    probabilities: last,
  };
}

function epochMetrics(count: number, layers: number, classes: boolean, random: Random): EpochMetrics[] {
  return Array.from({ length: count }, (_, i): EpochMetrics => {
    const left = Math.exp(-(i + 1) / (count / 5));
    const noise = 0.012 * random.normal();
    const figures = (gap: number) => ({
      loss: 0.12 + 2.2 * left + gap + Math.abs(noise),
      accuracy: classes ? Math.min(0.998, 0.985 - 0.88 * left - gap + noise) : null,
      normalisedError: classes ? null : 0.004 + left + gap * 0.05 + 0.2 * Math.abs(noise),
    });
    return {
      epoch: i + 1,
      train: figures(0),
      validation: figures(0.09 * (1 - left) + 0.01 * Math.abs(random.normal())),
      learningRate: 1e-3 * (1 + Math.cos((Math.PI * i) / count)),
      gradientNorm: 0.9 * left + 0.11 + 0.02 * random.uniform(),
      gradientNorms: {
        input: 0.6 * left + 0.06 + 0.01 * random.uniform(),
        recurrent: 0.4 * left + 0.07 + 0.01 * random.uniform(),
        output: 0.5 * left + 0.04 + 0.01 * random.uniform(),
        "readout.bias": 0.02 * left + 0.003 + 0.001 * random.uniform(),
        "hidden.tauMemMs": 0.0004 * left + 0.0001,
      },
      layers: Array.from({ length: layers }, (_, l) => ({
        rateHz: 8 + 5 * l + 4 * (1 - left) + 0.3 * random.normal(),
        silentShare: 0.2 * left + 0.02,
        saturatedShare: 0.002,
        supportShare: 0.31 - 0.1 * left,
      })),
      seconds: 2.9 + 0.3 * random.uniform(),
    };
  });
}

/** Most samples on the diagonal, and some pairs that are often mistaken. */
function confusionMatrix(classes: number, perClass: number, random: Random): Float64Array {
  const counts = new Float64Array(classes * classes);
  for (let c = 0; c < classes; c++) {
    for (let n = 0; n < perClass; n++) {
      const twin = (c * 7 + 4) % classes;
      const other = Math.floor(random.uniform() * classes);
      const u = random.uniform();
      counts[c * classes + (u < 0.86 ? c : u < 0.95 ? twin : other)]++;
    }
  }
  return counts;
}

function share(counts: Float64Array, classes: number): number {
  let correct = 0;
  for (let c = 0; c < classes; c++) correct += counts[c * classes + c];
  return correct / counts.reduce((a, b) => a + b, 0);
}

const environment = {
  version: "0.1.0",
  node: "v20.20.2",
  cpu: "AMD EPYC 9354P, 32 cores",
  threads: 2,
  seed: 1,
  date: "2026-11-21",
  command: "npx volley@0.1.0 train digits --seed 1 --threads 2",
};

/** A classifier. */
export function classificationInput(given: ClassificationSize = {}): ClassificationReportInput {
  const size = withDefaults(given);
  const { layers, classNames, inputs } = size;
  const random = generator(11);
  const classes = classNames.length;
  const validation = confusionMatrix(classes, 18, random);
  const test = confusionMatrix(classes, 30, random);
  const epochs = epochMetrics(size.epochs, layers.length, true, random);
  const best = Math.max(1, size.epochs - 7);
  const hidden = layers[0].size;
  const gamma = (mean: number): number => {
    const u = () => -Math.log(1 - random.uniform());
    return (mean / 3) * (u() + u() + u());
  };
  const weights = (name: string, synapses: number, sd: number) => {
    const before = Float32Array.from({ length: Math.min(synapses, 40_000) }, () => sd * random.normal());
    return { name, synapses, before, after: before.map((w) => w * 1.05 + 0.6 * sd * random.normal()) };
  };
  const tested = (epoch: number, down: number) => ({
    epoch,
    train: { samples: 1620, loss: 0.09 + down, accuracy: 0.981 - down, normalisedError: null },
    validation: {
      samples: 18 * classes,
      loss: 0.44 + down,
      accuracy: share(validation, classes) - down,
      normalisedError: null,
    },
    test: { samples: 30 * classes, loss: 0.47 + down, accuracy: share(test, classes) - down, normalisedError: null },
  });
  return {
    title: "digits",
    experiment: {
      name: "digits",
      kind: "classify",
      seed: 1,
      data: { train: "digits-train.h5.gz", test: "digits-test.h5.gz", encoder: { type: "bin", dtMs } },
      network: { layers: [{ neurons: 256, model: { type: "GennALIF" } }] },
      learning: { rule: "eprop", optimiser: { type: "adam", rate: 0.002 }, epochs: size.epochs },
    },
    environment,
    network: {
      rule: "e-prop (symmetric feedback)",
      dtMs,
      inputs,
      layers,
      readout: { size: classes, model: "LI" },
      trainedNumbers: inputs * hidden + hidden * hidden + hidden * classes + classes + hidden,
    },
    classNames,
    epochs,
    final: { best: tested(best, 0), last: tested(size.epochs, 0.006) },
    confusion: { validation: { counts: validation, epoch: best }, test: { counts: test, epoch: best } },
    trials: Array.from({ length: size.trials }, (_, i) => {
      const label = (i * 3 + 7) % classes;
      return trial(i, size, { label, prediction: i % 3 === 1 ? (label + 2) % classes : label }, random);
    }),
    rates: layers.map(({ size: n }) => ({
      before: Float32Array.from({ length: n }, () => 7 * Math.exp(0.5 * random.normal())),
      after: Float32Array.from({ length: n }, () =>
        random.uniform() < 0.02 ? 0 : 10 * Math.exp(0.7 * random.normal()),
      ),
    })),
    parameters: [
      {
        layer: layers[0].name,
        name: "tauMemMs",
        unit: "ms",
        before: new Float32Array(hidden).fill(20),
        after: Float32Array.from({ length: hidden }, () => gamma(22)),
      },
      {
        layer: layers[0].name,
        name: "tauAdaptMs",
        unit: "ms",
        before: Float32Array.from({ length: hidden }, () => gamma(200)),
        after: Float32Array.from({ length: hidden }, () => gamma(260)),
      },
      {
        layer: layers[0].name,
        name: "beta",
        unit: "",
        before: Float32Array.of(0.0174),
        after: Float32Array.of(0.0221),
      },
    ],
    weights: [
      weights("input", inputs * hidden, 1 / Math.sqrt(inputs)),
      weights("recurrent", hidden * hidden, 1 / Math.sqrt(hidden)),
      weights("output", hidden * classes, 1 / Math.sqrt(hidden)),
    ],
    health: [
      {
        epoch: 3,
        message:
          'layer "hidden": 17 % of the neurons never spike, and such neurons learn slowly; raise the initial weights (initial.gain) or add the regulariser "lowerBound".',
      },
    ],
    notes: ["digits-train.h5.gz has no validation samples; every tenth training sample was held out."],
    timings: {
      secondsTotal: 129.4,
      parts: [
        { name: "Forward and backward", seconds: 96.1 },
        { name: "Optimiser", seconds: 9.3 },
        { name: "Reading and encoding", seconds: 11.2 },
        { name: "Validation and test", seconds: 10.1 },
      ],
      peakBytes: 231 * 2 ** 20,
    },
  };
}

/** A network that follows traces: pattern generation. */
export function regressionInput(
  given: ClassificationSize & { readonly outputs?: number } = {},
): ClassificationReportInput {
  const size = withDefaults({ inputs: 100, steps: 1000, trials: 3, epochs: 200, ...given });
  const { outputs = 1 } = given;
  const { layers, steps, inputs } = size;
  const random = generator(5);
  const classifier = classificationInput({ ...given, inputs, steps: 100, trials: 0 });
  const trials = Array.from({ length: size.trials }, (_, i): ExampleTrial => {
    const spikes = layers.map(({ size: n }) => hiddenSpikes(steps, n, random));
    const input = spikeLists(steps, inputs, () => 0.02, random);
    const target = Float32Array.from({ length: steps * outputs }, (_, at) => {
      const t = Math.floor(at / outputs) / steps;
      return (
        0.6 * Math.sin(2 * Math.PI * t + (at % outputs)) +
        0.3 * Math.sin(6 * Math.PI * t) +
        0.1 * Math.cos(10 * Math.PI * t)
      );
    });
    let error = 0;
    const readout = target.map((v) => v + (error = 0.97 * error + 0.012 * random.normal()));
    return {
      set: "training",
      sample: i,
      dtMs: 1,
      steps,
      input: { steps, offsets: input.starts, channels: input.neurons, values: null },
      spikes,
      membranes: layers.flatMap((_, l) => [2, 9].map((n) => membrane(l, n, spikes[l], steps, random))),
      readout,
      target,
      label: null,
      prediction: null,
      probabilities: null,
    };
  });
  const figures = { loss: 1.2, accuracy: null, normalisedError: 0.0094, samples: 1 };
  return {
    ...classifier,
    title: "pattern",
    network: {
      ...classifier.network,
      dtMs: 1,
      readout: { size: outputs, model: "LI" },
      rule: "e-prop (random feedback)",
    },
    classNames: [],
    epochs: epochMetrics(size.epochs, layers.length, false, random).map((e) => ({ ...e, validation: null })),
    final: { best: null, last: { epoch: size.epochs, train: figures, validation: null, test: null } },
    confusion: { validation: null, test: null },
    trials,
    parameters: [],
    health: [],
    notes: [],
  };
}
