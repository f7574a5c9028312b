/**
 * Does the engine learn as well as the float64 programs that were written from the same method? By hand, minutes:
 *
 *   npm run build && node test/slow/rls-accuracy.mjs            the small nets, 3 seeds each, one thread
 *   node test/slow/rls-accuracy.mjs --default --threads 2       the default net, N = 4096, 100 iterations
 *        --precision int16 | --block 20                         how P is kept and how many samples are applied at once
 *        --seeds 1,2,3   --nets noise-200,static-512            fewer or other runs
 *
 * Float32 sums lead to other spikes after a trial or two, so curves agree as statistics only: the run fails when the
 * final frozen single-trial correlation, averaged over the seeds, is more than 0.08 from the reference, when the curve,
 * smoothed over a quarter of the run, does not rise, or when a P had to be reset. References: float64 numpy and C
 * programs, seed 1. Seeds differ among themselves: of noise-200 the float64 twin (src/learning/rls/reference.ts) itself
 * has 0.898, 0.885, 0.900 with the golden generator and 0.787 on the network that Philox makes of seed 1.
 */
import { parseArgs } from "node:util";
import { createRlsTrainer } from "../../dist/learning/rls/trainer.node.js";

const { values: options } = parseArgs({
  options: {
    default: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    precision: { type: "string", default: "f32" },
    block: { type: "string", default: "1" },
    seeds: { type: "string" },
    nets: { type: "string" },
    iterations: { type: "string" },
  },
});

const tolerance = 0.08;

/** `curve`: correlation while learning at some iterations; `single`, `average`: frozen, one trial and mean of 10. */
const nets = {
  "noise-200": {
    neurons: 200,
    iterations: 60,
    curve: { 1: -0.27, 5: 0.28, 10: 0.4, 20: 0.81, 30: 0.87, 40: 0.82, 60: 0.62 },
    single: 0.898,
    average: 0.96,
  },
  "noise-512": {
    neurons: 512,
    iterations: 40,
    curve: { 1: -0.16, 5: 0.47, 10: 0.84, 20: 0.85, 30: 0.9, 40: 0.92 },
    single: 0.907,
    average: 0.984,
  },
  "noise-1000": {
    neurons: 1000,
    iterations: 25,
    curve: { 1: -0.14, 5: 0.21, 10: 0.85, 20: 0.96, 25: 0.97 },
    single: 0.916,
    average: 0.968,
  },
  "static-512": {
    neurons: 512,
    K: 50,
    driveFactor: 0.12,
    iterations: 100,
    curve: { 1: -0.025, 5: 0.027, 10: 0.161, 20: 0.326, 30: 0.553, 40: 0.691, 60: 0.708, 100: 0.742 },
    single: 0.765,
    average: 0.922,
  },
  "default-4096": {
    neurons: 4096,
    K: 205,
    driveFactor: 0.08,
    iterations: 100,
    curve: { 1: -0.045, 10: 0.058, 20: 0.176, 30: 0.327, 40: 0.53, 60: 0.739, 100: 0.784 },
    single: 0.776,
    average: 0.926,
  },
};

