import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import type { LabelledSet } from "../../data/labelled-set.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import type { SparseRows } from "../../learning/gradient/spec.ts";
import { fingerprintOfClassifier } from "../fingerprint.ts";
import { prepareClassification } from "./prepare.ts";
import { type ClassifyInput, parseClassify, type SpikingLayer } from "./schema.ts";

const fault = (input: ClassifyInput) =>
  prepareSmall(input).then(
    () => "no fault",
    (error: Error) => error.message,
  );
const pathsOf = async (input: ClassifyInput) =>
  Object.fromEntries((await prepareSmall(input)).spec.projections.map(({ name, backward }) => [name, backward]));

const twoLayers = [
  { neurons: 6, name: "first" },
  { neurons: 5, recurrent: false },
];

test("one word chooses the rule: which way derivatives flow", async () => {
  expect(await pathsOf(smallExperiment())).toEqual({ input: "none", recurrent: "weights", output: "weights" });
  expect(await pathsOf(smallExperiment({ learning: { rule: "eprop" } }))).toEqual({
    input: "none",
    recurrent: "none",
    output: "weights",
  });
  expect(await pathsOf(smallExperiment({ learning: { rule: "eprop", feedback: "random" } }))).toEqual({
    input: "none",
    recurrent: "none",
    output: "feedback",
  });
  expect(await pathsOf(smallExperiment({ layers: twoLayers }))).toEqual({
    input: "none",
    "first.recurrent": "weights",
    "first-hidden2": "weights",
    "hidden2-readout": "weights",
  });
  // The same network by e-prop: every layer feeds the readout, or the network is refused.
  const all = smallExperiment({ layers: twoLayers, readout: { from: "all" } });
  const names = Object.keys(await pathsOf(all));
  expect(await pathsOf({ ...all, learning: { rule: "eprop" } })).toEqual(
    Object.fromEntries(names.map((name) => [name, name.endsWith("readout") ? "weights" : "none"])),
  );
  expect(names).toEqual(["input", "first.recurrent", "first-hidden2", "first-readout", "hidden2-readout"]);
});

test("what cannot be is refused with one sentence", async () => {
  const eprop = { rule: "eprop" } as const;
  expect(await fault(smallExperiment({ learning: { feedback: "random" } }))).toMatch(
    /^learning\.feedback is "random", but with the rule "bptt" errors flow back through the weights themselves; use/,
  );
  expect(await fault(smallExperiment({ layers: twoLayers, readout: { from: "last" }, learning: eprop }))).toMatch(
    /a layer that does not feed the readout learns nothing; use "all"/,
  );
  expect(
    await fault(smallExperiment({ readout: { connections: 0.5 }, learning: { ...eprop, feedback: "adaptive" } })),
  ).toMatch(/needs all connections to the readout/);
  expect(await fault(smallExperiment({ learning: { lanes: 6 } }))).toMatch(/lanes is 6; it must be a power of two/);
  expect(await fault(smallExperiment({ layer: { deepR: 0.1 } }))).toMatch(/has all connections, so none can move/);
  expect(
    await fault(smallExperiment({ data: { validation: null }, learning: { earlyStopping: { patience: 1 } } })),
  ).toMatch(/stops by validation, but data\.validation is null/);
  expect(await fault(smallExperiment({ data: { encoder: { type: "bin", dtMs: 2 } } }))).toMatch(
    /data\.encoder\.dtMs is 2 ms, but network\.dtMs is 1 ms/,
  );
  expect(await fault(smallExperiment({ readout: { neurons: 2 } }))).toMatch(/is 2, but the data have 3 classes/);
  expect(await fault(smallExperiment({ layer: { name: "readout" } }))).toMatch(/name is "readout"; use letters/);
  expect(await fault(smallExperiment({ layers: [twoLayers[0], twoLayers[0]] }))).toMatch(/two layers have the name/);
  expect(await fault(smallExperiment({ layer: { model: { type: "LI" } } }))).toMatch(/a readout that never spikes/);
  expect(await fault(smallExperiment({ layer: { trainable: { tauMem: {} } } }))).toMatch(
    /trainable names "tauMem", which is no parameter of StorkLIF; it has tauMemMs/,
  );
  expect(await fault(smallExperiment({ layer: { model: { type: "ALIF" }, trainable: { refractoryMs: {} } } }))).toMatch(
    /"refractoryMs", a whole number of steps without a gradient/,
  );
  const drawn = { distribution: "uniform", min: 5, max: 20 } as const;
  expect(
    await fault(
      smallExperiment({
        layer: {
          model: { type: "StorkLIF", parameters: { tauMemMs: drawn } },
          trainable: { tauMemMs: { shared: true } },
        },
      }),
    ),
  ).toMatch(/is shared, but the layer starts with different values/);
  expect(
    await fault(smallExperiment({ learning: { regularise: [{ type: "lowerBound", layers: ["hiden"] }] } })),
  ).toMatch(/names "hiden"; the layers are hidden/);
  expect(await fault(smallExperiment({ layer: { constraint: { type: "dale" } } }))).toMatch(
    /it is not said which neurons of "hidden" excite; give network\.layers\.0\.excitatoryFraction/,
  );
  const curve = { train: { generate: "pattern" }, validation: null } as const;
  expect(await fault(smallExperiment({ data: curve, learning: { loss: { type: "crossEntropy" } } }))).toMatch(
    /but the data are curves to follow; use/,
  );
  expect(await fault(smallExperiment({ layer: { neurons: 100_000, recurrentConnections: 0.01 } }))).toMatch(
    /network\.layers\.0\.recurrentConnections is 0\.01: 100000000 of 100000 x 100000 connections are more than/,
  );
});

