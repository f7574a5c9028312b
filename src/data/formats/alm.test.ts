import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { inputForRate } from "../targets/transfer.ts";
import { readRecording } from "./read-recording.ts";

const bytes = new Uint8Array(readFileSync("examples/data/alm.h5"));

describe("the bundled ALM recording", () => {
  test("without options: the two conditions as rates, 20 ms apart", async () => {
    const recording = await readRecording(bytes, "alm.h5");
    expect(recording).toMatchObject({
      quantity: "rateHz",
      tasks: 2,
      rows: 101,
      neurons: 1216,
      taskNames: ["left", "right"],
      intervalMs: 20,
    });
    expect(recording.notes.join("; ")).toMatch(/took rate_left, rate_right as rates in Hz; left out utarg_left/);
    const mean = recording.values.reduce((a, b) => a + b, 0) / recording.values.length;
    expect(mean).toBeGreaterThan(4);
    expect(mean).toBeLessThan(8);
  });

  test("mean converted input with sigma 0.65, tau 10 ms, dt 0.1 ms is -0.0779", async () => {
    const { values } = await readRecording(bytes, "alm.h5");
    const start = performance.now();
    const inputs = inputForRate(values, { sigma: 0.65, tauMemMs: 10, dtMs: 0.1 });
    const took = performance.now() - start;
    const mean = inputs.reduce((a, b) => a + b, 0) / inputs.length;
    expect(Math.abs(mean + 0.0779)).toBeLessThan(1e-3);
    // 245 632 rates; some 0.1 s on the machine this was written on. Minutes would mean the table is gone.
    expect(took).toBeLessThan(5000);
  });

  test("the authors' currents, asked for by quantity or by name, in the order given", async () => {
    const byQuantity = await readRecording(bytes, "alm.h5", { quantity: "current" });
    expect(byQuantity).toMatchObject({ quantity: "current", taskNames: ["left", "right"] });
    const byName = await readRecording(bytes, "alm.h5", { datasets: ["utarg_right", "/utarg_left"] });
    expect(byName).toMatchObject({ quantity: "current", taskNames: ["right", "left"] });
    const half = byName.values.length / 2;
    expect(byName.values.subarray(0, half)).toEqual(byQuantity.values.subarray(half));
  });

  test("a misspelt or mixed list of datasets", async () => {
    await expect(readRecording(bytes, "alm.h5", { datasets: ["rate_rigth"] })).rejects.toThrow(
      'alm.h5 has no dataset "rate_rigth" — did you mean "rate_right"?',
    );
    await expect(readRecording(bytes, "alm.h5", { datasets: ["rate_left", "utarg_right"] })).rejects.toThrow(/mixed/);
    await expect(readRecording(bytes, "alm.h5", { datasets: ["time_ms"] })).rejects.toThrow(
      /time_ms" of alm.h5 is 101;/,
    );
  });
});
