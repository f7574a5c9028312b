/**
 * The most that firing rates can agree with the bundled recording: LIF neurons with noise, each driven by exactly its
 * target current instead of by a network, compared with the recording as a frozen test compares (docs/method.md). What
 * is missing to 1 is the randomness of spikes in so many trials.
 *
 *   npm run build && node scripts/clamped-ceiling.mjs            about a minute on a free core
 *        --trials 50   --seed 1   --neurons 100                  other trials, noise; so many evenly spaced neurons
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { inputForRate } from "../dist/data/targets/transfer.js";
import { readRecording } from "../dist/index.js";
import { byteSumDeviation, byteSumMean } from "../dist/kernels/noise/reference.js";
import { windowBins } from "../dist/learning/rls/timing.js";
import { mean, pearson } from "../dist/math/statistics.js";
import { philoxBlocks } from "../dist/random/philox-rounds.js";

const { values: options } = parseArgs({
  options: {
    trials: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    neurons: { type: "string" },
  },
});
const trials = Number(options.trials);
const seed = Number(options.seed);

// The neuron of the preset: docs/method.md, "Neurons".
const dtMs = 0.1;
const tauMemMs = 10;
const sigma = 0.65;
const windowMs = 50;
/** From a random start to the distribution that the first current keeps up. */
const runInMs = 200;

const path = new URL("../examples/data/alm.h5", import.meta.url);
const { tasks, rows, neurons, values, intervalMs } = await readRecording(
  new Uint8Array(await readFile(path)),
  "alm.h5",
);
const currents = inputForRate(values, { sigma, tauMemMs, dtMs });
const { ends, rows: windows } = windowBins(
  { dtMs, stimulusOnMs: 0, stimulusOffMs: 0, trainMs: rows * intervalMs, learnEveryMs: intervalMs },
  windowMs,
);
const stepsPerMs = Math.round(1 / dtMs);
const samples = rows * intervalMs;

/** The course of one neuron in one task: a number per row. */
const course = (from, task, neuron) =>
  Float64Array.from({ length: rows }, (_, row) => from[(task * rows + row) * neurons + neuron]);

/** Noise of one trial as the engine's: Philox words, each the sum of its four bytes, mean 0 and variance 1. */
const words = new Uint32Array(8 * Math.ceil(((runInMs + samples) * stepsPerMs) / 8));
function drawNoise(neuron, task, trial) {
  philoxBlocks(0, words.length / 4, neuron, task * trials + trial, seed, 0, words);
}

/**
 * Adds the spikes of one trial, per ms, to `counts`.
 *
 *   v += sigma sqrt(dt / tau) noise;   v += (dt / tau) (current - v) when not refractory;   spike if v > 1, then v = 0
 */
function runTrial(current, neuron, task, trial, counts) {
  drawNoise(neuron, task, trial);
  const gain = dtMs / tauMemMs;
  const noise = (sigma * Math.sqrt(gain)) / byteSumDeviation;
  let v = 0;
  let refractory = false;
  let at = 0;
  for (let ms = -runInMs; ms < samples; ms++) {
    const target = current[Math.max(0, Math.floor(ms / intervalMs))];
    for (let step = 0; step < stepsPerMs; step++) {
      const word = words[at++];
      const bytes = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
      v += noise * (bytes - byteSumMean);
      if (refractory) {
        refractory = false;
        continue;
      }
      v += gain * (target - v);
      if (v > 1) {
        v = 0;
        refractory = true;
        if (ms >= 0) counts[ms]++;
      }
    }
  }
}

/** Mean over the window of every row of a course per ms. */
function inWindows(perMs) {
  return Float64Array.from(windows, ({ first, last }) =>
    mean(perMs.subarray(first === 0 ? 0 : ends[first - 1], ends[last])),
  );
}

const kept = Math.min(neurons, Number(options.neurons ?? neurons));
const figures = { windowed: [], binned: [], modelHz: [], recordedHz: [] };
const differences = { model: [], recorded: [] };
let residual = 0;
let variance = 0;
for (let k = 0; k < kept; k++) {
  const neuron = Math.floor((k * neurons) / kept);
  const byTask = [];
  for (let task = 0; task < tasks; task++) {
    const current = course(currents, task, neuron);
    const recorded = course(values, task, neuron);
    const counts = new Float64Array(samples);
    for (let trial = 0; trial < trials; trial++) runTrial(current, neuron, task, trial, counts);
    const hz = counts.map((count) => (1000 * count) / trials);
    const binned = Float64Array.from(recorded, (_, row) => mean(hz.subarray(row * intervalMs, (row + 1) * intervalMs)));
    const model = inWindows(hz);
    const data = inWindows(Float64Array.from(hz, (_, ms) => recorded[Math.floor(ms / intervalMs)]));
    figures.binned.push(pearson(binned, recorded));
    figures.windowed.push(pearson(model, data));
    figures.modelHz.push(mean(hz));
    figures.recordedHz.push(mean(recorded));
    const level = mean(data);
    for (let row = 0; row < rows; row++) {
      residual += (model[row] - data[row]) ** 2;
      variance += (data[row] - level) ** 2;
    }
    byTask.push({ model, data });
  }
  for (let row = 0; row < rows; row++) {
    differences.model.push(byTask[1].model[row] - byTask[0].model[row]);
    differences.recorded.push(byTask[1].data[row] - byTask[0].data[row]);
  }
}
const known = (all) => mean(all.filter(Number.isFinite));
console.log(
  [
    `${kept} neurons driven by exactly their targets, ${trials} trials of each of ${tasks} tasks`,
    `  rates, windows of +-${windowMs} ms   ${known(figures.windowed).toFixed(3)} correlation`,
    `  rates, bins of ${intervalMs} ms         ${known(figures.binned).toFixed(3)} correlation`,
    `  selectivity                 ${pearson(differences.model, differences.recorded).toFixed(3)} correlation`,
    `  rates, variance explained   ${(1 - residual / variance).toFixed(3)}`,
    `  rate                        ${known(figures.modelHz).toFixed(2)} Hz, recorded ${known(figures.recordedHz).toFixed(2)} Hz`,
  ].join("\n"),
);
