import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  expectedValues,
  hdf5File,
  jldFile,
  neurons,
  neuronsByRows,
  rows,
  rowsByNeurons,
} from "../../../test/data/make-files.ts";
import { writeHdf5 } from "../../../test/data/write-hdf5.ts";
import { UserError } from "../../base/errors.ts";
import { writeNpy } from "./npy.ts";
import { writeNpz } from "./npz.ts";
import type { ReadRecordingOptions } from "./read-recording.ts";
import { readRecording } from "./read-recording.ts";

const matrix = { data: neuronsByRows(0), shape: [neurons, rows] };

describe("orientation", () => {
  test.each([
    [neuronsByRows(0), [neurons, rows]],
    [rowsByNeurons(0), [rows, neurons]],
  ])("smooth rates tell which axis is time (%#)", async (data, shape) => {
    const recording = await readRecording(writeNpy(data, shape), "rates.npy");
    expect(recording.values).toEqual(expectedValues(1));
    expect(recording.notes.join()).toMatch(/because it is smooth along that axis/);
  });

  test("noise does not, and the message says what to give", async () => {
    let state = 1;
    const noise = Float64Array.from({ length: 400 }, () => (state = (state * 48271) % 2147483647) % 30);
    const bytes = writeNpy(noise, [20, 20]);
    await expect(readRecording(bytes, "rates.npy")).rejects.toThrow(
      /cannot tell which axis .* give targets\.orientation/,
    );
    expect(await readRecording(bytes, "rates.npy", { orientation: "rows-by-neurons" })).toMatchObject({ rows: 20 });
  });

  test("a time axis in the file decides and gives the interval", async () => {
    const time = { data: Float64Array.from({ length: rows }, (_, i) => 0.05 * i - 0.5) };
    const recording = await readRecording(writeNpz({ rates: matrix, time_s: time }), "a.npz");
    expect(recording).toMatchObject({ rows, neurons, intervalMs: 50 });
    const unitless = await readRecording(writeNpz({ rates: matrix, time }), "a.npz");
    expect(unitless.intervalMs).toBeUndefined();
    expect(unitless.notes.join()).toMatch(/names no unit/);
    const asked = await readRecording(writeNpz({ rates: matrix, time_s: time }), "a.npz", { intervalMs: 10 });
    expect(asked.intervalMs).toBe(10);
    expect(asked.notes.join()).toMatch(/says 50 ms between rows; 10 ms is used/);
  });

  test.each([
    [rows, 1],
    [1, rows],
  ])("a time axis of %i x %i, as MATLAB saves a vector, decides too and is no target", async (...shape) => {
    const time_ms = { data: Float64Array.from({ length: rows }, (_, i) => 40 * i), shape };
    const matlab = await writeHdf5((file) => {
      file.create_dataset({ name: "x", ...matrix });
      file.create_dataset({ name: "time_ms", ...time_ms });
    });
    for (const [bytes, name] of [
      [matlab, "session.mat"],
      [writeNpz({ x: matrix, time_ms }), "session.npz"],
    ] as const) {
      const recording = await readRecording(bytes, name);
      expect(recording).toMatchObject({ tasks: 1, rows, neurons, intervalMs: 40 });
      expect(recording.values).toEqual(expectedValues(1));
      expect(recording.notes.join()).not.toMatch(/time_ms|smooth/);
    }
  });

  test("one neuron alone is a target even when it is one column, but not under the name of a time", async () => {
    const data = neuronsByRows(0).slice(0, rows);
    const alone = writeNpz({ rate: { data, shape: [1, rows] }, time_ms: { data: new Float64Array(0), shape: [0] } });
    expect(await readRecording(alone, "a.npz", { orientation: "neurons-by-rows" })).toMatchObject({ neurons: 1, rows });
    await expect(readRecording(writeNpz({ time: { data, shape: [1, rows] } }), "a.npz")).rejects.toThrow(
      /holds no matrix/,
    );
  });

  test("Julia's rows x neurons x tasks", async () => {
    const recording = await readRecording(await jldFile(), "spikerate.jld2");
    expect(recording).toMatchObject({ tasks: 2, rows, neurons, taskNames: ["task 1", "task 2"], quantity: "rateHz" });
    expect(recording.values).toEqual(expectedValues(2));
  });

  test("a three-dimensional array has tasks first", async () => {
    const both = new Float64Array(2 * rows * neurons);
    both.set(rowsByNeurons(0));
    both.set(rowsByNeurons(1), rows * neurons);
    expect((await readRecording(writeNpy(both, [2, rows, neurons]), "rates.npy")).values).toEqual(expectedValues(2));
    const last = writeNpy(new Float64Array(2 * 30 * 40).fill(7), [30, 40, 2]);
    await expect(readRecording(last, "rates.npy")).rejects.toThrow(/move the axis of tasks to the front/);
  });
});

