import { describe, expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { mean, variance } from "../../math/statistics.ts";
import { builtInModels, readoutModels } from "../../model/built-in.ts";
import { fingerprintOfClassifier } from "../fingerprint.ts";
import { setPaths } from "../set-path.ts";
import { timeConstants } from "./heterogeneity.ts";
import { type Heterogeneity, heterogeneityWords } from "./heterogeneity-words.ts";
import type { ClassifyInput, LayerInput } from "./schema.ts";

type Layer = Extract<LayerInput, { type?: "dense" }>;

const withWord = (heterogeneity: Heterogeneity, layer: Partial<Layer> = {}, readout = {}): ClassifyInput => {
  const small = smallExperiment({ layer, readout });
  return { ...small, network: { ...small.network, heterogeneity } };
};
const fault = async (input: ClassifyInput) => {
  try {
    await prepareSmall(input);
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
};

test("time constants of membrane and synapse are found by what they do, whatever they are called", () => {
  const of = Object.fromEntries(
    Object.entries({ ...builtInModels, ...readoutModels }).map(([name, model]) => [name, timeConstants(model)]),
  );
  const both = ["tauMemMs", "tauSynMs"];
  for (const name of ["CuBaLIF", "StorkLIF", "StorkSubtractLIF", "SpyTorchLIF", "PerezNievesLIF", "SnnTorchSynaptic"]) {
    expect(of[name]).toEqual(both);
  }
  expect(of).toMatchObject({ NorseLIF: both, CuBaLI: both, StorkExcInhLIF: ["tauMemMs", "tauExcMs", "tauInhMs"] });
  // Adaptation, after-spike currents and thresholds have others, which stay.
  for (const name of ["LIF", "ALIF", "adLIF", "BellecALIF", "GennALIF", "GLIF1", "GLIF3", "GLIF5", "LI"]) {
    expect(of[name]).toEqual(["tauMemMs"]);
  }
});

describe("each condition", () => {
  const neurons = 400;
  const layer = { neurons, model: { type: "StorkLIF", parameters: { tauSynMs: 10 } } } as const;

  test.each(heterogeneityWords)("%s", async (word) => {
    const [start, train] = word.split("/");
    const { spec, plan, experiment } = await prepareSmall(withWord(word, layer));
    const [hidden, readout] = spec.populations;
    const { tauMemMs, tauSynMs } = hidden.model.parameters;
    if (start === "hom") {
      expect([tauMemMs ?? 10, tauSynMs, readout.model.parameters.tauMemMs ?? 20]).toEqual([10, 10, 20]);
    } else {
      for (const values of [tauMemMs, tauSynMs] as Float32Array[]) {
        // Gamma of shape 3 and mean 10, clipped to 3.26 .. 199.5 steps of 1 ms.
        expect(Math.abs(mean(values) / 10 - 1)).toBeLessThan(0.15);
        expect(Math.abs(Math.sqrt(variance(values)) / 10 - 1 / Math.sqrt(3))).toBeLessThan(0.1);
        expect(Math.min(...values)).toBeCloseTo(1 / (1 - Math.LN2), 4);
      }
      expect(new Set(readout.model.parameters.tauMemMs as Float32Array).size).toBe(3);
    }
    expect(hidden.trainable).toEqual(train === "standard" ? [] : ["tauMemMs", "tauSynMs"]);
    expect(readout.trainable).toEqual([]);
    const trained = { range: { type: "decay" }, shared: train === "shared" };
    expect(plan.constants).toMatchObject(train === "standard" ? [] : [trained, trained]);
    // What it stands for is written out, and read again it is the same.
    const again = await prepareSmall(JSON.parse(JSON.stringify(experiment)));
    expect([again.spec, again.plan]).toEqual([spec, plan]);
  });
});

test("a number is the mean that is drawn about, wherever it lies", async () => {
  const parameters = { tauMemMs: 400, tauSynMs: 2 };
  const { experiment, plan } = await prepareSmall(
    withWord("het/het", { model: { type: "PerezNievesLIF", parameters } }),
  );
  const [layer] = experiment.network.layers;
  expect(layer).toMatchObject({
    model: {
      parameters: {
        tauMemMs: { distribution: "gamma", mean: 400, shape: 3, max: 800 },
        tauSynMs: { distribution: "gamma", mean: 2, shape: 3, min: 1 },
      },
    },
  });
  expect(plan.constants.map(({ range }) => range)).toMatchObject([{ max: 800 }, { min: 1 }]);
});

test("what the experiment says of a time constant wins where it agrees", async () => {
  const lognormal = { distribution: "lognormal", median: 20, sigma: 0.3 } as const;
  const { experiment } = await prepareSmall(
    withWord("het/het", {
      model: { type: "StorkLIF", parameters: { tauMemMs: lognormal, threshold: 0.8 } },
      trainable: { tauSynMs: { range: { type: "log", min: 1, max: 50 } }, threshold: {} },
    }),
  );
  expect(experiment.network.layers[0]).toMatchObject({
    model: { parameters: { tauMemMs: lognormal, threshold: 0.8, tauSynMs: { distribution: "gamma", mean: 5 } } },
    trainable: {
      tauMemMs: { range: { type: "decay" } },
      tauSynMs: { range: { type: "log", min: 1, max: 50 }, shared: false },
      threshold: { range: { type: "clamp" } },
    },
  });
});

test("and is refused where it contradicts", async () => {
  const drawn = { type: "StorkLIF", parameters: { tauMemMs: { distribution: "gamma" } } } as const;
  expect(await fault(withWord("hom/het", { model: drawn }))).toBe(
    'network.heterogeneity is "hom/het", but network.layers.0.model.parameters.tauMemMs differs from neuron to neuron; ' +
      'give one number, or "het/het"',
  );
  expect(await fault(withWord("het/standard", { trainable: { tauSynMs: {} } }))).toMatch(
    /trains weights alone, but network\.layers\.0\.trainable names "tauSynMs"; leave one of them out/,
  );
  expect(await fault(withWord("hom/shared", { trainable: { tauMemMs: {} } }))).toMatch(
    /network\.layers\.0\.trainable\.tauMemMs\.shared is false; leave one of them out/,
  );
});

test("--set network.heterogeneity=... is one of five words, and the same network as its settings spelt out", async () => {
  const set = (word: string) => setPaths(smallExperiment(), [`network.heterogeneity=${word}`]) as ClassifyInput;
  expect(await fault(set("het/hte"))).toContain(
    'network.heterogeneity is "het/hte"; it must be one of "hom/standard", "het/standard", "hom/het", "het/het", "hom/shared"',
  );
  const byWord = await prepareSmall(set("hom/het"));
  const range = (tau: number) => ({
    type: "decay",
    min: Math.min(1 / (1 - Math.LN2), tau / 2),
    max: -1 / Math.log(0.995),
  });
  const spelt = await prepareSmall(
    smallExperiment({
      layer: { trainable: { tauMemMs: { range: range(10) as never }, tauSynMs: { range: range(5) as never } } },
    }),
  );
  expect(byWord.plan.constants.map(({ parameter }) => parameter)).toEqual(["tauMemMs", "tauSynMs"]);
  for (const [i, { range: own }] of byWord.plan.constants.entries()) {
    const other = spelt.plan.constants[i].range as { min: number; max: number };
    expect((own as { min: number }).min).toBeCloseTo(other.min, 12);
    expect((own as { max: number }).max).toBeCloseTo(other.max, 9);
  }
  expect(byWord.spec).toEqual(spelt.spec);
  // The word itself is not part of what was trained.
  const { experiment, summary } = byWord;
  const without = { ...experiment, network: { ...experiment.network, heterogeneity: null } };
  expect(fingerprintOfClassifier(without, summary)).toBe(fingerprintOfClassifier(experiment, summary));
});

test("distributions without a mean are about the default of the model", async () => {
  const { experiment } = await prepareSmall(
    smallExperiment({ layer: { model: { type: "ALIF", parameters: { tauAdaptMs: { distribution: "gamma" } } } } }),
  );
  expect(experiment.network.layers[0]).toMatchObject({
    model: { parameters: { tauAdaptMs: { distribution: "gamma", mean: 200, shape: 3 } } },
  });
});
