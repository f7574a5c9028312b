/** What a trainer reports, what it refuses, and what must leave no trace in its state. */
import { describe, expect, it } from "vitest";
import type { Recording } from "../../src/data/recording.ts";
import { create, digest, restore, save, sinusoids, trainTo, withTrainer } from "./small-nets.ts";
import { noiseNet, staticNet } from "./specs.ts";

const rows = 8;
const recording: Recording = {
  quantity: "rateHz",
  tasks: 2,
  rows,
  neurons: 50,
  intervalMs: 10,
  values: Float64Array.from({ length: 2 * rows * 50 }, (_, i) => 5 + 4 * Math.sin(i / 7)),
  taskNames: ["left", "right"],
  notes: [],
};
const feedforward = { size: 5, meanHz: 50, tauMs: 100, sigma: 2, initialWeight: 0.1, weightsPerTask: true };

describe("figures", () => {
  it("are the same for any number of threads and shards", async () => {
    const spec = noiseNet({ tasks: 2, feedforward });
    const targets = { recording, sinusoids: null, copies: 4 };
    const run = (way: { threads: number; shardNeurons?: number }) =>
      withTrainer(spec, { ...way, targets }, async (trainer) => {
        const { seconds, split, ...report } = (await trainer.iterate({ measure: true })) as Exclude<
          Awaited<ReturnType<typeof trainer.iterate>>,
          "interrupted"
        >;
        expect(seconds).toBeGreaterThan(0);
        expect(Object.values(split).every((part) => part >= 0)).toBe(true);
        return { report, test: await trainer.test({ trials: 2, exampleNeurons: 5 }) };
      });
    const alone = await run({ threads: 1 });
    expect(alone.test).toMatchObject({ taskNames: ["left", "right"], psth: { windowMs: 20, heldOut: null } });
    expect(alone.report.correlation).not.toBeNaN();
    expect(await run({ threads: 3, shardNeurons: 32 })).toEqual(alone);
  });

  it("use rates converted for the static network's own noise, on any number of threads", async () => {
    const spec = staticNet({ tasks: 2 });
    const targets = { recording, sinusoids: null, copies: 4 };
    const run = (threads: number) =>
      withTrainer(spec, { threads, targets }, async (trainer) => {
        await trainTo(trainer, 1);
        return digest(trainer);
      });
    expect(await run(2)).toEqual(await run(1));
  });
});

describe("an interrupted trainer", () => {
  it("stops whatever comes next when nothing is running, and only once", async () => {
    await withTrainer(noiseNet(), { threads: 2 }, async (trainer) => {
      trainer.interrupt();
      await trainer.weights();
      expect(await trainer.iterate({ measure: false })).toBe("interrupted");
      expect(await trainer.iterate({ measure: false })).toMatchObject({ iteration: 1 });
    });
  });
});

describe("a test in the middle of a training trial", () => {
  it("gives the trial up; its checkpoint can still be resumed elsewhere", async () => {
    const spec = noiseNet({ tasks: 2, feedforward });
    const expected = await withTrainer(spec, {}, async (trainer) => {
      await trainTo(trainer, 1);
      return digest(trainer);
    });
    const checkpoint = await withTrainer(spec, { threads: 2 }, async (trainer) => {
      setTimeout(() => trainer.interrupt(), 5);
      expect(await trainer.iterate({ measure: true })).toBe("interrupted");
      const saved = await save(trainer);
      expect(await trainer.test({ trials: 1, exampleNeurons: 1 })).toMatchObject({ trialsPerTask: 1 });
      expect(await trainer.iterate({ measure: true })).toMatchObject({ iteration: 1 });
      return saved;
    });
    await withTrainer(spec, { threads: 2 }, async (trainer) => {
      await restore(trainer, checkpoint);
      await trainTo(trainer, 1);
      expect(await digest(trainer)).toEqual(expected);
    });
  });
});

