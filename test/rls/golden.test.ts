/**
 * The float64 twin of the engine against runs of an independent program (test/data/rls-golden.json says which).
 *
 * Without noise the two do the same sums in almost the same order, so spikes, weights and figures are demanded to about
 * the last digits. Chaos doubles a difference of one ulp every few tens of ms: what is compared after whole iterations
 * holds because threshold crossings rarely come that close, and is demanded to 1e-6.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ReferenceTrainer } from "../../src/learning/rls/reference.ts";
import { buildReferenceNetwork } from "../../src/learning/rls/reference-network.ts";
import type { RlsSpec } from "../../src/learning/rls/spec.ts";
import { mean } from "../../src/math/statistics.ts";
import { Mix64, mix64 } from "../support/mix64.ts";
import { noiseNet } from "./specs.ts";

interface GoldenRun {
  params: { N: number; K: number; L: number; jx_factor: number; lam: number; mu: number; noise_sig: number };
  staticRates: [number, number] | null;
  curve: { correlation: number; rate: number; rmse: number; w_rms: number; P0_trace: number }[];
  firstSpikes: [step: number, neuron: number][];
  weightsRow0: number[];
  weightSum: number;
  updates: Record<string, { meanAbsError: number; meanC: number; minC: number; errors: number[] }>;
}

const golden: Record<"static" | "noise", GoldenRun> = JSON.parse(
  readFileSync(new URL("../data/rls-golden.json", import.meta.url), "utf8"),
);

function specOf({ params: { N, K, L, jx_factor, lam, mu, noise_sig } }: GoldenRun): RlsSpec {
  const jx = jx_factor * Math.sqrt(K);
  return noiseNet({
    seed: 1,
    neurons: N,
    excitatory: N / 2,
    timing: { dtMs: 0.1, stimulusOnMs: 800, stimulusOffMs: 1000, trainMs: 1000, learnEveryMs: 10 },
    drive: { excitatory: 1.5 * jx, inhibitory: jx },
    static: K > 0 ? { K, g: 1, weights: { EE: 0.15, IE: 1, EI: -0.75, II: -1 } } : null,
    plastic: { inputsPerType: L },
    noise: { model: "voltage", sigma: noise_sig },
    learning: { lambda: lam, mu },
    correlationWindowMs: 50,
  });
}

/** A trainer whose first iteration notes its first 200 spikes and the errors and gains of some updates. */
function observed(run: GoldenRun) {
  const spikes: [number, number][] = [];
  const updates: Record<string, { errors: number[]; c: number[] }> = {};
  for (const row of Object.keys(run.updates)) updates[row] = { errors: [], c: [] };
  const trainer = new ReferenceTrainer(specOf(run), new Mix64(1), {
    onStep(step, fired) {
      if (trainer.iteration !== 1) return;
      for (let s = 0; s < fired.length && spikes.length < 200; s++) spikes.push([step, fired[s]]);
    },
    onUpdate(row, _, error, gain) {
      if (trainer.iteration !== 1 || !(row in updates)) return;
      updates[row].errors.push(error);
      updates[row].c.push(1 / (1 + gain));
    },
  });
  return { trainer, spikes, updates };
}

/** Runs the iterations of the curve and compares everything that the golden run tells. */
function follow(run: GoldenRun, observation: ReturnType<typeof observed>): void {
  const { trainer, spikes, updates } = observation;
  run.curve.forEach((row, i) => {
    const report = trainer.iterate();
    const weights = trainer.weights.flatMap((w) => [...w]);
    const M = trainer.weights[0].length;
    expect(report.rateHz).toBeCloseTo(row.rate, 9);
    expect(report.correlation).toBeCloseTo(row.correlation, 6);
    expect(report.rmsError).toBeCloseTo(row.rmse, 6);
    expect(Math.sqrt(mean(weights.map((w) => w * w)))).toBeCloseTo(row.w_rms, 6);
    const trace = Array.from({ length: M }, (_, a) => trainer.P[0][a * M + a]).reduce((sum, x) => sum + x, 0);
    expect(trace / row.P0_trace).toBeCloseTo(1, 9);
    if (i > 0) return;
    expect(spikes).toEqual(run.firstSpikes);
    trainer.weights[0].forEach((w, slot) => {
      expect(w).toBeCloseTo(run.weightsRow0[slot], 9);
    });
    expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(run.weightSum, 6);
    for (const [q, { meanAbsError, meanC, minC, errors }] of Object.entries(run.updates)) {
      expect(mean(updates[q].errors.map(Math.abs))).toBeCloseTo(meanAbsError, 9);
      expect(mean(updates[q].c)).toBeCloseTo(meanC, 9);
      expect(Math.min(...updates[q].c)).toBeCloseTo(minC, 9);
      for (const [n, error] of errors.entries()) expect(updates[q].errors[n]).toBeCloseTo(error, 9);
    }
  });
}

describe("mix64", () => {
  it("has in halves the values of the plain form", () => {
    const stream = 7 * 2 ** 40 + 12345;
    const G = 0x9e3779b97f4a7c15n;
    const key = mix64(BigInt.asUintN(64, 3n + G * BigInt(stream + 1)));
    const expected = Array.from({ length: 200 }, (_, i) =>
      Number(mix64(BigInt.asUintN(64, key + G * BigInt(1000 + i + 1))) >> 11n),
    );
    const values = new Float64Array(200);
    new Mix64(3).uniform(stream, 1000, values);
    expect(Array.from(values, (u) => u * 2 ** 53)).toEqual(expected);
  });
});

describe("the start of P", () => {
  it("is the inverse of the penalties: lambda per kind of input, mu between inputs of one sign", () => {
    const [X, L, lambda, lambdaFeedforward, mu] = [3, 4, 0.04, 1.5, 8];
    const spec = specOf(golden.noise);
    const network = buildReferenceNetwork(
      {
        ...spec,
        plastic: { ...spec.plastic, inputsPerType: L },
        feedforward: { size: X, meanHz: 5, tauMs: 400, sigma: 0.2, weightsPerTask: false, initialWeight: 0 },
        learning: { ...spec.learning, lambda, lambdaFeedforward, mu },
      },
      new Mix64(1),
    );
    const M = X + 2 * L;
    const kind = (slot: number) => (slot < X ? 0 : slot < X + L ? 1 : 2);
    const penalty = (a: number, b: number) =>
      (a !== b ? 0 : kind(a) === 0 ? lambdaFeedforward : lambda) + (kind(a) > 0 && kind(a) === kind(b) ? mu : 0);
    const P = network.initialP(0);
    for (let a = 0; a < M; a++) {
      for (let b = 0; b < M; b++) {
        const product = Array.from({ length: M }, (_, m) => P[a * M + m] * penalty(m, b)).reduce((x, y) => x + y, 0);
        expect(product).toBeCloseTo(a === b ? 1 : 0, 9);
      }
    }
  });
});

describe("the float64 twin reproduces the golden runs", () => {
  it("with static connections (N 512): static run and three iterations", () => {
    const run = golden.static;
    const observation = observed(run);
    const { trainer } = observation;
    trainer.runStatic();
    const seconds = 2;
    expect(mean(trainer.spikeCounts.subarray(0, 256)) / seconds).toBe(run.staticRates![0]);
    expect(mean(trainer.spikeCounts.subarray(256)) / seconds).toBe(run.staticRates![1]);
    trainer.setSinusoids();
    follow(run, observation);
  });

  it("with voltage noise instead (N 200): two iterations", () => {
    const observation = observed(golden.noise);
    observation.trainer.setSinusoids();
    follow(golden.noise, observation);
  });
});
