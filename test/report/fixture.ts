/** A made-up run of believable shape for the report: 1216 neurons, two tasks, everything seeded. */
import type { ExampleNeuron, IterationReport, TestReport } from "../../src/learning/rls/results.ts";
import type { ReportInput } from "../../src/report/input.ts";

export interface FixtureSize {
  readonly neurons?: number;
  readonly excitatory?: number;
  readonly tasks?: number;
  readonly trials?: number;
  readonly examples?: number;
  readonly iterations?: number;
  readonly meanHz?: number;
  readonly trialMs?: number;
}

/** mulberry32: small, seeded, good enough for pictures. */
export function generator(seed: number) {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

type Random = ReturnType<typeof generator>;

function smoothCurve(rows: number, { normal, uniform }: Random, size: number): Float32Array {
  const waves = Array.from({ length: 4 }, (_, k) => ({
    a: (normal() * size) / (1 + 0.5 * k),
    f: (k + 0.4 + uniform()) / rows,
    p: uniform() * 7,
  }));
  return Float32Array.from({ length: rows }, (_, r) =>
    waves.reduce((s, w) => s + w.a * Math.sin(2 * Math.PI * w.f * r + w.p), 0),
  );
}

/** Smoothed noise with standard deviation near 1. */
function slowNoise(rows: number, { normal }: Random): Float32Array {
  let x = normal();
  return Float32Array.from({ length: rows }, () => (x = 0.86 * x + 0.51 * normal()));
}

function iterationReports(count: number, tasks: number, random: Random): IterationReport[] {
  return Array.from({ length: count }, (_, i): IterationReport => {
    const task = i % tasks;
    const learned = 1 - Math.exp(-(i + 1) / (count / 6));
    const correlation = 0.06 + 0.83 * learned - 0.035 * task + 0.018 * random.normal();
    const slow = 1 + 0.08 * Math.abs(random.normal());
    const rls = 1.62 * slow;
    return {
      iteration: i + 1,
      task,
      correlation: i % 7 === 6 && count > 400 ? null : correlation,
      medianCorrelation: correlation + 0.02,
      undefinedCorrelations: i < 5 ? 12 : 3,
      rateHz: 6.1 - 1.6 * learned + 0.12 * random.normal(),
      rateExcitatoryHz: 5.2 - 1.4 * learned + 0.12 * random.normal(),
      rateInhibitoryHz: 9.6 - 2.1 * learned + 0.3 * random.normal(),
      rmsError: 0.62 * Math.exp(-(i + 1) / (count / 5)) + 0.115 + 0.012 * random.normal(),
      seconds: rls + 2.35 * slow,
      split: {
        rls,
        neurons: 0.71 * slow,
        noise: 0.44 * slow,
        delivery: 0.62 * slow,
        exchange: 0.39 * slow,
        other: 0.12,
      },
      health: {
        resets: i === 11 ? 2 : 0,
        meanGain: 21 / (1 + i * 0.9) + 0.08,
        largestGain: (160 / (1 + i * 0.5) + 1.1) * Math.exp(0.25 * random.normal()),
      },
    };
  });
}

const mean = (trials: readonly Float32Array[], rows: number): Float32Array =>
  Float32Array.from({ length: rows }, (_, r) => trials.reduce((s, t) => s + t[r], 0) / trials.length);

function pearson(a: Float32Array, b: Float32Array): number {
  const centred = (x: Float32Array): Float32Array => x.map((v) => v - x.reduce((s, y) => s + y, 0) / x.length);
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((s, v, i) => s + v * y[i], 0);
  const [p, q] = [centred(a), centred(b)];
  return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
}

function exampleNeuron(
  neuron: number,
  quality: number,
  tasks: number,
  trials: number,
  rows: number,
  random: Random,
): ExampleNeuron {
  const target = Array.from({ length: tasks }, () => smoothCurve(rows, random, 0.34).map((v) => v + 0.55));
  const bias = target.map(() => slowNoise(rows, random));
  const spread = 1.5 * (1 - quality);
  const current = target.map((curve, t) =>
    Array.from({ length: trials }, () => {
      const noise = slowNoise(rows, random);
      return curve.map((v, r) => v + spread * 0.45 * bias[t][r] + 0.32 * spread * noise[r]);
    }),
  );
  const toRate = (v: number): number => 9 * Math.log1p(Math.exp(4 * (v - 0.6)));
  return {
    neuron,
    correlation: target.reduce((s, curve, t) => s + pearson(curve, mean(current[t], rows)), 0) / tasks,
    target,
    current,
    rateHz: target.map((curve, t) => curve.map((v, r) => toRate(v + spread * 0.4 * bias[t][r]))),
    recordedHz: target.map((curve) => curve.map(toRate)),
  };
}

/** Spikes of one trial in time order, rates spread log-normally and modulated together. */
export function spikes(
  neurons: number,
  excitatory: number,
  meanHz: number,
  trialMs: number,
  dtMs: number,
  random: Random,
) {
  const steps = Math.round(trialMs / dtMs);
  const rates = Float64Array.from(
    { length: neurons },
    (_, n) => Math.exp(0.8 * random.normal() - 0.32) * (n < excitatory ? 1 : 2),
  );
  const sum = rates.reduce((a, b) => a + b, 0);
  const cumulated = new Float64Array(neurons);
  rates.reduce((total, rate, n) => (cumulated[n] = total + rate / sum), 0);
  const stepList: number[] = [];
  const neuronList: number[] = [];
  const perStep = (meanHz * neurons * dtMs) / 1000;
  for (let s = 1; s <= steps; s++) {
    const time = (s * dtMs) / 1000;
    const drive =
      1 +
      0.45 * Math.sin(2 * Math.PI * 3.1 * time) +
      0.3 * Math.sin(2 * Math.PI * 7.7 * time + 1) +
      (time < 1 && time > 0.8 ? 0.5 : 0);
    const expected = perStep * Math.max(0.05, drive);
    const here = Math.floor(expected) + (random.uniform() < expected % 1 ? 1 : 0);
    const chosen = new Set<number>();
    for (let k = 0; k < here; k++) {
      const u = random.uniform();
      let low = 0;
      let high = neurons - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (cumulated[middle] < u) low = middle + 1;
        else high = middle;
      }
      chosen.add(low);
    }
    for (const n of [...chosen].sort((a, b) => a - b)) {
      stepList.push(s);
      neuronList.push(n);
    }
  }
  return { steps: Uint32Array.from(stepList), neurons: Uint32Array.from(neuronList) };
}

