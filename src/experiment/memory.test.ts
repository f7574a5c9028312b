import { expect, test } from "vitest";
import { estimateMemory } from "./estimate.ts";
import { assertFits, availableMemory, formatBytes, largestThatFits } from "./memory.ts";
import { resolveExperiment } from "./resolve.ts";
import { parseExperiment } from "./schema.ts";

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

test("this machine has some memory; bytes read well", () => {
  expect(availableMemory()).toBeGreaterThan(1e7);
  expect([999, 12_345, 820e6, 16.44e9].map(formatBytes)).toEqual(["999 B", "12.3 kB", "820 MB", "16.4 GB"]);
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
