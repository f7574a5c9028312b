/** e-prop over chunks of a sequence, against the adjoint form over all of it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { referenceGradients } from "../../src/learning/gradient/reference.ts";
import { StreamingEprop } from "../../src/learning/gradient/streaming-eprop.ts";
import { epropCases } from "./golden-networks.ts";
import { addGradients, gradientDifferences, type RandomCase, randomCases } from "./random-networks.ts";

/** Steps from .. to-1 of a sample. */
function piece({ offsets, channels, values }: StepEvents, from: number, to: number): StepEvents {
  const [start, end] = [offsets[from], offsets[to]];
  return {
    steps: to - from,
    offsets: offsets.slice(from, to + 1).map((offset) => offset - start),
    channels: channels.slice(start, end),
    values: values?.slice(start, end) ?? null,
  };
}

function stream(given: RandomCase, eprop: StreamingEprop, chunkSteps: number) {
  const { network, samples, loss, costs } = given;
  const [sample] = samples;
  const outputs = network.populations[network.readout].size;
  // The loss looks at steps alone, so that its derivative is known before the sequence ends; it counts from the start.
  let shown = new Float64Array(0);
  let result: ReturnType<StreamingEprop["push"]> | undefined;
  for (let from = 0; from < sample.steps; from += chunkSteps) {
    const to = Math.min(sample.steps, from + chunkSteps);
    result = eprop.push(piece(sample, from, to), (chunk) => {
      const all = new Float64Array(shown.length + chunk.outputs.length);
      all.set(shown);
      all.set(chunk.outputs, shown.length);
      shown = all;
      return {
        errors: loss(shown, to).derivative.slice(from * outputs, to * outputs),
        costs: network.populations.map(({ size }, p) => {
          const cost = costs[0][p];
          if (cost === null) return null;
          return Float64Array.from({ length: (to - from) * size }, (_, i) =>
            cost.length === size ? cost[i % size] : cost[from * size + i],
          );
        }),
      };
    });
  }
  return { gradients: result!, outputs: shown };
}

describe("random networks", () => {
  it.each([1, 7, 1000])("have the gradients of the adjoint form in chunks of %i steps", (chunkSteps) => {
    let arrays = 0;
    const runs = Number(process.env.VOLLEY_RUNS ?? 15);
    fc.assert(
      fc.property(randomCases({ eprop: true, plain: true }), (given) => {
        const { network, values, samples, loss, costs, feedback } = given;
        const wanted = referenceGradients(network, values, samples[0], loss, costs[0], { feedback });
        const eprop = new StreamingEprop(network, values, { chunkSteps, feedback });
        const { gradients, outputs } = stream(given, eprop, chunkSteps);
        expect(outputs).toEqual(wanted.outputs);
        for (const { name, difference, largest } of gradientDifferences(network, gradients, wanted.gradients)) {
          expect(difference, name).toBeLessThan(1e-12);
          if (largest > 1e-4) arrays++;
        }
      }),
      { numRuns: runs, seed: Number(process.env.VOLLEY_SEED ?? 6) },
    );
    expect(arrays).toBeGreaterThan(3 * runs);
  });
});

