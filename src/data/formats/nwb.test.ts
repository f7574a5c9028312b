import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evenSpikes, nwbFile, smallNwb } from "../../../test/data/make-files.ts";
import { writeHdf5 } from "../../../test/data/write-hdf5.ts";
import type { Recording } from "../recording.ts";
import { openHdf5 } from "./hdf5.ts";
import { readUnits } from "./nwb.ts";
import type { NwbPsthOptions } from "./nwb-psth.ts";
import { readRecording } from "./read-recording.ts";

async function psth(bytes: Uint8Array, nwb: NwbPsthOptions = {}): Promise<Recording> {
  return readRecording(bytes, "session.nwb", { nwb });
}

const starts = Array.from({ length: 10 }, (_, i) => 1 + 2 * i);

describe("psthFromNwb", () => {
  test("splits by condition, in Hz, and says what it did", async () => {
    const recording = await psth(await smallNwb(), { event: "go_cue", condition: "side", beforeMs: 200, afterMs: 400 });
    expect(recording).toMatchObject({
      quantity: "rateHz",
      tasks: 2,
      rows: 30,
      neurons: 4,
      intervalMs: 20,
      taskNames: ["side=left", "side=right"],
      heldOut: undefined,
    });
    [5, 9, 14, 20].forEach((hz, unit) => {
      let mean = 0;
      for (let row = 0; row < 30; row++) mean += recording.values[row * 4 + unit] / 30;
      expect(Math.abs(mean - hz)).toBeLessThan(1.5);
    });
    expect(recording.notes).toContain("averaged 6 trials of left, 6 trials of right");
  });

  test("without options: all trials, one task, from start_time", async () => {
    expect(await psth(await smallNwb())).toMatchObject({ tasks: 1, rows: 50, taskNames: ["all trials"] });
  });

  test("numbers order as numbers, chosen conditions as chosen", async () => {
    const contrast = starts.map((_, i) => [100, 12.5, 25, 6, 0][i % 5]);
    const bytes = await nwbFile({ spikes: [evenSpikes(20, 25)], trials: { start_time: starts, contrast } });
    const all = await psth(bytes, { condition: "contrast" });
    expect(all.taskNames.map((name) => name.slice(9))).toEqual(["0", "6", "12.5", "25", "100"]);
    const some = await psth(bytes, { condition: "contrast", conditions: [100, 0] });
    expect(some.taskNames).toEqual(["contrast=100", "contrast=0"]);
    await expect(psth(bytes, { condition: "contrast", conditions: [50] })).rejects.toThrow(
      /contrast = "50"; values are/,
    );
  });

  test("held-out trials: every k-th of each condition, kept out of the targets", async () => {
    // Unit 0 fires only in trials 4 and 9, which are the held-out ones of a fifth.
    const bursts = [starts[4], starts[9]].flatMap((start) => evenSpikes(50, 1, start));
    const bytes = await nwbFile({
      spikes: [[0.01, ...bursts, 24.9], evenSpikes(10, 25)],
      trials: { start_time: starts },
    });
    const recording = await psth(bytes, { heldOutFraction: 0.2, minimumRateHz: 0, smoothingSdMs: 0 });
    const mean = (values: Float64Array, unit: number): number =>
      values.filter((_, i) => i % 2 === unit).reduce((a, b) => a + b, 0) / 50;
    expect(mean(recording.values, 0)).toBe(0);
    expect(mean(recording.heldOut!, 0)).toBeGreaterThan(45);
    expect(Math.abs(mean(recording.heldOut!, 1) - 10)).toBeLessThan(1);
    await expect(psth(bytes, { heldOutFraction: 0.05 })).rejects.toThrow(
      /10 usable trials, too few .* raise targets\.nwb\.heldOutFraction/,
    );
  });

  test("drops units that are slow, silent, unobserved or not wanted, and trials it cannot use; says how many", async () => {
    const bytes = await nwbFile({
      spikes: [evenSpikes(10, 25), evenSpikes(0.5, 25), [], evenSpikes(12, 25), evenSpikes(15, 25)],
      observed: [
        [0, 30],
        [0, 30],
        [0, 30],
        [0, 0.5],
        [0, 12, 12, 30],
      ],
      unitColumns: { quality: ["good", "good", "good", "good", "good"] },
      trials: {
        start_time: [...starts, 24.9, Number.NaN],
        side: [...starts.map((_, i) => (i === 3 ? "" : "left")), "left", "left"],
      },
    });
    const recording = await psth(bytes, { condition: "side", unitsWhere: { quality: "good" } });
    expect(recording.neurons).toBe(2);
    expect(recording.notes).toEqual([
      'skipped 1 trials without a time in "start_time"',
      "skipped 1 trials whose window leaves the recorded time",
      'skipped 1 trials without a value in "side"',
      "averaged 9 trials of left",
      "dropped 2 of 5 units with a mean rate below 1 Hz",
      "dropped 1 units that were not recorded during a whole window",
    ]);
    await expect(psth(bytes, { unitsWhere: { quality: "mua" } })).rejects.toThrow(
      /no row of "units" of session.nwb has quality = "mua"; its values are good/,
    );
    await expect(psth(bytes, { minimumRateHz: 100 })).rejects.toThrow(/lower targets\.nwb\.minimumRateHz/);
  });

  test("trialsWhere keeps the trials asked for", async () => {
    const outcome = starts.map((_, i) => (i % 2 === 0 ? "hit" : "miss"));
    const bytes = await nwbFile({ spikes: [evenSpikes(20, 25)], trials: { start_time: starts, outcome } });
    expect((await psth(bytes, { trialsWhere: { outcome: "hit" } })).notes).toContain("averaged 5 trials of all trials");
    await expect(psth(bytes, { trialsWhere: { outcome: "his" } })).rejects.toThrow(
      /has outcome = "his" — did you mean "hit"\?/,
    );
    const both = { outcome: "hit", start_time: starts[1] };
    await expect(psth(bytes, { trialsWhere: both })).rejects.toThrow(/none matches targets\.nwb\.trialsWhere/);
  });

  test("messages name what is missing and what is there", async () => {
    const bytes = await smallNwb();
    await expect(psth(bytes, { event: "go_que" })).rejects.toThrow('no column "go_que" — did you mean "go_cue"?');
    await expect(psth(bytes, { event: "side" })).rejects.toThrow(/holds words/);
    await expect(psth(bytes, { condition: "sides" })).rejects.toThrow('did you mean "side"?');
    await expect(psth(bytes, { table: "epochs" })).rejects.toThrow(
      /no table "intervals\/epochs"; it has the tables trials/,
    );
    await expect(psth(bytes, { afterMs: 333 })).rejects.toThrow(/whole bins/);
    const noTrials = await nwbFile({ spikes: [evenSpikes(20, 25)] });
    await expect(psth(noTrials)).rejects.toThrow(/it has no tables of intervals/);
    const many = await nwbFile({
      spikes: [evenSpikes(20, 300)],
      trials: { start_time: starts.concat(starts.map((t) => t + 40)), rt: Array.from({ length: 20 }, (_, i) => i / 7) },
    });
    expect((await psth(many, { condition: "rt" })).tasks).toBe(20);
  });

  test("unit ids, and an index that does not rise or points beyond the spikes", async () => {
    const spikes = [evenSpikes(20, 25), evenSpikes(10, 25)];
    const file = await openHdf5(await nwbFile({ spikes }), "x.nwb");
    expect(readUnits(file).map(({ id, index, spikesS }) => [id, index, spikesS.length])).toEqual([
      [100, 0, 500],
      [101, 1, 250],
    ]);
    file.close();
    for (const ends of [
      [500, 751],
      [500, 499],
    ]) {
      const bytes = await nwbFile({ spikes, trials: { start_time: starts }, ends });
      await expect(psth(bytes)).rejects.toThrow(/spike_times_index" of session.nwb is damaged: row 1 ends at/);
    }
  });

  test("a units table without spike times", async () => {
    const bytes = await writeHdf5((file) => {
      file.create_attribute("nwb_version", "2.6.0");
      file.create_group("units").create_dataset({ name: "id", data: new Int32Array([1, 2]) });
    });
    await expect(psth(bytes)).rejects.toThrow(/units of session.nwb have no column "spike_times"/);
  });
});

// Files of pynwb and pynapple, too large to bundle: VOLLEY_SAMPLES names a folder that has them in nwb-samples/.
const samples = `${process.env.VOLLEY_SAMPLES}/nwb-samples/`;
describe.skipIf(!existsSync(samples))("sample files", () => {
  test.each([
    "1.0.2_nwbfile.nwb",
    "1.1.2_nwbfile.nwb",
    "1.5.1_timeseries_no_data.nwb",
    "2.2.0_subject_no_age__reference.nwb",
  ])("%s has no units and says so", async (name) => {
    const bytes = new Uint8Array(readFileSync(samples + name));
    await expect(readRecording(bytes, name)).rejects.toThrow(/has no sorted units \(no table "units"\); it holds/);
  });

  test("A8604-211122.nwb: 3 units, 21354 spikes, epochs instead of trials", async () => {
    const name = "A8604-211122.nwb";
    const bytes = new Uint8Array(readFileSync(samples + name));
    const file = await openHdf5(bytes, name);
    const units = readUnits(file);
    file.close();
    expect(units.map(({ spikesS }) => spikesS.length)).toEqual([11020, 4690, 5644]);
    await expect(readRecording(bytes, name)).rejects.toThrow(/no table "intervals\/trials"; it has the tables epochs/);
    const recording = await readRecording(bytes, name, { nwb: { table: "epochs", afterMs: 60_000, binMs: 1000 } });
    expect(recording).toMatchObject({ tasks: 1, rows: 60, neurons: 3 });
  });
});