test('a resolved experiment has no "auto" left, resolves to itself, and has one fingerprint', async () => {
  for (const input of [
    smallExperiment({ layer: { trainable: { tauMemMs: {}, threshold: {} } } }),
    smallExperiment({ layers: twoLayers, learning: { rule: "eprop" } }),
    smallExperiment({ data: { train: { generate: "pattern", trialMs: 200 }, validation: null } }),
  ]) {
    const first = await prepareSmall(input);
    const text = JSON.stringify(first.experiment);
    expect(text).not.toContain('"auto"');
    const second = await prepareSmall(JSON.parse(text));
    expect(second.experiment).toEqual(JSON.parse(text));
    expect(second.spec).toEqual(first.spec);
    expect(second.plan).toEqual(first.plan);
    const fingerprint = fingerprintOfClassifier(first.experiment, first.summary);
    expect(fingerprintOfClassifier(second.experiment, second.summary)).toBe(fingerprint);
    // How long to train is not what is trained.
    const longer = { ...first.experiment, name: "x", learning: { ...first.experiment.learning, epochs: 99 } };
    expect(fingerprintOfClassifier(longer, first.summary)).toBe(fingerprint);
    const other = parseClassify({ ...first.experiment, seed: 4 }, "x");
    expect(fingerprintOfClassifier(other, first.summary)).not.toBe(fingerprint);
  }
});

test.each([
  ["tape", "bfloat16"],
  ["products", "int16"],
] as const)("%s is chosen by name, reaches the engine, and is part of what is trained", async (key, narrow) => {
  const prepared = await Promise.all(
    [{}, { [key]: "float32" }, { [key]: narrow }].map((learning) => prepareSmall(smallExperiment({ learning }))),
  );
  expect(prepared.map(({ spec }) => spec[key])).toEqual(["float32", "float32", narrow]);
  const fingerprints = prepared.map(({ experiment, summary }) => fingerprintOfClassifier(experiment, summary));
  expect(fingerprints[1]).toBe(fingerprints[0]);
  expect(fingerprints[2]).not.toBe(fingerprints[0]);
  expect(() => parseClassify({ ...prepared[2].experiment, learning: { [key]: "float16" } }, "x.json")).toThrow(
    `learning.${key} is "float16"; it must be one of "float32", "${narrow}"`,
  );
});

