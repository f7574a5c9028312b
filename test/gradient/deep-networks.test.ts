/** Layers that depth needs, together: convolutions, pooling, dropout and skip connections in engine and twin. */
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { constant } from "../../src/expression/build.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import { checkGradients } from "../../src/learning/gradient/check-gradients.ts";
import { cutForEprop } from "../../src/learning/gradient/check-gradients-network.ts";
import { Dropout } from "../../src/learning/gradient/dropout.ts";
import { forwardEprop } from "../../src/learning/gradient/forward-eprop.ts";
import { type OutputLoss, referenceGradients } from "../../src/learning/gradient/reference.ts";
import type {
  GradientNetwork,
  NetworkValues,
  PopulationSpec,
  ProjectionSpec,
} from "../../src/learning/gradient/spec.ts";
import { StreamingClassifier } from "../../src/learning/gradient/stream.ts";
import { StreamingEprop } from "../../src/learning/gradient/streaming-eprop.ts";
import { readoutModels } from "../../src/model/built-in.ts";
import { defineModel, type Model } from "../../src/model/define.ts";
import { Or, straightThrough } from "../../src/model/pooling.ts";
import { resolveModel } from "../../src/model/resolve.ts";
import { asTheyAre, poolingConnections } from "../../src/network/pooling.ts";
import { openDraws } from "../../src/random/draws.ts";
import { deepNetwork, deepValues } from "./deep-network.ts";
import { gradientDifferences, squaredError } from "./random-networks.ts";
import { prepare, runEngine } from "./run-engine.ts";
import { projection } from "./small-networks.ts";

function drawEvents({ inputs }: GradientNetwork, steps: number, seed: number): StepEvents {
  const draws = openDraws(seed, "deep events");
  const offsets = new Uint32Array(steps + 1);
  const channels: number[] = [];
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < inputs; i++) if (draws.uniform() < 0.15) channels.push(i);
    offsets[t + 1] = channels.length;
  }
  return { steps, offsets, channels: Uint32Array.from(channels), values: null };
}

function sentOf(network: GradientNetwork, seed: number): (Float64Array | null)[] {
  const sent: (Float64Array | null)[] = network.populations.map(() => null);
  new Dropout(network, seed).forSample({ step: 3, place: 2 }, (p, factors) => {
    sent[p] = factors;
  });
  return sent;
}

