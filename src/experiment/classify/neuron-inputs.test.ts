import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import type { SparseRows } from "../../learning/gradient/spec.ts";
import { describeInitial, initialise } from "./initialise.ts";
import type { ClassifyInput, LayerInput } from "./schema.ts";

const dale = { constraint: { type: "dale" }, excitatoryFraction: 0.75 } as const;
const excInh = { neurons: 8, model: { type: "StorkExcInhLIF" }, ...dale } as const satisfies LayerInput;

const prepared = async (layers: readonly LayerInput[], change: { learning?: ClassifyInput["learning"] } = {}) =>
  prepareSmall(smallExperiment({ layers, ...change }));

async function fault(layers: readonly LayerInput[], readout: ClassifyInput["network"]["readout"] = {}) {
  try {
    await prepareSmall(smallExperiment({ layers, readout }));
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
}

test("excitatory sources lead into the first input, inhibitory ones into the second", async () => {
  const { spec, plan } = await prepared([excInh, { ...excInh, name: "top", recurrent: false }]);
  expect(
    spec.projections.map(({ name, source, target, into, sources }, k) => [
      name,
      source,
      target,
      into,
      sources && [sources.from, sources.to],
      plan.projections[k].signs?.join(),
    ]),
  ).toEqual([
    ["input", "input", 0, "excitation", undefined, "1,1,1,1,1,1,1,1,1,1"],
    ["hidden1.recurrent.excitation", 0, 0, "excitation", [0, 6], "1,1,1,1,1,1"],
    ["hidden1.recurrent.inhibition", 0, 0, "inhibition", [6, 8], "-1,-1"],
    ["hidden1-top.excitation", 0, 1, "excitation", [0, 6], "1,1,1,1,1,1"],
    ["hidden1-top.inhibition", 0, 1, "inhibition", [6, 8], "-1,-1"],
    ["top-readout", 1, 2, undefined, undefined, undefined],
  ]);
  expect(plan.projections.map(({ initial }) => (initial as { type: string }).type)).toEqual([
    ...new Array(5).fill("daleFluctuation"),
    "normal",
  ]);
  // Where all sources have one sign, nothing is divided.
  const one = await prepared([{ ...excInh, excitatoryFraction: 0 }]);
  expect(one.spec.projections.map(({ name, into, sources }) => [name, into, sources])).toEqual([
    ["input", "excitation", undefined],
    ["recurrent", "inhibition", undefined],
    ["output", undefined, undefined],
  ]);
});

test("sparse connections are those of a model with one input, divided", async () => {
  const sparse = { ...excInh, recurrentConnections: 0.4, deepR: 0.001 };
  const [two, one] = await Promise.all([prepared([sparse]), prepared([{ ...sparse, model: { type: "StorkLIF" } }])]);
  const [, e, i] = two.spec.projections.map(({ connectivity }) => connectivity as SparseRows);
  const whole = one.spec.projections[1].connectivity as SparseRows;
  expect([...e.targets, ...i.targets]).toEqual([...whole.targets]);
  expect([...e.offsets, ...[...i.offsets].slice(1).map((at) => at + e.offsets[6])]).toEqual([...whole.offsets]);
  expect([e.offsets.length, i.offsets.length]).toEqual([7, 3]);
  expect(two.plan.projections.map(({ deepR }) => deepR)).toEqual([null, 0.001, 0.001, null]);
});

test("what cannot be divided is refused with what to do", async () => {
  expect(await fault([{ ...excInh, constraint: null }])).toMatch(
    /^network\.layers\.0\.model\.type is "StorkExcInhLIF", .* every source needs a sign; set network\.layers\.0\.constraint/,
  );
  expect(await fault([{ neurons: 6 }, excInh])).toMatch(
    /it is not said which neurons of "hidden1" excite; give network\.layers\.0\.excitatoryFraction/,
  );
  expect(await fault([{ neurons: 6, ...dale }], { model: { type: "StorkExcInhLIF" } })).toMatch(
    /^network\.readout\.model\.type is "StorkExcInhLIF", which has the inputs .* a readout has one: use LI or CuBaLI/,
  );
  const conv = { type: "conv1d", filters: 4, kernel: 3, excitatoryFraction: 0.5 } as const;
  const shaped = (layers: readonly LayerInput[]) =>
    prepareSmall(smallExperiment({ data: { encoder: { type: "bin", mergeChannels: 1 } }, layers })).then(
      ({ spec }) => spec.projections.map(({ name, into }) => `${name} into ${into}`).join(", "),
      (error: Error) => error.message,
    );
  expect(await shaped([conv, { type: "flatten" }, excInh])).toMatch(
    /"flatten2" below it has filters that excite and filters that inhibit at every place; give its excitatoryFraction 1/,
  );
  // Filters of one sign go as a whole.
  expect(await shaped([{ ...conv, excitatoryFraction: 1 }, { type: "flatten" }, excInh])).toMatch(
    /flatten2-hidden3 into excitation, hidden3\.recurrent\.excitation into excitation/,
  );
  const convolution = { ...conv, model: { type: "StorkExcInhLIF" }, constraint: { type: "dale" } } as const;
  expect(await shaped([convolution])).toMatch(/^input into excitation, output into undefined$/);
});

test("weights start as their synapses ask, and what is measured is what was aimed at", async () => {
  const model = { type: "StorkExcInhLIF", parameters: { tauMemMs: 10, tauExcMs: 3, tauInhMs: 12 } };
  const layer = { ...excInh, neurons: 80, model, recurrentInitial: { type: "daleFluctuation", rate: 20 } } as const;
  const small = smallExperiment({ layers: [layer] });
  const { network } = small;
  const exact = await prepareSmall({ ...small, network: { ...network, initialisation: { exact: true, samples: 12 } } });
  const { plan } = await initialise(exact, () => Promise.reject(new Error("no trainer is needed")));
  const weights = plan.projections.map(({ initial }) => initial as Float32Array);
  const [hidden] = (await describeInitial(exact, weights)).layers;
  expect(Math.abs(hidden.measured.sigma - 1)).toBeLessThan(0.02);
  expect(weights[1].every((w) => w >= 0) && weights[2].every((w) => w <= 0)).toBe(true);
});

test("time constants of both kinds are drawn and trained by name", async () => {
  const constants = {
    tauExcMs: { distribution: "gamma", mean: 6, shape: 3 },
    tauInhMs: { distribution: "gamma", mean: 15, shape: 3 },
  } as const;
  const layer = { ...excInh, model: { type: "StorkExcInhLIF", parameters: constants } };
  const { spec, plan } = await prepared([{ ...layer, trainable: { tauExcMs: {}, tauInhMs: { shared: false } } }]);
  const { parameters } = spec.populations[0].model;
  for (const name of ["tauExcMs", "tauInhMs"]) expect(new Set(parameters[name] as Float32Array).size).toBe(8);
  expect(plan.constants.map(({ parameter }) => parameter)).toEqual(["tauExcMs", "tauInhMs"]);
});
