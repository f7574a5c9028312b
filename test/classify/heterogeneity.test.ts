/** Heterogeneity from the command line: the switch, constants from files, tests on changed samples, fits and the report. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Context } from "../../src/cli/context.ts";
import { run } from "../../src/cli/program.ts";
import { writeNpy } from "../../src/data/formats/npy.ts";
import { smallExperiment } from "./small.ts";

let cwd: string;
const before = process.cwd();
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "volley-heterogeneity-"));
  const disturbances = [{ name: "silence", change: [{ type: "dropSpikes" as const, probability: 1 }] }];
  const small = smallExperiment({
    data: {
      test: { holdOut: { type: "fraction", fraction: 0.25, stratified: true } },
      disturbances,
    },
    layer: { model: { type: "StorkLIF", parameters: { threshold: { file: "thresholds.npy" } } } },
  });
  writeFileSync(join(cwd, "small.json"), JSON.stringify(small));
  writeFileSync(join(cwd, "thresholds.npy"), writeNpy(Float32Array.from({ length: 8 }, (_, i) => 0.8 + i / 20)));
  writeFileSync(join(cwd, "tau.csv"), "species,n,mean_ms,sd_ms,p10,p50,p90\nmouse,1920,17.9,10.6,6.9,16.4,29.8\n");
  process.chdir(cwd);
});
afterAll(() => {
  process.chdir(before);
  rmSync(cwd, { recursive: true, force: true });
});

async function volley(...args: string[]) {
  let [stdout, stderr] = ["", ""];
  const context = {
    stdout: { columns: undefined, write: (text: string) => void (stdout += text) },
    stderr: { columns: undefined, write: (text: string) => void (stderr += text) },
    env: {},
    command: [],
    onSignal: () => () => {},
  };
  const code = await run(args, context as unknown as Context);
  return { code, stdout, stderr };
}

test("train, inspect, test on changed samples, report beside measured time constants", async () => {
  const word = "network.heterogeneity=het/het";
  const trained = await volley("train", "small.json", "--set", word, "--threads", "1", "--json", "--out", "run");
  expect(trained.stderr).toContain("network.layers.0.model.parameters.threshold: 8 values from thresholds.npy");
  expect(trained.code, trained.stderr).toBe(0);
  const { accuracy } = JSON.parse(trained.stdout);
  expect(accuracy.disturbed.silence).toBeCloseTo(1 / 3, 12);

  // The run has the numbers themselves, and what the word stands for.
  const kept = JSON.parse(readFileSync(join(cwd, "run/experiment.json"), "utf8"));
  const [layer] = kept.network.layers;
  expect(layer.model.parameters.threshold[1]).toBeCloseTo(0.85, 6);
  expect(layer.model.parameters.tauMemMs).toMatchObject({ distribution: "gamma", mean: 10, shape: 3 });
  expect(layer.trainable.tauSynMs).toMatchObject({ range: { type: "decay" }, shared: false });

  const inspected = JSON.parse((await volley("inspect", "run", "--json")).stdout);
  expect(inspected.constants.map(({ layer: own, name, unit }: Record<string, string>) => [own, name, unit])).toEqual([
    ["hidden", "tauMemMs", "ms"],
    ["hidden", "tauSynMs", "ms"],
  ]);
  for (const { before: start, after } of inspected.constants) {
    for (const summary of [start, after]) {
      expect(summary.count).toBe(8);
      expect(summary.gamma.shape).toBeGreaterThan(0);
      expect(summary.gamma.shape * summary.gamma.scale).toBeCloseTo(summary.mean, 6);
    }
    expect(after.mean).not.toBe(start.mean);
  }
  expect(inspected.disturbed).toMatchObject([{ name: "silence", accuracy: accuracy.disturbed.silence }]);

  const tested = async (...more: string[]) => {
    const { code, stdout, stderr } = await volley("test", "run", "--threads", "1", "--json", ...more);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const drop = (probability: number) => ["--disturb", JSON.stringify({ type: "dropSpikes", probability })];
  expect((await tested()).accuracy).toBe(accuracy.test);
  expect((await tested(...drop(0))).accuracy).toBe(accuracy.test);
  expect((await tested(...drop(0), ...drop(1))).accuracy).toBe(accuracy.disturbed.silence);
  expect((await volley("test", "run", "--disturb", "fast")).stderr).toContain("--disturb fast is not JSON");
  expect((await volley("test", "run", "--disturb", '{"type": "drop"}')).stderr).toContain('did you mean "crop"');

  const page = () => readFileSync(join(cwd, "run/report.html"), "utf8");
  expect(page()).toContain("Time constants and the distributions that fit them.");
  expect(page()).toContain("test, silence");
  expect(page()).not.toContain("mouse, measured");
  expect((await volley("report", "run", "--measured", "tau.csv")).code).toBe(0);
  expect(page()).toContain("mouse, measured");
  expect((await volley("report", "run", "--measured", "none.csv")).stderr).toContain(
    "--measured names none.csv, but there is no such file",
  );
});

test("files that do not fit are refused before anything is written", async () => {
  const set = (value: object) => ["--set", `network.layers.0.model.parameters.tauMemMs=${JSON.stringify(value)}`];
  const refused = async (value: object) =>
    (await volley("train", "small.json", ...set(value), "--threads", "1", "--out", "refused")).stderr;
  writeFileSync(join(cwd, "three.npy"), writeNpy(Float32Array.of(5, 10, 20)));
  writeFileSync(join(cwd, "negative.npy"), writeNpy(Float32Array.from({ length: 8 }, () => -1)));
  expect(await refused({ file: "three.npy" })).toMatch(/tauMemMs is a list of 3 numbers, but 8 neurons need one each/);
  expect(await refused({ file: "negative.npy" })).toMatch(/"tauMemMs" of model StorkLIF is -1 ms for neuron 0/);
  expect(await refused({ file: "none.npy" })).toMatch(
    /parameters\.tauMemMs names .*none\.npy, but there is no such file/,
  );
});
