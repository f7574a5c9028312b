/** Sweeps from outside: real processes, stopped, killed, cut into shards, with cells that fail. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "fflate";
import { expect, test } from "vitest";
import { classifyPresets } from "../../src/experiment/classify/presets.ts";
import type { SweepInput } from "../../src/experiment/sweep/schema.ts";
import { smallExperiment } from "../classify/small.ts";
import { shdFile } from "../data/make-labelled-files.ts";
import { workplace } from "./support/workplace.ts";

const place = workplace("volley-sweep-", { engine: "shipped" });

const test40 = { holdOut: { type: "fraction", fraction: 0.2 } } as const;
const small = {
  kind: "sweep",
  name: "small",
  experiment: smallExperiment({ data: { test: test40 }, rest: { exampleTrials: 0 } }) as Record<string, unknown>,
  grid: { "network.layers.*.initial": [{ type: "normal" }, "auto"] },
  seeds: [1, 2],
  measure: ["accuracy.test", "last.layers.-1.rateHz"],
  figure: { x: "initial" },
} satisfies SweepInput;
/** Iterations that learn nothing, of a tenth of a second with `ticks`. */
const slow = {
  kind: "sweep",
  name: "slow",
  experiment: {
    neurons: 40,
    static: { K: 4 },
    plastic: { inputsPerType: 3 },
    iterations: 30,
    checkpoint: { everySeconds: 0 },
  },
  grid: { "learning.lambda": [0.1, 1] },
  measure: ["correlation"],
} satisfies SweepInput;
const ticks = { ticks: 1, msPerTick: 100 };

const write = (sweep: object) => place.write("s.json", sweep);
const iterationsOf = (run: string) =>
  place
    .read(`${run}/metrics.jsonl`)
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text).iteration);
const startedAt = (run: string) => JSON.parse(place.read(`${run}/environment.json`)).startedAt;

test("four cells: runs, table, figure, and nothing is run twice", async () => {
  write(small);
  const { code, stdout, stderr } = await place.start("sweep s.json --json").ended;
  expect(stderr).not.toMatch(/error|warning/);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^small: 4 cells: 2 initial x 2 seeds; 4 to run, \d+ at a time\n/);
  expect(
    stderr.match(/^\[\d\/4\] initial-(normal|auto)_seed-[12] {2}test accuracy [\d.]+ % {2}[\d a-z]+ s$/gm),
  ).toHaveLength(4);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ cells: 4, finished: 4, missing: 0, failed: [] });
  expect(result.table.map(({ initial }: { initial: string }) => initial)).toEqual(["normal", "auto"]);
  const [{ measures }] = result.table;
  expect(measures["accuracy.test"].values).toHaveLength(2);
  // Each cell is an ordinary run, and its figure is that of its outcome.
  const names = ["initial-auto_seed-1", "initial-auto_seed-2", "initial-normal_seed-1", "initial-normal_seed-2"];
  expect(readdirSync(place.path("sweeps/small/runs"))).toEqual(names);
  const outcomes = [1, 2].map((seed) =>
    JSON.parse(place.read(`sweeps/small/runs/initial-normal_seed-${seed}/outcome.json`)),
  );
  expect(measures["accuracy.test"].values).toEqual(outcomes.map(({ last }) => last.test.accuracy));
  expect(JSON.parse(place.read("sweeps/small/runs/initial-normal_seed-2/experiment.json"))).toMatchObject({ seed: 2 });
  expect(place.read("sweeps/small/sweep.csv").split("\r\n")).toHaveLength(6);
  expect(place.read("sweeps/small/table.md")).toMatch(
    /^# small\n\nMean ± .* 4 of 4 cells finished\.\n\n\| initial \| test accuracy/,
  );
  expect(place.read("sweeps/small/small.svg")).toMatch(/^<svg .*<\/svg>\n$/s);

  // What the cells would take beside each other is found out from the same files.
  const asked = await place.here(`sweep-memory sweeps/small/experiments/${names[0]}.json none.json`);
  const needs = asked.stdout
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text).bytes);
  expect(needs).toEqual([expect.any(Number), 0]);
  expect(needs[0]).toBeGreaterThan(5e7);
  expect(needs[0]).toBeLessThan(1e9);

  const before = names.map((name) => startedAt(`sweeps/small/runs/${name}`));
  const again = await place.here("sweep s.json --figure figures");
  expect(again.stderr).toMatch(/; 0 to run/);
  expect(again.stdout).toMatch(/^initial {2}test accuracy \(%\).*\nnormal .* \+- .* \(2\).*\nauto /);
  expect(names.map((name) => startedAt(`sweeps/small/runs/${name}`))).toEqual(before);
  expect(readdirSync(place.path("figures"))).toEqual(["small.svg"]);

  // One cell of another form, and one more seed: only what that touches is run.
  write({
    ...small,
    grid: { "network.layers.*.initial": [{ name: "normal", value: { type: "normal", gain: 2 } }, "auto"] },
    seeds: [1],
  });
  const changed = await place.start("sweep s.json").ended;
  expect(changed.stderr).toMatch(/1 cell changed since .* run anew: initial-normal_seed-1; their old runs go to/);
  expect(changed.stderr).toMatch(/2 runs in .* belong to no cell/);
  expect(readdirSync(place.path("sweeps/small/replaced"))).toEqual(["initial-normal_seed-1-1"]);
  expect(startedAt("sweeps/small/runs/initial-auto_seed-1")).toBe(before[0]);
  expect(startedAt("sweeps/small/runs/initial-normal_seed-1")).not.toBe(before[2]);
});

