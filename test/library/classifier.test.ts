/** Classifiers of the library, on what was built: worker threads start from JavaScript files. */
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type * as Volley from "../../src/index.ts";
import { smallExperiment } from "../classify/small.ts";
import { runExample } from "./run-example.ts";

const library = (await import(
  /* @vite-ignore */ fileURLToPath(new URL("../../dist/index.js", import.meta.url))
)) as typeof Volley;
const { createClassifier, UserError } = library;

const made: Volley.Classifier[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((classifier) => classifier.close()));
});
async function make(...given: Parameters<typeof createClassifier>): Promise<Volley.Classifier> {
  const classifier = await createClassifier(...given);
  made.push(classifier);
  return classifier;
}

/** Class k fires channel k at once, and all channels later. */
function samples(size: number, classes = 3): Volley.LabelledSet {
  const labels = Uint32Array.from({ length: size }, (_, i) => i % classes);
  return {
    name: "by hand",
    kind: "spikes",
    size,
    channels: classes,
    durationMs: 19,
    classNames: ["a", "b", "c"].slice(0, classes),
    labels,
    columns: {},
    notes: ["made by hand"],
    read: async (indices) => Array.from(indices, (index) => sample(labels[index], classes)),
    close() {},
  };
}

function sample(label: number, classes: number): Volley.SpikeTrains {
  const times = Array.from({ length: 15 }, (_, t) => t);
  return {
    kind: "spikes",
    timesMs: Float32Array.from([...times, ...new Array(classes).fill(19)]),
    units: Uint32Array.from([...times.map(() => label), ...Array.from({ length: classes }, (_, i) => i)]),
  };
}

const network = { layers: [{ neurons: 32, model: { type: "ALIF" } }] };
const learning = { epochs: 20, batch: 5, optimiser: { type: "adam", rate: 0.02 } } as const;

async function reports(classifier: Volley.Classifier, count?: number): Promise<Volley.EpochReport[]> {
  const all = [];
  for await (const report of classifier.epochs(count)) all.push(report);
  return all;
}

test("learns samples made by hand, tests, classifies, and lives step by step", async () => {
  const classifier = await make({ network, learning }, { train: samples(60), test: samples(9), threads: 2 });
  expect(classifier.notes).toContain("made by hand");
  expect(classifier.classNames).toEqual(["a", "b", "c"]);
  const all = await reports(classifier);
  expect(all.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(all.at(-1)?.train.loss).toBeLessThan(0.5 * all[0].train.loss);
  expect(await reports(classifier)).toEqual([]);
  const tested = await classifier.test();
  expect(tested).toMatchObject({ samples: 9, accuracy: 1 });
  expect([...tested.confusion!]).toEqual([3, 0, 0, 0, 3, 0, 0, 0, 3]);
  const { probabilities, predicted } = await classifier.classify([sample(2, 3), sample(0, 3)]);
  expect([...predicted]).toEqual([2, 0]);
  expect(probabilities).toHaveLength(6);

  const stream = classifier.stream();
  for (let t = 0; t < 20; t++) stream.step(t < 15 ? [2] : t === 19 ? [0, 1, 2] : []);
  expect(stream.predicted).toBe(2);
  expect(stream.probabilities()[2]).toBeCloseTo(probabilities[2], 6);
});

test("in portions, saved in between and on other threads: the same numbers", async () => {
  const small = {
    ...smallExperiment(),
    learning: { ...smallExperiment().learning, epochs: 4 },
  } as Volley.ClassifierInput;
  const whole = await make(small, { threads: 1 });
  const losses = (await reports(whole)).map(({ train }) => train.loss);
  const first = await make(small, { threads: 2 });
  const before = await reports(first, 2);
  const saved = await first.save();
  const second = await make(small, { saved, threads: 3 });
  expect(second.epoch).toBe(2);
  const after = await reports(second);
  expect([...before, ...after].map(({ train }) => train.loss)).toEqual(losses);
  expect(second.values()).toEqual(whole.values());
  expect(await second.save()).toEqual(await whole.save());
  expect(second.bestEpoch).toBe(whole.bestEpoch);
  await second.useBest();
  // A resolved experiment makes the same classifier again.
  const again = await make(JSON.parse(JSON.stringify(whole.experiment)), { threads: 1 });
  expect((await reports(again)).map(({ train }) => train.loss)).toEqual(losses);
});

test("what is wrong with the training is said where a person looks", async () => {
  const told: string[] = [];
  const silent = { layers: [{ neurons: 8, initial: { type: "fixed", mean: 0, sd: 1e-6 } }] } as const;
  const classifier = await make(
    { network: silent as never, learning },
    { train: samples(30), onWarning: (text) => told.push(text) },
  );
  await reports(classifier, 2);
  expect(told.join("\n")).toMatch(/100 % of the neurons of "hidden" never fire/);
});

test.each<[string, Volley.ClassifierInput, Volley.CreateClassifierOptions, RegExp]>([
  [
    "an unknown key",
    { network, learning: { epoch: 3 } as never },
    { train: samples(20) },
    /"learning\.epoch" — did you mean "epochs"/,
  ],
  ["no data", { network }, {}, /data\.train is missing/],
  ["threads out of range", { network }, { train: samples(20), threads: 0 }, /threads is 0; it must be a whole number/],
  [
    "a state of another network",
    { network },
    { train: samples(20), saved: new Uint8Array(100) },
    /does not begin like a Volley/,
  ],
  ["a file that is not there", { network, data: { train: "no.h5" } }, {}, /there is no file no\.h5/],
])("%s is refused with a message", async (_, experiment, options, message) => {
  const error = await createClassifier(experiment, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
});

test("a saved state belongs to one network", async () => {
  const one = await make({ network, learning }, { train: samples(20), threads: 1 });
  const saved = await one.save();
  const other = { layers: [{ neurons: 17, model: { type: "ALIF" } }] };
  await expect(createClassifier({ network: other, learning }, { train: samples(20), saved })).rejects.toThrow(
    /belongs to another network|resume with the optimiser and the network/,
  );
});

test("examples/classifier.mjs learns spoken digits", { timeout: 180_000 }, async () => {
  const { stdout, stderr } = await runExample("classifier.mjs", [["epochs: 20 }", "epochs: 10 }"]]);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^epoch 10: \d+\.\d % learned, \d+\.\d % of the held-out, \d+\.\d Hz$/m);
  const tested = /^test: (\d+\.\d) % of 120 samples$/m.exec(stdout);
  expect(Number(tested?.[1])).toBeGreaterThan(40);
  expect(stdout).toMatch(/^kept in \d+ bytes$/m);
});
