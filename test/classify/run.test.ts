/** Classifiers from outside: real processes, threads, signals, and files of other people. Kills: cli/sigkill.test.ts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Context } from "../../src/cli/context.ts";
import { run } from "../../src/cli/program.ts";
import { readNpz } from "../../src/data/formats/npz.ts";
import { type CommandLine, commandLine, type Ended } from "../cli/support/processes.ts";
import { everything, smallExperiment } from "./small.ts";

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
  cwd = mkdtempSync(join(tmpdir(), "volley-classify-"));
  folders.push(cwd);
  const test = { holdOut: { type: "fraction", fraction: 0.2 } } as const;
  const small = smallExperiment({ data: { test } });
  writeFileSync(join(cwd, "small.json"), JSON.stringify(small));
  writeFileSync(join(cwd, "everything.json"), JSON.stringify(everything));
  writeFileSync(join(cwd, "misspelt.json"), JSON.stringify({ ...small, kind: "clasify" }));
});

const start = (args: string) => line.start(args.split(" "), { cwd, fake: "shipped" });
const volley = (args: string) => start(args).ended;
const shaOf = async (args: string): Promise<string> => {
  const { code, stdout, stderr } = await volley(`${args} --json --no-report`);
  expect(stderr).not.toMatch(/error/);
  expect(code).toBe(0);
  return JSON.parse(stdout).checkpointSha256;
};
/** A command line that starts no threads, in this process: real ones take half a second to start. */
async function here(args: string): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const context = {
    stdout: { columns: undefined, write: (text: string) => void (stdout += text) },
    stderr: { columns: undefined, write: (text: string) => void (stderr += text) },
    env: {},
    command: [],
    onSignal: () => () => {},
  };
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const code = await run(args.split(" "), context as unknown as Context);
    return { code, stdout, stderr };
  } finally {
    process.chdir(before);
  }
}
const metrics = (run: string) =>
  readFileSync(join(cwd, run, "metrics.jsonl"), "utf8").replace(
    /"(seconds|samplesPerSecond|data|validation)":[\d.e-]+/g,
    '"$1":0',
  );
/** Long enough to be stopped. */
const long = "--set data.train.samplesPerClass=400 --set network.layers.0.neurons=64 --epochs 4";

