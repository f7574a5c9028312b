/**
 * Gradients of trained constants by what the optimiser moves, held to finite differences of the loss through the whole
 * trainer: the chain rule of every parametrisation, and the sum over neurons where all, or those of a filter, share a
 * value. The network is a readout alone: without spikes the loss is smooth in its time constants and its bias.
 */
import { expect, test } from "vitest";
import { LocalGroup } from "../../src/device/cpu/group.ts";
import { gradientHost } from "../../src/learning/gradient/host.ts";
import { unconstrained } from "../../src/learning/gradient/learning-plan.ts";
import type { LabelledEvents } from "../../src/learning/gradient/member.ts";
import { GradientTrainer } from "../../src/learning/gradient/trainer.ts";
import type { TrainingSpec } from "../../src/learning/gradient/training-spec.ts";
import type { ParametrisationDescription } from "../../src/learning/optimisers/parametrisation.ts";
import { projection } from "./small-networks.ts";

const [inputs, outputs, steps, dtMs] = [12, 3, 40, 0.5];
const starts = { tauMemMs: [8, 20, 41], tauSynMs: [3, 6, 9] };

const spec: TrainingSpec = {
  seed: 5,
  dtMs,
  inputs,
  populations: [
    {
      name: "readout",
      size: outputs,
      model: {
        type: "CuBaLI",
        parameters: { tauMemMs: Float32Array.from(starts.tauMemMs), tauSynMs: Float32Array.from(starts.tauSynMs) },
      },
      detachReset: true,
      trainable: ["tauMemMs", "tauSynMs"],
      bias: false,
    },
  ],
  projections: [projection("input", 0, { name: "output", backward: "none" })],
  readout: 0,
  loss: { type: "crossEntropy", readout: "perStep", overSteps: "mean" },
  regularisers: [],
  truncateSteps: 0,
  lanes: 1,
  relaxed: false,
};

/** Every channel spikes at a few steps that depend on the sample. */
const samples: LabelledEvents[] = Array.from({ length: 4 }, (_, s) => {
  const rows = Array.from({ length: steps }, (_, t) =>
    Array.from({ length: inputs }, (_, i) => i).filter((i) => (3 * t + 7 * i + 5 * s) % 11 < 2),
  );
  const offsets = [0];
  for (const row of rows) offsets.push(offsets[offsets.length - 1] + row.length);
  return {
    events: { steps, offsets: Uint32Array.from(offsets), channels: Uint32Array.from(rows.flat()), values: null },
    target: { label: s % outputs },
  };
});

/** Who has a value in common: filters 0 and 1 are neurons 0 and 2, and 1. */
type Sharing = "none" | "filter" | "all";
const different: Record<Sharing, number> = { none: outputs, filter: 2, all: 1 };

async function trainerWith(
  range: ParametrisationDescription,
  sharing: Sharing,
  rate: number,
): Promise<GradientTrainer> {
  const own = spec.populations[0];
  const start = (values: number[]) => Float32Array.from(values, (_, i) => values[i % different[sharing]]);
  const parameters = { tauMemMs: start(starts.tauMemMs), tauSynMs: start(starts.tauSynMs) };
  const population = {
    ...own,
    model: { type: "CuBaLI", parameters },
    bias: true,
    ...(sharing === "filter" ? { filters: 2 } : {}),
  };
  return GradientTrainer.create(
    { ...spec, populations: [population] },
    {
      optimiser: { type: "sgd", rate },
      schedules: [],
      clipNorm: null,
      constantsRate: null,
      overBatch: "sum",
      epochs: 1,
      stepsPerEpoch: 1,
      projections: [unconstrained({ type: "normal", gain: 3 })],
      constants: ["tauMemMs", "tauSynMs"].map((parameter) => ({
        population: 0,
        parameter,
        range,
        shared: sharing === "all",
      })),
      feedback: "random",
      dataRateHz: null,
    },
    new LocalGroup(gradientHost()),
  );
}

const ranges: ParametrisationDescription[] = [
  { type: "clamp", min: 1, max: 100 },
  { type: "decay" },
  { type: "log", min: 1, max: 100 },
  { type: "sigmoid", min: 0, max: 60 },
  { type: "inverseSigmoid" },
];

test.each(ranges.flatMap((range) => (["none", "filter", "all"] as const).map((sharing) => ({ range, sharing }))))(
  "$range.type, shared by $sharing",
  async ({ range, sharing }) => {
    // A decay factor is a small number that the loss depends on steeply: a step must not leave its range.
    const rate = range.type === "decay" ? 1e-5 : 1e-3;
    const trainer = await trainerWith(range, sharing, rate);
    const { parameters, ...rest } = trainer.state();
    const lossWith = async (name: string, i: number, by: number) => {
      const moved = parameters[name].slice();
      moved[i] += by;
      await trainer.restoreParameters({ ...rest, parameters: { ...parameters, [name]: moved } });
      const { losses } = await trainer.test(samples);
      return { loss: losses.reduce((sum, loss) => sum + loss, 0), at: moved[i] };
    };
    const differences: Record<string, number[]> = {};
    for (const name of ["readout.tauMemMs", "readout.tauSynMs", "readout.bias"]) {
      const isBias = name === "readout.bias";
      expect(parameters[name].length).toBe(isBias && sharing === "all" ? outputs : different[sharing]);
      differences[name] = [];
      for (const [i, p] of parameters[name].entries()) {
        const step = isBias ? 0.02 : range.type === "decay" ? 0.02 * (1 - p) : range.type === "clamp" ? 0.02 * p : 0.02;
        const [up, down] = [await lossWith(name, i, step), await lossWith(name, i, -step)];
        differences[name].push((up.loss - down.loss) / (up.at - down.at));
      }
    }
    await trainer.restoreParameters({ ...rest, parameters });
    await trainer.trainBatch(samples);
    const after = trainer.state().parameters;
    for (const [name, expected] of Object.entries(differences)) {
      const largest = Math.max(...expected.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-3);
      for (const [i, difference] of expected.entries()) {
        // A step of plain gradient descent moves by rate times the gradient.
        const gradient = (parameters[name][i] - after[name][i]) / rate;
        const rounding = (1e-7 * Math.abs(parameters[name][i])) / rate;
        expect(Math.abs(gradient - difference)).toBeLessThan(0.02 * largest + rounding);
      }
    }
    await trainer.close();
  },
);
