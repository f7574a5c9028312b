/** Training of layers that share weights and drop spikes: the same bytes for any number of workers and after a resume. */
import { describe, expect, it } from "vitest";
import { type LearningPlan, type ProjectionPlan, unconstrained } from "../../src/learning/gradient/learning-plan.ts";
import type { LabelledEvents } from "../../src/learning/gradient/member.ts";
import { GradientMember } from "../../src/learning/gradient/member.ts";
import type { PopulationChoice, TrainingSpec } from "../../src/learning/gradient/training-spec.ts";
import type { SharedRows } from "../../src/network/shared-rows.ts";
import { Philox } from "../../src/random/philox.ts";
import { streamKind, streamOf } from "../../src/random/streams.ts";
import { digest } from "./digest.ts";
import { projection } from "./small-networks.ts";

// Worker threads run the built files.
const { createGradientTrainer } = await import("../../dist/learning/gradient/trainer.node.js");

const [places, filters] = [8, 6];
const positions = places - 2;

/** Two classes: pairs of neighbours spike together, or pairs with one between them, anywhere. */
function sample(index: number): LabelledEvents {
  const label = index % 2;
  const steps = 24 + (index % 3) * 5;
  const draws = new Float64Array(steps);
  new Philox(5).uniform(streamOf(streamKind.test, index), 0, draws);
  const offsets = Uint32Array.from({ length: steps + 1 }, (_, t) => 2 * t);
  const pairs = Array.from(draws, (u) => Math.floor(u * (places - 2))).map((i) => [i, i + 1 + label]);
  return { events: { steps, offsets, channels: Uint32Array.from(pairs.flat()), values: null }, target: { label } };
}

/** A kernel of 3 places over a line of 8 inputs. */
function convolution(): SharedRows {
  const offsets = new Uint32Array(places + 1);
  const weightRows: number[] = [];
  const firstTargets: number[] = [];
  for (let i = 0; i < places; i++) {
    for (let tap = 0; tap < 3; tap++) {
      const position = i - tap;
      if (position < 0 || position >= positions) continue;
      weightRows.push(tap);
      firstTargets.push(position * filters);
    }
    offsets[i + 1] = weightRows.length;
  }
  return {
    width: filters,
    rows: 3,
    offsets,
    weightRows: Uint32Array.from(weightRows),
    firstTargets: Uint32Array.from(firstTargets),
  };
}

interface Choices {
  readonly surrogate?: PopulationChoice["surrogate"];
  readonly first?: Partial<ProjectionPlan>;
  readonly dropout?: number;
  readonly seed?: number;
}

function setup({ surrogate, first, dropout = 0.3, seed = 5 }: Choices = {}) {
  const spec: TrainingSpec = {
    seed,
    dtMs: 1,
    inputs: places,
    populations: [
      {
        name: "hidden",
        size: positions * filters,
        model: { type: "StorkLIF", parameters: { tauMemMs: 8 } },
        surrogate: surrogate ?? { type: "fastSigmoid", beta: 20 },
        detachReset: true,
        trainable: [],
        bias: false,
        dropout,
      },
      { name: "readout", size: 2, model: { type: "LI", parameters: {} }, detachReset: true, trainable: [], bias: true },
    ],
    projections: [
      projection("input", 0, { name: "input", backward: "none", connectivity: convolution(), gain: 2 }),
      projection(0, 1, { name: "output" }),
    ],
    readout: 1,
    loss: { type: "crossEntropy", readout: "mean" },
    regularisers: [{ population: 0, description: { type: "meanRate", strength: 0.01, over: "batch" } }],
    truncateSteps: 0,
    lanes: 8,
    relaxed: false,
  };
  const plain = unconstrained({ type: "normal", gain: 2 });
  const plan: LearningPlan = {
    optimiser: { type: "adam", rate: 0.02 },
    schedules: [],
    clipNorm: 5,
    constantsRate: null,
    overBatch: "mean",
    epochs: 2,
    stepsPerEpoch: 10,
    projections: [{ ...plain, ...first }, plain],
    constants: [],
    feedback: "random",
    dataRateHz: null,
  };
  return { spec, plan };
}

const batches = Array.from({ length: 20 }, (_, b) => Array.from({ length: 7 + (b % 3) }, (_, i) => sample(b * 13 + i)));