test("constants differ from neuron to neuron; trained ones have a range about where they start", async () => {
  const { spec, plan, experiment } = await prepareSmall(
    smallExperiment({
      layer: {
        model: {
          type: "ALIF",
          parameters: {
            tauMemMs: { distribution: "gamma", mean: 20, shape: 3, min: 5, max: 60 },
            beta: [0, 0, 0, 0, 1, 1, 1, 1],
          },
        },
        trainable: {
          tauMemMs: {},
          threshold: { shared: true },
          tauAdaptMs: { range: { type: "sigmoid", min: 0, max: 400 } },
        },
      },
      readout: { model: { type: "LI", parameters: { tauMemMs: 30 } }, trainable: { tauMemMs: {} } },
    }),
  );
  const [hidden, readout] = spec.populations;
  const { tauMemMs, beta } = hidden.model.parameters as Record<string, Float32Array>;
  expect(new Set(tauMemMs).size).toBe(8);
  expect([...beta]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect([hidden.trainable, readout.trainable]).toEqual([["tauMemMs", "threshold", "tauAdaptMs"], ["tauMemMs"]]);
  const low = Math.min(...tauMemMs);
  const high = Math.max(...tauMemMs);
  expect(plan.constants).toEqual([
    {
      population: 0,
      parameter: "tauMemMs",
      range: { type: "log", min: Math.max(1, low / 10), max: 10 * high },
      shared: false,
    },
    { population: 0, parameter: "threshold", range: { type: "clamp", min: 0.1, max: 10 }, shared: true },
    { population: 0, parameter: "tauAdaptMs", range: { type: "sigmoid", min: 0, max: 400 }, shared: false },
    { population: 1, parameter: "tauMemMs", range: { type: "log", min: 3, max: 300 }, shared: false },
  ]);
  await compileNetwork(spec);
  expect((experiment.network.layers[0] as SpikingLayer).trainable.tauMemMs.range).toMatchObject({ type: "log" });
});

test("sparse connections: as many as asked for, rows in order, and fixed by the seed", async () => {
  const input = smallExperiment({
    layer: { neurons: 20, connections: 0.3, recurrentConnections: 0.1 },
    readout: { connections: 0.5 },
  });
  const rows = async (of: ClassifyInput) =>
    (await prepareSmall(of)).spec.projections.map(({ connectivity }) => connectivity as SparseRows);
  const [fromInput, recurrent, output] = await rows(input);
  expect([fromInput, recurrent, output].map(({ targets }) => targets.length)).toEqual([60, 40, 30]);
  expect([fromInput, recurrent, output].map(({ offsets }) => offsets.length)).toEqual([11, 21, 21]);
  for (const { offsets, targets } of [fromInput, recurrent, output]) {
    expect(offsets[offsets.length - 1]).toBe(targets.length);
    for (let i = 0; i + 1 < offsets.length; i++) {
      const row = targets.subarray(offsets[i], offsets[i + 1]);
      expect([...row]).toEqual([...new Set(row)].sort((a, b) => a - b));
    }
  }
  expect(await rows(input)).toEqual([fromInput, recurrent, output]);
  const [other] = await rows({ ...input, seed: 4 });
  expect(other).not.toEqual(fromInput);
});

test("Dale's law: channels excite, and of a layer the share that is said", async () => {
  const { plan } = await prepareSmall(
    smallExperiment({
      layer: { constraint: { type: "dale" }, excitatoryFraction: 0.75 },
      readout: { constraint: { type: "dale" } },
    }),
  );
  const signs = plan.projections.map((projection) => [...projection.signs!]);
  expect(signs).toEqual([new Array(10).fill(1), [1, 1, 1, 1, 1, 1, -1, -1], [1, 1, 1, 1, 1, 1, -1, -1]]);
});

test("initial weights follow the rates of spikes, and have the plain scale where inputs are currents", async () => {
  const spikes = await prepareSmall(smallExperiment());
  expect(spikes.plan.projections.map(({ initial }) => (initial as { type: string }).type)).toEqual([
    "fluctuation",
    "fluctuation",
    "normal",
  ]);
  // Every unit spikes once in 20 ms.
  expect(spikes.plan.dataRateHz).toBeCloseTo(50, 6);
  const frames: LabelledSet = {
    name: "frames",
    kind: "frames",
    size: 20,
    channels: 4,
    frames: 5,
    classNames: ["a", "b"],
    labels: Uint32Array.from({ length: 20 }, (_, i) => i % 2),
    columns: {},
    notes: [],
    read: async (indices) =>
      Array.from(indices, () => ({ kind: "frames", frames: 5, values: new Float32Array(20).fill(0.5) })),
    close() {},
  };
  const input = smallExperiment({ data: { train: "frames" }, layers: twoLayers });
  const currents = await prepareClassification(parseClassify(input, "t"), async () => frames);
  expect(currents.experiment.data.encoder).toEqual({ type: "rows" });
  const fluctuation = { type: "fluctuation", rate: 10 };
  const normal = { type: "normal" };
  const expected = [normal, fluctuation, fluctuation, normal];
  expect(currents.plan.projections.map(({ initial }) => initial)).toMatchObject(expected);
});