function specOf({ neurons, K = 0, driveFactor = 0 }, seed) {
  const jx = driveFactor * Math.sqrt(K);
  return {
    seed,
    neurons,
    excitatory: neurons / 2,
    timing: { dtMs: 0.1, stimulusOnMs: 800, stimulusOffMs: 1000, trainMs: 1000, learnEveryMs: 10 },
    model: { type: "LIF", parameters: {} },
    synapses: { tauExcMs: 3, tauInhMs: 3, tauPlasticMs: 150 },
    drive: { excitatory: 1.5 * jx, inhibitory: jx },
    static: K > 0 ? { K, g: 1, weights: { EE: 0.15, IE: 1, EI: -0.75, II: -1 } } : null,
    plastic: { inputsPerType: 29, weightScale: 1, inhibitoryScale: 1, activeFraction: 1, trained: "all" },
    feedforward: null,
    noise: { model: "voltage", sigma: K > 0 ? 0 : 0.65 },
    stimulus: { tauMs: 20, sigma: 0.2 },
    tasks: 1,
    learning: {
      lambda: K > 0 ? 0.8 : 0.04,
      lambdaFeedforward: 1,
      mu: K > 0 ? 0.01 : 0,
      forgetting: 1,
      precision: options.precision,
      block: Number(options.block),
      window: 0,
      compat: "none",
      dale: false,
      maxWeight: Number.POSITIVE_INFINITY,
    },
    correlationWindowMs: 50,
  };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function learn(net, seed, iterations, largeTest) {
  const trainer = await createRlsTrainer(
    specOf(net, seed),
    { recording: null, sinusoids: null, copies: 1 },
    { threads: Number(options.threads), fast: false, onWarning: console.error },
  );
  try {
    const curve = [];
    let resets = 0;
    let seconds = 0;
    for (let i = 0; i < iterations; i++) {
      const report = await trainer.iterate({ measure: true });
      curve.push(report.correlation);
      resets += report.health.resets;
      seconds += report.seconds;
    }
    const ten = await trainer.test({ trials: 10, exampleNeurons: 0 });
    const forty = largeTest ? await trainer.test({ trials: 40, exampleNeurons: 0 }) : null;
    return { curve, resets, seconds, ten, forty };
  } finally {
    await trainer.close();
  }
}

/** Quarters of the curve, which must ascend; after 0.6 is reached, single-trial noise is larger than the growth. */
function grows(curve) {
  const quarter = Math.ceil(curve.length / 4);
  const means = [0, 1, 2, 3].map((q) => mean(curve.slice(q * quarter, (q + 1) * quarter)));
  return means.every((value, q) => q === 0 || value > Math.min(means[q - 1], 0.6));
}

const signed = (value) => (value >= 0 ? "+" : "") + value.toFixed(3);
const row = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(i < 2 ? 13 : 9)).join(""));

let failed = 0;
function fail(problem) {
  failed++;
  console.log(`  FAILS: ${problem}`);
}

const names = options.nets?.split(",") ?? (options.default ? ["default-4096"] : Object.keys(nets).slice(0, 4));
for (const name of names) {
  const net = nets[name];
  if (!net) throw new Error(`there is no net ${name}; nets: ${Object.keys(nets).join(", ")}`);
  const iterations = Number(options.iterations ?? net.iterations);
  const large = name === "default-4096";
  const seeds = (options.seeds ?? (large ? "1" : "1,2,3")).split(",").map(Number);
  const points = Object.keys(net.curve).filter((iteration) => iteration <= iterations);
  console.log(`\n${name}, ${iterations} iterations, P ${options.precision}, block ${options.block}`);
  row([
    "",
    "",
    ...points.map((p) => `it ${p}`),
    "single",
    "mean 10",
    ...(large ? ["single40", "mean 40"] : []),
    "Hz",
    "s",
  ]);
  row(["reference", "float64", ...points.map((p) => net.curve[p]), net.single, net.average]);
  const singles = [];
  for (const seed of seeds) {
    const { curve, resets, seconds, ten, forty } = await learn(net, seed, iterations, large);
    const tests = [
      ten.current.single,
      ten.current.average,
      ...(forty ? [forty.current.single, forty.current.average] : []),
    ];
    const figures = [...points.map((p) => curve[p - 1]), ...tests].map((value) => value.toFixed(3));
    row([`seed ${seed}`, "engine", ...figures, ten.rateHz.toFixed(2), seconds.toFixed(1)]);
    const references = [...points.map((p) => net.curve[p]), net.single, net.average, ...(forty ? [net.single] : [])];
    const differences = [...points.map((p) => curve[p - 1]), ...tests].slice(0, references.length);
    row(["", "difference", ...differences.map((value, i) => signed(value - references[i]))]);
    singles.push(ten.current.single);
    if (!grows(curve)) fail("the smoothed curve does not rise");
    if (resets > 0) fail(`P was reset ${resets} times`);
  }
  const overall = mean(singles);
  console.log(`  mean over seeds: single trial ${overall.toFixed(3)} (${signed(overall - net.single)})`);
  if (Math.abs(overall - net.single) > tolerance) fail(`single-trial correlation is off by more than ${tolerance}`);
}
if (failed > 0) console.log(`\n${failed} check(s) failed`);
process.exitCode = failed > 0 ? 1 : 0;
