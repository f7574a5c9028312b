import { expect, test } from "vitest";
import { presets } from "../presets.ts";
import { classifyPresets } from "./presets.ts";
import { parseClassify } from "./schema.ts";

const minimal = { kind: "classify", data: { train: "x.h5" }, network: { layers: [{ neurons: 3 }] } };
const fault = (value: unknown): string => {
  try {
    parseClassify(value, "x.json");
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
};
const withData = (data: object) => ({ ...minimal, data: { train: "x.h5", ...data } });
const withLayer = (layer: object) => ({ ...minimal, network: { layers: [{ neurons: 3, ...layer }] } });
const only = (layer: object) => ({ ...minimal, network: { layers: [layer] } });
const withLearning = (learning: object) => ({ ...minimal, learning });

test("the shortest experiment has every default, and parses to itself", () => {
  const parsed = parseClassify(minimal, "x.json");
  expect(parsed).toMatchObject({
    seed: 1,
    data: { test: null, validation: { type: "fraction", fraction: 0.1 }, encoder: "auto" },
    network: { dtMs: 1, layers: [{ name: "auto", model: { type: "StorkLIF" }, recurrent: true, connections: 1 }] },
    learning: { rule: "bptt", optimiser: { type: "adam", rate: 1e-3, beta1: 0.9 }, epochs: 40, lanes: 8 },
  });
  expect(parseClassify(JSON.parse(JSON.stringify(parsed)), "x.json")).toEqual(parsed);
});

test.each([
  [{ ...minimal, data: {} }, "x.json: data.train is missing; it must be the path of a file (HDF5"],
  [withData({ train: 3 }), "data.train is 3; it must be the path of a file (HDF5, NWB, idx, events, npz) or an object"],
  [withData({ train: { generate: "randmann" } }), 'data.train.generate is "randmann"; it must be one of "randman"'],
  [
    withData({ train: { generate: "randman", unis: 3 } }),
    'data.train has the unknown key "unis" — did you mean "units"?',
  ],
  [withData({ test: { holdOut: { type: "everyNh" } } }), 'data.test.holdOut.type is "everyNh"; it must be one of'],
  [withData({ test: 4 }), "data.test is 4; it must be null, the path of a file,"],
  [withData({ validation: "no" }), 'data.validation is "no"; it must be an object whose "type" is one of "fraction"'],
  [withData({ encoder: { type: "bin", durationMS: 9 } }), '"durationMS" — did you mean "durationMs"?'],
  [withData({ augmentation: [{ type: "shiftChanels" }] }), 'augmentation.0.type is "shiftChanels"; it must be one of'],
  [
    withData({ reading: { trials: { label: "side", unitsWhere: { quality: ["good"] } } } }),
    'data.reading.trials.unitsWhere.quality is ["good"]; it must be a word, a number, true or false',
  ],
  [
    withData({ reading: { trials: { label: "side", trialsWhere: "hit" } } }),
    'data.reading.trials.trialsWhere is "hit"; it must be an object of values by column, such as {"outcome": "hit"}',
  ],
  [withData({ limit: 1 }), "data.limit is 1; it must be a whole number of at least 2"],
  [withLayer({ neurons: 0 }), "network.layers.0.neurons is 0; it must be a whole number from 1 to 1000000"],
  [
    withLayer({ type: "conv" }),
    'network.layers.0.type is "conv"; it must be one of "dense", "conv1d", "conv2d", "pool"',
  ],
  [withLayer({ filters: 3 }), 'network.layers.0 has the unknown key "filters"'],
  [withLayer({ dropout: 1 }), "network.layers.0.dropout is 1; it must be a number of at least 0 and below 1"],
  [withLayer({ from: [] }), "network.layers.0.from is an empty list; name a layer"],
  [withLayer({ from: "conv1" }), 'network.layers.0.from is "conv1"; it must be a list of names of layers'],
  [
    only({ type: "conv2d", kernel: 3 }),
    "network.layers.0.filters is missing; it must be a whole number from 1 to 65536",
  ],
  [
    only({ type: "conv2d", filters: 3 }),
    "network.layers.0.kernel is missing; it must be a whole number from 1 to 4096, or",
  ],
  [
    only({ type: "conv1d", filters: 3, kernel: [0] }),
    "kernel is [0]; it must be a whole number from 1 to 4096, or a list",
  ],
  [only({ type: "conv1d", filters: 3, kernel: 3, neurons: "all" }), 'neurons is "all"; it must be a whole number of'],
  [only({ type: "pool", size: 2 }), 'network.layers.0.method is missing; it must be one of "sum", "average", "max"'],
  [only({ type: "pool", method: "max", size: 2, bias: true }), 'network.layers.0 has the unknown key "bias"'],
  [withData({ reading: { shape: [3] } }), "data.reading.shape is [3]; it must be [height, width, channels] or [length"],
  [withLayer({ surrogate: { type: "triangel" } }), 'surrogate.type is "triangel"; it must be one of'],
  [
    withLayer({ initial: { type: "normal", gain: -1 } }),
    "layers.0.initial.gain is -1; it must be a number of at least 0",
  ],
  [withLayer({ initial: 4 }), 'network.layers.0.initial is 4; it must be an object with a "type"'],
  [withLayer({ connections: 0 }), "network.layers.0.connections is 0; it must be a number above 0 and at most 1"],
  [withLayer({ trainable: { tauMemMs: { range: { type: "clamp", min: 1 } } } }), "tauMemMs.range.max is missing"],
  [withLayer({ model: { parameters: { tauMemMs: { distribution: "gama" } } } }), "it must be one of uniform, normal"],
  [{ ...minimal, network: { layers: [] } }, "network.layers is an empty list; give at least one layer"],
  [{ ...minimal, network: { layers: 3 } }, "network.layers is 3; it must be a list of layers"],
  [
    withLearning({ rule: "e-prop" }),
    'learning.rule is "e-prop"; it must be one of "bptt", "eprop" — did you mean "eprop"?',
  ],
  [withLearning({ optimiser: { type: "adam", rat: 1 } }), 'optimiser has the unknown key "rat" — did you mean "rate"?'],
  [withLearning({ optimiser: { type: "adam", rate: -1 } }), "learning.optimiser.rate is -1; it must be a number of"],
  [withLearning({ loss: "x" }), 'learning.loss is "x"; it must be an object with a "type"'],
  [
    withLearning({ loss: { type: "crossEntropy", readout: "maximum" } }),
    'readout is "maximum"; it must be one of "last"',
  ],
  [withLearning({ regularise: [{ type: "lowerBound", spikes: -1 }] }), "learning.regularise.0.spikes is -1"],
  [withLearning({ schedule: [{ type: "cosin" }] }), 'learning.schedule.0.type is "cosin"; it must be one of'],
  [{ ...minimal, netwrk: 1 }, 'unknown key "netwrk" — did you mean "network"?'],
])("%j", (value, message) => {
  expect(fault(value)).toContain(message);
});

test("all faults are told at once", () => {
  expect(fault(withLearning({ loss: 1, batch: 0, rule: "x" }))).toMatch(/^x\.json has 3 faults:\n/);
});

test("presets are experiments that have nothing to correct, under their own names", () => {
  for (const [name, { about, experiment }] of Object.entries(classifyPresets((file) => `/examples/${file}`))) {
    expect(parseClassify(experiment, name).name).toBe(name);
    expect(Object.keys(presets)).not.toContain(name);
    expect(about.length).toBeLessThan(130);
  }
});