describe("a deep network", () => {
  it("spikes in the engine as in the twin, and has its gradients", () => {
    for (const [seed, tapeBytes] of [
      [1, 2 ** 26],
      [2, 10_000],
    ]) {
      const network = deepNetwork();
      const values = deepValues(network, seed);
      const sample = drawEvents(network, 25, seed);
      const sent = sentOf(network, seed);
      const wanted = referenceGradients(network, values, sample, squaredError, [], { sent });
      const engine = prepare({ network, tapeBytes }, values);
      const { spikes, gradients } = runEngine(engine, values, sample, squaredError, [], sent);
      for (const [p, own] of spikes.entries()) {
        if (p === network.readout) continue;
        expect(own).toEqual(wanted.spikes[p]);
        const rate = own.reduce((sum, z) => sum + z, 0) / own.length;
        expect(rate, network.populations[p].name).toBeGreaterThan(0.01);
        expect(rate).toBeLessThan(0.9);
      }
      for (const { name, difference, largest } of gradientDifferences(network, gradients, wanted.gradients)) {
        expect(difference, name).toBeLessThan(2e-4);
        if (name !== "weights pooling") expect(largest, name).toBeGreaterThan(1e-4);
      }
      // Without dropout the same engine is the network without dropout.
      const whole = referenceGradients(network, values, sample, squaredError);
      expect(runEngine(engine, values, sample, squaredError).spikes[2]).toEqual(whole.spikes[2]);
      expect(whole.spikes[2]).not.toEqual(wanted.spikes[2]);
    }
  });

  it("keeps the padding of its gradients at 0", () => {
    const network = deepNetwork();
    const values = deepValues(network, 4);
    const engine = prepare({ network }, values);
    runEngine(engine, values, drawEvents(network, 20, 4), squaredError);
    const used = new Uint8Array(engine.valueLayout.length);
    const { weights, bias, constants } = engine.valueLayout;
    for (const segment of [...weights, ...bias, ...constants.flatMap(Object.values)]) {
      if (segment === null) continue;
      for (let r = 0; r < segment.rows; r++) {
        const from = segment.offset + r * segment.stride;
        used.fill(1, from, from + segment.columns);
      }
    }
    expect(used.filter((x) => x === 0).length).toBeGreaterThan(20);
    expect(engine.gradients.every((g, i) => used[i] === 1 || g === 0)).toBe(true);
  });

  it("has the gradients of finite differences", () => {
    const { differences, eprop, passed } = checkGradients(deepNetwork({ shape: [4, 4, 1] }), {
      steps: 6,
      entries: 4,
      seed: 2,
    });
    expect(differences.filter(({ verdict }) => verdict === "differs")).toEqual([]);
    expect(differences.filter(({ name }) => name.startsWith("weights")).map(({ verdict }) => verdict)).toEqual(
      new Array(7).fill("agrees"),
    );
    expect(eprop.filter(({ verdict }) => verdict === "differs")).toEqual([]);
    expect(passed).toBe(true);
  });

  it("has by e-prop forwards in time what the adjoint form has", () => {
    const network = cutForEprop(deepNetwork());
    const values = deepValues(network, 6);
    const sample = drawEvents(network, 15, 6);
    const sent = sentOf(network, 6);
    const wanted = referenceGradients(network, values, sample, squaredError, [], { sent });
    const actual = forwardEprop(network, values, sample, squaredError, [], { sent });
    for (const { name, difference } of gradientDifferences(network, actual.gradients, wanted.gradients)) {
      expect(difference, name).toBeLessThan(1e-12);
    }
    expect(Math.max(...wanted.gradients.weights[0].map(Math.abs))).toBeGreaterThan(1e-3);
  });

  it("is refused by streaming e-prop: shared weights and dropout have no place there", () => {
    const network = cutForEprop(deepNetwork({ dropout: 0 }));
    const values = deepValues(network, 6);
    expect(() => new StreamingEprop(network, values, { chunkSteps: 5 })).toThrow(UserError);
    expect(() => new StreamingEprop(network, values, { chunkSteps: 5 })).toThrow(/"convolution" are shared/);
  });
});

describe("samples", () => {
  it("start from the initial states of the model, the mean where it draws them, and again after a reset", () => {
    const model = defineModel({
      name: "charged",
      description: "",
      source: "",
      parameters: { leak: { unit: "1", default: 0.5, doc: "" }, high: { unit: "1", default: 5, doc: "" } },
      states: {
        v: { unit: "1", initial: 3, doc: "" },
        w: { unit: "1", initial: ({ high }) => ({ kind: "uniform", low: 1, high }), doc: "" },
        u: { unit: "1", initial: ({ high }) => ({ kind: "normal", mean: high, sd: 1 }), doc: "" },
      },
      // With w = 3 and u = 5 all the time a neuron spikes as long as 3 leak^(t+1) > 1.
      step: ({ v, w, u, leak }) => ({ v: v.times(leak), w, u }),
      margin: ({ v, w, u }) => v.plus(w.minus(3)).plus(u.minus(5)).minus(1),
      reset: () => ({}),
    });
    const leak = Float32Array.of(0.5, 0.2, 0.9, 0.6, 0.7);
    const readout = {
      ...readoutModels.LI,
      states: { y: { ...readoutModels.LI.states.y, initial: { kind: "constant", value: constant(4) } as const } },
    };
    const network: GradientNetwork = {
      dtMs: 1,
      inputs: 1,
      populations: [
        {
          name: "hidden",
          size: 5,
          model: resolveModel({ type: "charged", parameters: { leak } }, 5, model),
          surrogate: surrogates.fastSigmoid(1),
          detachReset: true,
          trainable: ["leak"],
          bias: false,
        },
        {
          name: "readout",
          size: 1,
          model: resolveModel({ type: "LI", parameters: { tauMemMs: 1 / Math.LN2 } }, 1, readout),
          surrogate: surrogates.none(),
          detachReset: true,
          trainable: [],
          bias: false,
        },
      ],
      projections: [projection(0, 1)],
      readout: 1,
    };
    const values: NetworkValues = { weights: [new Float32Array(5)], bias: [null, null], constants: [{ leak }, {}] };
    const sample: StepEvents = { steps: 4, offsets: new Uint32Array(5), channels: new Uint32Array(0), values: null };
    const spikes = Array.from({ length: 20 }, (_, i) => (3 * leak[i % 5] ** (Math.floor(i / 5) + 1) > 1 ? 1 : 0));
    const wanted = referenceGradients(network, values, sample, squaredError);
    expect([...wanted.spikes[0]]).toEqual(spikes);
    const engine = prepare({ network }, values);
    for (let round = 0; round < 2; round++) {
      const result = runEngine(engine, values, sample, squaredError);
      expect([...result.spikes[0]]).toEqual(spikes);
      for (const [t, y] of result.outputs.entries()) expect(y).toBeCloseTo(4 / 2 ** (t + 1), 5);
    }
    const classifier = new StreamingClassifier({ network, values });
    for (let round = 0; round < 2; round++) {
      for (let t = 0; t < 4; t++) {
        expect(classifier.step([])[0]).toBeCloseTo(4 / 2 ** (t + 1), 5);
        const own = Array.from({ length: 5 }, (_, j) => j).filter((j) => spikes[5 * t + j] === 1);
        expect([...classifier.spikes(0)]).toEqual(own);
      }
      classifier.reset();
    }
  });
});

