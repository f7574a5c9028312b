import { describe, expect, test } from "vitest";
import { fakeRecording } from "../../test/cli/support/fake-trainer.ts";
import { UserError } from "../base/errors.ts";
import type { Recording } from "../data/recording.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { loadExperiment } from "./load-experiment.ts";
import { presets } from "./presets.ts";
import { readRecordingFile } from "./recording-file.ts";
import { resolveExperiment } from "./resolve.ts";
import { type ExperimentInput, parseExperiment, type RecordingTargets } from "./schema.ts";

const resolve = (input: ExperimentInput, recording: Recording | null = null) =>
  resolveExperiment(parseExperiment(input, "x.json"), recording);
const onRecording: ExperimentInput = {
  targets: { type: "recording", file: "r.h5" },
  static: null,
  copies: 1,
  plastic: { inputsPerType: 4 },
  noise: { sigma: 0.65 },
};

describe("derived numbers", () => {
  test("the default network: K 205, L 29, jx = 0.08 sqrt(205), drive 1.5 jx and jx", () => {
    const { spec, experiment } = resolve({});
    expect(spec).toMatchObject({ neurons: 4096, excitatory: 2048, tasks: 1, static: { K: 205, g: 1 } });
    expect(spec.plastic.inputsPerType).toBe(29);
    expect(spec.drive.inhibitory).toBeCloseTo(0.08 * Math.sqrt(205), 12);
    expect(spec.drive.excitatory).toBeCloseTo(1.5 * 0.08 * Math.sqrt(205), 12);
    expect(spec.timing).toMatchObject({ trainMs: 1000, learnEveryMs: 10 });
    expect(spec.learning.maxWeight).toBe(Number.POSITIVE_INFINITY);
    expect(JSON.stringify(experiment)).not.toMatch(/"(neurons|K|inputsPerType|trainMs|learnEveryMs)":"auto"/);
  });

  test("resolving what was resolved changes nothing: so runs are rebuilt", () => {
    const distribution = { distribution: "gamma", mean: 150, shape: 3, min: 10 } as const;
    for (const input of [{ synapses: { tauPlasticMs: distribution } }, { neurons: 100, excitatoryFraction: 0.8 }]) {
      const first = resolve(input);
      const second = resolveExperiment(parseExperiment(JSON.parse(JSON.stringify(first.experiment)), "again"), null);
      expect(second).toEqual(first);
    }
  });

  test("a recording decides size, tasks and timing", () => {
    const { spec } = resolve({ ...onRecording, copies: 3 }, fakeRecording());
    expect(spec).toMatchObject({ neurons: 60, tasks: 2, timing: { trainMs: 200, learnEveryMs: 20 } });
    expect(spec.drive).toEqual({ excitatory: 0, inhibitory: 0 });
  });

  test("examples/static-recording.json: the published shape on a network this small, and not too dense", async () => {
    const { value, source } = await loadExperiment("examples/static-recording.json");
    const given = parseExperiment(value, source);
    const { spec, notes } = resolveExperiment(given, await readRecordingFile(given.targets as RecordingTargets));
    expect(spec).toMatchObject({
      neurons: 1216,
      tasks: 2,
      static: { K: 100 },
      plastic: { inputsPerType: 32, trained: "all" },
      feedforward: { size: 100, weightsPerTask: true },
      learning: { lambda: 0.04, lambdaFeedforward: 1, mu: 8 },
      noise: { sigma: 0 },
    });
    expect(spec.plastic.inhibitoryScale).toBeCloseTo(6.5 / 12, 4);
    expect(spec.drive).toEqual({ excitatory: 1.5 * 1.2, inhibitory: 1.2 });
    expect(notes.join()).not.toMatch(/synchronise/);
  });

  test("fewer neurons: a seeded choice of recorded ones; a multiple: copies", () => {
    const recording = fakeRecording();
    const few = resolve({ ...onRecording, neurons: 12 }, recording);
    expect(few.recording).toMatchObject({ neurons: 12, rows: 10, tasks: 2 });
    expect(few.notes).toEqual(["12 of the 20 recorded neurons, chosen at random by the seed"]);
    const first = Array.from((few.recording as Recording).values.subarray(0, 12));
    expect(first.every((value) => recording.values.subarray(0, 20).includes(value))).toBe(true);
    expect(resolve({ ...onRecording, neurons: 12 }, recording)).toEqual(few);
    expect(resolve({ ...onRecording, neurons: 12, seed: 2 }, recording).recording).not.toEqual(few.recording);
    expect(resolve({ ...onRecording, neurons: 40 }, recording).experiment.copies).toBe(2);
  });

  test("the preset alm on the bundled recording", async () => {
    const { experiment: input } = presets.alm;
    const experiment = parseExperiment(input, "alm");
    const recording = await readRecordingFile(experiment.targets as RecordingTargets);
    const { spec, notes } = resolveExperiment(experiment, recording);
    expect(spec).toMatchObject({ neurons: 1216, tasks: 2, static: null, timing: { trainMs: 2020, learnEveryMs: 20 } });
    expect(notes).toEqual([]);
  });
});

