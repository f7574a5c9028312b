/** Neurons with several inputs, and projections from parts of populations. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { checkGradients } from "../../src/learning/gradient/check-gradients.ts";
import { compileNetwork } from "../../src/learning/gradient/compile.ts";
import type { LearningPlan } from "../../src/learning/gradient/learning-plan.ts";
import { referenceGradients } from "../../src/learning/gradient/reference.ts";
import type { GradientNetwork, NetworkValues, ProjectionSpec } from "../../src/learning/gradient/spec.ts";
import type { TrainingSpec } from "../../src/learning/gradient/training-spec.ts";
import { Philox } from "../../src/random/philox.ts";
import { streamKind, streamOf } from "../../src/random/streams.ts";
import { squaredError } from "./random-networks.ts";
import { difference, prepare, runEngine } from "./run-engine.ts";
import { poissonSample, population, projection, stack } from "./small-networks.ts";

// Worker threads run the built files.
const { createGradientTrainer } = await import("../../dist/learning/gradient/trainer.node.js");

const [inputs, neurons, excitatory] = [6, 10, 7];
const sample = poissonSample(3, 0, { inputs, steps: 80, rateHz: 100 });

function weightsOf(count: number, gain: number, stream: number): Float32Array<ArrayBuffer> {
  const draws = new Float64Array(count);
  new Philox(5).uniform(streamOf(streamKind.test, stream), 0, draws);
  return Float32Array.from(draws, (x) => gain * x);
}

const [below, out] = [weightsOf(inputs * neurons, 4, 1), weightsOf(2 * neurons, 1, 2)];
/** By Dale's law: rows of the first neurons are positive. */
const within = weightsOf(neurons * neurons, 2, 3).map((w, i) => (Math.floor(i / neurons) < excitatory ? w : -2 * w));

const constantsOf = (tauExcMs: number, tauInhMs: number) => ({ tauMemMs: 12, tauExcMs, tauInhMs });
const divided = (own: Partial<ProjectionSpec>): ProjectionSpec[] => [
  { ...projection(0, 0), name: "excitation", into: "excitation", sources: { from: 0, to: excitatory }, ...own },
  { ...projection(0, 0), name: "inhibition", into: "inhibition", sources: { from: excitatory, to: neurons }, ...own },
];

/** Excitation and inhibition, each with its constant. */
function twoInputs(tauExcMs: number, tauInhMs: number, own: Partial<ProjectionSpec> = {}): GradientNetwork {
  const hidden = population(neurons, constantsOf(tauExcMs, tauInhMs), "StorkExcInhLIF");
  const network = stack(inputs, [{ ...hidden, bias: true, trainable: ["tauExcMs", "tauInhMs"] }]);
  const [first, last] = network.projections;
  return { ...network, projections: [first, ...divided(own), last] };
}
const valuesOfTwo = (tauExcMs: number, tauInhMs: number): NetworkValues => ({
  weights: [below, within.slice(0, excitatory * neurons), within.slice(excitatory * neurons), out],
  bias: [weightsOf(neurons, 0.2, 4), null],
  constants: [
    { tauExcMs: new Float32Array(neurons).fill(tauExcMs), tauInhMs: new Float32Array(neurons).fill(tauInhMs) },
    {},
  ],
});

it("with equal constants a neuron of two inputs computes what one of one input does, and has its gradients", () => {
  const tau = 6;
  const one = stack(inputs, [population(neurons, { tauMemMs: 12, tauSynMs: tau })], { recurrent: true });
  const hidden = { ...one.populations[0], bias: true, trainable: ["tauSynMs"] };
  const single: GradientNetwork = { ...one, populations: [hidden, one.populations[1]] };
  const values: NetworkValues = {
    weights: [below, within, out],
    bias: valuesOfTwo(tau, tau).bias,
    constants: [{ tauSynMs: new Float32Array(neurons).fill(tau) }, {}],
  };
  const wanted = referenceGradients(single, values, sample, squaredError);
  const two = referenceGradients(twoInputs(tau, tau), valuesOfTwo(tau, tau), sample, squaredError);
  const spikes = wanted.spikes[0].reduce((sum, z) => sum + z, 0);
  expect(spikes).toBeGreaterThan(40);
  expect(two.spikes).toEqual(wanted.spikes);
  expect(difference(two.outputs, wanted.outputs)).toBeLessThan(1e-12);
  const [first, ...others] = two.gradients.weights;
  expect(difference(first, wanted.gradients.weights[0])).toBeLessThan(1e-10);
  expect(difference([...others[0], ...others[1]], wanted.gradients.weights[1])).toBeLessThan(1e-10);
  const { tauExcMs, tauInhMs } = two.gradients.constants[0];
  const sum = tauExcMs.map((x, j) => x + tauInhMs[j]);
  expect(difference(sum, wanted.gradients.constants[0].tauSynMs)).toBeLessThan(1e-10);
});

