/**
 * Five hundred damaged copies of a small file per format: each reads as a recording that obeys all rules, or ends in a
 * UserError. Nothing else: no other exception, no endless loop, no number that is not finite.
 *
 * VOLLEY_MUTATIONS=10000 VOLLEY_MUTATION_SEED=7 makes it another, longer run.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  csvFile,
  expectedValues,
  hdf5File,
  jldFile,
  neurons,
  npyFile,
  npzFile,
  rows,
  smallNwb,
} from "../../../test/data/make-files.ts";
import { mutation } from "../../../test/data/mutate.ts";
import { UserError } from "../../base/errors.ts";
import type { Recording } from "../recording.ts";
import type { ReadRecordingOptions } from "./read-recording.ts";
import { readRecording } from "./read-recording.ts";

const numRuns = Number(process.env.VOLLEY_MUTATIONS ?? 500);
const seed = Number(process.env.VOLLEY_MUTATION_SEED ?? 20_261_121);

const nwb = { event: "go_cue", condition: "side", beforeMs: 200, afterMs: 400, heldOutFraction: 0.34 };

const formats: [string, () => Uint8Array | Promise<Uint8Array>, ReadRecordingOptions, number][] = [
  ["small.h5", hdf5File, {}, 2],
  ["small.nwb", smallNwb, { nwb }, 2],
  ["small.jld2", jldFile, { intervalMs: 20 }, 2],
  ["small.npy", npyFile, { quantity: "rateHz", orientation: "neurons-by-rows", intervalMs: 20 }, 1],
  ["small.npz", npzFile, {}, 2],
  ["small.csv", csvFile, {}, 2],
];

function obeysRules(recording: Recording): void {
  const { tasks, rows, neurons, values, taskNames, heldOut, intervalMs } = recording;
  const size = tasks * rows * neurons;
  expect(tasks >= 1 && rows >= 2 && neurons >= 1).toBe(true);
  expect(values.length).toBe(size);
  expect(taskNames.length).toBe(tasks);
  if (heldOut !== undefined) expect(heldOut.length).toBe(size);
  if (intervalMs !== undefined) expect(intervalMs > 0 && Number.isFinite(intervalMs)).toBe(true);
  for (const array of [values, heldOut ?? values]) {
    const bad = array.findIndex(
      (x) => !Number.isFinite(x) || (recording.quantity === "rateHz" ? x < 0 || x > 1000 : Math.abs(x) > 100),
    );
    expect(bad).toBe(-1);
  }
}

describe.each(formats)("%s", (name, make, options, tasks) => {
  test("whole, it reads as it was written", async () => {
    const recording = await readRecording(await make(), name, options);
    obeysRules(recording);
    expect(recording).toMatchObject({ quantity: "rateHz", tasks, intervalMs: 20 });
    if (name === "small.nwb")
      expect(recording).toMatchObject({ rows: 30, neurons: 4, taskNames: ["side=left", "side=right"] });
    else {
      expect(recording).toMatchObject({ rows, neurons });
      expect(recording.values).toEqual(expectedValues(tasks));
    }
  });

  test(`damaged in ${numRuns} ways, it reads by the rules or ends in a UserError`, async () => {
    const whole = await make();
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutation(whole.length), async (damage) => {
        let recording: Recording;
        try {
          recording = await readRecording(damage(whole), name, options);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message.length).toBeGreaterThan(20);
          refused++;
          return;
        }
        obeysRules(recording);
      }),
      { numRuns, seed },
    );
    // Most damage is noticed; if little of it were, the checks would not be running.
    expect(refused).toBeGreaterThan(numRuns / 10);
  }, 600_000);
});