describe("train", () => {
  test("--json: one object on stdout, talk on stderr, a complete run folder", async () => {
    const { code, stdout, stderr } = await volley("train small.json --threads 1 --json");
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/report: .*report\.html\n$/) });
    const lines = stdout.split("\n");
    expect(lines).toHaveLength(2);
    const result = JSON.parse(lines[0]);
    expect(Object.keys(result)).toEqual([
      "run",
      "epochs",
      "accuracy",
      "secondsPerEpoch",
      "peakRssBytes",
      "checkpointSha256",
    ]);
    expect(Object.keys(result.accuracy)).toEqual(["train", "validation", "test"]);
    for (const accuracy of Object.values<number>(result.accuracy)) expect(accuracy).toBeGreaterThanOrEqual(0);
    expect(result).toMatchObject({ epochs: 3, checkpointSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(stderr).toMatch(/building network: 10 - 8 StorkLIF - 3, BPTT; 27 training samples, 2 held out/);
    expect(stderr).toMatch(
      /epoch 3\/3 {2}loss \d\.\d+ {2}accuracy \d+\.\d % {2}validation loss .* Hz {2}\d+ samples\/s\n/,
    );
    expect(readdirSync(join(cwd, "runs/small")).sort()).toEqual([
      "before.json",
      "checkpoints",
      "data.json",
      "environment.json",
      "experiment.json",
      "initial.json",
      "metrics.jsonl",
      "outcome.json",
      "peak.json",
      "report.html",
    ]);
    const page = readFileSync(join(cwd, "runs/small/report.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page.slice(0, page.indexOf("<script"))).not.toMatch(/undefined|NaN/);
  });

  test("the same bytes for 1, 2, 3 and 4 threads, and from the experiment that the run kept", async () => {
    const train = (file: string, threads: number, out: string) =>
      shaOf(`train ${file} --threads ${threads} --out ${out}`);
    const shas = await Promise.all([1, 2, 3, 4].map((threads) => train("everything.json", threads, `run-${threads}`)));
    shas.push(await train("run-1/experiment.json", 1, "run-5"));
    expect(new Set(shas).size).toBe(1);
    for (const other of [2, 3, 4, 5]) expect(metrics(`run-${other}`)).toBe(metrics("run-1"));
  });

  test.each([
    ["train small.json --iterations 3", 64, /--iterations is for networks that follow a recording.*--epochs/],
    ["train alm --epochs 3", 64, /--epochs is for classifiers.*--iterations/],
    [
      "train small.json --set network.layers.1.neurons=3 --set network.layers.0.neurns=1",
      64,
      /layers\.0.*neurns.*did you mean "neurons"/,
    ],
    [
      "train small.json --set network.layers.x=3",
      64,
      /"network\.layers" is a list, and "x" is no place of it; it has places 0 to 0/,
    ],
    ["train shd", 66, /there is no file .*data\/shd\/shd_train\.h5\.gz; name your files by --data and --test/],
    ["train misspelt.json", 64, /kind is "clasify"; it must be "follow" or "classify" — did you mean/],
    [
      "train small.json --set network.layers.0.neurons=1000000",
      69,
      /needs .* of memory .* but .* the largest that fits is network\.layers\.0\.neurons = \d+/,
    ],
    ["test runs/none", 66, /there is no run at runs\/none/],
  ])("%s is refused", async (args, code, message) => {
    const ended = await here(args);
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBe(code);
    expect(readdirSync(cwd)).not.toContain("runs");
  });

  test("numbers that run away end with exit code 76", async () => {
    const { code, stderr } = await volley(
      'train small.json --threads 1 --set learning.optimiser={"type":"sgd","rate":1e39}',
    );
    expect(stderr).toMatch(/error: training diverged in epoch 1, batch \d: .*No checkpoint was written before/);
    expect(code).toBe(76);
  });
});

describe("a run that is stopped", () => {
  test("Ctrl-C and SIGTERM: within two seconds, and resumed to the same bytes", async () => {
    const whole = await shaOf(`train small.json ${long} --out whole`);
    for (const [signal, threads] of [
      ["SIGINT", 2],
      ["SIGTERM", 1],
    ] as const) {
      const out = `stopped-${threads}`;
      const running = start(`train small.json ${long} --threads ${threads} --out ${out}`);
      await running.shown(/epoch 1\/4/);
      await sleep(150);
      const asked = performance.now();
      running.child.kill(signal);
      const { code, stderr } = await running.ended;
      expect(performance.now() - asked).toBeLessThan(2000);
      expect({ code, stderr }).toMatchObject({
        code: signal === "SIGINT" ? 130 : 143,
        stderr: expect.stringMatching(/stopped in epoch \d of 4; continue with: volley resume/),
      });
      expect(await shaOf(`resume ${out}`)).toBe(whole);
      expect(metrics(out)).toBe(metrics("whole"));
    }
  });

  test("a finished run is extended to what training all at once would have given", async () => {
    const [whole] = await Promise.all([
      shaOf("train everything.json --epochs 5 --out whole"),
      shaOf("train everything.json --epochs 2 --out short"),
    ]);
    expect((await volley("resume short")).stderr).toMatch(/has done 2 of 2 epochs; .* --epochs 4/);
    expect(await shaOf("resume short --epochs 5")).toBe(whole);
  });
});

describe("a run that is looked at", () => {
  test("test, inspect, export and report", async () => {
    await volley("train small.json --threads 1 --out run");
    const [last, best] = await Promise.all([volley("test run --json"), volley("test run --best")]);
    const tested = JSON.parse(last.stdout);
    expect(tested).toMatchObject({ samples: 7, accuracy: expect.any(Number), msPerSample: expect.any(Number) });
    expect(best.stdout).toMatch(/^epoch \d: \d+\.\d\d % of 7, loss/);
    const inspected = await here("inspect run");
    expect(inspected.stdout).toMatch(/network {6}8 StorkLIF - 3 LI, BPTT, seed 3/);
    expect(inspected.stdout).toMatch(/checkpoint {3}epoch 3, .* whole, sha256 [0-9a-f]{64}/);
    expect(JSON.parse((await here("inspect run --json")).stdout)).toMatchObject({
      epochs: { done: 3, planned: 3 },
      test: { samples: 7, accuracy: tested.accuracy },
    });
    expect((await here("export run")).stdout).toBe(`${join(cwd, "run/network.npz").replace(/^\/private/, "")}\n`);
    const arrays = Object.fromEntries(
      readNpz(new Uint8Array(readFileSync(join(cwd, "run/network.npz"))), "network.npz").map((array) => [
        array.name,
        array,
      ]),
    );
    expect(arrays.weights_input.shape).toEqual([10, 8]);
    expect(arrays.weights_recurrent.shape).toEqual([8, 8]);
    expect(arrays.confusion_test.shape).toEqual([3, 3]);

    rmSync(join(cwd, "run/report.html"));
    expect((await volley("report run")).code).toBe(0);
    expect(readdirSync(join(cwd, "run"))).toContain("report.html");
  });

  test("nothing to test yet; a damaged checkpoint; an experiment that was changed", async () => {
    await volley("train small.json --threads 1 --out run --no-report");
    const experiment = join(cwd, "run/experiment.json");
    const text = readFileSync(experiment, "utf8");
    writeFileSync(experiment, text.replace('"seed": 3', '"seed": 4'));
    expect(await volley("test run")).toMatchObject({
      code: 65,
      stderr: expect.stringMatching(/belongs to another experiment/),
    });
    writeFileSync(experiment, text);
    const [checkpoint] = readdirSync(join(cwd, "run/checkpoints"));
    const path = join(cwd, "run/checkpoints", checkpoint);
    const bytes = readFileSync(path);
    bytes[bytes.length - 40] ^= 1;
    writeFileSync(path, bytes);
    expect(await volley("test run")).toMatchObject({
      code: 65,
      stderr: expect.stringMatching(/no usable checkpoint is left/),
    });
    rmSync(path);
    expect(await volley("test run")).toMatchObject({
      code: 66,
      stderr: expect.stringMatching(/has no checkpoint yet/),
    });
  });
});
