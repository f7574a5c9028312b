/** The command line from outside: exit codes, what goes to stdout and what to stderr, signals, full disks. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { File, ready } from "h5wasm/node";
import { beforeEach, describe, expect, test } from "vitest";
import { readNpz } from "../../src/data/formats/npz.ts";
import { workplace } from "./support/workplace.ts";

const place = workplace("volley-cli-");
const small = "--neurons 60 --set static.K=4 --set plastic.inputsPerType=3";
const checkpoints = (run: string) => readdirSync(place.path(run, "checkpoints"));

describe("train", () => {
  test("--json: one object on stdout, talk on stderr, a complete run folder", async () => {
    const { code, stdout, stderr } = await place.run(`train sinusoids ${small} --iterations 5 --json`);
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines).toHaveLength(2);
    const result = JSON.parse(lines[0]);
    expect(Object.keys(result)).toEqual([
      "run",
      "iterations",
      "correlation",
      "secondsPerIteration",
      "peakRssBytes",
      "checkpointSha256",
    ]);
    expect(result.iterations).toBe(5);
    expect(result.checkpointSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(result.peakRssBytes).toBeGreaterThan(1e7);
    expect(stderr).toMatch(/building network: 60 neurons, 6 plastic inputs each, 8 static/);
    expect(stderr).toMatch(/iteration 1\/5 {2}correlation 0\.\d{3} {2}\d\.\d\d Hz/);
    expect(stderr).toMatch(/iteration 5\/5/);
    expect(stderr).toMatch(/report: .*report\.html\n$/);
    expect(readdirSync(place.path("runs/sinusoids")).sort()).toEqual([
      "checkpoints",
      "environment.json",
      "experiment.json",
      "metrics.jsonl",
      "report.html",
      "test.json",
      "weights.json",
    ]);
  });

  test("a second run gets its own folder; --out refuses a used one", async () => {
    await place.here(`train sinusoids ${small} --iterations 1`);
    await place.here(`train sinusoids ${small} --iterations 1 --no-report`);
    expect(readdirSync(place.path("runs"))).toEqual(["sinusoids", "sinusoids-2"]);
    expect(existsSync(place.path("runs/sinusoids-2/report.html"))).toBe(false);
    const { code, stderr } = await place.here(`train sinusoids ${small} --out runs/sinusoids`);
    expect(code).toBe(64);
    expect(stderr).toMatch(/already holds a run; continue it with "volley resume runs\/sinusoids"/);
  });

  test("--data takes the place of the preset's recording and names the run", async () => {
    place.write("my cells.h5", "");
    const words = ["train", "--data", "my cells.h5", "--set", "plastic.inputsPerType=4", "--iterations", "1"];
    expect((await place.here(words)).code).toBe(0);
    const experiment = JSON.parse(place.read("runs/my-cells/experiment.json"));
    expect(experiment.targets).toEqual({ type: "recording", file: place.path("my cells.h5") });
  });

  test("experiment files: JSON, a module, TypeScript through the user's own compiler", async () => {
    const content = {
      neurons: 60,
      static: { K: 4 },
      plastic: { inputsPerType: 3 },
      iterations: 1,
      test: { trials: 1 },
    };
    place.write("a.json", { ...content, name: "a" });
    place.write("b.mjs", `export default () => (${JSON.stringify({ ...content, name: "b" })})`);
    expect((await place.here("train a.json")).code).toBe(0);
    expect((await place.run("train b.mjs")).code).toBe(0);
    place.write("c.ts", `const name: string = "c"; export default { ...${JSON.stringify(content)}, name };`);
    const typed = await place.run("train c.ts");
    if (typed.code !== 0)
      expect(typed).toMatchObject({
        code: 69,
        stderr: expect.stringMatching(/is TypeScript, which Node .* cannot run/),
      });
    place.write("d.json", '{\n "name": "d",\n}');
    const broken = await place.here("train d.json");
    expect(broken.code).toBe(64);
    expect(broken.stderr).toMatch(/d.json is not valid JSON/);
  });

  test("numbers that run away end with exit code 76 and the last good state", async () => {
    const { code, stderr } = await place.here(`train sinusoids ${small} --set checkpoint.everySeconds=0`, {
      rateFrom: { iteration: 3, rateHz: 300 },
    });
    expect(code).toBe(76);
    expect(stderr).toMatch(
      /error: training diverged in iteration 3: .*The last good checkpoint is kept: .*000002.volley/,
    );
  });
});

describe("a user's mistake is one message and an exit code, never a stack", () => {
  test.each([
    ["", 64, /Usage: volley/],
    ["trian", 64, /unknown command 'trian' \(Did you mean train\?\)/],
    ["train --neuron 5", 64, /unknown option '--neuron' \(Did you mean --neurons\?\)/],
    ["train --neurons five", 64, /--neurons is "five"; it must be a whole number of at least 2/],
    ["train alm extra", 64, /too many arguments/],
    ["train alm-larg", 66, /is neither a preset nor a file — did you mean "alm-large"\?/],
    ["train missing.json", 66, /there is no experiment file missing.json/],
    ["train sinusoids --set learning.lamda=3", 64, /unknown key "learning.lamda" — did you mean "lambda"\?/],
    ["train sinusoids --set learning.lambda=-3", 64, /learning.lambda is -3; it must be a number above 0/],
    [
      "train sinusoids --neurons 16000000 --set plastic.inputsPerType=200",
      69,
      /needs 5\.\d TB of memory \(P .* the largest that fits is neurons = \d+/,
    ],
    ["resume nowhere", 66, /there is no run at nowhere/],
    ["export nowhere --to xml", 64, /Allowed choices are npz, hdf5/],
    ["bench rls", 64, /there is no workload "rls"/],
  ])("volley %s", async (args, code, message) => {
    const ended = await place.here(args);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended.stdout).toBe("");
    expect(readdirSync(place.path())).toEqual([]);
  });
});

describe("Ctrl-C and SIGTERM", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s leaves a run that resumes to the same bytes", async (signal, code) => {
    const whole = JSON.parse((await place.here(`train sinusoids ${small} --iterations 12 --json --out whole`)).stdout);
    const running = place.start(`train sinusoids ${small} --iterations 12 --out stopped`, { fake: { msPerTick: 20 } });
    await running.shown(/iteration 1\//);
    const asked = performance.now();
    running.child.kill(signal);
    const ended = await running.ended;
    expect(performance.now() - asked).toBeLessThan(2000);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(/stopped after \d+ of 12 iterations; continue with: volley resume .*stopped\n$/);
    expect(existsSync(place.path("stopped/run.lock"))).toBe(false);
    const resumed = await place.here("resume stopped --json");
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout).checkpointSha256).toBe(whole.checkpointSha256);
    const again = await place.here("resume stopped");
    expect(again).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/has done 12 of 12 iterations; to train further give a larger total/),
    });
    const more = await place.here("resume stopped --iterations 15 --json");
    expect(JSON.parse(more.stdout).iterations).toBe(15);
  });

  test("a second signal ends the process at once; the run stays resumable", async () => {
    const running = place.start(`train sinusoids ${small} --iterations 12 --out run`, { fake: { msPerTick: 3000 } });
    await running.shown(/building network/);
    await new Promise((done) => setTimeout(done, 300));
    running.child.kill("SIGINT");
    await running.shown(/once more stops at once/);
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    const resumed = await place.here("resume run");
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/this run has no checkpoint yet; starting from the beginning/);
  });

  test("stopped in the test: resume does only the test", async () => {
    const running = place.start(`train sinusoids ${small} --iterations 2 --out run`, { fake: { msPerTick: 20 } });
    await running.shown(/testing with frozen weights/);
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/training is complete, the test was stopped/),
    });
    const resumed = await place.here("resume run");
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(/^frozen test of 60 neurons/);
  });

  test("two processes cannot train one run", async () => {
    const running = place.start(`train sinusoids ${small} --out run`, { fake: { msPerTick: 50 } });
    await running.shown(/iteration 1\//);
    const second = await place.here("resume run");
    expect(second).toMatchObject({ code: 69, stderr: expect.stringMatching(/this run is in use by process \d+/) });
    expect((await place.here("inspect run")).code).toBe(0);
    running.child.kill("SIGINT");
    await running.ended;
  });
});

describe("after training", () => {
  beforeEach(async () => {
    await place.here(
      `train alm --set plastic.inputsPerType=3 --set copies=1 --iterations 4 --out run --set checkpoint.everySeconds=0`,
    );
  });

  test("test --json", async () => {
    const { code, stdout } = await place.here("test run --trials 3 --json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      current: { single: 0.5, average: 0.6 },
      psth: { correlation: 0.4 },
      rateHz: 5.5,
      neurons: 20,
      trials: 3,
    });
  });

  test("the longest test of the same weights is kept, and the shorter one says so", async () => {
    const kept = async () => JSON.parse((await place.here("inspect run --json")).stdout).test.trials;
    expect(await kept()).toBe(50);
    const shorter = await place.here("test run --trials 3");
    expect(shorter.stdout).toMatch(/^frozen test of 20 neurons, 3 trials/);
    expect(shorter.stderr).toMatch(/test\.json and the report keep the earlier test of 50 trials/);
    expect(await kept()).toBe(50);
    const longer = await place.here("test run --trials 51");
    expect(longer.stderr).not.toMatch(/earlier test/);
    expect(await kept()).toBe(51);
    await place.here("resume run --iterations 5");
    expect(await kept()).toBe(50);
  });

  test("inspect checks every byte; resume and test fall back to the checkpoint before", async () => {
    const before = JSON.parse((await place.here("inspect run --json")).stdout);
    expect(before).toMatchObject({
      iterations: { done: 4, planned: 4 },
      checkpoints: [
        { whole: true, iteration: 4 },
        { whole: true, iteration: 3 },
      ],
    });
    truncateSync(place.path("run/checkpoints", checkpoints("run")[1]), 50);
    expect((await place.here("inspect run")).stdout).toMatch(/checkpoint .* is damaged: it/);
    const tested = await place.here("test run --trials 1");
    expect(tested.stderr).toMatch(/warning: checkpoint .* is damaged: .*; trying the one before it/);
    expect(tested.stderr).toMatch(/testing after iteration 3/);
    const resumed = await place.here("resume run --json");
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout).checkpointSha256).toBe(before.checkpoints[0].sha256);
  });

  test("export writes what numpy and MATLAB read", async () => {
    const npz = await place.here("export run --to npz");
    expect(npz.stdout).toBe(`${place.path("run/network.npz")}\n`);
    const arrays = Object.fromEntries(
      readNpz(new Uint8Array(readFileSync(place.path("run/network.npz"))), "n").map((a) => [a.name, a]),
    );
    expect(arrays.weights.shape).toEqual([20, 6]);
    expect(arrays.presynaptic.shape).toEqual([20, 6]);
    expect(arrays.targets.shape).toEqual([2, 10, 20]);
    expect(arrays.raster_steps_1.shape).toEqual([3]);
    expect((await place.here("export run --to hdf5 --out n.h5")).code).toBe(0);
    await ready;
    const file = new File(place.path("n.h5"), "r");
    const weights = file.get("weights") as unknown as { shape: number[]; value: Float32Array };
    expect(weights.shape).toEqual([20, 6]);
    expect(Array.from(weights.value)).toEqual(Array.from(arrays.weights.data as Float32Array));
    file.close();
  });

  test("a changed experiment.json is noticed", async () => {
    const text = place.read("run/experiment.json");
    place.write("run/experiment.json", text.replace(/"lambda": [\d.]+/, '"lambda": 0.05'));
    const { code, stderr } = await place.here("resume run --iterations 9");
    expect(code).toBe(65);
    expect(stderr).toMatch(/belongs to another experiment/);
  });

  test("report and doctor print their result on stdout", async () => {
    rmSync(place.path("run/report.html"));
    expect((await place.here("report run")).stdout).toBe(`${place.path("run/report.html")}\n`);
    expect(existsSync(place.path("run/report.html"))).toBe(true);
    expect(JSON.parse((await place.here("doctor --json")).stdout)).toMatchObject({ simd: true, sharedMemory: true });
  });
});

test("a full disk during a checkpoint: exit code 74, plain words, the old one survives", async () => {
  // A limit on the size of files stands in for the disk: the same failed write, without needing to be root.
  const bigger = "--neurons 4000 --set static.K=4 --set plastic.inputsPerType=16";
  await place.here(`train sinusoids ${bigger} --iterations 2 --out run --set test.trials=0`);
  const [before] = checkpoints("run");
  const whole = readFileSync(place.path("run/checkpoints", before));
  const limited = await place.start("resume run --iterations 4", {
    prefix: ["bash", "-c", 'trap "" XFSZ; ulimit -f 700; exec "$@"', "bash"],
  }).ended;
  expect(limited.code).toBe(74);
  expect(limited.stderr).toMatch(
    /error: cannot write .*the file is larger than .* The checkpoint before it is kept: .*000001.volley/,
  );
  expect(checkpoints("run")).toEqual([before]);
  expect(readFileSync(place.path("run/checkpoints", before)).equals(whole)).toBe(true);
  expect((await place.here("resume run --iterations 4")).code).toBe(0);
});

test("the first words come before the network is built, and building can be stopped", async () => {
  const fake = { buildMs: 20_000 };
  const running = place.start(`train sinusoids ${small} --out run`, { fake });
  await running.shown(/building network/);
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({
    code: 143,
    stderr: expect.stringMatching(/stopped while the network was built; start again with: volley resume .*run\n$/),
  });
  expect((await place.here("resume run --iterations 1")).code).toBe(0);
});

test("help begins with examples and ends with the presets", async () => {
  const { code, stdout } = await place.here("train --help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Examples:\n {2}volley train alm/);
  expect(stdout).toMatch(/Presets:\n {2}alm /);
});
