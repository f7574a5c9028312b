import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { UserError } from "../base/errors.ts";
import { builtInModels } from "../model/built-in.ts";
import { parseClassify } from "./classify/schema.ts";
import { kindOf } from "./kind.ts";
import { loadExperiment } from "./load-experiment.ts";
import { presets } from "./presets.ts";
import { parseExperiment } from "./schema.ts";
import { setPaths } from "./set-path.ts";

/** The message that an experiment is refused with. */
function fault(value: unknown): string {
  try {
    parseExperiment(value, "x.json");
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(64);
    return (error as UserError).message;
  }
  return "accepted";
}

test("an empty experiment is the default network of the specification", () => {
  expect(parseExperiment({}, "x")).toMatchObject({
    seed: 1,
    neurons: "auto",
    excitatoryFraction: 0.5,
    timing: { dtMs: 0.1, stimulusOnMs: 800, stimulusOffMs: 1000, trainMs: "auto", learnEveryMs: "auto" },
    synapses: { tauExcMs: 3, tauInhMs: 3, tauPlasticMs: 150 },
    static: { K: "auto", probability: 0.1, g: 1, jxFactor: 0.08, weights: { EE: 0.15, IE: 1, EI: -0.75, II: -1 } },
    targets: { type: "sinusoids", amplitude: 0.5, periodMs: 1000, bias: "none" },
    learning: { lambda: 0.8, lambdaFeedforward: 1, mu: 0.01, forgetting: 1, precision: "f32", block: 1, window: 0 },
    correlationWindowMs: 50,
    iterations: 100,
  });
});

describe("messages name the path, the value, the range and the way out", () => {
  test.each<[unknown, string]>([
    [{ lerning: {} }, 'x.json: unknown key "lerning" — did you mean "learning"?'],
    [{ learning: { lamda: 1 } }, 'x.json: unknown key "learning.lamda" — did you mean "lambda"?'],
    [{ static: { weights: { EX: 1 } } }, 'x.json: unknown key "static.weights.EX" — did you mean "EE"?'],
    [{ learning: { lambda: -1 } }, "x.json: learning.lambda is -1; it must be a number above 0"],
    [{ learning: { lambda: "0.4" } }, 'x.json: learning.lambda is "0.4"; it must be a number above 0, a list'],
    [{ timing: { dtMs: 0 } }, "x.json: timing.dtMs is 0; it must be a number above 0 and at most 10 ms"],
    [{ timing: { trainMs: "long" } }, 'timing.trainMs is "long"; it must be "auto" or a number above 0 ms'],
    [{ neurons: 10.5 }, 'x.json: neurons is 10.5; it must be "auto" or a whole number from 2 to 16777216'],
    [{ seed: -1 }, "x.json: seed is -1; it must be a whole number from 0 to"],
    [
      { noise: { model: "volage" } },
      'noise.model is "volage"; it must be one of "voltage", "current" — did you mean "voltage"?',
    ],
    [{ targets: { type: "sinus" } }, 'x.json: targets.type is "sinus"; it must be "sinusoids" or "recording"'],
    [{ targets: { type: "recording" } }, "x.json: targets.file is missing; it must be the path of a file"],
    [{ targets: { type: "sinusoids", file: "a" } }, 'unknown key "targets.file" — known keys here: type, amplitude'],
    [
      { targets: { type: "recording", file: "a", nwb: { binms: 3 } } },
      'unknown key "targets.nwb.binms" — did you mean "binMs"?',
    ],
    [
      { plastic: { trained: { fracton: 1 } } },
      'x.json: plastic.trained is {"fracton":1}; it must be "all", {"fraction"',
    ],
    [{ static: 3 }, "x.json: static is 3; it must be an object with the keys K, probability"],
    [[], "x.json: the experiment is []; it must be an object with the keys name, seed"],
    [null, "x.json: the experiment is null; it must be an object"],
    [{ name: "../up" }, 'x.json: name is "../up"; it must be 1 to 80 letters'],
    [
      { synapses: { tauPlasticMs: { distribution: "gama", mean: 3, shape: 3 } } },
      'synapses.tauPlasticMs has the distribution "gama"; it must be one of uniform, normal, lognormal, gamma, choice — did you mean "gamma"?',
    ],
    [
      { synapses: { tauPlasticMs: { distribution: "gamma", mean: 3, shape: 0 } } },
      "synapses.tauPlasticMs has shape = 0; a gamma distribution needs a number above 0 there",
    ],
    [
      { synapses: { tauPlasticMs: { distribution: "normal", mean: 3, std: 1 } } },
      "is a normal distribution without min, which reaches below 0",
    ],
    [
      { synapses: { tauPlasticMs: { distribution: "uniform", min: -1, max: 4 } } },
      "synapses.tauPlasticMs has min = -1; every value must be a number above 0 ms",
    ],
    [
      { synapses: { tauExcMs: [3, 0] } },
      "synapses.tauExcMs has 0 at position 1; every item must be a number above 0 ms",
    ],
  ])("%j", (value, message) => {
    expect(fault(value)).toContain(message);
  });

  test("several faults come together", () => {
    expect(fault({ sed: 3, iterations: 0 })).toBe(
      'x.json has 2 faults:\n  iterations is 0; it must be a whole number from 1 to 1000000\n  unknown key "sed" — did you mean "seed"?',
    );
  });
});

