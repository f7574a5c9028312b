/** Weights that look at data, in networks with pooling between the layers. */
import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { poissonSample } from "../../../test/gradient/small-networks.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import { isRecurrent } from "../../learning/initialisation/afferents.ts";
import { initialWeights } from "../../learning/initialisation/draw.ts";
import { NetworkProbe, ratesOfActivity, ratesOfInput } from "../../learning/initialisation/measure.ts";
import { describeStart } from "../../learning/initialisation/report.ts";
import { dataDependentWeights } from "../../learning/initialisation/sequential.ts";
import { plainReader } from "./prepare.ts";
import type { LayerInput } from "./schema.ts";

const conv = (change: object = {}): LayerInput => ({ type: "conv1d", filters: 6, kernel: 3, padding: 1, ...change });
const pool = (method: "sum" | "average" | "max", change: object = {}): LayerInput => ({
  type: "pool",
  method,
  size: 2,
  ...change,
});
const last: LayerInput = { neurons: 20, recurrent: false };
const overlapping = { size: 3, stride: 1, padding: 1 };

const networks: [string, LayerInput[]][] = [
  ["sums", [conv(), pool("sum"), conv(), pool("sum"), last]],
  ["averages", [conv(), pool("average"), conv(), pool("average"), last]],
  ["maxima", [conv(), pool("max"), conv(), pool("max"), last]],
  ["windows that overlap", [conv(), pool("max", overlapping), conv(), pool("sum", overlapping), last]],
  ["pools of pools", [conv({ recurrent: true }), pool("sum"), pool("max"), conv(), pool("max"), pool("average"), last]],
  ["pools of the input", [pool("max"), pool("sum"), conv(), { type: "flatten" }, last]],
  ["a way around", [conv({ name: "a" }), pool("max", { name: "b" }), conv({ from: ["b", "a"] }), pool("sum"), last]],
];

const rule = { type: "fluctuation", sigma: 0.9, rate: "sequential" } as const;
const relative = (a: number, b: number) => Math.abs(a / b - 1);

/** 24 channels in a line; 15 samples of 40 steps, unless others are given. */
async function networkOf(layers: readonly LayerInput[], given?: readonly StepEvents[]) {
  const train = { generate: "randman", manifolds: 3, units: 24, steps: 40, samplesPerClass: 6, dimensions: 1 } as const;
  const prepared = await prepareSmall(smallExperiment({ data: { train }, layers }));
  const { spec, plan, data } = prepared;
  const read = await plainReader(prepared, data.training).prepare(0, data.training.indices);
  data.close();
  return {
    network: await compileNetwork(spec),
    // What pools is connected by fixed weights.
    starts: plan.projections.map((one) => (one.initial instanceof Float32Array ? one : { ...one, initial: rule })),
    seed: 5,
    dataRateHz: plan.dataRateHz,
    samples: given ?? read.map(({ events }) => events),
  };
}

test.each(networks)(
  "%s: weights are those of the rates that are measured, and exact ones reach their aim",
  async (_, layers) => {
    const request = await networkOf(layers);
    const { network, starts, samples } = request;
    const weights = dataDependentWeights({ ...request, exact: false });
    const measured = new NetworkProbe(network).look(weights, samples).map(ratesOfActivity);
    const known = starts.map((start, k) => {
      const { source } = network.projections[k];
      const { meanHz } = source === "input" ? ratesOfInput(network, samples) : measured[source];
      return start.initial instanceof Float32Array ? start : { ...start, initial: { ...rule, rate: meanHz } };
    });
    const expected = initialWeights(network, known, request.seed, null);
    for (const [k, projection] of network.projections.entries()) {
      // The rate of a recurrent layer is a fixed point within a few per cent.
      const tolerance = isRecurrent(projection) ? 0.05 : 1e-6;
      expect(Math.max(...weights[k].map((weight, w) => relative(weight, expected[k][w])))).toBeLessThan(tolerance);
    }
    const exact = dataDependentWeights({ ...request, exact: true });
    const { layers: described } = describeStart(network, starts, exact, samples);
    expect(described).toHaveLength(layers.filter(({ type = "dense" }) => type !== "pool" && type !== "flatten").length);
    for (const { measured: membrane } of described) expect(relative(membrane.sigma, rule.sigma)).toBeLessThan(0.02);
  },
);

test("a maximum fires more often than the neurons of its window, and averages are sums of weaker spikes", async () => {
  const weightsOf = async (method: "sum" | "average" | "max") => {
    const request = await networkOf([conv(), pool(method), last]);
    const weights = dataDependentWeights({ ...request, exact: true });
    const rates = new NetworkProbe(request.network).look(weights, request.samples).map(ratesOfActivity);
    return { weights, ratesHz: rates.map(({ meanHz }) => meanHz) };
  };
  const [sums, averages, maxima] = await Promise.all((["sum", "average", "max"] as const).map(weightsOf));
  expect(maxima.ratesHz[1]).toBeGreaterThan(1.2 * maxima.ratesHz[0]);
  expect(maxima.ratesHz[1]).toBeLessThan(2 * maxima.ratesHz[0]);
  const [, ofSums] = sums.weights;
  for (const [w, weight] of averages.weights[1].entries()) expect(weight).toBeCloseTo(2 * ofSums[w], 6);
});

test.each(["sum", "average", "max"] as const)(
  "independent spikes through %s pools move membranes as the formula says",
  async (method) => {
    const poisson = Array.from({ length: 4 }, (_, i) => poissonSample(7, i, { inputs: 24, steps: 1500, rateHz: 30 }));
    const layers = [pool(method, { size: 3 }), { type: "flatten" as const }, { neurons: 150, recurrent: false }];
    const request = await networkOf(layers, poisson);
    const weights = dataDependentWeights({ ...request, exact: false });
    const [{ measured, implied }] = describeStart(request.network, request.starts, weights, poisson).layers;
    // 8 places and 150 neurons are 1200 weights, whose mean square is off by some 4 %.
    expect(relative(implied.sigma, rule.sigma)).toBeLessThan(0.06);
    expect(relative(measured.sigma, implied.sigma)).toBeLessThan(0.06);
  },
);
