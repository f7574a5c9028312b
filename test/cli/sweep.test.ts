/** Sweeps from outside: real processes, stopped, killed, cut into shards, with cells that fail. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { SweepInput } from "../../src/experiment/sweep/schema.ts";
import { smallExperiment } from "../classify/small.ts";
import { type CommandLine, commandLine } from "./support/processes.ts";

let line: CommandLine;
let cwd: string;
const folders: string[] = [];
beforeAll(() => {
  line = commandLine();
});
afterAll(() => {
  line.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "volley-sweep-"));
  folders.push(cwd);
});

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
    iterations: 100,
    checkpoint: { everySeconds: 0 },
  },
  grid: { "learning.lambda": [0.1, 1] },
  measure: ["correlation"],
} satisfies SweepInput;
const ticks = { ticks: 1, msPerTick: 100 };

const write = (sweep: object) => writeFileSync(join(cwd, "s.json"), JSON.stringify(sweep));
const start = (args: string, fake: Parameters<CommandLine["start"]>[1] = {}) =>
  line.start(args.split(" "), { cwd, fake: "shipped", ...fake });
const read = (name: string) => readFileSync(join(cwd, name), "utf8");
const iterationsOf = (run: string) =>
  read(`${run}/metrics.jsonl`)
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text).iteration);
const startedAt = (run: string) => JSON.parse(read(`${run}/environment.json`)).startedAt;

test("four cells: runs, table, figure, and nothing is run twice", async () => {
  write(small);
  const { code, stdout, stderr } = await start("sweep s.json --json").ended;
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
  expect(readdirSync(join(cwd, "sweeps/small/runs"))).toEqual(names);
  const outcomes = [1, 2].map((seed) => JSON.parse(read(`sweeps/small/runs/initial-normal_seed-${seed}/outcome.json`)));
  expect(measures["accuracy.test"].values).toEqual(outcomes.map(({ last }) => last.test.accuracy));
  expect(JSON.parse(read("sweeps/small/runs/initial-normal_seed-2/experiment.json"))).toMatchObject({ seed: 2 });
  expect(read("sweeps/small/sweep.csv").split("\r\n")).toHaveLength(6);
  expect(read("sweeps/small/table.md")).toMatch(
    /^# small\n\nMean ± .* 4 of 4 cells finished\.\n\n\| initial \| test accuracy/,
  );
  expect(read("sweeps/small/small.svg")).toMatch(/^<svg .*<\/svg>\n$/s);

  // What the cells would take beside each other is found out from the same files.
  const asked = await start(`sweep-memory sweeps/small/experiments/${names[0]}.json none.json`).ended;
  const needs = asked.stdout
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text).bytes);
  expect(needs).toEqual([expect.any(Number), 0]);
  expect(needs[0]).toBeGreaterThan(5e7);
  expect(needs[0]).toBeLessThan(1e9);

  const before = names.map((name) => startedAt(`sweeps/small/runs/${name}`));
  const again = await start("sweep s.json --figure figures").ended;
  expect(again.stderr).toMatch(/; 0 to run/);
  expect(again.stdout).toMatch(/^initial {2}test accuracy \(%\).*\nnormal .* \+- .* \(2\).*\nauto /);
  expect(names.map((name) => startedAt(`sweeps/small/runs/${name}`))).toEqual(before);
  expect(readdirSync(join(cwd, "figures"))).toEqual(["small.svg"]);

  // One cell of another form, and one more seed: only what that touches is run.
  write({
    ...small,
    grid: { "network.layers.*.initial": [{ name: "normal", value: { type: "normal", gain: 2 } }, "auto"] },
    seeds: [1],
  });
  const changed = await start("sweep s.json").ended;
  expect(changed.stderr).toMatch(/1 cell changed since .* run anew: initial-normal_seed-1; their old runs go to/);
  expect(changed.stderr).toMatch(/2 runs in .* belong to no cell/);
  expect(readdirSync(join(cwd, "sweeps/small/replaced"))).toEqual(["initial-normal_seed-1-1"]);
  expect(startedAt("sweeps/small/runs/initial-auto_seed-1")).toBe(before[0]);
  expect(startedAt("sweeps/small/runs/initial-normal_seed-1")).not.toBe(before[2]);
});

test("Ctrl-C stops within two seconds, and the same command goes on where it was", async () => {
  write(slow);
  const running = start("sweep s.json --jobs 2", { fake: ticks });
  const run = "sweeps/slow/runs/lambda-0.1_seed-1";
  while (!existsSync(join(cwd, run, "checkpoints"))) await sleep(50);
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
  expect(done).toBeLessThan(100);

  const again = await start("sweep s.json --jobs 2", { fake: { ticks: 1 } }).ended;
  expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/2 of 2 cells finished/) });
  expect(iterationsOf(run)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(read(`sweeps/slow/logs/lambda-0.1_seed-1.txt`)).toMatch(/continuing after iteration \d+/);
});

test("a cell or the whole sweep may be killed: nothing that was kept is lost", async () => {
  write({ ...slow, grid: {} });
  const run = "sweeps/slow/runs/seed-1";
  const running = start("sweep s.json --jobs 1", { fake: ticks });
  while (!existsSync(join(cwd, run, "checkpoints"))) await sleep(50);
  const ownerOf = () => (existsSync(join(cwd, run, "run.lock")) ? JSON.parse(read(`${run}/run.lock`)).pid : undefined);
  const pid = ownerOf();
  process.kill(pid, "SIGKILL");
  const { code, stderr } = await running.ended;
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/seed-1: was ended by SIGKILL; most likely/),
  });
  expect(read("sweeps/slow/table.md")).toMatch(/Failed:\n\n- seed-1: was ended by SIGKILL/);

  // The sweep itself: its cells stop by themselves and keep their state.
  const second = start("sweep s.json --jobs 1", { fake: ticks });
  while (ownerOf() === undefined || ownerOf() === pid) await sleep(50);
  await sleep(300);
  second.child.kill("SIGKILL");
  await second.ended;
  while (ownerOf() !== undefined) await sleep(50);
  const done = iterationsOf(run).length;
  expect(done).toBeLessThan(100);

  const last = await start("sweep s.json --jobs 1", { fake: { ticks: 1 } }).ended;
  expect(last.code).toBe(0);
  expect(iterationsOf(run)).toHaveLength(100);
  expect(readdirSync(join(cwd, "sweeps/slow/failures"))).toEqual([]);
});

test("a cell that cannot be trained does not keep the others, and shards make up the whole", async () => {
  write({
    ...slow,
    name: "parts",
    grid: { neurons: [40, 41, 42], "targets.file": [{ name: "none", value: "none.h5" }] },
  });
  // Sinusoids have no file: refused before anything is run.
  expect(await start("sweep s.json", { fake: {} }).ended).toMatchObject({ code: 64 });
  expect(existsSync(join(cwd, "sweeps"))).toBe(false);

  // The rate of 600 Hz from iteration 2 on is what a network that ran away looks like; one neuron too few for its inputs.
  write({ ...slow, name: "parts", grid: { "plastic.inputsPerType": [3, 4, 500, 5] } });
  const first = await start("sweep s.json --shard 1/2", { fake: {} }).ended;
  expect(first.code).toBe(1);
  expect(first.stderr).toMatch(/parts: 4 cells: 4 inputsPerType x 1 seed; part 1 of 2: 2; 2 to run/);
  expect(first.stderr).toMatch(/1 of 4 cells finished, 1 failed, 2 missing/);
  expect(first.stderr).toMatch(/error: 1 of 4 cells failed:\n {2}inputsPerType-500_seed-1: /);
  const second = await start("sweep s.json --shard 2/2", { fake: {} }).ended;
  expect(second.stderr).toMatch(/3 of 4 cells finished, 1 failed/);
  expect(second.stdout).toMatch(/^500 +-$/m);
  expect(readdirSync(join(cwd, "sweeps/parts/runs")).sort()).toEqual([3, 4, 5].map((n) => `inputsPerType-${n}_seed-1`));
  expect(await start("sweep s.json --shard 3/2", { fake: {} }).ended).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/--shard is "3\/2"; write i\/n/),
  });
});
