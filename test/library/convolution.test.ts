/** Layers with places through the door of the library, on what was built. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type * as Volley from "../../src/index.ts";
import { bars } from "../classify/bars.ts";

const { createClassifier } = (await import(
  /* @vite-ignore */ fileURLToPath(new URL("../../dist/index.js", import.meta.url))
)) as typeof Volley;

const experiment: Volley.ClassifierInput = {
  seed: 5,
  network: {
    layers: [
      { type: "conv2d", filters: 6, kernel: 5, padding: 2, bias: true, dropout: 0.1, trainable: { tauMemMs: {} } },
      { type: "pool", method: "average", size: 3 },
      { type: "conv2d", filters: 8, kernel: 3, recurrent: true, from: ["pool2", "input"], padding: 1 },
      { type: "pool", method: "max", size: 3 },
    ],
  },
  learning: {
    epochs: 3,
    batch: 8,
    optimiser: { type: "adam", rate: 0.01 },
    regularise: [{ type: "upperBound", spikes: 3 }],
  },
};

test("a deep net of all kinds of layers: the same bytes with one thread and two, kept, restored, classifying and live", async () => {
  const run = async (options: Volley.CreateClassifierOptions) => {
    const classifier = await createClassifier(experiment, { train: bars(48, 1), test: bars(16, 2), ...options });
    const losses: number[] = [];
    for await (const { train } of classifier.epochs()) losses.push(train.loss);
    return { classifier, losses };
  };
  const one = await run({ threads: 1 });
  const two = await run({ threads: 2 });
  try {
    expect(two.losses).toEqual(one.losses);
    expect(one.losses[2]).toBeLessThan(one.losses[0]);
    const saved = await one.classifier.save();
    expect(await two.classifier.save()).toEqual(saved);
    const again = await run({ threads: 1, saved });
    expect(again.losses).toEqual([]);
    expect(again.classifier.values()).toEqual(one.classifier.values());
    const samples = await bars(4, 3).read([0, 1, 2, 3]);
    const { predicted, probabilities } = await again.classifier.classify(samples);
    const tests = [await one.classifier.test(), await again.classifier.test()];
    expect(tests[1]).toEqual({ ...tests[0], seconds: tests[1].seconds });
    // Step by step it says the same.
    const stream = again.classifier.stream();
    for (const [i, sample] of samples.entries()) {
      if (sample.kind !== "spikes") throw new Error("bars are spikes");
      stream.reset();
      for (let t = 0; t < 12; t++) {
        const channels = new Set(sample.units.filter((_, s) => sample.timesMs[s] === t));
        stream.step([...channels].sort((a, b) => a - b));
      }
      expect(stream.predicted).toBe(predicted[i]);
      expect([...stream.probabilities()]).toEqual([...probabilities.subarray(4 * i, 4 * i + 4)]);
    }
    await again.classifier.close();
  } finally {
    await one.classifier.close();
    await two.classifier.close();
  }
});