it("the engine has the spikes and gradients of the twin; what each input does differs with its constant", () => {
  const network = twoInputs(3, 15, { delaySteps: 3 });
  const values = valuesOfTwo(3, 15);
  const twin = referenceGradients(network, values, sample, squaredError);
  const engine = prepare({ network }, values);
  const result = runEngine(engine, values, sample, squaredError);
  expect(result.spikes).toEqual(twin.spikes.map((z, p) => (p === network.readout ? new Float64Array(z.length) : z)));
  for (const [k, wanted] of twin.gradients.weights.entries()) {
    expect(difference(result.gradients.weights[k], wanted)).toBeLessThan(2e-4);
    expect(wanted.some((x) => Math.abs(x) > 1e-3)).toBe(true);
  }
  for (const name of ["tauExcMs", "tauInhMs"]) {
    expect(difference(result.gradients.constants[0][name], twin.gradients.constants[0][name])).toBeLessThan(2e-4);
  }
  const exchanged = referenceGradients(twoInputs(15, 3, { delaySteps: 3 }), valuesOfTwo(15, 3), sample, squaredError);
  expect(difference(exchanged.outputs, twin.outputs)).toBeGreaterThan(0.01);
});

it("finite differences agree for every input, constant and part of a population", () => {
  const { differences, eprop, passed } = checkGradients(twoInputs(3, 15), { steps: 10, entries: 12 });
  expect(passed).toBe(true);
  const checked = ["excitation", "inhibition"].map((name) => `weights ${name}`);
  const names = [...checked, "tauExcMs of hidden1", "tauInhMs of hidden1"];
  for (const name of names) {
    expect(differences.find((one) => one.name === name)?.verdict, name).toBe("agrees");
    expect(eprop.find((one) => one.name === name)?.verdict, name).toBe("agrees");
  }
});

function training(): { spec: TrainingSpec; plan: LearningPlan } {
  const { populations, projections, readout } = twoInputs(4, 12);
  const spec: TrainingSpec = {
    seed: 2,
    dtMs: 1,
    inputs,
    populations: populations.map(({ name, size, model, bias }, p) => ({
      name,
      size,
      model: { type: model.model.name, parameters: p === readout ? {} : constantsOf(4, 12) },
      detachReset: true,
      trainable: p === readout ? [] : ["tauExcMs", "tauInhMs"],
      bias,
    })),
    projections,
    readout,
    loss: { type: "crossEntropy", readout: "max" },
    regularisers: [],
    truncateSteps: 0,
    lanes: 4,
    relaxed: false,
  };
  const learned = { constraint: null, signs: null, penalty: null, deepR: null };
  const dale = (sign: 1 | -1, size: number) =>
    ({ ...learned, constraint: { type: "dale" }, signs: new Int8Array(size).fill(sign) }) as const;
  const { weights } = valuesOfTwo(4, 12);
  const plan: LearningPlan = {
    optimiser: { type: "adam", rate: 0.05 },
    schedules: [],
    clipNorm: null,
    constantsRate: null,
    overBatch: "mean",
    epochs: 1,
    stepsPerEpoch: 4,
    projections: [learned, dale(1, excitatory), dale(-1, neurons - excitatory), learned].map((rules, k) => ({
      ...rules,
      initial: weights[k] as Float32Array,
    })),
    constants: ["tauExcMs", "tauInhMs"].map((parameter) => ({
      population: 0,
      parameter,
      range: { type: "log", min: 1, max: 50 } as const,
      shared: false,
    })),
    feedback: "random",
    dataRateHz: null,
  };
  return { spec, plan };
}

it("gives the same bytes on 1 to 4 threads; signs hold, and both kinds of constants learn", async () => {
  const batch = Array.from({ length: 7 }, (_, i) => ({
    events: poissonSample(9, i, { inputs, steps: 40 + 5 * i, rateHz: 60 + 40 * (i % 2) }),
    target: { label: i % 2 },
  }));
  const digests = new Set<string>();
  for (const threads of [1, 2, 3, 4]) {
    const { spec, plan } = training();
    const trainer = await createGradientTrainer(spec, plan, { threads });
    try {
      for (let step = 0; step < 4; step++) await trainer.trainBatch(batch);
      const { weights, constants } = trainer.values();
      expect(weights[1].every((w: number) => w >= 0) && weights[2].every((w: number) => w <= 0)).toBe(true);
      expect(constants[0].tauExcMs.some((tau: number) => Math.abs(tau - 4) > 0.05)).toBe(true);
      expect(constants[0].tauInhMs.some((tau: number) => Math.abs(tau - 12) > 0.05)).toBe(true);
      const hash = createHash("sha256");
      for (const values of Object.values(trainer.state().parameters)) hash.update(values as Float32Array);
      digests.add(hash.digest("hex"));
    } finally {
      await trainer.close();
    }
  }
  expect(digests.size).toBe(1);
});

it("projections that lead nowhere, or start from neurons that there are not, are refused", async () => {
  const compiling = (change: Partial<ProjectionSpec>) => {
    const { spec } = training();
    const projections = spec.projections.map((one, k) => (k === 1 ? { ...one, ...change } : one));
    return compileNetwork({ ...spec, projections }).then(
      () => "compiled",
      (error: Error) => error.message,
    );
  };
  expect(await compiling({})).toBe("compiled");
  expect(await compiling({ into: "exitation" })).toMatch(
    /^projection "excitation" leads into "exitation", which is no input of the model StorkExcInhLIF — did you mean "exc/,
  );
  for (const sources of [
    { from: 3, to: 11 },
    { from: 4, to: 4 },
    { from: -1, to: 4 },
    { from: 0, to: 1.5 },
  ]) {
    expect(await compiling({ sources })).toMatch(/which has 10; give whole numbers with 0 <= from < to <= 10/);
  }
  expect(await compiling({ source: "input", sources: { from: 0, to: 3 } })).toMatch(/a part of the channels/);
});
