/** Dale's law where excitatory and inhibitory synapses have constants of their own. */
import { expect, test } from "vitest";
import { poissonSample, population, projection, stack } from "../../../test/gradient/small-networks.ts";
import type { GradientNetwork, SparseRows } from "../gradient/spec.ts";
import type { InitialWeights } from "./descriptions.ts";
import { initialWeights, type Start } from "./draw.ts";
import { impliedMembrane } from "./implied.ts";
import { NetworkProbe, ratesOfPart } from "./measure.ts";
import { describeStart } from "./report.ts";
import { dataDependentWeights } from "./sequential.ts";

const relative = (a: number, b: number) => Math.abs(a / b - 1);

/** Excitatory and inhibitory neurons in one layer, each kind with synapses of its own. */
function twoKinds(
  channels: number,
  neurons: number,
  excitatory: number,
): { network: GradientNetwork; starts: Start[] } {
  const hidden = population(neurons, { tauMemMs: 20, tauExcMs: 10, tauInhMs: 20 }, "StorkExcInhLIF");
  const plain = stack(channels, [hidden]);
  const own = (into: string, from: number, to: number) => projection(0, 0, { name: into, into, sources: { from, to } });
  const [below, out] = plain.projections;
  const initial: InitialWeights = { type: "daleFluctuation" };
  return {
    network: {
      ...plain,
      projections: [below, own("excitation", 0, excitatory), own("inhibition", excitatory, neurons), out],
    },
    starts: [
      { initial, signs: new Int8Array(channels).fill(1) },
      { initial, signs: new Int8Array(excitatory).fill(1) },
      { initial, signs: new Int8Array(neurons - excitatory).fill(-1) },
      { initial: { type: "normal" }, signs: null },
    ],
  };
}

test("Dale's law with two synaptic constants: mean 0, sigma and share in the published shape", () => {
  const { network, starts } = twoKinds(700, 160, 128);
  const weights = initialWeights(network, starts, 5, 15.8);
  const rates = network.projections.map(() => ({ meanHz: 15.8, perSourceHz: null }));
  const { mean, sigma, spread } = impliedMembrane(network, weights, rates, 0);
  expect(Math.abs(mean)).toBeLessThan((4 * spread) / Math.sqrt(160));
  expect(relative(sigma, 1)).toBeLessThan(0.03);
  const variance = (k: number) => {
    const alone = weights.map((own, other) => (other === k ? own : new Float32Array(own.length)));
    return impliedMembrane(network, alone, rates, 0).sigma ** 2;
  };
  expect(relative(variance(0) / (variance(0) + variance(1)), 0.9)).toBeLessThan(0.02);
  // The balance rests on both integrals: inhibition of twice the constant needs half the weight.
  const sumOf = (k: number) => weights[k].reduce((sum, w) => sum + w, 0);
  expect(relative(-(sumOf(0) + sumOf(1)) / sumOf(2), 2)).toBeLessThan(0.05);
});

test("Dale's law with two synaptic constants: a free membrane in Poisson spikes is as it was aimed at", () => {
  // Every fifth channel inhibits: rows of the others are empty where they do not lead.
  const [channels, neurons] = [400, 40];
  const isInhibitory = (channel: number) => channel % 5 === 4;
  const rowsOf = (here: (channel: number) => boolean): SparseRows => {
    const offsets = new Uint32Array(channels + 1);
    for (let i = 0; i < channels; i++) offsets[i + 1] = offsets[i] + (here(i) ? neurons : 0);
    return { offsets, targets: Uint32Array.from({ length: offsets[channels] }, (_, s) => s % neurons) };
  };
  const hidden = population(neurons, { tauMemMs: 20, tauExcMs: 5, tauInhMs: 25 }, "StorkExcInhLIF");
  const plain = stack(channels, [hidden]);
  const leading = (into: string, here: (channel: number) => boolean) =>
    projection("input", 0, { name: into, into, connectivity: rowsOf(here) });
  const network: GradientNetwork = {
    ...plain,
    projections: [
      leading("excitation", (channel) => !isInhibitory(channel)),
      leading("inhibition", isInhibitory),
      plain.projections[1],
    ],
  };
  const signs = [1, -1].map((sign) => new Int8Array(channels).fill(sign));
  const initial: InitialWeights = { type: "daleFluctuation" };
  const starts: Start[] = [
    ...signs.map((own) => ({ initial, signs: own })),
    { initial: { type: "normal" }, signs: null },
  ];
  const rateHz = 12;
  const weights = initialWeights(network, starts, 3, rateHz);
  const samples = Array.from({ length: 10 }, (_, i) =>
    poissonSample(8, i, { inputs: channels, steps: 6000, rateHz, dtMs: 1 }),
  );
  const [layer] = describeStart(network, starts, weights, samples).layers;
  expect(layer.aim).toMatchObject({ mean: 0, sigma: 1 });
  expect(relative(layer.measured.sigma, 1)).toBeLessThan(0.04);
  expect(Math.abs(layer.measured.mean)).toBeLessThan(3 * (layer.measured.spread / Math.sqrt(neurons)) + 0.1);
  expect(relative(layer.implied.sigma, layer.measured.sigma)).toBeLessThan(0.04);
});

test("rates that were measured are those of the part of a population that a projection starts from", () => {
  const rates = { meanHz: 4, perSourceHz: Float64Array.of(1, 2, 3, 10) };
  const part = (sources?: { from: number; to: number }) => ratesOfPart(rates, projection(0, 0, { sources }));
  expect(part({ from: 1, to: 3 })).toEqual({ meanHz: 2.5, perSourceHz: Float64Array.of(2, 3) });
  expect(part()).toBe(rates);
  // Layer by layer the rates of both kinds are measured apart.
  const { network, starts } = twoKinds(60, 20, 15);
  const sequential: Start[] = starts.map((start) =>
    start.signs === null ? start : { ...start, initial: { type: "daleFluctuation", rate: "sequential" } },
  );
  const samples = [poissonSample(2, 0, { inputs: 60, steps: 400, rateHz: 30 })];
  const request = { network, starts: sequential, seed: 5, dataRateHz: 30, samples, exact: false };
  const weights = dataDependentWeights(request);
  const looked = new NetworkProbe(network).look(weights, samples)[0].counts;
  expect(looked.some((count) => count > 0)).toBe(true);
  expect(weights.every((own) => own.every(Number.isFinite))).toBe(true);
  const again = initialWeights(network, starts, 5, 30);
  const scales = [1, 2].map((k) => weights[k][0] / again[k][0]);
  // One factor for each kind of source, so that the two rates are seen to differ from the rate of the data.
  for (const [i, k] of [1, 2].entries()) {
    expect(Math.max(...weights[k].map((w, at) => Math.abs(w / again[k][at] / scales[i] - 1)))).toBeLessThan(1e-5);
    expect(Math.abs(scales[i] - 1)).toBeGreaterThan(0.02);
  }
});

test("excitatory sources that lead into different inputs cannot be balanced", () => {
  const { network, starts } = twoKinds(20, 10, 8);
  const projections = network.projections.map((one, k) => (k === 1 ? { ...one, into: "inhibition" } : one));
  expect(() => initialWeights({ ...network, projections }, starts, 5, 10)).toThrow(
    /sources that excite "hidden1" lead into excitation and inhibition; let them lead into one input/,
  );
});
