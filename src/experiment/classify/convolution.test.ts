/** Layers with places: from the experiment to what the engine is told, and what they learn. */
import { expect, test } from "vitest";
import { bars } from "../../../test/classify/bars.ts";
import { LocalGroup } from "../../device/cpu/group.ts";
import { gradientHost } from "../../learning/gradient/host.ts";
import type { SparseRows } from "../../learning/gradient/spec.ts";
import { GradientTrainer } from "../../learning/gradient/trainer.ts";
import type { SharedRows } from "../../network/shared-rows.ts";
import { packState } from "../packed-state.ts";
import { PlainState } from "../plain-state.ts";
import { makeLoop, prepareClassification } from "./prepare.ts";
import { type ClassifyInput, type LayerInput, parseClassify } from "./schema.ts";

const experiment = (layers: readonly LayerInput[], rest: Partial<ClassifyInput> = {}): ClassifyInput => ({
  kind: "classify",
  name: "bars",
  data: { train: "bars", validation: null },
  network: { dtMs: 1, layers: [...layers] },
  exampleTrials: 0,
  ...rest,
});
const prepare = (input: ClassifyInput, shape?: readonly number[]) =>
  prepareClassification(parseClassify(input, "the test"), async () => {
    const set = bars(40, 1);
    return shape === undefined ? set : { ...set, shape };
  });
const resolve = async (layers: readonly LayerInput[], rest: Partial<ClassifyInput> = {}) =>
  (await prepare(experiment(layers, rest))).spec;
const fault = (layers: readonly LayerInput[], rest: Partial<ClassifyInput> = {}) =>
  resolve(layers, rest).then(
    () => "no fault",
    (error: Error) => error.message,
  );

const conv: LayerInput = { type: "conv2d", filters: 4, kernel: 3 };
const dense: LayerInput = { neurons: 5, recurrent: false };

test("a convolution has a population of its shape, shared rows, and filters", async () => {
  const { populations, projections, readout } = await resolve([
    { ...conv, padding: 1, bias: true, dropout: 0.25, trainable: { tauMemMs: {} } },
    { ...conv, filters: 6, kernel: [3, 2], stride: 2, groups: 2 },
  ]);
  expect(populations.map(({ name, size, filters, dropout }) => [name, size, filters, dropout])).toEqual([
    ["conv1", 9 * 9 * 4, 4, 0.25],
    ["conv2", 4 * 4 * 6, 6, undefined],
    ["readout", 4, undefined, undefined],
  ]);
  expect(projections.map(({ name, source, target, backward }) => [name, source, target, backward])).toEqual([
    ["input", "input", 0, "none"],
    ["conv1-conv2", 0, 1, "weights"],
    ["conv2-readout", 1, 2, "weights"],
  ]);
  const [first, second] = projections.map(({ connectivity }) => connectivity as SharedRows);
  expect([first.rows, first.width, second.rows, second.width]).toEqual([9, 4, 24, 3]);
  expect([projections[2].connectivity, readout]).toEqual(["dense", 2]);
});

test("a recurrent convolution sees itself through an odd kernel", async () => {
  const { projections } = await resolve([{ ...conv, recurrent: true, recurrentKernel: 5 }]);
  expect(projections.map(({ name, delaySteps }) => [name, delaySteps])).toEqual([
    ["input", 0],
    ["recurrent", 1],
    ["output", 0],
  ]);
  const own = projections[1].connectivity as SharedRows;
  expect([own.rows, own.width]).toEqual([5 * 5 * 4, 4]);
});

test("sums and averages take no neurons: what follows sees those below through the same weights", async () => {
  const { populations, projections, readout } = await resolve([
    { ...conv, padding: 1 },
    { type: "pool", method: "average", size: 3 },
    { type: "flatten" },
    dense,
  ]);
  expect([populations.map(({ name }) => name), readout]).toEqual([["conv1", "hidden4", "readout"], 2]);
  const [, pooled] = projections;
  expect([pooled.name, pooled.source, pooled.gain]).toEqual(["flatten3-hidden4", 0, 1 / 9]);
  const { rows, width } = pooled.connectivity as SharedRows;
  expect([rows, width]).toEqual([3 * 3 * 4, 5]);
  const [sum] = (await resolve([{ type: "pool", method: "sum", size: 3 }, conv])).projections;
  expect([sum.name, sum.source, sum.gain, (sum.connectivity as SharedRows).offsets.length]).toEqual([
    "pool1-conv2",
    "input",
    undefined,
    82,
  ]);
});

