import { expect, test } from "vitest";
import { poissonSample, population, stack, startsWith } from "../../../test/gradient/small-networks.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import type { GradientNetwork } from "../gradient/spec.ts";
import type { InitialWeights } from "./descriptions.ts";
import { initialWeights } from "./draw.ts";
import { impliedMembrane } from "./implied.ts";
import { NetworkProbe, PopulationProbe, ratesOfActivity, ratesOfInput, summarise } from "./measure.ts";
import { describeStart } from "./report.ts";
import { dataDependentWeights } from "./sequential.ts";

const inputs = 150;
const samples = Array.from({ length: 6 }, (_, i) => poissonSample(11, i, { inputs, steps: 500, rateHz: 20 }));
const relative = (a: number, b: number) => Math.abs(a / b - 1);
const sequentially = (
  network: GradientNetwork,
  initial: InitialWeights,
  change: { readonly exact?: boolean; readonly of?: readonly StepEvents[] } = {},
) => {
  const { exact = false, of = samples } = change;
  return dataDependentWeights({
    network,
    starts: startsWith(network, initial),
    seed: 5,
    dataRateHz: 20,
    samples: of,
    exact,
  });
};

test("the free membrane of Poisson inputs is what the formulas say, and its neurons never spike", () => {
  const long = [poissonSample(3, 0, { inputs, steps: 8000, rateHz: 20 })];
  const network = stack(inputs, [population(30)]);
  const weights = initialWeights(network, startsWith(network, { type: "fluctuation", sigma: 0.5, mean: 0.3 }), 5, 20);
  const { free, activity } = new PopulationProbe(network, 0).look(weights, long);
  const implied = impliedMembrane(network, weights, [ratesOfInput(network, long), null], 0);
  const [{ measured }] = describeStart(network, startsWith(network, { type: "fluctuation" }), weights, long).layers;
  expect(relative(measured.sigma, 0.5)).toBeLessThan(0.1);
  expect(relative(measured.sigma, implied.sigma)).toBeLessThan(0.1);
  expect(Math.abs(measured.mean - implied.mean)).toBeLessThan(0.02);
  expect(relative(measured.spread, implied.spread)).toBeLessThan(0.15);
  expect(Math.max(...free.values)).toBeGreaterThan(1.2);
  expect(summarise(activity).rateHz).toBeGreaterThan(0);
});

test("every layer starts from the rate that is measured below it", () => {
  const network = stack(inputs, [population(60), population(50), population(40)]);
  const weights = sequentially(network, { type: "fluctuation", sigma: 1.2, rate: "sequential" });
  const activities = new NetworkProbe(network).look(weights, samples);
  expect(activities.map(({ seconds }) => seconds)).toEqual([3, 3, 3, 3]);
  const ratesHz = [ratesOfInput(network, samples), ...activities.map(ratesOfActivity)].map(({ meanHz }) => meanHz);
  // As if the rates had been known: the same weights, whatever the layers above.
  for (let p = 0; p < 3; p++) {
    const known = startsWith(network, { type: "fluctuation", sigma: 1.2, rate: ratesHz[p] });
    const expected = initialWeights(network, known, 5, null)[p];
    expect(Math.max(...weights[p].map((value, w) => Math.abs(value - expected[w])))).toBeLessThan(1e-6);
  }
  // Not what any of them would be by the rate of the data.
  for (const hz of ratesHz.slice(1, 4)) expect(relative(hz, 20)).toBeGreaterThan(0.02);
});

test("recurrent connections: their own rate is a fixed point within a few per cent", () => {
  const network = stack(inputs, [population(80)], { recurrent: true });
  const weights = sequentially(network, { type: "fluctuation", rate: "sequential" });
  const [hidden] = new NetworkProbe(network).look(weights, samples);
  const { meanHz } = ratesOfActivity(hidden);
  const settled = startsWith(network, { type: "fluctuation", rate: meanHz });
  const expected = initialWeights(network, settled, 5, null)[1];
  for (const [w, value] of weights[1].entries())
    if (w % 97 === 0) expect(relative(value, expected[w])).toBeLessThan(0.05);
});

