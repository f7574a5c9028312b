import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import type { LabelledSet } from "../../data/labelled-set.ts";
import { type OpenSetOptions, openTrainingData } from "./data.ts";
import { prepareClassification } from "./prepare.ts";
import { type ClassifyInput, parseClassify } from "./schema.ts";

/** Spikes of `size` samples of two classes, two speakers, three channels. */
function set(name: string, size: number, change: Partial<LabelledSet> = {}): LabelledSet & { closed: boolean } {
  return {
    name,
    kind: "spikes",
    size,
    channels: 3,
    durationMs: 9,
    classNames: ["no", "yes"],
    labels: Uint32Array.from({ length: size }, (_, i) => i % 2),
    columns: { speaker: Int32Array.from({ length: size }, (_, i) => i % 5) },
    notes: [],
    closed: false,
    async read(indices) {
      return Array.from(indices, (index) => ({
        kind: "spikes",
        timesMs: Float32Array.of(index % 10),
        units: Uint32Array.of(index % 3),
      }));
    },
    close() {
      this.closed = true;
    },
    ...change,
  };
}

const files = (data: Partial<ClassifyInput["data"]>) => smallExperiment({ data: { train: "train.h5", ...data } });

async function openWith(input: ClassifyInput, sets: Record<string, LabelledSet>) {
  const opened: [string, OpenSetOptions][] = [];
  const data = await openTrainingData(parseClassify(input, "t"), async (path, options) => {
    opened.push([path, options]);
    return sets[path];
  });
  return { data, opened };
}

test("the shape of channels that the experiment names belongs to the set, and must fit it", async () => {
  const shaped = (shape: number[], change = {}) =>
    openWith(files({ reading: { shape } }), { "train.h5": set("train", 30, change) });
  expect((await shaped([3, 1])).data.training.set.shape).toEqual([3, 1]);
  await expect(shaped([2, 2, 1])).rejects.toThrow(
    "data.reading.shape is [2, 2, 1], which are 4 places, but train has 3 channels",
  );
  const frames = { kind: "frames", frames: 4 } as const;
  expect((await shaped([2, 2, 3], frames)).data.training.set.shape).toEqual([2, 2, 3]);
  await expect(shaped([5, 3], frames)).rejects.toThrow("but train has 4 frames of 3 numbers");
});

test("classes that come in turn are all held out: drawn by default, refused where a split misses some", async () => {
  const randman = { generate: "randman", manifolds: 5, samplesPerClass: 40, units: 4, steps: 10, dtMs: 1 } as const;
  const { data } = await openWith(smallExperiment({ data: { train: randman, validation: undefined } }), {});
  const { set: made, indices } = data.validation!;
  const counts = [0, 0, 0, 0, 0];
  for (const index of indices) counts[made.labels[index]]++;
  expect(counts).toEqual([4, 4, 4, 4, 4]);

  const everyTenth = { type: "everyNth", n: 10 } as const;
  const message = "one sample in 10 is held out, and all 20 of these belong to 1 of the 5 classes";
  const validated = smallExperiment({ data: { train: randman, validation: everyTenth } });
  await expect(openWith(validated, {})).rejects.toThrow(message);
  const tested = smallExperiment({ data: { train: randman, test: { holdOut: everyTenth } } });
  await expect(openWith(tested, {})).rejects.toThrow(message);
});

test("by default every tenth sample is held out, and the test set stays closed until it is asked for", async () => {
  const sets = { "train.h5": set("train", 30), "test.h5": set("test", 8) };
  const { data, opened } = await openWith(files({ test: "test.h5" }), sets);
  expect([...data.validation!.indices]).toEqual([9, 19, 29]);
  expect(data.training.indices).toHaveLength(27);
  expect(opened).toEqual([["train.h5", {}]]);
  const test = await data.openTest();
  expect(test?.indices).toHaveLength(8);
  expect(test?.target(3)).toEqual({ label: 1 });
  // Read as what the network was trained on: a test set may lack a class or a channel.
  expect(opened[1]).toEqual(["test.h5", { classNames: ["no", "yes"], channels: 3 }]);
  data.close();
  expect(Object.values(sets).map(({ closed }) => closed)).toEqual([true, true]);
});

test("samples held out for the test are neither trained on nor chosen by", async () => {
  const input = files({
    test: { holdOut: { type: "column", column: "speaker", values: [3] } },
    validation: { type: "fraction", fraction: 0.25 },
    limit: 25,
  });
  const { data } = await openWith(input, { "train.h5": set("train", 30) });
  const test = await data.openTest();
  expect([...test!.indices]).toEqual([3, 8, 13, 18, 23]);
  const all = [...data.training.indices, ...data.validation!.indices, ...test!.indices].sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: 25 }, (_, i) => i));
  expect(data.validation!.indices).toHaveLength(5);
});

