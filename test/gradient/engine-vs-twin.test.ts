/** The f32 engine against the float64 twin: the same spikes, and gradients to 2e-4 of the largest entry. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exp } from "../../src/expression/build.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import { type ReferenceResult, referenceGradients } from "../../src/learning/gradient/reference.ts";
import type { GradientNetwork } from "../../src/learning/gradient/spec.ts";
import { readoutModels } from "../../src/model/built-in.ts";
import { defineModel, type Model } from "../../src/model/define.ts";
import { hoistModel } from "../../src/model/hoist.ts";
import { resolveModel } from "../../src/model/resolve.ts";
import { addGradients, gradientDifferences, type RandomCase, randomCases, squaredError } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";

const near = 1e-4;

/** Whether rounding to f32 could flip a spike, or cross the edge of a surrogate's support. */
function isOnTheEdge({ populations, readout }: GradientNetwork, { margins }: ReferenceResult): boolean {
  return populations.some(({ surrogate }, p) => {
    if (p === readout) return false;
    const edges = Number.isFinite(surrogate.support) ? [0, surrogate.support] : [0];
    return margins[p].some((margin) => edges.some((edge) => Math.abs(Math.abs(margin) - edge) < near));
  });
}

function twin(given: RandomCase, sample: number): ReferenceResult {
  const { network, values, samples, loss, costs, feedback, truncateSteps, sent } = given;
  return referenceGradients(network, values, samples[sample], loss, costs[sample], {
    feedback,
    sent: sent[sample],
    truncateSteps: truncateSteps > 0 ? truncateSteps : undefined,
  });
}

type Tally = { spikes: number; arrays: number };

/** Gradients as they are added up over the samples of the case. */
function compare(given: RandomCase, tally: Tally): void {
  const { network, values, samples, loss, costs, feedback, sent, costsOverTime, truncateSteps, tapeBytes } = given;
  const wanted = samples.map((_, s) => twin(given, s));
  fc.pre(!wanted.some((result) => isOnTheEdge(network, result)));
  const engine = prepare({ network, costsOverTime, truncateSteps, tapeBytes }, values, feedback);
  const results = samples.map((sample, s) => runEngine(engine, values, sample, loss, costs[s], sent[s]));
  for (const [s, result] of results.entries()) {
    for (const [p, spikes] of result.spikes.entries()) {
      if (p === network.readout) continue;
      expect(spikes).toEqual(wanted[s].spikes[p]);
      tally.spikes += spikes.reduce((sum, z) => sum + z, 0);
    }
  }
  const { gradients } = results[results.length - 1];
  const total = wanted.map((result) => result.gradients).reduce((a, b) => addGradients(network, a, b));
  for (const { name, difference, largest } of gradientDifferences(network, gradients, total)) {
    expect(difference, name).toBeLessThan(2e-4);
    if (largest > 1e-4) tally.arrays++;
  }
}

const runs = Number(process.env.VOLLEY_RUNS ?? 80);
const seed = Number(process.env.VOLLEY_SEED ?? 3);

describe("random networks", () => {
  it("spike in the engine as in the twin, and have its gradients", () => {
    const tally = { spikes: 0, arrays: 0 };
    fc.assert(
      fc.property(randomCases(), (given) => compare(given, tally)),
      { numRuns: runs, seed },
    );
    // Most networks are alive, and most of their gradients are not 0.
    expect(tally.spikes).toBeGreaterThan(12 * runs);
    expect(tally.arrays).toBeGreaterThan(3 * runs);
  });

  it("do so where neurons have several inputs, and projections start from parts of populations", () => {
    const tally = { spikes: 0, arrays: 0 };
    const few = Math.ceil(runs / 3);
    fc.assert(
      fc.property(randomCases({ models: ["StorkExcInhLIF"] }), (given) => compare(given, tally)),
      { numRuns: few, seed },
    );
    expect(tally.spikes).toBeGreaterThan(12 * few);
    expect(tally.arrays).toBeGreaterThan(3 * few);
  });

  it("keep values, matrices and gradients when a longer sample needs more memory", () => {
    const tally = { spikes: 0, arrays: 0 };
    fc.assert(
      fc.property(randomCases({ steps: [3, 100] }), (given) => compare(given, tally)),
      { numRuns: Math.ceil(runs / 8), seed },
    );
    expect(tally.arrays).toBeGreaterThan(3 * Math.ceil(runs / 8));
  });
});

const LI = resolveModel({ type: "LI", parameters: {} }, undefined, readoutModels.LI);

