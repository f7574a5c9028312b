/** Every workload at a tiny size, as a person would run it: through the built command, in processes of their own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { inProcess } from "../../../test/cli/support/in-process.ts";
import { syntheticRates } from "./synthetic-rates.ts";

const main = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

function bench(args: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, "bench", ...args.split(" ")]);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** The value at a path like `rows.*.seconds.median`; `*` stands for every element. */
function at(value: unknown, path: string): unknown[] {
  return path.split(".").reduce<unknown[]>(
    (found, key) =>
      found.flatMap((item) => {
        const children = item as Record<string, unknown>;
        return key === "*" ? Object.values(children) : [children?.[key]];
      }),
    [value],
  );
}

const ofNetworks = [
  "size.bytesOfP",
  "rows.*.secondsPerIteration.*",
  "rows.*.ratioToBaseline",
  "rows.*.kernelShare",
  "rows.*.floorSecondsOfP",
  "rows.*.split.rls",
  "inPlaceGigabytesPerSecond.*.*",
];

/** Workloads that one process runs, one after the other, and what is to be positive in the figures of each. */
const groups: [args: string, positive: Record<string, string[]>][] = [
  [
    "--neurons 128 --minutes 0.001 --repeat 1 --threads 1 --precision int16 --block 5",
    {
      network: [...ofNetworks, "firstProgress.firstLineSeconds.median"],
      alm: ofNetworks,
      "50k": ["secondsPerIteration.*", "curve.*.minute", "curve.*.iteration", "test.rateHz", "peakRssBytes"],
      startup: ["rows.*.firstLineSeconds.median", "rows.*.firstIterationSeconds.median"],
    },
  ],
  [
    "--neurons 1026 --threads 1",
    {
      million: [
        ...["size.*", "memory.estimateBytes", "memory.peakRssBytes", "buildSeconds", "secondsPerIteration.*"],
        "floor.*.bytes",
      ],
    },
  ],
  [
    "--neurons 16 --steps 40 --epochs 1 --bytes 1e5 --repeat 1 --threads 2",
    {
      kernel: [
        "rows.*.microsecondsPerUpdate.*",
        "rows.*.gigabytesPerSecond",
        "rows.*.ratioToInPlace",
        "rows.*.speedUpOverOneThread",
        "rows.*.inCacheMicroseconds.median",
        "rows.*.twinMicroseconds.median",
      ],
      gradient: [
        "parts.*.forward.*",
        "parts.*.backward.*",
        "parts.*.total.*",
        "parts.*.trained.*",
        "parts.*.floor",
        "parts.*.hiddenHz",
        "parts.*.computedShare",
        "heterogeneity.*.homogeneous.*",
        "heterogeneity.*.heterogeneousRatio",
        "heterogeneity.*.trainedRatio",
        "twins.*.twinMs.*",
        "sixteenBits.*.forward.*",
        "sixteenBits.*.backward.*",
        "sixteenBits.*.tapeBytes",
        "sixteenBits.*.engineBytes",
        "batches.*.seconds.*",
        "batches.*.bytesOverBase",
        "threads.*.samplesPerSecond.*",
        "threads.*.speedUpOverOneThread",
        "lengths.*.microsecondsPerStep.*.median",
        "lengths.*.largestRatio",
      ],
      rules: ["rows.*.testAccuracy.*", "rows.*.msPerSample.*", "rows.*.engineBytes", "rows.*.bytesOverBase"],
      inference: [
        ...["rows.*.stream.*", "rows.*.slowestPercent", "rows.*.whole.*", "rows.*.call.*", "rows.*.twin"],
        "images.stream.*",
      ],
      density: [
        "rows.*.eventForward.*",
        "rows.*.denseForward.*",
        "rows.*.eventBackward.*",
        "rows.*.denseBackward.*",
        "engines.*.event.*",
        "engines.*.dense.*",
      ],
      membrane: ["rows.*.measured", "rows.*.independentSpread", "dale.*.sigma", "dale.*.share"],
    },
  ],
];

describe("volley bench", () => {
  test.each(groups.map(([args, positive]) => [Object.keys(positive).join(" "), args, positive] as const))(
    "%s: finite positive figures, the machine and the seed",
    { timeout: 180_000 },
    async (names, args, positive) => {
      const { code, stdout, stderr } = await bench(`${names} ${args} --seed 3 --json`);
      expect(code, stderr).toBe(0);
      expect(stdout.trim().split("\n")).toHaveLength(1);
      const results = JSON.parse(stdout);
      expect(Object.keys(results)).toEqual(names.split(" "));
      for (const [name, paths] of Object.entries(positive)) {
        const result = results[name];
        expect(result, name).toMatchObject({ seed: 3, machine: { node: process.version, simd: { plain: true } } });
        for (const path of paths) {
          const values = at(result, path);
          expect(values.length, `${name}: ${path}`).toBeGreaterThan(0);
          for (const value of values) {
            expect(value, `${name}: ${path}`).toBeGreaterThan(0);
            expect(value, `${name}: ${path}`).toBeLessThan(Number.POSITIVE_INFINITY);
          }
        }
      }
      const { gradient, density, kernel } = results;
      for (const { largestDifference, differentSpikes } of gradient?.twins ?? []) {
        expect(differentSpikes).toBe(0);
        expect(largestDifference).toBeLessThan(2e-4);
      }
      for (const { largestDifference } of density?.rows ?? []) expect(largestDifference).toBeLessThan(1e-5);
      for (const { sameBytes } of density === undefined ? [] : [...density.rows, ...density.engines]) {
        expect(sameBytes).toBe(true);
      }
      for (const { precision, largestDifferenceFromTwin } of kernel?.rows ?? []) {
        expect(largestDifferenceFromTwin).toBeLessThan(precision === "f32" ? 1e-5 : 1e-2);
      }
    },
  );

  test("prints tables, and talks on stderr only", async () => {
    const { code, stdout, stderr } = await bench("kernel --bytes 1e5 --repeat 1 --threads 1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^RLS update[\s\S]*us\/update/);
    expect(stdout).not.toMatch(/kernel: M/);
    expect(stderr).toMatch(/kernel: M 45, f32/);
  });

  test.each([
    ["50k --minutes 0", /--minutes is "0"; it must be a number above 0/],
    ["kernel --bytes many", /--bytes is "many"/],
    ["kernel --bytes 9e15", /lower --bytes/],
  ])("%s is refused", async (args, message) => {
    const { code, stdout, stderr } = await inProcess(`bench ${args}`.split(" "), process.cwd());
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe("synthetic rates", () => {
  const make = (seed: number) => syntheticRates({ seed, neurons: 300, rows: 150, intervalMs: 20, meanHz: 7 });

  test("are positive, of the mean that is asked for, and plausible", () => {
    const { values } = make(1);
    expect(values.reduce((sum, rate) => sum + rate, 0) / values.length).toBeCloseTo(7, 9);
    expect(Math.min(...values)).toBeGreaterThan(0);
    expect(Math.max(...values)).toBeLessThan(200);
  });

  test("are smooth: neighbouring rows differ little, distant ones much", () => {
    const { values, neurons, rows } = make(1);
    const change = (apart: number) => {
      let sum = 0;
      for (let i = 0; i < (rows - apart) * neurons; i++) sum += Math.abs(values[i + apart * neurons] - values[i]);
      return sum / ((rows - apart) * neurons);
    };
    expect(change(1)).toBeLessThan(0.2 * change(50));
  });

  test("depend on the seed alone", () => {
    expect(make(2).values).toEqual(make(2).values);
    expect(make(2).values).not.toEqual(make(3).values);
  });
});
