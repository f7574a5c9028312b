import { expect, test } from "vitest";
import type { Recording } from "../data/recording.ts";
import { estimateMemory } from "./estimate.ts";
import { assertFits, formatBytes, guardMemory, largestThatFits, type MemoryGauge } from "./memory-guard.ts";
import { resolveExperiment } from "./resolve.ts";
import { type ExperimentInput, parseExperiment } from "./schema.ts";

test("a refusal says need, have, the largest parts and the largest network that fits", async () => {
  const plan = {
    size: 1_000_000,
    sizeName: "neurons =",
    needed: { total: 16.4e9, parts: { weights: 0.36e9, P: 16e9, state: 0.04e9 } },
    estimate: async (size: number) => size * 16_400,
    advice: "Take less.",
  };
  await expect(assertFits(plan, 8e9)).rejects.toMatchObject({
    exitCode: 69,
    message:
      "this experiment needs 16.4 GB of memory (P 16.0 GB, weights 360 MB, state 40.0 MB), but 8.0 GB are available; " +
      "the largest that fits is neurons = 487804. Take less.",
  });
  await assertFits(plan, 17e9);
});

test("the largest that fits is exact, and sizes that make no network do not mislead", async () => {
  const estimate = async (size: number) => {
    if (size < 50) throw new Error("too small for its inputs");
    return 100 * size;
  };
  expect(await largestThatFits({ size: 1000, estimate }, 70_050)).toBe(700);
  expect(await largestThatFits({ size: 1000, estimate }, 3000)).toBe(0);
});

test("bytes read well", () => {
  expect([999, 12_345, 820e6, 16.44e9].map(formatBytes)).toEqual(["999 B", "12.3 kB", "820 MB", "16.4 GB"]);
});

/** A thousand bytes per neuron, and `available` of them. */
const gauge = (available: number): MemoryGauge => ({
  estimate: async ({ neurons }) => ({ total: 1000 * neurons, parts: { P: 1000 * neurons } }),
  available,
});

const guard = (given: ExperimentInput, recording: Recording | null, available: number) => {
  const experiment = parseExperiment(given, "test");
  return guardMemory(experiment, resolveExperiment(experiment, recording), gauge(available));
};

const recording: Recording = {
  quantity: "current",
  tasks: 1,
  rows: 2,
  neurons: 100,
  values: new Float64Array(200),
  taskNames: ["task"],
  intervalMs: 20,
  notes: [],
};

test("an experiment is refused with the largest number of neurons that fits, and with what makes it smaller", async () => {
  const given = { neurons: 5000, static: null, plastic: { inputsPerType: 10 } } as const;
  await guard(given, null, 5e6);
  await expect(guard(given, null, 4_999_999)).rejects.toThrow(
    /needs 5\.0 MB of memory \(P 5\.0 MB\), but 5\.0 MB are available; the largest that fits is neurons = 4999\. learning\.precision=int16 halves/,
  );
  await expect(guard({ ...given, learning: { precision: "int16" } }, null, 1e6)).rejects.toThrow(
    /the largest that fits is neurons = 1000\. Fewer plastic inputs/,
  );
  await expect(guard(given, null, 19_999)).rejects.toThrow(/no smaller network of this kind fits either/);
});

test("with several model neurons per recorded one, the number of copies is what can be lowered", async () => {
  const given: ExperimentInput = {
    targets: { type: "recording", file: "none" },
    copies: 8,
    static: null,
    plastic: { inputsPerType: 10 },
  };
  await guard(given, recording, 800_000);
  await expect(guard(given, recording, 350_000)).rejects.toThrow(/the largest that fits is copies = 3\./);
});

test("the estimate of the published million: P in 16 bit, some 8.3 GB, is the largest part", async () => {
  const input = {
    neurons: 1_000_000,
    static: { K: 512 },
    plastic: { inputsPerType: 45 },
    learning: { precision: "int16" },
  };
  const { spec } = resolveExperiment(parseExperiment(input, "million"), null);
  const { total, parts } = await estimateMemory(spec, { threads: 2, fast: false });
  expect(parts.P).toBeGreaterThan(8.1e9);
  expect(parts.P).toBeLessThan(9.5e9);
  expect(total).toBeGreaterThan(parts.P);
  expect(total).toBeLessThan(16e9);
});