test("Ctrl-C stops within two seconds, and the same command goes on where it was", async () => {
  write(slow);
  const running = place.start("sweep s.json --jobs 2", { fake: ticks });
  const run = "sweeps/slow/runs/lambda-0.1_seed-1";
  while (!existsSync(place.path(run, "checkpoints"))) await sleep(50);
  await sleep(300);
  const asked = performance.now();
  running.child.kill("SIGINT");
  const { code, stderr } = await running.ended;
  expect(performance.now() - asked).toBeLessThan(2500);
  expect({ code, stderr }).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/continue with: volley sweep s\.json\n$/),
  });
  const done = iterationsOf(run).length;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(30);

  const again = await place.start("sweep s.json --jobs 2", { fake: { ticks: 1 } }).ended;
  expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/2 of 2 cells finished/) });
  expect(iterationsOf(run)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  expect(place.read(`sweeps/slow/logs/lambda-0.1_seed-1.txt`)).toMatch(/continuing after iteration \d+/);
});

test("a cell or the whole sweep may be killed: nothing that was kept is lost", async () => {
  write({ ...slow, grid: {} });
  const run = "sweeps/slow/runs/seed-1";
  const running = place.start("sweep s.json --jobs 1", { fake: ticks });
  while (!existsSync(place.path(run, "checkpoints"))) await sleep(50);
  const ownerOf = () =>
    existsSync(place.path(run, "run.lock")) ? JSON.parse(place.read(`${run}/run.lock`)).pid : undefined;
  const pid = ownerOf();
  process.kill(pid, "SIGKILL");
  const { code, stderr } = await running.ended;
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/seed-1: was ended by SIGKILL; most likely/),
  });
  expect(place.read("sweeps/slow/table.md")).toMatch(/Failed:\n\n- seed-1: was ended by SIGKILL/);

  // The sweep itself: its cells stop by themselves and keep their state.
  const second = place.start("sweep s.json --jobs 1", { fake: ticks });
  while (ownerOf() === undefined || ownerOf() === pid) await sleep(50);
  await sleep(300);
  second.child.kill("SIGKILL");
  await second.ended;
  while (ownerOf() !== undefined) await sleep(50);
  const done = iterationsOf(run).length;
  expect(done).toBeLessThan(30);

  const last = await place.start("sweep s.json --jobs 1", { fake: { ticks: 1 } }).ended;
  expect(last.code).toBe(0);
  expect(iterationsOf(run)).toHaveLength(30);
  expect(readdirSync(place.path("sweeps/slow/failures"))).toEqual([]);
});