describe("refusals", () => {
  test.each<[string, ExperimentInput, string]>([
    [
      "step",
      { timing: { stimulusOnMs: 800.05 } },
      "timing.stimulusOnMs is 800.05 ms, which is not a whole multiple of the time step",
    ],
    [
      "learn",
      { timing: { learnEveryMs: 7 } },
      "timing.trainMs is 1000 ms, which is not a whole multiple of timing.learnEveryMs = 7 ms; use for example 1001",
    ],
    [
      "order",
      { timing: { stimulusOnMs: 1200 } },
      "timing.stimulusOnMs is 1200 ms, after timing.stimulusOffMs = 1000 ms",
    ],
    [
      "K",
      { neurons: 100, static: { K: 50 } },
      "each neuron would project to 2K = 100 others, but there are only 99; use at most 49",
    ],
    [
      "L",
      { neurons: 20, static: { K: 2 }, plastic: { inputsPerType: 11 } },
      "only 10 excitatory neurons can be presynaptic; use at most 10",
    ],
    ["auto", { static: null }, 'plastic.inputsPerType is "auto" = round(2 sqrt(K)), but there is no static network'],
    [
      "list",
      { neurons: 50, synapses: { tauExcMs: [3, 4] } },
      "synapses.tauExcMs is a list of 2 numbers, but 50 neurons need one each",
    ],
    ["copies", { copies: 2 }, "copies is 2, but sinusoids belong to no recorded neuron"],
    [
      "indices",
      { neurons: 50, plastic: { trained: { indices: [3, 50] } } },
      "holds 50, but neurons are numbered 0 to 49",
    ],
  ])("%s", (_, input, message) => {
    expect(() => resolve(input)).toThrow(message);
    expect(() => resolve(input)).toThrow(UserError);
  });

  test.each<[string, ExperimentInput, Partial<Recording>, string]>([
    [
      "no interval",
      {},
      { intervalMs: undefined },
      "r.h5 does not say how much time lies between its 10 rows; give targets.intervalMs",
    ],
    [
      "interval",
      { timing: { learnEveryMs: 10 } },
      {},
      "timing.learnEveryMs is 10 ms, but the rows of the recording are 20 ms apart",
    ],
    [
      "rows",
      { timing: { trainMs: 1000 } },
      {},
      "timing.trainMs is 1000 ms, but the recording has 10 rows of 20 ms = 200 ms",
    ],
    [
      "size",
      { neurons: 30 },
      {},
      'neurons is 30, but the recording holds 20: give "auto", fewer than 20, or a multiple of it',
    ],
    [
      "subset",
      { neurons: 30, plastic: { inputsPerType: 4, trained: { fraction: 0.5 } } },
      {},
      "plastic.trained selects 15 neurons, but the recording holds 20",
    ],
  ])("recording: %s", (_, input, part, message) => {
    expect(() => resolve({ ...onRecording, ...input }, { ...fakeRecording(), ...part })).toThrow(message);
  });

  test("floating point does not turn 0.3 ms of 0.1 ms steps into a fault", () => {
    expect(
      resolve({ timing: { stimulusOnMs: 0.3, stimulusOffMs: 0.3, learnEveryMs: 0.3, trainMs: 300 } }).spec.timing
        .learnEveryMs,
    ).toBe(0.3);
  });
});

