/**
 * Firing rates that look like recorded PSTHs, from a seed: smooth, positive, log-normal, of few dimensions.
 *
 * Eight latent signals z_d are draws of a Gaussian process with covariance exp(-s^2 / 2 l^2), l = 250 ms, each a sum of
 * cosines with random frequencies and phases (random Fourier features; Rahimi & Recht 2007). Neuron n fires at
 * exp(b_n + sum_d a_nd z_d(t)) with b_n ~ N(0, 0.5^2) and a_nd ~ N(0, 0.5^2 / 8), all scaled to the mean that is asked for.
 */
import type { Recording } from "../../data/recording.ts";
import { cos, exp } from "../../math/elementary.ts";
import { openDraws } from "../../random/draws.ts";

const latents = 8;
const features = 32;
const lengthMs = 250;
const levelSd = 0.5;
const modulationSd = 0.5;

export function syntheticRates(options: {
  seed: number;
  neurons: number;
  rows: number;
  intervalMs: number;
  meanHz: number;
}): Recording {
  const { seed, neurons, rows, intervalMs, meanHz } = options;
  const signals = latentSignals(seed, rows, intervalMs);
  const draws = openDraws(seed, "bench: how a neuron mixes the latent signals");
  const values = new Float64Array(rows * neurons);
  const mixture = new Float64Array(latents);
  let sum = 0;
  for (let n = 0; n < neurons; n++) {
    const level = levelSd * draws.normal();
    for (let d = 0; d < latents; d++) mixture[d] = (modulationSd / Math.sqrt(latents)) * draws.normal();
    for (let q = 0; q < rows; q++) {
      let logRate = level;
      for (let d = 0; d < latents; d++) logRate += mixture[d] * signals[d][q];
      sum += values[q * neurons + n] = exp(logRate);
    }
  }
  const scale = (meanHz * values.length) / sum;
  for (let i = 0; i < values.length; i++) values[i] *= scale;
  return { quantity: "rateHz", tasks: 1, rows, neurons, values, taskNames: ["synthetic"], intervalMs, notes: [] };
}

/** Mean 0 and variance 1 over draws. */
function latentSignals(seed: number, rows: number, intervalMs: number): Float64Array[] {
  const draws = openDraws(seed, "bench: latent signals");
  return Array.from({ length: latents }, () => {
    const signal = new Float64Array(rows);
    for (let k = 0; k < features; k++) {
      const frequency = draws.normal() / lengthMs;
      const phase = 2 * Math.PI * draws.uniform();
      for (let q = 0; q < rows; q++) signal[q] += Math.sqrt(2 / features) * cos(frequency * q * intervalMs + phase);
    }
    return signal;
  });
}
