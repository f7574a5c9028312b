/** Step by step the same bytes as a whole sample, for any network; states that outlive pages; mistakes that are refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RandomCase, randomCases } from "../../../test/gradient/random-networks.ts";
import { prepare } from "../../../test/gradient/run-engine.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { type LossDescription, makeLoss } from "../losses/loss.ts";
import { StreamingClassifier } from "./stream.ts";

/** The sample again and again, so that it goes over several pages. */
function repeated(sample: StepEvents, times: number): StepEvents {
  const { steps, channels, values } = sample;
  const count = sample.offsets[steps];
  const offsets = Uint32Array.from(
    { length: steps * times + 1 },
    (_, t) => Math.floor(t / steps) * count + sample.offsets[t % steps],
  );
  const again = <A>(array: ArrayLike<A>) => Array.from({ length: times }, () => Array.from(array)).flat();
  return {
    steps: steps * times,
    offsets,
    channels: Uint32Array.from(again(channels)),
    values: values === null ? null : Float32Array.from(again(values)),
  };
}

function* rows({ steps, offsets, channels, values }: StepEvents) {
  for (let t = 0; t < steps; t++) {
    const [from, to] = [offsets[t], offsets[t + 1]];
    yield { channels: channels.subarray(from, to), values: values?.subarray(from, to) ?? null };
  }
}

/** Outputs of the engine without padding, `[step][output]`, and spikes of every step and population. */
function whole({ network, values }: RandomCase, sample: StepEvents) {
  const engine = prepare({ network, backward: false }, values);
  const trace = engine.forward(sample);
  const { size } = network.populations[network.readout];
  const outputs = Array.from({ length: sample.steps }, (_, t) =>
    Array.from(trace.subarray(t * engine.outputStride, t * engine.outputStride + size)),
  );
  const spikes = network.populations.map((_, p) => {
    if (p === network.readout) return outputs.map(() => [] as number[]);
    const { neurons, starts } = engine.spikes(p);
    return outputs.map((_, t) => Array.from(neurons.subarray(starts[t], starts[t + 1])));
  });
  return { outputs, spikes };
}

const stream = ({ network, values }: RandomCase, loss?: LossDescription) =>
  new StreamingClassifier({ network, values, loss });

const longSample = (given: RandomCase): StepEvents =>
  repeated(given.samples[0], Math.ceil(200 / given.samples[0].steps));

describe("StreamingClassifier", () => {
  it("gives the outputs and spikes of a whole sample, bit for bit, whatever the network", () => {
    let spiked = 0;
    fc.assert(
      fc.property(randomCases(), (given) => {
        const sample = longSample(given);
        const wanted = whole(given, sample);
        const classifier = stream(given);
        // The second time from reset.
        for (let round = 0; round < 2; round++) {
          const outputs: number[][] = [];
          const spikes: number[][][] = wanted.spikes.map(() => []);
          for (const { channels, values } of rows(sample)) {
            outputs.push(Array.from(classifier.step(channels, values)));
            for (const [p, ofPopulation] of spikes.entries()) ofPopulation.push(Array.from(classifier.spikes(p)));
          }
          expect(outputs).toEqual(wanted.outputs);
          expect(spikes).toEqual(wanted.spikes);
          expect(classifier.steps).toBe(sample.steps);
          spiked += spikes.flat(2).length;
          classifier.reset();
          expect(classifier.steps).toBe(0);
        }
      }),
      { numRuns: 40, seed: 5 },
    );
    expect(spiked).toBeGreaterThan(5_000);
  });

  it("takes events with and without values in turn", () => {
    fc.assert(
      fc.property(randomCases(), (given) => {
        const plain = { ...longSample(given), values: null };
        const valued = { ...plain, values: new Float32Array(plain.channels.length).fill(1) };
        const wanted = whole(given, valued);
        const classifier = stream(given);
        const plainRows = [...rows(plain)];
        const outputs = [...rows(valued)].map(({ channels, values }, t) =>
          Array.from(t % 3 === 0 ? classifier.step(channels, values) : classifier.step(plainRows[t].channels)),
        );
        expect(outputs).toEqual(wanted.outputs);
      }),
      { numRuns: 20, seed: 6 },
    );
  });

  const losses: LossDescription[] = [
    { type: "crossEntropy" },
    { type: "crossEntropy", readout: "last" },
    { type: "crossEntropy", readout: "sum" },
    { type: "crossEntropy", readout: "mean" },
    { type: "crossEntropy", readout: "perStep" },
    { type: "crossEntropy", readout: "perStep", prediction: "max", fromStep: 7 },
    { type: "focal", readout: "max", fromStep: 3, toStep: 60 },
    { type: "squaredError", readout: "mean", fromStep: 5, toStep: 90 },
  ];
  it.each(losses)("predicts as the loss does after every step: %j", (loss) => {
    fc.assert(
      fc.property(randomCases(), (given) => {
        const sample = longSample(given);
        const { size } = given.network.populations[given.network.readout];
        const rule = makeLoss(loss, size);
        const trace = Float32Array.from(whole(given, sample).outputs.flat());
        const classifier = stream(given, loss);
        expect(Array.from(classifier.probabilities())).toEqual(Array.from({ length: size }, () => 1 / size));
        for (const { channels, values } of rows(sample)) {
          classifier.step(channels, values);
          if (classifier.steps <= (loss.fromStep ?? 0)) {
            expect(classifier.predicted).toBe(0);
            continue;
          }
          const { predicted, probabilities } = rule.predict(trace, classifier.steps);
          expect(Array.from(classifier.probabilities())).toEqual(Array.from(probabilities));
          expect(classifier.predicted).toBe(predicted);
        }
      }),
      { numRuns: 6, seed: 7 },
    );
  });

  it("keeps its memory over a million steps", () => {
    const [given] = fc.sample(randomCases({ models: ["GennALIF"] }), { numRuns: 1, seed: 8 });
    const classifier = stream(given);
    const before = classifier.memoryBytes;
    const channels = Uint32Array.from({ length: given.network.inputs }, (_, i) => i);
    let spikes = 0;
    for (let t = 0; t < 1_000_000; t++) {
      classifier.step(t % 5 === 0 ? channels : []);
      if (t >= 999_000) spikes += classifier.spikes(0).length;
    }
    expect(classifier.memoryBytes).toBe(before);
    expect(classifier.steps).toBe(1_000_000);
    expect(spikes).toBeGreaterThan(0);
  });

  it("refuses channels that do not exist, and goes on as if they had not been given", () => {
    const [given] = fc.sample(randomCases(), { numRuns: 1, seed: 9 });
    const { inputs } = given.network;
    const sample = longSample(given);
    const { outputs } = whole(given, sample);
    const classifier = stream(given);
    for (const [t, { channels, values }] of [...rows(sample)].entries()) {
      for (const bad of [inputs, -1, 0.5, Number.NaN, 2 ** 32]) {
        expect(() => classifier.step([0, bad].slice(-inputs))).toThrow(/the network has channels 0 to/);
      }
      expect(() => classifier.step(new Uint32Array(inputs + 1))).toThrow(/give each once/);
      expect(() => classifier.step([0], [1, 1])).toThrow(/one value per channel/);
      expect(Array.from(classifier.step(channels, values))).toEqual(outputs[t]);
    }
  });

  it("refuses values of another network", () => {
    const [given] = fc.sample(randomCases(), { numRuns: 1, seed: 10 });
    const [first, ...rest] = given.values.weights;
    const values = { ...given.values, weights: [first.subarray(1), ...rest] };
    expect(() => stream({ ...given, values })).toThrow(/they are of another network/);
  });
});