test("the maximum is a population that spikes when its window does, by synapses that stay", async () => {
  const { plan, spec } = await prepare(
    experiment([{ ...conv, padding: 1 }, { type: "pool", method: "max", size: 3 }, dense]),
  );
  expect(spec.populations.map(({ name, size, model }) => [name, size, model.type])).toEqual([
    ["conv1", 324, "StorkLIF"],
    ["pool2", 36, "Or"],
    ["hidden3", 5, "StorkLIF"],
    ["readout", 4, "LI"],
  ]);
  const [, maximum, next] = spec.projections;
  expect([maximum.trained, maximum.backward, (maximum.connectivity as SparseRows).targets.length]).toEqual([
    false,
    "weights",
    324,
  ]);
  expect([...new Set(plan.projections[1].initial as Float32Array)]).toEqual([1]);
  expect([next.source, next.target, next.connectivity]).toEqual([1, 2, "dense"]);
});

test("a layer adds up what it receives from several; a stride brings skips to its size", async () => {
  const { projections } = await resolve([
    { ...conv, name: "a", padding: 1 },
    { ...conv, name: "b", padding: 1, stride: 3 },
    { ...conv, name: "c", padding: 1, from: ["b", "a", "input"] },
    { ...dense, name: "d", from: ["c", "a"] },
  ]);
  expect(projections.map(({ name, source, target }) => [name, source, target])).toEqual([
    ["input", "input", 0],
    ["a-b", 0, 1],
    ["b-c", 1, 2],
    ["a-c", 0, 2],
    ["input-c", "input", 2],
    ["c-d", 2, 3],
    ["a-d", 0, 3],
    ["d-readout", 3, 4],
  ]);
  const rows = projections.slice(2, 5).map(({ connectivity }) => (connectivity as SharedRows).rows);
  expect(rows).toEqual([9 * 4, 4, 1]);
  const skip = projections[3].connectivity as SharedRows;
  // Of 9 x 9 places every third one of every third row has a target.
  expect(skip.firstTargets.length).toBe(3 * 3 * 4);
});

test("with e-prop the readout sees every layer with weights, through the pools behind it", async () => {
  const { projections } = await resolve([{ ...conv, padding: 1 }, { type: "pool", method: "max", size: 3 }, dense], {
    learning: { rule: "eprop" },
  });
  expect(projections.map(({ name, backward }) => [name, backward])).toEqual([
    ["input", "none"],
    ["conv1-pool2", "weights"],
    ["pool2-hidden3", "none"],
    ["pool2-readout", "weights"],
    ["hidden3-readout", "weights"],
  ]);
});

test("Dale's law: the first filters excite, wherever they are", async () => {
  const dale = { type: "dale" } as const;
  const { plan } = await prepare(
    experiment(
      [
        { ...conv, padding: 1, excitatoryFraction: 0.5 },
        { type: "pool", method: "sum", size: 3 },
        { ...conv, constraint: dale, excitatoryFraction: 0.75, recurrent: true },
      ],
      {},
    ),
  );
  const [, into, own] = plan.projections.map(({ signs }) => signs);
  expect([...into!]).toEqual(Array.from({ length: 36 }, (_, row) => (row % 4 < 2 ? 1 : -1)));
  expect([...own!]).toEqual(Array.from({ length: 36 }, (_, row) => (row % 4 < 3 ? 1 : -1)));
});

test("constants of a convolution belong to filters", async () => {
  const spec = await resolve([
    {
      ...conv,
      model: { parameters: { tauMemMs: [10, 20, 30, 40], tauSynMs: { distribution: "uniform", min: 2, max: 9 } } },
    },
  ]);
  const { tauMemMs, tauSynMs } = spec.populations[0].model.parameters as Record<string, Float32Array>;
  expect([...tauMemMs.subarray(0, 6), tauMemMs.length]).toEqual([10, 20, 30, 40, 10, 20, 7 * 7 * 4]);
  expect(new Set(tauSynMs).size).toBe(4);
});