/** A recurrent population of 5 neurons of this model (so that 3 lanes are padding), everything trainable. */
function oneOf(model: Model, gain: number): RandomCase {
  const size = 5;
  const trainable = Object.keys(model.parameters);
  const network: GradientNetwork = {
    dtMs: 1,
    inputs: 2,
    populations: [
      {
        name: "hidden",
        size,
        model: resolveModel({ type: model.name, parameters: {} }, size, model),
        surrogate: surrogates.fastSigmoid(2),
        detachReset: false,
        trainable,
        bias: true,
      },
      {
        name: "readout",
        size: 3,
        model: LI,
        surrogate: surrogates.none(),
        detachReset: true,
        trainable: [],
        bias: false,
      },
    ],
    projections: [
      { name: "in", source: "input", target: 0, delaySteps: 0, connectivity: "dense", backward: "none", trained: true },
      { name: "rec", source: 0, target: 0, delaySteps: 1, connectivity: "dense", backward: "weights", trained: true },
      { name: "out", source: 0, target: 1, delaySteps: 0, connectivity: "dense", backward: "weights", trained: true },
    ],
    readout: 1,
  };
  const wave = (count: number, scale: number) =>
    Float32Array.from({ length: count }, (_, i) => scale * (0.4 + 0.6 * (((i * 5) % 7) / 3 - 1)));
  const channels = Uint32Array.from({ length: 30 }, (_, t) => (t >> 1) % 2);
  return {
    network,
    values: {
      weights: [wave(2 * size, gain), wave(size * size, 0.2 * gain), wave(3 * size, 0.5)],
      bias: [wave(size, 0.5 * gain), null],
      constants: [
        Object.fromEntries(
          trainable.map((name) => [name, new Float32Array(size).fill(model.parameters[name].default)]),
        ),
        {},
      ],
    },
    feedback: [null, null, null],
    sent: [[null, null]],
    samples: [{ steps: 30, offsets: Uint32Array.from({ length: 31 }, (_, t) => t), channels, values: null }],
    costs: [[null, null]],
    costsOverTime: false,
    truncateSteps: 0,
    tapeBytes: 4000,
    loss: squaredError,
  };
}

const plain = (value: number, doc = "") => ({ unit: "1", default: value, doc });
const v = { unit: "1", initial: 0, doc: "" };

describe("models of users", () => {
  it("may divide by a learned parameter in every step: padding must not become NaN", () => {
    const model = defineModel({
      name: "exponential",
      description: "",
      source: "",
      parameters: { tau: plain(10), slope: plain(0.2), threshold: plain(1), reset: plain(0.1) },
      states: { v },
      step: ({ v, current, dtMs, tau, slope, threshold }) => ({
        v: v.plus(dtMs.over(tau).times(current.minus(v).plus(slope.times(exp(v.minus(threshold).over(slope)))))),
      }),
      margin: ({ v, threshold }) => v.minus(threshold),
      reset: ({ reset }) => ({ v: reset }),
    });
    const tally = { spikes: 0, arrays: 0 };
    compare(oneOf(model, 6), tally);
    expect(tally).toEqual({ spikes: expect.any(Number), arrays: 8 });
    expect(tally.spikes).toBeGreaterThan(5);
  });

  it("may call their parameters as the engine calls its own values", () => {
    const model = defineModel({
      name: "names",
      description: "",
      source: "",
      parameters: { margin: plain(1), spike: plain(0.9), h0: plain(0.8), h1: plain(0.3) },
      states: { v, z: v },
      step: ({ v, z, current, spike, h0, h1 }) => ({
        v: v.times(spike.times(h0)).plus(current.times(h1)).minus(z.times(h0)),
        z: z.times(h1),
      }),
      margin: ({ v, margin }) => v.minus(margin),
      reset: ({ z, h0 }) => ({ z: z.plus(h0) }),
    });
    const { parameters, hoisted } = hoistModel(model);
    const names = [...parameters, ...hoisted.map(({ name }) => name)];
    expect(new Set(names).size).toBe(names.length);
    const tally = { spikes: 0, arrays: 0 };
    compare(oneOf(model, 2), tally);
    expect(tally.arrays).toBe(8);
    expect(tally.spikes).toBeGreaterThan(5);
  });

  it("may hand states on from one to the next", () => {
    const model = defineModel({
      name: "pipe",
      description: "",
      source: "",
      parameters: { leak: plain(0.8), threshold: plain(1) },
      states: { v, first: v, second: v },
      step: ({ v, first, second, current, leak }) => ({ v: v.times(leak).plus(second), first: current, second: first }),
      margin: ({ v, threshold }) => v.minus(threshold),
      reset: ({ v, second, threshold }) => ({ v: v.minus(threshold), first: second }),
    });
    const tally = { spikes: 0, arrays: 0 };
    compare(oneOf(model, 0.5), tally);
    expect(tally.arrays).toBe(6);
    expect(tally.spikes).toBeGreaterThan(5);
  });
});
