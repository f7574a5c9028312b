/** Training by gradients: the same bytes for any number of workers, and after a state is put back. */
import { describe, expect, it } from "vitest";
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { type LearningPlan, unconstrained } from "../../src/learning/gradient/learning-plan.ts";
import type { LabelledEvents } from "../../src/learning/gradient/member.ts";
import type { TrainingSpec } from "../../src/learning/gradient/training-spec.ts";
import { Philox } from "../../src/random/philox.ts";
import { streamKind, streamOf } from "../../src/random/streams.ts";
import { digest } from "./digest.ts";
import { projection } from "./small-networks.ts";

// Worker threads run the built files.
const { createGradientTrainer } = await import("../../dist/learning/gradient/trainer.node.js");

const inputs = 12;

/** Two classes: early spikes on low channels, late ones on high channels. Lengths differ. */
function sample(index: number): LabelledEvents {
  const label = index % 2;
  const steps = 20 + (index % 7) * 9;
  const draws = new Float64Array(steps * inputs);
  new Philox(3).uniform(streamOf(streamKind.test, index), 0, draws);
  const offsets = new Uint32Array(steps + 1);
  const channels: number[] = [];
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < inputs; i++) {
      const favoured = label === 0 ? i < inputs / 2 : i >= inputs / 2;
      if (draws[t * inputs + i] < (favoured ? 0.25 : 0.03)) channels.push(i);
    }
    offsets[t + 1] = channels.length;
  }
  const events: StepEvents = { steps, offsets, channels: Uint32Array.from(channels), values: null };
  return { events, target: { label } };
}

function setup(lanes = 8): { spec: TrainingSpec; plan: LearningPlan } {
  const spec: TrainingSpec = {
    seed: 5,
    dtMs: 1,
    inputs,
    populations: [
      {
        name: "hidden",
        size: 9,
        model: { type: "StorkLIF", parameters: { tauMemMs: 8 } },
        surrogate: { type: "fastSigmoid", beta: 20 },
        detachReset: true,
        trainable: ["tauMemMs", "tauSynMs"],
        bias: false,
      },
      { name: "readout", size: 2, model: { type: "LI", parameters: {} }, detachReset: true, trainable: [], bias: true },
    ],
    projections: [
      projection("input", 0, { name: "input", backward: "none" }),
      projection(0, 0, { name: "own" }),
      projection(0, 1, { name: "output" }),
    ],
    readout: 1,
    loss: { type: "crossEntropy", readout: "mean" },
    regularisers: [
      { population: 0, description: { type: "lowerBound", strength: 1, spikes: 1 } },
      { population: 0, description: { type: "meanRate", strength: 0.1, over: "batch" } },
    ],
    truncateSteps: 0,
    lanes,
    relaxed: false,
  };
  const start = unconstrained({ type: "normal", gain: 3 });
  const range = { type: "decay", min: 2, max: 60 } as const;
  const plan: LearningPlan = {
    optimiser: { type: "adam", rate: 0.02 },
    schedules: [{ type: "cosine" }],
    clipNorm: 5,
    constantsRate: 0.002,
    overBatch: "mean",
    epochs: 3,
    stepsPerEpoch: 8,
    projections: [start, start, start],
    constants: [
      { population: 0, parameter: "tauMemMs", range, shared: false },
      { population: 0, parameter: "tauSynMs", range, shared: true },
    ],
    feedback: "random",
    dataRateHz: null,
  };
  return { spec, plan };
}

const batches = Array.from({ length: 24 }, (_, b) => Array.from({ length: 6 + (b % 3) }, (_, i) => sample(b * 11 + i)));