describe("neurons without states", () => {
  it("pass the adjoint once to every neuron of the window, and spike where any of it did", () => {
    const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    const neuron = (name: string, size: number, model: Model): PopulationSpec => ({
      name,
      size,
      model: resolveModel({ type: model.name, parameters: {} }, size, model),
      surrogate: straightThrough,
      detachReset: true,
      trainable: [],
      bias: false,
    });
    const projection = (source: number | "input", target: number, connectivity: ProjectionSpec["connectivity"]) => ({
      name: `${source} to ${target}`,
      source,
      target,
      delaySteps: 0,
      connectivity,
      backward: source === "input" ? ("none" as const) : ("weights" as const),
      trained: true,
    });
    const each = { offsets: Uint32Array.of(0, 1, 2, 3, 4), targets: Uint32Array.of(0, 1, 2, 3) };
    const network: GradientNetwork = {
      dtMs: 1,
      inputs: 4,
      populations: [
        neuron("below", 4, Or),
        neuron("pool", 1, Or),
        { ...neuron("readout", 1, readoutModels.LI), surrogate: surrogates.none() },
      ],
      projections: [
        projection("input", 0, each),
        projection(0, 1, poolingConnections(asTheyAre([2, 2, 1]), window, "pool")),
        projection(1, 2, "dense"),
      ],
      readout: 2,
    };
    const ones = (n: number) => new Float32Array(n).fill(1);
    const values = {
      weights: [ones(4), ones(4), Float32Array.of(3)],
      bias: [null, null, null],
      constants: [{}, {}, {}],
    };
    // One spike, three spikes, none.
    const offsets = Uint32Array.of(0, 1, 4, 4);
    const sample: StepEvents = { steps: 3, offsets, channels: Uint32Array.of(2, 0, 1, 3), values: null };
    const lastOutput: OutputLoss = (outputs, steps) => {
      const derivative = new Float64Array(outputs.length);
      derivative[steps - 1] = 1;
      return { loss: outputs[steps - 1], derivative };
    };
    const twin = referenceGradients(network, values, sample, lastOutput);
    expect([...twin.spikes[1]]).toEqual([1, 1, 0]);
    // Of every step: weight 3 of the readout, which forgets exp(-1/20) per step.
    const k = Math.exp(-1 / 20);
    for (const [t, adjoint] of [3 * k * k, 3 * k, 3].entries()) {
      expect(twin.inputAdjoints[1][0][t]).toBeCloseTo(adjoint, 12);
      for (let i = 0; i < 4; i++) expect(twin.inputAdjoints[0][0][4 * t + i]).toBeCloseTo(adjoint, 12);
    }
    const engine = prepare({ network }, values);
    const { spikes, gradients } = runEngine(engine, values, sample, lastOutput);
    expect([...spikes[1]]).toEqual([1, 1, 0]);
    for (const [own, wanted] of [3 * k, 3 * k, 3 * k * k, 3 * k].entries()) {
      expect(gradients.weights[0][own]).toBeCloseTo(wanted, 5);
      expect(gradients.weights[1][own]).toBeCloseTo(wanted, 5);
    }
  });

  it("have gradients that agree with finite differences", () => {
    const { differences, passed } = checkGradients(Or, { steps: 8 });
    expect(differences.filter(({ verdict }) => verdict !== "agrees")).toEqual([]);
    expect(passed).toBe(true);
  });
});