test.each<[string, Partial<LabelledSet>, RegExp]>([
  ["another kind", { kind: "frames" }, /^other holds frames of numbers, but the network was trained on spikes$/],
  ["other channels", { channels: 4 }, /^other has 4 channels, but the network was trained on 3$/],
  ["another class", { classNames: ["no", "perhaps"] }, /^other has the class "perhaps", where .* on no, yes$/],
])("a test set of %s is refused", async (_, change, message) => {
  const { data } = await openWith(files({ test: "o.h5" }), {
    "train.h5": set("train", 30),
    "o.h5": set("other", 4, change),
  });
  await expect(data.openTest()).rejects.toThrow(message);
});

test("a split that leaves nothing closes what was opened", async () => {
  const train = set("train", 5);
  await expect(openWith(files({}), { "train.h5": train })).rejects.toThrow(
    /no sample is held out when one sample in 10/,
  );
  expect(train.closed).toBe(true);
  const second = set("train", 30);
  const bad = parseClassify(files({ encoder: { type: "rows" } }), "t");
  await expect(prepareClassification(bad, async () => second)).rejects.toThrow(/takes frames of numbers/);
  expect(second.closed).toBe(true);
});

test("generated tests are other trials of the same task, or refused where they would be another task", async () => {
  const evidence = { generate: "evidence", trials: 20, cues: 3, delayMs: 50 } as const;
  const { data } = await openWith(files({ train: evidence, test: evidence }), {});
  const test = await data.openTest();
  const [own] = await data.training.set.read([0]);
  const [other] = await test!.set.read([0]);
  expect(other).not.toEqual(own);
  expect(test!.set.channels).toBe(data.training.set.channels);
  const randman = { generate: "randman", samplesPerClass: 10 } as const;
  const { data: manifolds } = await openWith(files({ train: randman, test: randman }), {});
  await expect(manifolds.openTest()).rejects.toThrow(/would be another task; hold samples of the training set out/);
});

test("the summary says what the network must know, and tells other data apart", async () => {
  const prepare = (change: Partial<LabelledSet>) =>
    prepareClassification(parseClassify(files({}), "t"), async () => set("train", 30, change));
  const { summary, experiment, spec } = await prepare({});
  expect(summary).toMatchObject({
    info: { kind: "spikes", channels: 3, durationMs: 9 },
    classNames: ["no", "yes"],
    traces: null,
    training: 27,
    validation: 3,
    events: 1,
  });
  // One spike in 10 steps of 1 ms on one of three channels.
  expect(summary.rateHz).toBeCloseTo(100 / 3, 6);
  expect(experiment.data.encoder).toEqual({ type: "bin", dtMs: 1, steps: 10 });
  expect(spec.inputs).toBe(3);
  expect((await prepare({})).summary).toEqual(summary);
  const labels = Uint32Array.from({ length: 30 }, (_, i) => (i === 4 ? 1 : i % 2));
  expect((await prepare({ labels })).summary.digest).not.toBe(summary.digest);
});

test("curves to follow are sampled at the network's steps", async () => {
  const { data, scoring } = await prepareSmall(
    smallExperiment({
      data: { train: { generate: "pattern", trialMs: 300, outputs: 2, inputs: 5 }, validation: null },
      rest: { network: { dtMs: 3, layers: [{ neurons: 4 }] } },
    }),
  );
  const { trace } = data.training.target(0) as { trace: Float32Array };
  expect(trace).toHaveLength(200);
  for (const t of [0, 1, 57, 99]) {
    expect([...trace.subarray(2 * t, 2 * t + 2)]).toEqual([...data.traces!.values.subarray(6 * t, 6 * t + 2)]);
  }
  // Output 0 everywhere is worse than the mean: the normalised error of silence is sum y^2 / sum (y - mean)^2.
  let [squares, deviation] = [0, 0];
  for (let k = 0; k < 2; k++) {
    const curve = Array.from({ length: 100 }, (_, t) => trace[2 * t + k]);
    const mean = curve.reduce((sum, y) => sum + y, 0) / 100;
    squares += curve.reduce((sum, y) => sum + y * y, 0);
    deviation += curve.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  }
  expect(scoring.errorPerLoss * 0.5 * squares).toBeCloseTo(squares / deviation, 6);
});
