/** Heterogeneity from the command line: the switch, constants from files, tests on changed samples, fits and the report. */
import { beforeAll, expect, test } from "vitest";
import { writeNpy } from "../../src/data/formats/npy.ts";
import { workplace } from "../cli/support/workplace.ts";
import { smallExperiment } from "./small.ts";

const place = workplace("volley-heterogeneity-", { folder: "file", processes: false });
const volley = (...args: string[]) => place.here(args);
beforeAll(() => {
  const disturbances = [{ name: "silence", change: [{ type: "dropSpikes" as const, probability: 1 }] }];
  const small = smallExperiment({
    data: {
      test: { holdOut: { type: "fraction", fraction: 0.25, stratified: true } },
      disturbances,
    },
    layer: { model: { type: "StorkLIF", parameters: { threshold: { file: "thresholds.npy" } } } },
  });
  place.write("small.json", small);
  place.write("thresholds.npy", writeNpy(Float32Array.from({ length: 8 }, (_, i) => 0.8 + i / 20)));
  place.write("tau.csv", "species,n,mean_ms,sd_ms,p10,p50,p90\nmouse,1920,17.9,10.6,6.9,16.4,29.8\n");
});

test("train, inspect, test on changed samples, report beside measured time constants", async () => {
  const word = "network.heterogeneity=het/het";
  const trained = await volley("train", "small.json", "--set", word, "--threads", "1", "--json", "--out", "run");
  expect(trained.stderr).toContain("network.layers.0.model.parameters.threshold: 8 values from thresholds.npy");
  expect(trained.code, trained.stderr).toBe(0);
  const { accuracy } = JSON.parse(trained.stdout);
  expect(accuracy.disturbed.silence).toBeCloseTo(1 / 3, 12);

  // The run has the numbers themselves, and what the word stands for.
  const kept = JSON.parse(place.read("run/experiment.json"));
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
  // The readout starts as the layers do and is not trained; the thresholds are those of the file.
  const ofReadout = Object.keys(kept.network.readout.model.parameters);
  expect(ofReadout.length).toBeGreaterThan(0);
  expect(inspected.fixed.map(({ layer: own, name }: Record<string, string>) => [own, name])).toEqual([
    ["hidden", "threshold"],
    ...ofReadout.map((name) => ["readout", name]),
  ]);
  expect(inspected.fixed[0].values).toMatchObject({ count: 8 });
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

  const page = () => place.read("run/report.html");
  expect(page()).toContain("Time constants and the distributions that fit them.");
  expect(page()).toContain("test, silence");
  expect(page()).toMatch(/hidden: threshold<\/span><span class="panel-note">given, not trained/);
  expect(page()).toMatch(/readout: tau\w+<\/span><span class="panel-note">drawn, not trained/);
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
  place.write("three.npy", writeNpy(Float32Array.of(5, 10, 20)));
  place.write("negative.npy", writeNpy(Float32Array.from({ length: 8 }, () => -1)));
  expect(await refused({ file: "three.npy" })).toMatch(/tauMemMs is a list of 3 numbers, but 8 neurons need one each/);
  expect(await refused({ file: "negative.npy" })).toMatch(/"tauMemMs" of model StorkLIF is -1 ms for neuron 0/);
  expect(await refused({ file: "none.npy" })).toMatch(
    /parameters\.tauMemMs names .*none\.npy, but there is no such file/,
  );
});
