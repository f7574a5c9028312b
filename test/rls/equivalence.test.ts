/**
 * Same seed, same bytes: for any number of threads and shards, and whether resumed or not.
 *
 * What is compared is the whole state that a checkpoint holds (weights, P, and inside a trial everything else).
 */
import { describe, expect, it } from "vitest";
import type { RlsSpec } from "../../src/learning/rls/spec.ts";
import { type Checkpoint, create, digest, restore, save, trainTo, type Way, withTrainer } from "./small-nets.ts";
import { noiseNet, staticNet } from "./specs.ts";

const perNeuron = (count: number, from: number, to: number) =>
  Float32Array.from({ length: count }, (_, i) => from + ((to - from) * ((7 * i) % count)) / count);

const ring = { module: new URL("./rules.mjs", import.meta.url).href, export: "ring" };
const feedforward = { size: 5, meanHz: 50, tauMs: 100, sigma: 2, initialWeight: 0.1, weightsPerTask: true };

/** Every way of learning at least once, together with what else may come with it. */
const nets: [string, RlsSpec][] = [
  ["a noise net", noiseNet()],
  ["a static net", staticNet()],
  [
    "int16, blocks of 3, forgetting, two tasks with feed-forward weights each, tauPlastic per neuron",
    noiseNet({
      tasks: 2,
      feedforward,
      synapses: { tauExcMs: 3, tauInhMs: 3, tauPlasticMs: perNeuron(200, 80, 160) },
      learning: { precision: "int16", block: 3, forgetting: 0.98 },
    }),
  ],
  [
    "a window of 4, current noise, two tasks with common feed-forward weights",
    noiseNet({
      tasks: 2,
      feedforward: { ...feedforward, weightsPerTask: false },
      noise: { model: "current", sigma: perNeuron(200, 0.5, 0.7) },
      learning: { window: 4 },
    }),
  ],
  [
    "a subset of neurons with a lambda each, separate static currents, bounds, active presynaptic neurons only",
    staticNet({
      synapses: { tauExcMs: 3, tauInhMs: 5, tauPlasticMs: 100 },
      plastic: { trained: { fraction: 0.4 }, activeFraction: 0.5 },
      learning: { lambda: perNeuron(80, 0.1, 0.9), dale: true, maxWeight: 2 },
    }),
  ],
  [
    "GLIF5 neurons with a static rule of the user's",
    staticNet({
      model: { type: "GLIF5", parameters: { refractoryMs: perNeuron(200, 0, 2) } },
      static: { ...staticNet().static!, rule: ring },
    }),
  ],
];

/** A trainer's bytes by the number of iterations. */
type Bytes = Record<number, Record<string, string>>;

describe.each(nets)("%s", (_, spec) => {
  let alone: Promise<Bytes> | undefined;
  /** The bytes that one thread without a break has; computed once. */
  const uninterrupted = async (iteration: 2 | 3) => {
    alone ??= withTrainer(spec, {}, async (trainer) => {
      const bytes: Bytes = {};
      for (const last of [2, 3]) {
        await trainTo(trainer, last);
        bytes[last] = await digest(trainer);
      }
      return bytes;
    });
    return (await alone)[iteration];
  };

  let three: Promise<{ start: Checkpoint; end: Record<string, string> }> | undefined;
  /** What three threads begin with and end with after two iterations; once, as starting threads takes longer than training. */
  const withThree = () => {
    three ??= withTrainer(spec, { threads: 3, shardNeurons: 32 }, async (trainer) => {
      const start = await save(trainer);
      await trainTo(trainer, 2);
      return { start, end: await digest(trainer) };
    });
    return three;
  };

  it("has the same bytes after two iterations with three threads and shards of 32 neurons", async () => {
    expect((await withThree()).end).toEqual(await uninterrupted(2));
  });

  const simple = spec.tasks === 1 && typeof spec.learning.lambda === "number" && !spec.static?.rule;
  // Two threads come below.
  const ways: Way[] = simple ? [{ threads: 4 }, { threads: 1, shardNeurons: 48 }] : [];
  it.each(ways)("has the same bytes after two iterations with %o", async (way) => {
    await withTrainer(spec, way, async (trainer) => {
      await trainTo(trainer, 2);
      expect(await digest(trainer)).toEqual(await uninterrupted(2));
    });
  });

  it("has the same bytes when resumed between iterations", async () => {
    const checkpoint = await withTrainer(spec, { threads: 1 }, async (trainer) => {
      await restore(trainer, (await withThree()).start);
      await trainTo(trainer, 2);
      return save(trainer);
    });
    await withTrainer(spec, { threads: 2, shardNeurons: 32 }, async (trainer) => {
      await restore(trainer, checkpoint);
      await trainTo(trainer, 3);
      expect(await digest(trainer)).toEqual(await uninterrupted(3));
    });
  });

  it("has the same bytes when resumed in the middle of trials", async () => {
    let trainer = await create(spec, { threads: 2 });
    const moments: number[] = [];
    while (trainer.iteration < 2) {
      // The first stop comes before the first step, two more at some moment; then the trials may end.
      const stops = moments.length;
      if (stops === 0) trainer.interrupt();
      const timer = stops < 3 ? setTimeout(() => trainer.interrupt(), 1 + 19 * Math.random()) : undefined;
      const result = await trainer.iterate({ measure: true });
      clearTimeout(timer);
      if (result !== "interrupted") continue;
      const checkpoint = await save(trainer);
      const before = await digest(trainer);
      moments.push((checkpoint.scalars.paused as { paused: { step: number } }).paused.step);
      await trainer.close();
      trainer = await create(spec, { threads: 1 + (stops % 2) });
      await restore(trainer, checkpoint);
      expect(await digest(trainer), `restored after step ${moments.at(-1)}`).toEqual(before);
    }
    const resumed = await digest(trainer);
    await trainer.close();
    expect(moments[0]).toBe(1);
    expect(resumed, `stopped after steps ${moments}`).toEqual(await uninterrupted(2));
  });
});