describe("training by gradients", () => {
  it("gives the same bytes on 1, 2, 3 and 4 threads, and learns", async () => {
    const digests = new Set<string>();
    for (const threads of [1, 2, 3, 4]) {
      const { spec, plan } = setup();
      const trainer = await createGradientTrainer(spec, plan, { threads });
      try {
        const losses: number[] = [];
        for (const batch of batches) {
          const { loss, samples } = await trainer.trainBatch(batch);
          losses.push(loss / samples);
        }
        const { parameters, optimiser } = trainer.state();
        digests.add(digest({ ...parameters, ...optimiser.arrays }));
        expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]);
        const test = await trainer.test(batches[3]);
        const right = batches[3].filter(({ target }, i) => "label" in target && target.label === test.predicted[i]);
        expect(right.length).toBeGreaterThanOrEqual(batches[3].length - 1);
      } finally {
        await trainer.close();
      }
    }
    expect(digests.size).toBe(1);
  });

  it("gives the same bytes on 1 and 2 threads with a tape of 16 bits too, and nearly those of 32", async () => {
    const runs = [];
    for (const [threads, tape] of [
      [1, "float32"],
      [1, "bfloat16"],
      [2, "bfloat16"],
    ] as const) {
      const { spec, plan } = setup();
      const trainer = await createGradientTrainer({ ...spec, tape }, plan, { threads });
      try {
        const losses: number[] = [];
        for (const batch of batches.slice(0, 5)) losses.push((await trainer.trainBatch(batch)).loss / batch.length);
        runs.push({ losses, digest: digest(trainer.state().parameters) });
      } finally {
        await trainer.close();
      }
    }
    const [wide, one, two] = runs;
    expect(two).toEqual(one);
    expect(one.digest).not.toBe(wide.digest);
    // The loss of the first batch comes before any gradient.
    expect(one.losses[0]).toBe(wide.losses[0]);
    expect(Math.abs(one.losses[4] / wide.losses[4] - 1)).toBeLessThan(0.02);
  });

  it("goes on from a state as if it had never stopped", async () => {
    const whole = await createGradientTrainer(setup().spec, setup().plan, { threads: 1 });
    const first = await createGradientTrainer(setup().spec, setup().plan, { threads: 1 });
    for (const batch of batches.slice(0, 10)) {
      await whole.trainBatch(batch);
      await first.trainBatch(batch);
    }
    const second = await createGradientTrainer(setup().spec, setup().plan, { threads: 1 });
    await second.restore(structuredClone(first.state()));
    for (const batch of batches.slice(10)) {
      await whole.trainBatch(batch);
      await second.trainBatch(batch);
    }
    expect(digest(second.state().parameters)).toBe(digest(whole.state().parameters));
    expect(digest(second.state().parameters)).not.toBe(digest(first.state().parameters));
  });

  it("keeps constants in their range, shared ones equal", async () => {
    const { spec, plan } = setup();
    const trainer = await createGradientTrainer(spec, { ...plan, constantsRate: 5 }, { threads: 1 });
    for (const batch of batches) await trainer.trainBatch(batch);
    const [{ tauMemMs, tauSynMs }] = trainer.values().constants;
    expect(Math.min(...tauMemMs)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...tauMemMs)).toBeLessThanOrEqual(60.001);
    expect(new Set(tauMemMs).size).toBeGreaterThan(1);
    expect(new Set(tauSynMs).size).toBe(1);
    expect(tauSynMs[0]).not.toBe(5);
  });

  it("does not depend on lanes that no sample falls into, and refuses too few for the threads", async () => {
    const { spec, plan } = setup(64);
    const trainer = await createGradientTrainer(spec, plan, { threads: 3 });
    const { samples, correct } = await trainer.trainBatch(batches[0]);
    expect(samples).toBe(batches[0].length);
    expect(correct).toBeLessThanOrEqual(samples);
    await trainer.close();
    await expect(createGradientTrainer(setup(2).spec, plan, { threads: 3 })).rejects.toThrow(
      /lanes is 2 for 3 threads/,
    );
  });

  it("rewires a sparse projection alike on any number of threads and after a state is put back", async () => {
    const rewired = () => {
      const { spec, plan } = setup();
      const offsets = Uint32Array.from({ length: inputs + 1 }, (_, i) => 4 * i);
      const targets = Uint32Array.from({ length: 4 * inputs }, (_, s) => 2 * (s % 4));
      const [input, ...others] = spec.projections;
      const projections = [{ ...input, connectivity: { offsets, targets } }, ...others];
      const [first, ...rest] = plan.projections;
      return {
        spec: { ...spec, projections },
        plan: { ...plan, projections: [{ ...first, deepR: 0.02 }, ...rest] },
      };
    };
    const digests = new Set<string>();
    for (const threads of [1, 3]) {
      const { spec, plan } = rewired();
      let trainer = await createGradientTrainer(spec, plan, { threads });
      for (const [b, batch] of batches.entries()) {
        await trainer.trainBatch(batch);
        if (threads === 3 && b === 11) {
          const state = structuredClone(trainer.state());
          await trainer.close();
          trainer = await createGradientTrainer(rewired().spec, plan, { threads });
          await trainer.restore(state);
        }
      }
      const { parameters, synapses } = trainer.state();
      const { offsets, targets, signs } = synapses.input;
      expect(offsets[inputs]).toBe(4 * inputs);
      expect([...targets].some((target) => target % 2 === 1)).toBe(true);
      const weights = parameters.input;
      expect([...weights].every((w, i) => w * signs[i] >= 0)).toBe(true);
      digests.add(digest({ ...parameters, targets: Float32Array.from(targets) }));
      await trainer.close();
    }
    expect(digests.size).toBe(1);
  });

  it("refuses a state of another network", async () => {
    const { spec, plan } = setup();
    const trainer = await createGradientTrainer(spec, plan, { threads: 1 });
    const state = trainer.state();
    await expect(
      trainer.restore({ ...state, parameters: { ...state.parameters, own: new Float32Array(3) } }),
    ).rejects.toThrow(/3 values for "own"/);
  });
});