describe("constants drawn from distributions", () => {
  const draw = (value: unknown, seed = 1) => {
    const { spec } = resolve({ seed, synapses: { tauPlasticMs: value as never } });
    return spec.synapses.tauPlasticMs as Float32Array;
  };
  const moments = (values: Float32Array) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, std: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
  };

  // Standard errors with 4096 draws: mean std/64, std about std/50 (more for skewed ones); five of them allowed.
  test.each<[unknown, number, number]>([
    [{ distribution: "gamma", mean: 150, shape: 3 }, 150, 150 / Math.sqrt(3)],
    [{ distribution: "gamma", mean: 150, shape: 0.5 }, 150, 150 / Math.sqrt(0.5)],
    [{ distribution: "normal", mean: 150, std: 10, min: 1 }, 150, 10],
    [{ distribution: "uniform", min: 100, max: 200 }, 150, 100 / Math.sqrt(12)],
    [
      { distribution: "lognormal", median: 100, sigma: 0.5 },
      100 * Math.exp(0.125),
      100 * Math.exp(0.125) * Math.sqrt(Math.exp(0.25) - 1),
    ],
  ])("%j", (value, mean, std) => {
    const found = moments(draw(value));
    expect(Math.abs(found.mean - mean)).toBeLessThan((5 * std) / 64);
    expect(Math.abs(found.std / std - 1)).toBeLessThan(0.2);
  });

  test("clipped, seeded, and independent of other constants", () => {
    const value = { distribution: "normal", mean: 150, std: 100, min: 50, max: 200 };
    const drawn = draw(value);
    expect(Math.min(...drawn)).toBe(50);
    expect(Math.max(...drawn)).toBe(200);
    expect(draw(value)).toEqual(drawn);
    expect(draw(value, 2)).not.toEqual(drawn);
    const both = resolve({
      synapses: { tauPlasticMs: value as never, tauExcMs: { distribution: "gamma", mean: 3, shape: 3 } },
    });
    expect(both.spec.synapses.tauPlasticMs).toEqual(drawn);
  });
});

test("the fingerprint sees every number that training depends on, and nothing else", () => {
  const of = (input: ExperimentInput, recording: Recording) => {
    const resolved = resolve({ ...onRecording, ...input }, recording);
    const { copies } = resolved.experiment;
    return fingerprintOf(resolved.spec, { recording: resolved.recording, sinusoids: null, copies });
  };
  const base = of({}, fakeRecording());
  expect(of({ iterations: 7, name: "other", test: { trials: 3 } }, fakeRecording())).toBe(base);
  expect(of({ learning: { lambda: 0.3 } }, fakeRecording())).not.toBe(base);
  const changed = fakeRecording();
  changed.values[3] += 1e-9;
  expect(of({}, changed)).not.toBe(base);
});

test("a small recording gets several model neurons each, unless the experiment says how many", () => {
  const small = fakeRecording();
  const { neurons } = small;
  const enlarged = resolve({ ...onRecording, neurons: "auto", copies: "auto" }, small);
  expect(enlarged.experiment.copies).toBe(Math.ceil(512 / neurons));
  expect(enlarged.spec.neurons).toBe(neurons * enlarged.experiment.copies);
  expect(enlarged.notes.join()).toMatch(/model neurons follow each of the \d+ recorded ones/);
  expect(resolve({ ...onRecording, copies: 2 }, small).spec.neurons).toBe(2 * neurons);
  expect(resolve({ ...onRecording, neurons }, small).experiment.copies).toBe(1);
});