test("what cannot be is refused in one sentence", async () => {
  expect(await fault([conv, { ...conv, kernel: 8 }])).toBe(
    "network.layers.1: a window of 8 places with padding 0 does not fit into the 7 x 7 below it; make it smaller, or pad more",
  );
  expect(await fault([dense, conv])).toMatch(
    /^network\.layers\.1 is a layer of type "conv2d", which needs \[height, width, channels\] below it, but "hidden1" has 5/,
  );
  expect(await fault([{ ...conv, type: "conv1d" }])).toMatch(
    /needs \[length, channels\] below it, but "input" has 9 x 9 x 1/,
  );
  expect(await fault([{ type: "flatten" }])).toMatch(/^network\.layers has no layer that learns, only other views of/);
  expect(await fault([{ type: "flatten" }, { type: "pool", method: "sum", size: 2 }, dense])).toMatch(
    /"pool", which needs space below it, but "flatten1" has 81 neurons without neighbours/,
  );
  expect(await fault([{ ...conv, kernel: [3, 3, 3] }])).toMatch(
    /kernel is \[3, 3, 3\], but the layer below has 2 axes/,
  );
  expect(await fault([{ ...conv, padding: 3 }])).toMatch(/padding is 3, but a window of 3 places would then see none/);
  expect(await fault([{ ...conv, neurons: 12 }])).toMatch(
    /neurons is 12, but its shape is 7 x 7 x 4 = 196; leave it out/,
  );
  expect(await fault([conv, { ...conv, from: ["conf1"] }])).toMatch(
    /from names "conf1", but there is no such layer — did you mean "conv1"/,
  );
  expect(await fault([{ ...conv, from: ["conv2"] }, conv])).toMatch(
    /from names "conv2", which is computed after it; name/,
  );
  expect(await fault([conv, { ...conv, from: ["conv1", "conv1"] }])).toMatch(/from names "conv1" twice/);
  expect(await fault([conv, { type: "flatten", from: ["conv1", "input"] }])).toMatch(
    /layer of type "flatten" sees one/,
  );
  expect(await fault([conv, { ...conv, from: ["conv1", "input"], kernel: 2 }])).toMatch(
    /from names "input" of 9 x 9 x 1, which no stride brings to the 6 x 6 places of the layer; pool or pad/,
  );
  const pool: LayerInput = { type: "pool", method: "sum", size: 2 };
  expect(await fault([conv, pool, { ...dense, connections: 0.5 }])).toMatch(
    /layers\.2\.connections is 0\.5, but "pool2" is pooled and its connections are shared; set it to 1/,
  );
  expect(await fault([conv, pool], { learning: { rule: "eprop", feedback: "random" } })).toMatch(
    /needs a weight from every neuron to the readout, but "pool2" gathers them/,
  );
  expect(await fault([conv, pool], { learning: { regularise: [{ type: "lowerBound", layers: ["pool2"] }] } })).toMatch(
    /regularise\.0\.layers names "pool2"; the layers are conv1/,
  );
});

test('a resolved experiment has no "auto" left and resolves to itself', async () => {
  const first = await prepare(
    experiment([
      { ...conv, recurrent: true },
      { type: "pool", method: "max", size: 2 },
      { type: "pool", method: "sum", size: 3 },
      { type: "flatten" },
      { ...dense, trainable: { tauMemMs: {} } },
    ]),
  );
  const text = JSON.stringify(first.experiment);
  expect(text).not.toContain('"auto"');
  const second = await prepare(JSON.parse(text));
  expect(second.experiment).toEqual(JSON.parse(text));
  expect(second.spec).toEqual(first.spec);
});

/** Filters of the size of a bar, and whether each found one anywhere. */
const small = experiment(
  [
    { ...conv, filters: 8, kernel: 5, bias: true, trainable: { tauMemMs: {} } },
    { type: "pool", method: "max", size: 5 },
  ],
  {
    learning: {
      epochs: 15,
      batch: 8,
      optimiser: { type: "adam", rate: 0.02 },
      loss: { type: "crossEntropy", readout: "mean" },
    },
  },
);

async function trained(input: ClassifyInput, samples: number) {
  const prepared = await prepareClassification(parseClassify(input, "the test"), async () => bars(samples, 1));
  const trainer = await GradientTrainer.create(prepared.spec, prepared.plan, new LocalGroup(gradientHost()));
  const loop = makeLoop(prepared, trainer);
  while (!loop.finished) await loop.runEpoch();
  return { loop, trainer };
}

test("a small net with max pooling learns directions that lie anywhere, far above chance", async () => {
  const { trainer } = await trained(small, 240);
  const { spec, plan } = await prepare(small);
  expect(plan.constants).toMatchObject([{ population: 0, parameter: "tauMemMs" }]);
  const set = bars(80, 2);
  const { binEncoder } = await import("../../data/encoding/bin-encoder.ts");
  const encoder = binEncoder(set, { steps: 12 });
  const samples = await set.read(Uint32Array.from({ length: 80 }, (_, i) => i));
  const { predicted } = await trainer.test(
    samples.map((sample, i) => ({ events: encoder.encode(sample, null as never), target: { label: set.labels[i] } })),
  );
  const right = predicted.filter((label, i) => label === set.labels[i]).length;
  expect(right / 80).toBeGreaterThan(0.7);
  // One constant and one bias per filter, wherever it is.
  const { constants, bias } = trainer.values();
  for (const values of [constants[0].tauMemMs, bias[0]!]) {
    expect(values.length).toBe(spec.populations[0].size);
    expect(values.every((value, i) => value === values[i % 8])).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(4);
  }
});

test("its state is kept and restored", async () => {
  const input = { ...small, learning: { ...small.learning, epochs: 1 } };
  const { loop } = await trained(input, 40);
  const packed = await packState(new PlainState({ ...loop.state() }), {
    kind: "classify",
    fingerprint: "",
    iteration: 1,
  });
  const { trainer } = await trained({ ...input, seed: 9 }, 40);
  await trainer.restore(loop.state().trainer);
  expect(trainer.values()).toEqual(loop.trainer.values());
  expect(packed.length).toBeLessThan(100_000);
});