describe("--set", () => {
  test("values are JSON where they read as JSON, else words; objects on the way are made and never shared", () => {
    const base = { learning: { lambda: 0.8 }, static: null };
    const changed = setPaths(base, [
      "learning.lambda=0.4",
      "learning.precision=int16",
      "static.K=50",
      "name=a=b",
      'plastic.trained={"fraction":0.5}',
      "feedforward=null",
    ]);
    expect(changed).toEqual({
      learning: { lambda: 0.4, precision: "int16" },
      static: { K: 50 },
      name: "a=b",
      plastic: { trained: { fraction: 0.5 } },
      feedforward: null,
    });
    expect(base).toEqual({ learning: { lambda: 0.8 }, static: null });
  });

  test.each(["learning.lambda", "=3", ".a=3", "a..b=3", "__proto__.x=1"])("%s is refused", (assignment) => {
    expect(() => setPaths({}, [assignment])).toThrow(UserError);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("a misspelt path is answered by the schema with the right one", () => {
    expect(fault(setPaths({}, ["lerning.lambda=0.4"]))).toContain('did you mean "learning"');
    expect(fault(setPaths({}, ["learning.lamda=0.4"]))).toContain('did you mean "lambda"');
  });
});

test("the message about the model names every built-in one", () => {
  const message = fault({ model: { type: 5 } });
  for (const name of Object.keys(builtInModels)) expect(message).toMatch(new RegExp(`[( ]${name}[,)]`));
});

test("the schema takes the held-out fractions that the reader takes", () => {
  const given = (heldOutFraction: number) => ({
    targets: { type: "recording", file: "a.nwb", nwb: { heldOutFraction } },
  });
  parseExperiment(given(0.5), "test");
  parseExperiment(given(0.01), "test");
  for (const fraction of [0, 0.6]) {
    expect(fault(given(fraction))).toContain(
      `heldOutFraction is ${fraction}; it must be a number above 0 and at most 0.5`,
    );
  }
});

test.each(Object.keys(presets))("preset %s is a valid experiment", async (name) => {
  const { value, source } = await loadExperiment(name);
  expect(parseExperiment(value, source).name).toBe(name);
});

test.each(readdirSync("examples").filter((name) => name.endsWith(".json")))("examples/%s is valid", async (name) => {
  const { value, source } = await loadExperiment(`examples/${name}`);
  if (kindOf(value, source) === "classify") parseClassify(value, source);
  else parseExperiment(value, source);
});
