import { expect, test } from "vitest";
import { poissonSample, population, stack, startsWith } from "../../../test/gradient/small-networks.ts";
import { LocalGroup } from "../../device/cpu/group.ts";
import { gradientHost } from "../gradient/host.ts";
import type { LearningPlan } from "../gradient/learning-plan.ts";
import { GradientTrainer } from "../gradient/trainer.ts";
import type { PopulationChoice, TrainingSpec } from "../gradient/training-spec.ts";
import { initialWeights } from "./draw.ts";
import { scaleToRates } from "./homeostasis.ts";
import { pretrainRates } from "./pretraining.ts";

const inputs = 60;
const network = stack(inputs, [
  population(30, undefined, "StorkLIF", "lower"),
  population(20, undefined, "StorkLIF", "upper"),
]);
const batch = async (i: number) =>
  Array.from({ length: 6 }, (_, s) => poissonSample(4, 10 * i + s, { inputs, steps: 100, rateHz: 30 }));
const bounds = { lowHz: 2, highHz: 40, silentShare: 0.05 };
const settings = { ...bounds, targetHz: 10, batches: 40 };

test.each([
  ["too weak", 0.5],
  ["too strong", 8],
])(
  "scaling: a network that is %s comes within the bounds, and no step more than doubles or halves",
  async (_, sigma) => {
    const starts = startsWith(network, { type: "fluctuation", sigma });
    const weights = initialWeights(network, starts, 5, 30);
    const before = weights.map((own) => own.slice());
    const { reached, course } = await scaleToRates(network, weights, batch, settings);
    expect(reached).toBe(true);
    expect(course.length).toBeGreaterThan(1);
    const last = course.at(-1)!;
    expect(last.map(({ name }) => name)).toEqual(["lower1", "upper2"]);
    for (const { rateHz, silentShare } of last) {
      expect(rateHz).toBeGreaterThan(2);
      expect(rateHz).toBeLessThan(40);
      expect(silentShare).toBeLessThanOrEqual(0.05);
    }
    for (const k of [0, 1]) {
      const factor = weights[k][0] / before[k][0];
      expect(factor).toBeGreaterThan(2 ** -course.length);
      expect(factor).toBeLessThan(2 ** course.length);
      // All weights into a neuron by one factor.
      const size = network.populations[k].size;
      for (let i = 1; i < 5; i++) expect(weights[k][i * size] / before[k][i * size]).toBeCloseTo(factor, 4);
    }
    expect(weights[2]).toEqual(before[2]);
  },
);

test("one change is the published factor, and the phase ends when it may not change any more", async () => {
  const starts = startsWith(network, { type: "fluctuation", sigma: 1e-3 });
  const weights = initialWeights(network, starts, 5, 30);
  const before = weights[0].slice();
  const { reached, course } = await scaleToRates(network, weights, batch, { ...settings, batches: 3 });
  expect(reached).toBe(false);
  expect(course.length).toBe(4);
  // Silent neurons: (1 + 0.1)^3.
  for (const [w, value] of weights[0].entries()) expect(value).toBeCloseTo(1.1 ** 3 * before[w], 6);
});

const spec: TrainingSpec = {
  seed: 5,
  dtMs: 1,
  inputs,
  populations: [30, 20, 3].map(
    (size, p): PopulationChoice => ({
      name: ["lower", "upper", "readout"][p],
      size,
      model: p < 2 ? { type: "StorkLIF", parameters: { tauMemMs: 20, tauSynMs: 10 } } : { type: "LI", parameters: {} },
      surrogate: { type: "fastSigmoid", beta: 20 },
      detachReset: true,
      trainable: p === 0 ? ["tauMemMs"] : [],
      bias: true,
    }),
  ),
  projections: network.projections.map((one) => ({ ...one })),
  readout: 2,
  loss: { type: "crossEntropy", readout: "max" },
  regularisers: [],
  truncateSteps: 0,
  lanes: 2,
  relaxed: false,
};
const plan: LearningPlan = {
  optimiser: { type: "adam", rate: 0.02 },
  schedules: [],
  clipNorm: null,
  constantsRate: null,
  overBatch: "mean",
  epochs: 1,
  stepsPerEpoch: 1,
  projections: startsWith(network, { type: "fluctuation", sigma: 0.3 }).map((start) => ({
    ...start,
    constraint: null,
    penalty: null,
    deepR: null,
  })),
  constants: [],
  feedback: "random",
  dataRateHz: 30,
};

test("regularisers only: silent layers come to life, readout weights stay, and the weights are those that were seen", async () => {
  const weights = initialWeights(network, plan.projections, 5, 30);
  weights[2] = new Float32Array(20 * 3).fill(0.5);
  const labelled = async (i: number) => (await batch(i)).map((events, s) => ({ events, target: { label: s % 3 } }));
  const make = (one: TrainingSpec, other: LearningPlan) =>
    GradientTrainer.create(one, other, new LocalGroup(gradientHost()));
  const first = await pretrainRates(spec, plan, weights, make, labelled, { ...bounds, batches: 150 });
  const { course, reached, by } = first.report;
  expect([by, reached]).toEqual(["regularisers", true]);
  expect(course[0][1].rateHz).toBeLessThan(bounds.lowHz);
  expect(course.at(-1)!.every(({ silentShare }) => silentShare <= 0.05)).toBe(true);
  expect(first.weights[2]).toEqual(weights[2]);
  expect(first.weights[1]).not.toEqual(weights[1]);
  const again = await pretrainRates(spec, plan, first.weights, make, (i) => labelled(i + course.length - 1), {
    ...bounds,
    batches: 0,
  });
  expect(again.report.course[0]).toEqual(course.at(-1));
});