test("a cell that cannot be trained does not keep the others, and shards make up the whole", async () => {
  write({
    ...slow,
    name: "parts",
    grid: { neurons: [40, 41, 42], "targets.file": [{ name: "none", value: "none.h5" }] },
  });
  // Sinusoids have no file: refused before anything is run.
  expect(await place.here("sweep s.json")).toMatchObject({ code: 64 });
  expect(existsSync(place.path("sweeps"))).toBe(false);

  // The rate of 600 Hz from iteration 2 on is what a network that ran away looks like; one neuron too few for its inputs.
  write({ ...slow, name: "parts", grid: { "plastic.inputsPerType": [3, 4, 500] } });
  const first = await place.start("sweep s.json --shard 1/2", { fake: {} }).ended;
  expect(first.code).toBe(1);
  expect(first.stderr).toMatch(/parts: 3 cells: 3 inputsPerType x 1 seed; part 1 of 2: 2; 2 to run/);
  expect(first.stderr).toMatch(/1 of 3 cells finished, 1 failed, 1 missing/);
  expect(first.stderr).toMatch(/error: 1 of 3 cells failed:\n {2}inputsPerType-500_seed-1: /);
  const second = await place.start("sweep s.json --shard 2/2", { fake: {} }).ended;
  expect(second.stderr).toMatch(/2 of 3 cells finished, 1 failed/);
  expect(second.stdout).toMatch(/^500 +-$/m);
  expect(readdirSync(place.path("sweeps/parts/runs")).sort()).toEqual([3, 4].map((n) => `inputsPerType-${n}_seed-1`));
  expect(await place.here("sweep s.json --shard 3/2")).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/--shard is "3\/2"; write i\/n/),
  });
});

test("the heterogeneity study on files in SHD's layout: the published figures stand beside those of the networks", async () => {
  const missing = await place.here("sweep shd-heterogeneity");
  expect(missing.code).toBe(66);
  expect(missing.stderr).toMatch(
    /there is no file .*data\/shd\/shd_train\.h5\.gz, .* without it; get it with: volley data get shd, or name/,
  );
  mkdirSync(place.path("data/shd"), { recursive: true });
  for (const part of ["train", "test"]) {
    place.write(`data/shd/shd_${part}.h5.gz`, gzipSync(shdFile(part === "train" ? 12 : 6)));
  }
  // As it comes, but for the length of training and with two of its four conditions.
  const preset = classifyPresets(() => "")["shd-heterogeneity"].experiment;
  const experiment = { ...preset, learning: { ...preset.learning, epochs: 1 }, exampleTrials: 0 };
  const sweep = JSON.parse(readFileSync("examples/sweeps/shd-heterogeneity.json", "utf8"));
  const conditions = ["hom/standard", "het/het"];
  const [reference] = sweep.references;
  const values = reference.values.filter(({ at }: (typeof reference.values)[0]) =>
    conditions.includes(at.heterogeneity),
  );
  const grid = { "network.heterogeneity": conditions };
  write({ ...sweep, experiment, grid, references: [{ ...reference, values }], seeds: [1] });
  const { code, stdout, stderr } = await place.start("sweep s.json").ended;
  expect(stderr).not.toMatch(/error|warning/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^heterogeneity +test accuracy \(%\) +Perez-Nieves et al\. 2021 \(%\) +training accuracy/);
  expect(stdout).toMatch(/\nhom\/standard +[\d.]+ \(1\) +71\.7 \+- 1\.0 +/);
  expect(stdout).toMatch(/\nhet\/het +[\d.]+ \(1\) +81\.7 \+- 0\.8 +/);
  expect(place.read("sweeps/shd-heterogeneity/shd-heterogeneity.svg")).toContain("chance");
});