describe("the gradients so far", () => {
  const [golden] = epropCases();
  const { network, values } = golden;
  const first = golden.samples[0].events;
  const second = golden.samples[1].events;
  const judge = ({ outputs }: { outputs: Float64Array }) => ({ errors: outputs.map((y, i) => y - (i % 3)) });
  const whole = (sample: StepEvents) =>
    referenceGradients(network, values, sample, (outputs) => ({ loss: 0, derivative: judge({ outputs }).errors }))
      .gradients;
  const expectSame = (actual: typeof values, wanted: typeof values) => {
    for (const { difference, name } of gradientDifferences(network, actual, wanted)) {
      expect(difference, name).toBeLessThan(1e-12);
    }
  };

  it("add up over sequences, each from rest", () => {
    const eprop = new StreamingEprop(network, values, { chunkSteps: 20 });
    eprop.push(first, judge);
    eprop.startSequence();
    expectSame(eprop.push(second, judge), addGradients(network, whole(first), whole(second)));
  });

  it("start at 0 again when they are cleared, while traces go on", () => {
    const eprop = new StreamingEprop(network, values, { chunkSteps: 20 });
    const before = structuredClone(eprop.push(piece(first, 0, 8), judge));
    eprop.clearGradients();
    const after = eprop.push(piece(first, 8, first.steps), judge);
    // Errors of a piece count from its own start.
    const shifted = (outputs: Float64Array) => outputs.map((y, i) => y - (i % 3));
    const wanted = referenceGradients(network, values, first, (outputs) => ({ loss: 0, derivative: shifted(outputs) }));
    expectSame(addGradients(network, before, after), wanted.gradients);
  });

  it("are of the weights in force: learning goes on within a sequence", () => {
    const moving = structuredClone(values);
    const eprop = new StreamingEprop(network, moving, { chunkSteps: 10 });
    eprop.push(piece(first, 0, 10), judge);
    for (const weights of moving.weights) weights.fill(0);
    eprop.clearGradients();
    let outputs: Float64Array = new Float64Array(0);
    const { weights } = eprop.push(piece(first, 10, 20), (chunk) => {
      outputs = chunk.outputs;
      return judge(chunk);
    });
    // Outputs decay from where they were; no signal reaches the hidden neurons; the readout learns from its traces.
    for (const [i, y] of outputs.slice(3).entries()) expect(y).toBeCloseTo(outputs[i] * Math.exp(-1 / 15), 12);
    expect(weights[0].every((g) => g === 0)).toBe(true);
    expect(weights[2].some((g) => g !== 0)).toBe(true);
  });

  it("stay right through a silence that would end in subnormal numbers", () => {
    const silence = (steps: number): StepEvents => ({
      steps,
      offsets: new Uint32Array(steps + 1),
      channels: new Uint32Array(0),
      values: null,
    });
    const eprop = new StreamingEprop(network, values, { chunkSteps: 500 });
    eprop.push(first, judge);
    for (let chunk = 0; chunk < 40; chunk++) eprop.push(silence(500), judge);
    eprop.clearGradients();
    const steps = second.steps;
    const wanted = whole(second);
    // 20 000 steps later nothing is left of the first sample: alpha^20000 is 0 in double precision.
    expectSame(eprop.push(piece(second, 0, steps), judge), wanted);
  });
});

describe("what cannot be", () => {
  const [golden] = epropCases();

  it("is said", () => {
    const { network, values } = golden;
    const exact = {
      ...network,
      projections: network.projections.map((p) => ({
        ...p,
        backward: p.name === "rec" ? ("weights" as const) : p.backward,
      })),
    };
    expect(() => new StreamingEprop(exact, values, { chunkSteps: 5 })).toThrow(UserError);
    expect(() => new StreamingEprop(exact, values, { chunkSteps: 5 })).toThrow(/derivatives flow back through "rec"/);
    expect(() => new StreamingEprop(network, values, { chunkSteps: 0.5 })).toThrow(/chunkSteps is 0.5/);
    const eprop = new StreamingEprop(network, values, { chunkSteps: 5 });
    const { events } = golden.samples[0];
    expect(() => eprop.push(events, () => ({ errors: [] }))).toThrow(/20 steps were pushed; chunkSteps is 5/);
    const three = piece(events, 0, 3);
    expect(() => eprop.push(three, () => ({ errors: [1, 2] }))).toThrow(/2 errors for 9 outputs/);
    const costly = ({ outputs }: { outputs: Float64Array }) => ({ errors: outputs, costs: [[1], null] });
    expect(() => eprop.push(three, costly)).toThrow(/1 costs for the spikes of "hidden"; .* 3 x 7/);
  });
});