describe("a convolution with dropout", () => {
  it("learns, with the same bytes on 1, 2, 3 and 4 threads, and keeps its padding at 0", async () => {
    const digests = new Set<string>();
    for (const threads of [1, 2, 3, 4]) {
      const { spec, plan } = setup();
      const trainer = await createGradientTrainer(spec, plan, { threads });
      try {
        const meanLoss = async () => {
          const { losses } = await trainer.test(batches.slice(0, 5).flat());
          return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
        };
        const before = await meanLoss();
        for (const batch of [...batches, ...batches]) await trainer.trainBatch(batch);
        const { parameters, optimiser } = trainer.state();
        digests.add(digest({ ...parameters, ...optimiser.arrays }));
        expect(await meanLoss()).toBeLessThan(0.8 * before);
        // Rows of 6 weights lie 8 apart.
        const ofInput = Object.entries({ ...parameters, ...optimiser.arrays }).filter(([name]) => /input/.test(name));
        expect(ofInput.length).toBeGreaterThanOrEqual(3);
        for (const [name, array] of ofInput) {
          expect(array, name).toHaveLength(2 * 8 + 6);
          expect([6, 7, 14, 15].map((i) => array[i])).toEqual([0, 0, 0, 0]);
          expect(array[13]).not.toBe(0);
        }
        // Testing has no dropout: twice the same, and what a network without it gives.
        const [once, twice] = [await trainer.test(batches[3]), await trainer.test(batches[3])];
        expect([...once.losses]).toEqual([...twice.losses]);
        const plain = setup({ dropout: 0 });
        const without = await createGradientTrainer(plain.spec, plain.plan, { threads: 1 });
        await without.restoreParameters(trainer.state());
        expect([...(await without.test(batches[3])).losses]).toEqual([...once.losses]);
        await without.close();
      } finally {
        await trainer.close();
      }
    }
    expect(digests.size).toBe(1);
  });

  it("goes on from a state as if it had never stopped, and leaves out other spikes under another seed", async () => {
    const run = async (seed: number, stopAfter: number | null) => {
      const { spec, plan } = setup({ seed });
      // The same weights, whatever the seed.
      const initial = Float32Array.from({ length: 3 * filters }, (_, i) => 0.7 * (((5 * i) % 7) / 3 - 0.6));
      const started = { ...plan, projections: [{ ...plan.projections[0], initial }, plan.projections[1]] };
      let trainer = await createGradientTrainer(spec, started, { threads: 2 });
      for (const [b, batch] of batches.slice(0, 8).entries()) {
        await trainer.trainBatch(batch);
        if (b !== stopAfter) continue;
        const state = structuredClone(trainer.state());
        await trainer.close();
        trainer = await createGradientTrainer(spec, started, { threads: 1 });
        await trainer.restore(state);
      }
      const result = digest({ input: trainer.state().parameters.input });
      await trainer.close();
      return result;
    };
    const whole = await run(5, null);
    expect(await run(5, 3)).toBe(whole);
    expect(await run(6, null)).not.toBe(whole);
  });

  it("has the spikes of no dropout in its counts", async () => {
    const { spec } = setup();
    const member = await GradientMember.create(spec);
    member.engine.values.set(member.engine.values.map((_, i) => 0.4 + 0.1 * (i % 3)));
    const lanes = [{ lane: 3, samples: [sample(1), sample(2)] }];
    const request = { values: null, lanes, weight: 1, batchCounts: null };
    const [train, test] = [true, false].map((isTrain) => member.run({ ...request, train: isTrain, step: 2 }));
    expect(train.counts[0].some((count) => count > 0)).toBe(true);
    expect(train.counts).toEqual(test.counts);
    expect([...train.losses]).not.toEqual([...test.losses]);
    // Other neurons are left out in another step.
    const later = member.run({ ...request, train: true, step: 3 });
    expect([...later.losses]).not.toEqual([...train.losses]);
  });

  it("refuses a probability that leaves nothing, rewiring, and mixed signs under Dale's law", async () => {
    const create = ({ spec, plan }: ReturnType<typeof setup>) => createGradientTrainer(spec, plan, { threads: 1 });
    await expect(create(setup({ dropout: 1 }))).rejects.toThrow(/dropout of "hidden" is 1; it must be/);
    await expect(create(setup({ first: { deepR: 0.1 } }))).rejects.toThrow(/share their weights.*set deepR to null/);
    const dale = { constraint: { type: "dale" }, signs: Int8Array.of(1, 1, 1, -1, 1, 1, 1, 1) } as const;
    await expect(create(setup({ first: dale }))).rejects.toThrow(/shares weights between neurons that excite/);
    const trainer = await create(setup({ first: { ...dale, signs: new Int8Array(places).fill(-1) } }));
    await trainer.trainBatch(batches[0]);
    expect(trainer.values().weights[0].every((weight) => weight <= 0)).toBe(true);
    expect(trainer.values().weights[0].some((weight) => weight < 0)).toBe(true);
    await trainer.close();
    const { spec, plan } = setup();
    const [input, output] = spec.projections;
    const connectivity = convolution();
    connectivity.firstTargets[2] = positions * filters - 1;
    const broken = { spec: { ...spec, projections: [{ ...input, connectivity }, output] }, plan };
    await expect(create(broken)).rejects.toThrow(/"input" do not fit: a block reaches beyond the 36 targets/);
  });
});

describe("a cut surrogate that nobody comes within", () => {
  const narrow = { type: "sparseFastSigmoid", beta: 100, width: 1e-4 } as const;
  /** Far from threshold. */
  const first = { initial: { type: "fixed", mean: 0.01, sd: 0.001 } } as const;

  it("doubles its width until one does, alike on any number of threads and after a resume", async () => {
    const digests = new Set<string>();
    for (const threads of [1, 3]) {
      const { spec, plan } = setup({ surrogate: narrow, first, dropout: 0 });
      let trainer = await createGradientTrainer(spec, plan, { threads });
      const before = await trainer.trainBatch(batches[0]);
      expect(before.gradientNorms.input).toBe(0);
      const [{ population, width }] = before.widened;
      expect(population).toBe(0);
      expect(Math.log2(width / narrow.width)).toBeCloseTo(Math.round(Math.log2(width / narrow.width)), 12);
      expect(trainer.state().surrogateWidths).toEqual({ hidden: width });
      if (threads === 3) {
        const state = structuredClone(trainer.state());
        await trainer.close();
        trainer = await createGradientTrainer(spec, plan, { threads });
        await trainer.restore(state);
      }
      const after = await trainer.trainBatch(batches[0]);
      expect(after.widened).toEqual([]);
      expect(after.gradientNorms.input).toBeGreaterThan(0);
      digests.add(digest({ ...trainer.state().parameters, width: Float32Array.of(width) }));
      await trainer.close();
    }
    expect(digests.size).toBe(1);
  });

  it("stays as it is where a neuron is within", async () => {
    const { spec, plan } = setup({ surrogate: { type: "sparseFastSigmoid", beta: 100, width: 0.3 } });
    const trainer = await createGradientTrainer(spec, plan, { threads: 1 });
    expect((await trainer.trainBatch(batches[0])).widened).toEqual([]);
    await trainer.close();
  });
});
