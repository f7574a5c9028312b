/** Classifiers from outside: real processes, threads, signals, and files of other people. Kills: cli/sigkill.test.ts. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { readNpz } from "../../src/data/formats/npz.ts";
import type { Ended } from "../cli/support/processes.ts";
import { workplace } from "../cli/support/workplace.ts";
import { everything, smallExperiment } from "./small.ts";

const place = workplace("volley-classify-", { engine: "shipped" });
beforeEach(() => {
  const test = { holdOut: { type: "fraction", fraction: 0.2 } } as const;
  const small = smallExperiment({ data: { test } });
  place.write("small.json", small);
  place.write("everything.json", everything);
  place.write("misspelt.json", { ...small, kind: "clasify" });
});

const shaIn = ({ code, stdout, stderr }: Ended): string => {
  expect(stderr).not.toMatch(/error/);
  expect(code).toBe(0);
  return JSON.parse(stdout).checkpointSha256;
};
/** On one thread in this process. */
const shaHere = async (args: string) => shaIn(await place.here(`${args} --threads 1 --json --no-report`));
const shaOfProcess = async (args: string) => shaIn(await place.run(`${args} --json --no-report`));
const metrics = (run: string) =>
  place.read(`${run}/metrics.jsonl`).replace(/"(seconds|samplesPerSecond|data|validation)":[\d.e-]+/g, '"$1":0');
/** Long enough to be stopped. */
const long = "--set data.train.samplesPerClass=250 --set network.layers.0.neurons=64 --epochs 4";