export function testReport(size: FixtureSize, random: Random): TestReport {
  const {
    neurons = 1216,
    excitatory = 1018,
    tasks = 2,
    trials = 50,
    examples = 9,
    meanHz = 4.6,
    trialMs = 3000,
  } = size;
  const rows = 100;
  const values = (make: (i: number) => number): Float32Array =>
    Float32Array.from({ length: neurons }, (_, i) => make(i));
  return {
    iteration: 100,
    trialsPerTask: trials,
    neurons,
    excitatory,
    rows,
    learnEveryMs: 20,
    stimulusOffMs: 1000,
    trialMs,
    taskNames: ["lick left", "lick right", "no lick", "both"].slice(0, tasks),
    trained: Uint32Array.from({ length: neurons }, (_, i) => i),
    current: { single: 0.6124, worstTrial: 0.5382, average: 0.8731, varianceExplained: 0.7513, undefinedNeurons: 3 },
    psth: { binned: 0.6512, windowed: 0.8917, windowMs: 150, selectivity: tasks > 1 ? 0.8411 : null, heldOut: 0.8034 },
    rateHz: meanHz,
    rateInWindowHz: meanHz * 0.96,
    highestTrialRateHz: meanHz * 1.27,
    perNeuron: {
      correlation: values(() => (random.uniform() < 0.003 ? Number.NaN : Math.tanh(1.45 + 0.42 * random.normal()))),
      rateHz: values(() => 3.4 * Math.exp(0.8 * random.normal())),
      cvIsi: values(() => (random.uniform() < 0.04 ? Number.NaN : Math.max(0.2, 0.92 + 0.18 * random.normal()))),
      fano: values(() => Math.max(0.05, 0.86 * Math.exp(0.22 * random.normal()))),
    },
    examples: Array.from({ length: examples }, (_, e) =>
      exampleNeuron(
        (e * 137 + 41) % neurons,
        0.97 - (0.75 * ((e * 4) % examples)) / examples,
        tasks,
        trials,
        rows,
        random,
      ),
    ),
    raster: Array.from({ length: tasks }, () => spikes(neurons, excitatory, meanHz, trialMs, 0.1, random)),
  };
}

export function reportInput(size: FixtureSize = {}): ReportInput {
  const random = generator(7);
  const count = 1216 * 264;
  const before = Float32Array.from({ length: count }, () => (random.uniform() < 0.5 ? -1 : 1) * 0.13);
  return {
    title: "Delayed-response task, anterior lateral motor cortex",
    experiment: {
      preset: "alm",
      seed: 20231,
      network: { neurons: size.neurons ?? 1216, excitatory: size.excitatory ?? 1018, K: 500 },
      timing: { dtMs: 0.1, stimulusOnMs: 800, stimulusOffMs: 1000, trainMs: 2000, learnEveryMs: 20 },
      learning: { lambda: 0.04, mu: 0, forgetting: 1, precision: "f32", maxWeight: Number.POSITIVE_INFINITY },
      tasks: ["lick left", "lick right"],
    },
    environment: {
      version: "0.1.0",
      node: "v20.20.2",
      cpu: "AMD EPYC 9354P, 32 cores",
      threads: 8,
      seed: 20231,
      date: "2026-11-21",
      command: "npx volley@0.1.0 train alm --set seed=20231 --threads 8",
    },
    iterations: iterationReports(size.iterations ?? 600, size.tasks ?? 2, random),
    test: testReport(size, random),
    weights: { before, after: before.map((w) => w + 0.19 * random.normal() * (random.uniform() < 0.1 ? 2.4 : 1)) },
    notes: ["3 neurons never fired during the test; their correlations are undefined and left out of the averages."],
    secondsTotal: 2418,
    dtMs: 0.1,
  };
}