test("a population that only pools spikes has a rate, no membrane, and keeps its weights", () => {
  const bare = stack(inputs, [population(40), population(20, {}, "Or"), population(30)]);
  // Each of the 20 hears two of the 40.
  const pairs = {
    offsets: Uint32Array.from({ length: 41 }, (_, i) => i),
    targets: Uint32Array.from({ length: 40 }, (_, i) => Math.floor(i / 2)),
  };
  const network = {
    ...bare,
    projections: bare.projections.map((one, k) => (k === 1 ? { ...one, connectivity: pairs, trained: false } : one)),
  };
  const starts = startsWith(network, { type: "fluctuation", rate: "sequential" }).map((start, k) =>
    k === 1 ? { ...start, initial: new Float32Array(40).fill(1) } : start,
  );
  const weights = dataDependentWeights({ network, starts, seed: 5, dataRateHz: 20, samples, exact: true });
  expect(weights[1]).toEqual(starts[1].initial);
  const [below, pooled] = new NetworkProbe(network).look(weights, samples).map((one) => summarise(one).rateHz);
  expect(pooled).toBeGreaterThan(below);
  const { layers } = describeStart(network, starts, weights, samples);
  expect(layers.map(({ name }) => name)).toEqual(["hidden1", "hidden3"]);
  for (const { measured } of layers) expect(relative(measured.sigma, 1)).toBeLessThan(0.02);
});

test("exact: the measured sigma is the one aimed at, also of correlated inputs and of rules without an aim", () => {
  // All channels fire together: the formula for independent trains is far off.
  const together = samples.map((sample, i): StepEvents => {
    const clock = poissonSample(12, i, { inputs: 1, steps: sample.steps, rateHz: 20 });
    const channels: number[] = [];
    const offsets = new Uint32Array(sample.steps + 1);
    for (let t = 0; t < sample.steps; t++) {
      if (clock.offsets[t + 1] > clock.offsets[t]) for (let c = 0; c < inputs; c++) channels.push(c);
      offsets[t + 1] = channels.length;
    }
    return { steps: sample.steps, offsets, channels: Uint32Array.from(channels), values: null };
  });
  const network = stack(inputs, [population(60), population(50)], { recurrent: true });
  for (const [initial, aim] of [
    [{ type: "fluctuation", sigma: 0.8, rate: "sequential" }, 0.8],
    [{ type: "normal", gain: 0.1 }, 1],
  ] satisfies [InitialWeights, number][]) {
    const starts = startsWith(network, initial);
    const weights = sequentially(network, initial, { exact: true, of: together });
    for (const { measured } of describeStart(network, starts, weights, together).layers) {
      expect(relative(measured.sigma, aim)).toBeLessThan(0.02);
    }
  }
});

test("currents: their mean squares stand for a rate", () => {
  const currents = samples.map((sample) => ({
    ...sample,
    values: Float32Array.from({ length: sample.channels.length }, () => 0.25),
  }));
  const network = stack(inputs, [population(40)]);
  const { meanHz, perSourceHz } = ratesOfInput(network, currents);
  const spikes = ratesOfInput(network, samples);
  expect(relative(meanHz, spikes.meanHz / 16)).toBeLessThan(0.06);
  expect(perSourceHz!.length).toBe(inputs);
  const weights = sequentially(network, { type: "fluctuation", rate: "sequential" }, { of: currents });
  const [{ measured }] = describeStart(network, startsWith(network, { type: "normal" }), weights, currents).layers;
  expect(relative(measured.sigma, 1)).toBeLessThan(0.1);
});

test("twice the same bytes; a layer that nothing reaches is named", () => {
  const network = stack(inputs, [population(20), population(20)], { recurrent: true });
  const rule = { type: "fluctuation", rate: "sequential" } as const;
  expect(sequentially(network, rule, { exact: true })).toEqual(sequentially(network, rule, { exact: true }));
  const silent = { type: "fluctuation", rate: "sequential", sigma: 0.01 } as const;
  expect(() => sequentially(network, silent)).toThrow(
    /^the initial rule of "0-1" is .* its sources never fire; raise sigma/,
  );
  expect(() =>
    sequentially(network, { type: "normal", gain: 1e-3 }, { exact: true, of: [emptied(samples[0])] }),
  ).toThrow(/the free membrane of "hidden1" does not move in 1 samples/);
});

const emptied = ({ steps }: StepEvents): StepEvents => ({
  steps,
  offsets: new Uint32Array(steps + 1),
  channels: new Uint32Array(0),
  values: null,
});
