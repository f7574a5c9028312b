import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import { activityOf, healthOf, type LayerActivity } from "./health.ts";

const fine: LayerActivity = {
  name: "hidden",
  rateHz: 10,
  silentShare: 0.1,
  saturatedShare: 0,
  supportShare: 0.2,
  widenedTo: null,
};
const network = { network: { layers: [{ name: "hidden" }] } };
const epoch = (number: number, change: object = {}) => ({
  epoch: number,
  train: { loss: 1 / number },
  gradientNorm: 1,
  gradientNorms: { input: 0.5, output: 0.5 },
  layers: [fine],
  ...change,
});
const said = (...epochs: ReturnType<typeof epoch>[]) => healthOf(epochs, network).map(({ message }) => message);

test("a network that learns hears nothing", () => {
  expect(said(...[1, 2, 3, 4, 5, 6, 7].map((number) => epoch(number)))).toEqual([]);
});

test.each<[string, object, RegExp]>([
  [
    "silent neurons",
    { layers: [{ ...fine, silentShare: 0.95 }] },
    /^95 % of the neurons of "hidden" never fire.*lowerBound$/,
  ],
  [
    "saturation",
    { layers: [{ ...fine, saturatedShare: 0.8, rateHz: 480 }] },
    /^80 % .* almost without pause \(480 Hz\)/,
  ],
  ["an empty support", { layers: [{ ...fine, supportShare: 0 }] }, /surrogate derivative of "hidden" is zero almost/],
  [
    "a surrogate that was cut too narrow",
    { layers: [{ ...fine, widenedTo: 0.4 }] },
    /^in a batch no neuron of "hidden" came as near.*widened to 0\.400: give network\.layers\.0\.surrogate this width/,
  ],
  [
    "no gradient",
    { gradientNorms: { input: 0, output: 1 } },
    /^the gradient of "input" is zero, so nothing is learned there/,
  ],
])("%s: why, and what to try, once", (_, change, message) => {
  const messages = said(epoch(1), epoch(2, change), epoch(3, change));
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatch(message);
});

test("of a silent layer only the cause is told, not all that follows from it", () => {
  const change = { layers: [{ ...fine, silentShare: 1 }], gradientNorms: { input: 0, output: 0 } };
  expect(said(epoch(1, change))).toEqual([expect.stringMatching(/never fire/)]);
});

test("of a maximum over a silent layer nothing is said", () => {
  const layers = [
    { ...fine, name: "conv1", silentShare: 0.99 },
    { ...fine, name: "pool2", silentShare: 0.99 },
  ];
  const pooled = {
    network: {
      layers: [
        { name: "conv1", type: "conv2d" },
        { name: "pool2", type: "pool" },
      ],
    },
  };
  expect(healthOf([epoch(1, { layers })], pooled).map(({ message }) => message)).toEqual([
    expect.stringMatching(/of "conv1" never fire/),
  ]);
});

test("gradients that explode, and a loss that does not fall", () => {
  expect(said(epoch(1), epoch(2, { gradientNorm: 5000 }))).toEqual([
    expect.stringMatching(/^gradients are 5000 times as large as at the start.*clipNorm/),
  ]);
  const flat = [1, 2, 3, 4, 5].map((number) => epoch(number, { train: { loss: 2.3 } }));
  expect(healthOf(flat, network)).toEqual([
    { epoch: 5, message: expect.stringMatching(/^after 5 epochs the loss is 2\.30, where it began at 2\.30/) },
  ]);
  expect(healthOf(flat.slice(0, 4), network)).toEqual([]);
});

test("rates, silence and saturation are counted as they are named", async () => {
  const { spec } = await prepareSmall(
    smallExperiment({ layer: { neurons: 4, model: { type: "GennLIF", parameters: { refractoryMs: 5 } } } }),
  );
  const compiled = await compileNetwork(spec);
  // 100 steps of 1 ms; a neuron that pauses for 5 ms can fire 20 times.
  const counts = [Float64Array.of(0, 5, 10, 11), new Float64Array(3)];
  const support = [
    { inside: 30, seen: 400 },
    { inside: 0, seen: 0 },
  ];
  expect(activityOf(compiled, { counts, steps: 100, support, widened: { 0: 0.4 } })).toEqual([
    { name: "hidden", rateHz: 65, silentShare: 0.25, saturatedShare: 0.25, supportShare: 0.075, widenedTo: 0.4 },
  ]);
});