describe("choice of datasets", () => {
  test("spreads are no conditions", async () => {
    const bytes = writeNpz({ rate_a: matrix, rate_b: matrix, rate_sem_a: matrix });
    expect((await readRecording(bytes, "a.npz")).taskNames).toEqual(["a", "b"]);
  });

  test("the only matrix is taken whatever its name", async () => {
    const bytes = await writeHdf5((file) => {
      file.create_group("deep").create_dataset({ name: "xyz", ...matrix });
      file.create_dataset({ name: "comment", data: ["hello"] });
    });
    expect(await readRecording(bytes, "a.h5")).toMatchObject({ tasks: 1, neurons, taskNames: ["deep/xyz"] });
  });

  test("doubt is an error that lists candidates with shapes", async () => {
    const bytes = writeNpz({ x: matrix, y: { data: rowsByNeurons(0), shape: [rows, neurons] } });
    await expect(readRecording(bytes, "a.npz")).rejects.toThrow(
      /not clear .* x \(6 x 25\), y \(25 x 6\); name them by targets\.datasets/,
    );
    const shapes = writeNpz({ rate_a: matrix, rate_b: { data: rowsByNeurons(0), shape: [rows, neurons] } });
    await expect(readRecording(shapes, "a.npz")).rejects.toThrow(/not clear/);
    await expect(readRecording(shapes, "a.npz", { datasets: ["rate_a", "rate_b"] })).rejects.toThrow(
      /same shape, but in a.npz "rate_a" is 6 x 25 and "rate_b" is 25 x 6/,
    );
    await expect(readRecording(bytes, "a.npz", { datasets: ["z"] })).rejects.toThrow(/no dataset "z"/);
    await expect(readRecording(bytes, "a.npz", { datasets: ["x", "x"] })).rejects.toThrow(
      /targets\.datasets names "x" twice/,
    );
    await expect(readRecording(bytes, "a.npz", { datasets: [] })).rejects.toThrow(/targets\.datasets is empty/);
  });

  test("a damaged dataset is not passed over in silence", async () => {
    const bytes = await hdf5File();
    const name = [..."rate_b"].map((c) => c.charCodeAt(0));
    const at = bytes.findIndex((_, i) => name.every((byte, k) => bytes[i + k] === byte));
    const bad = bytes.slice();
    bad[at] = 0xff;
    const result = await readRecording(bad, "a.h5").catch((error) => error);
    if (!(result instanceof UserError)) expect(result.tasks).toBe(2);
  });

  test("spike lists without trials say so", async () => {
    const bytes = writeNpz({ spike_times: { data: new Float64Array(9) }, spike_clusters: { data: new Int32Array(9) } });
    await expect(readRecording(bytes, "spikes.npz")).rejects.toThrow(/holds sorted spikes .* but no trials/);
  });
});

describe("numbers", () => {
  const read = (change: (values: Float64Array) => void, options: ReadRecordingOptions = {}, name = "rates.npy") => {
    const data = neuronsByRows(0);
    change(data);
    return readRecording(writeNpy(data, [neurons, rows]), name, { orientation: "neurons-by-rows", ...options });
  };

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("%f is named by neuron, row and task", async (value) => {
    await expect(read((v) => v.fill(value, 3 * rows + 7, 3 * rows + 8))).rejects.toThrow(
      `rates.npy holds ${value} at neuron 3, row 7, task "task" (counted from 0)`,
    );
  });

  const scale =
    (factor: number) =>
    (values: Float64Array): void => {
      for (let i = 0; i < values.length; i++) values[i] *= factor;
    };

  test.each<[string, (values: Float64Array) => void, ReadRecordingOptions, RegExp]>([
    ["negative rates", (v) => v.fill(-2, 5, 6), {}, /rate of -2 Hz at neuron 0, row 5/],
    ["rates above 1000", (v) => v.fill(1500, 5, 6), {}, /above 1000 Hz; is the unit something else/],
    ["rates in spikes per ms", scale(1 / 1000), {}, /spikes per ms/],
    ["only zeros", (v) => v.fill(0), {}, /no rate exceeds 0 Hz/],
    ["currents in mV", (v) => v.fill(-150, 0, 1), { quantity: "current" }, /units of threshold/],
    ["interval", () => {}, { intervalMs: 0 }, /targets\.intervalMs is 0 ms/],
  ])("refuses %s", async (_, change, options, message) => {
    await expect(read(change, options)).rejects.toThrow(message);
  });

  test("small numbers of no stated unit are not guessed", async () => {
    const small = scale(1 / 20);
    await expect(read(small, {}, "data.npy")).rejects.toThrow(/cannot tell whether .* give targets\.quantity/);
    expect(await read(small, { quantity: "current" }, "data.npy")).toMatchObject({ quantity: "current" });
    expect(await read(small, {}, "utarg.npy")).toMatchObject({ quantity: "current" });
  });

  test("neurons that never change are counted", async () => {
    expect((await read((v) => v.fill(4, 0, 2 * rows))).notes.join()).toMatch(/2 of 6 neurons never change/);
  });

  test.each([
    [[rows * neurons], /is 150; a target is a matrix/],
    [[0, 5], /is empty \(0 x 5\)/],
    [[150, 1], /single time row/],
  ])("refuses the shape %j", async (shape, message) => {
    const length = (shape as number[]).reduce((a, b) => a * b, 1);
    const bytes = writeNpy(neuronsByRows(0).slice(0, length), shape as number[]);
    await expect(readRecording(bytes, "rates.npy", { orientation: "neurons-by-rows" })).rejects.toThrow(
      message as RegExp,
    );
  });
});

// Public recordings, too large to bundle: VOLLEY_SAMPLES names a folder that has them.
const shared = `${process.env.VOLLEY_SAMPLES}/`;
describe.skipIf(!existsSync(shared))("files from laboratories", () => {
  const load = (path: string): Uint8Array => new Uint8Array(readFileSync(shared + path));

  test.each(["ibl-neuropixels/spikes.npz", "hippocampus-linear-track/spikes.npz"])(
    "%s: spikes, no trials",
    async (path) => {
      await expect(readRecording(load(path), path)).rejects.toThrow(/no trials/);
    },
  );

  test("a single trial of mc-maze: 0/1 bins with positions", async () => {
    const path = "mc-maze-trials/trial_748_data.csv.gz";
    await expect(readRecording(load(path), path)).rejects.toThrow(UserError);
    const recording = await readRecording(load(path), path, { columns: ["unit_*"], quantity: "rateHz" });
    expect(recording).toMatchObject({ neurons: 182, rows: 3236 });
  });
});