describe("the state", () => {
  const spec = noiseNet({ tasks: 2, feedforward });

  it("is what it was before a test, finished or interrupted", async () => {
    await withTrainer(spec, { threads: 2 }, async (trainer) => {
      await trainTo(trainer, 1);
      const before = await digest(trainer);
      expect(await trainer.test({ trials: 1, exampleNeurons: 1 })).not.toBe("interrupted");
      expect(await digest(trainer)).toEqual(before);
      trainer.interrupt();
      expect(await trainer.test({ trials: 1, exampleNeurons: 1 })).toBe("interrupted");
      expect(await digest(trainer)).toEqual(before);
    });
  });

  it("gives weights and connections that fit together", async () => {
    await withTrainer(spec, { threads: 2 }, async (trainer) => {
      const { inputs, presynaptic, trained } = await trainer.connectivity();
      expect(inputs).toBe(37);
      expect((await trainer.weights()).length).toBe(200 * inputs);
      expect(trained).toEqual(trainer.trained);
      for (let neuron = 0; neuron < 200; neuron++) {
        const row = [...presynaptic.subarray(neuron * inputs, (neuron + 1) * inputs)];
        expect(row.slice(0, 5)).toEqual([200, 201, 202, 203, 204]);
        expect(row.slice(5, 21).every((source) => source < 100)).toBe(true);
        expect(row.slice(21).every((source) => source >= 100 && source < 200)).toBe(true);
        expect(new Set(row).size).toBe(inputs);
      }
    });
  });
});

describe("a trainer refuses", () => {
  it.each([
    [
      "more inputs than there are neurons",
      noiseNet({ plastic: { inputsPerType: 101 } }),
      /needs 101 different excitatory inputs, but only 100/,
    ],
    [
      "a model of several inputs",
      noiseNet({ model: { type: "StorkExcInhLIF", parameters: {} } }),
      /has the inputs excitation and inhibition, but a recurrent network trained by RLS gives every neuron one, "current"/,
    ],
    [
      "a parameter that the model lacks",
      noiseNet({ model: { type: "LIF", parameters: { tauMem: 10 } } }),
      /no parameter "tauMem" — did you mean "tauMemMs"/,
    ],
    [
      "a neuron to train that does not exist",
      noiseNet({ plastic: { trained: { indices: [3, 200] } } }),
      /contains 200, but neurons go from 0 to 199/,
    ],
    [
      "refractory periods that do not fit a byte",
      noiseNet({ model: { type: "LIF", parameters: { refractoryMs: 26 } } }),
      /260 steps is longer than the 255/,
    ],
    [
      "a lambda per neuron where P is shared",
      noiseNet({ learning: { window: 4, lambda: new Float32Array(200).fill(1) } }),
      /cannot differ between them/,
    ],
    [
      "noise for a model without a membrane time constant",
      noiseNet({ model: { type: new URL("./counter-model.mjs", import.meta.url).href, parameters: {} } }),
      /model counter has no parameter "tauMemMs"/,
    ],
    [
      "a rule that names neurons of another network",
      staticNet({
        static: {
          K: 20,
          g: 1,
          weights: { EE: 1, IE: 1, EI: -1, II: -1 },
          rule: { module: new URL("./rules.mjs", import.meta.url).href, export: "tooFar" },
        },
      }),
      /static targets of neuron 0 contains neuron 200/,
    ],
  ])("%s", async (_, spec, message) => {
    await expect(create(spec)).rejects.toThrow(message);
  });

  it("in the words of one of several threads", async () => {
    const spec = noiseNet({ plastic: { inputsPerType: 101 } });
    await expect(create(spec, { threads: 2 })).rejects.toThrow(/^[^\n]*needs 101 different excitatory inputs/);
  });

  it("rates where nothing makes neurons fire by chance", async () => {
    const spec = noiseNet({ tasks: 2, noise: { model: "voltage", sigma: 0 } });
    await expect(create(spec, { targets: { recording, sinusoids: null, copies: 4 } })).rejects.toThrow(
      /cannot be converted to currents for a neuron without noise/,
    );
  });

  it("the checkpoint of another network, and of another way of learning", async () => {
    const checkpoint = await withTrainer(noiseNet({ seed: 12 }), {}, save);
    await withTrainer(noiseNet(), {}, async (trainer) => {
      await expect(restore(trainer, checkpoint)).rejects.toThrow(/checkpoint belongs to another network/);
    });
    await withTrainer(noiseNet({ seed: 12, learning: { window: 4 } }), {}, async (trainer) => {
      await expect(restore(trainer, checkpoint)).rejects.toThrow(/holds "P", which this network does not have/);
    });
  });

  it("to go on when weights outgrow what a current can carry", async () => {
    const spec = noiseNet({ plastic: { weightScale: 200 } });
    await withTrainer(spec, { threads: 2 }, async (trainer) => {
      await expect(trainer.iterate({ measure: false })).rejects.toThrow(/training diverged in iteration 1/);
    });
  });

  it("nothing that sinusoids and defaults need", async () => {
    const spec = noiseNet({ neurons: 72, excitatory: 40 });
    await withTrainer(spec, { threads: 50, targets: { ...sinusoids, sinusoids: null } }, async (trainer) => {
      // One for every 16 neurons, and one more as the two populations are cut apart.
      expect(trainer.threads).toBe(6);
    });
  });
});