describe("train", () => {
  test("--json: one object on stdout, talk on stderr, a complete run folder", async () => {
    const { code, stdout, stderr } = await place.run("train small.json --threads 1 --json");
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
    expect(readdirSync(place.path("runs/small")).sort()).toEqual([
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
    const page = place.read("runs/small/report.html");
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page.slice(0, page.indexOf("<script"))).not.toMatch(/undefined|NaN/);
  });

  test("the same bytes for 1, 2, 3 and 4 threads, and from the experiment that the run kept", async () => {
    const shas = await Promise.all(
      [2, 3, 4].map((threads) => shaOfProcess(`train everything.json --threads ${threads} --out run-${threads}`)),
    );
    shas.push(await shaHere("train everything.json --out run-1"));
    shas.push(await shaHere("train run-1/experiment.json --out run-5"));
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
    [
      "train shd",
      66,
      /there is no file .*data\/shd\/shd_train\.h5\.gz; get it with: volley data get shd, or name your files by --data and --test/,
    ],
    ["train misspelt.json", 64, /kind is "clasify"; it must be "follow", "classify" or "sweep" — did you mean/],
    [
      "train small.json --set network.layers.0.neurons=1000000",
      69,
      /needs .* of memory .* but .* the largest that fits is network\.layers\.0\.neurons = \d+/,
    ],
    ["test runs/none", 66, /there is no run at runs\/none/],
  ])("%s is refused", async (args, code, message) => {
    const ended = await place.here(args);
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBe(code);
    expect(readdirSync(place.path())).not.toContain("runs");
  });

  test("numbers that run away end with exit code 76", async () => {
    const { code, stderr } = await place.here(
      'train small.json --threads 1 --set learning.optimiser={"type":"sgd","rate":1e39}',
    );
    expect(stderr).toMatch(/error: training diverged in epoch 1, batch \d: .*No checkpoint was written before/);
    expect(code).toBe(76);
  });
});

describe("a run that is stopped", () => {
  test("Ctrl-C and SIGTERM: within two seconds, and resumed to the same bytes", async () => {
    const whole = await shaHere(`train small.json ${long} --out whole`);
    for (const [signal, exitCode, command] of [
      ["SIGINT", 130, `train small.json ${long} --threads 2 --out stopped`],
      ["SIGTERM", 143, "resume stopped --threads 1"],
    ] as const) {
      const running = place.start(command);
      await running.shown(/epoch \d\/4/);
      await sleep(50);
      const asked = performance.now();
      running.child.kill(signal);
      const { code, stderr } = await running.ended;
      expect(performance.now() - asked).toBeLessThan(2000);
      expect({ code, stderr }).toMatchObject({
        code: exitCode,
        stderr: expect.stringMatching(/stopped in epoch \d of 4; continue with: volley resume/),
      });
    }
    expect(await shaHere("resume stopped")).toBe(whole);
    expect(metrics("stopped")).toBe(metrics("whole"));
  });

  test("a finished run is extended to what training all at once would have given", async () => {
    const whole = await shaHere("train everything.json --epochs 5 --out whole");
    await shaHere("train everything.json --epochs 2 --out short");
    expect((await place.here("resume short --threads 1")).stderr).toMatch(/has done 2 of 2 epochs; .* --epochs 4/);
    expect(await shaHere("resume short --epochs 5")).toBe(whole);
  });
});

describe("a run that is looked at", () => {
  test("test, inspect, export and report", async () => {
    await place.here("train small.json --threads 1 --out run");
    const last = await place.here("test run --threads 1 --json");
    const best = await place.here("test run --threads 1 --best");
    const tested = JSON.parse(last.stdout);
    expect(tested).toMatchObject({ samples: 7, accuracy: expect.any(Number), msPerSample: expect.any(Number) });
    expect(best.stdout).toMatch(/^epoch \d: \d+\.\d\d % of 7, loss/);
    const inspected = await place.here("inspect run");
    expect(inspected.stdout).toMatch(/network {6}8 StorkLIF - 3 LI, BPTT, seed 3/);
    expect(inspected.stdout).toMatch(/checkpoint {3}epoch 3, .* whole, sha256 [0-9a-f]{64}/);
    expect(JSON.parse((await place.here("inspect run --json")).stdout)).toMatchObject({
      epochs: { done: 3, planned: 3 },
      test: { samples: 7, accuracy: tested.accuracy },
    });
    expect((await place.here("export run")).stdout).toBe(
      `${place.path("run/network.npz").replace(/^\/private/, "")}\n`,
    );
    const arrays = Object.fromEntries(
      readNpz(new Uint8Array(readFileSync(place.path("run/network.npz"))), "network.npz").map((array) => [
        array.name,
        array,
      ]),
    );
    expect(arrays.weights_input.shape).toEqual([10, 8]);
    expect(arrays.weights_recurrent.shape).toEqual([8, 8]);
    expect(arrays.confusion_test.shape).toEqual([3, 3]);

    rmSync(place.path("run/report.html"));
    expect((await place.here("report run")).code).toBe(0);
    expect(readdirSync(place.path("run"))).toContain("report.html");
  });

  test("nothing to test yet; a damaged checkpoint; an experiment that was changed", async () => {
    await place.here("train small.json --threads 1 --out run --no-report");
    const experiment = place.path("run/experiment.json");
    const text = readFileSync(experiment, "utf8");
    writeFileSync(experiment, text.replace('"seed": 3', '"seed": 4'));
    expect(await place.here("test run --threads 1")).toMatchObject({
      code: 65,
      stderr: expect.stringMatching(/belongs to another experiment/),
    });
    writeFileSync(experiment, text);
    const [checkpoint] = readdirSync(place.path("run/checkpoints"));
    const path = place.path("run/checkpoints", checkpoint);
    const bytes = readFileSync(path);
    bytes[bytes.length - 40] ^= 1;
    writeFileSync(path, bytes);
    expect(await place.here("test run --threads 1")).toMatchObject({
      code: 65,
      stderr: expect.stringMatching(/no usable checkpoint is left/),
    });
    rmSync(path);
    expect(await place.here("test run --threads 1")).toMatchObject({
      code: 66,
      stderr: expect.stringMatching(/has no checkpoint yet/),
    });
  });
});
