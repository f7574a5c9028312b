import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { IterationReport, TestReport } from "../learning/rls/results.ts";
import { describeEnvironment } from "./environment.ts";
import { decodeResult, encodeResult } from "./result-codec.ts";
import { freeRunPath, RunFolder } from "./run-folder.ts";
import { lockRun } from "./run-lock.ts";
import { parseExperiment } from "./schema.ts";

const experiment = parseExperiment({ neurons: 100 }, "test");
const environment = describeEnvironment({ threads: 1, fast: false, command: ["volley"] });

let parent: string;
let path: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "volley-run-"));
  path = join(parent, "run");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe("creating and opening", () => {
  test("what goes in comes out", async () => {
    const run = await RunFolder.create(path, { experiment, environment });
    run.release();
    const again = await RunFolder.open(path);
    expect(await again.experiment()).toEqual(experiment);
    expect(await again.environment()).toEqual(environment);
    expect(await again.metrics()).toEqual([]);
    expect(await again.test()).toBeUndefined();
  });

  test("a folder with anything in it is refused, a run with the way to go on", async () => {
    (await RunFolder.create(path, { experiment, environment })).release();
    await expect(RunFolder.create(path, { experiment, environment })).rejects.toThrow(
      /already holds a run; continue it with "volley resume/,
    );
    const other = join(parent, "thesis");
    mkdirSync(other);
    writeFileSync(join(other, "chapter1.tex"), "");
    await expect(RunFolder.create(other, { experiment, environment })).rejects.toThrow(
      /is not empty \(it holds chapter1.tex\)/,
    );
    await expect(RunFolder.create(join(other, "chapter1.tex"), { experiment, environment })).rejects.toMatchObject({
      exitCode: 74,
    });
  });

  test("a run that was killed while it was created does not stand in the way", async () => {
    mkdirSync(path);
    for (const name of ["environment.json", ".experiment.json.partial"]) writeFileSync(join(path, name), "{");
    (await RunFolder.create(path, { experiment, environment })).release();
    expect(await (await RunFolder.open(path)).environment()).toEqual(environment);
  });

  test("what is no run is named as such", async () => {
    await expect(RunFolder.open(join(parent, "nowhere"))).rejects.toMatchObject({
      exitCode: 66,
      message: expect.stringContaining("there is no run at"),
    });
    writeFileSync(join(parent, "file.txt"), "");
    await expect(RunFolder.open(parent)).rejects.toThrow(/is not a run of Volley: it has no experiment.json/);
  });

  test("free names count up", async () => {
    expect(await freeRunPath("alm", parent)).toBe(join(parent, "alm"));
    mkdirSync(join(parent, "alm"));
    mkdirSync(join(parent, "alm-2"));
    expect(await freeRunPath("alm", parent)).toBe(join(parent, "alm-3"));
  });
});

describe("lock", () => {
  test("one writer at a time; readers need no lock", async () => {
    const run = await RunFolder.create(path, { experiment, environment });
    await expect(RunFolder.openToWrite(path)).rejects.toThrow(`this run is in use by process ${process.pid}`);
    await RunFolder.open(path);
    run.release();
    (await RunFolder.openToWrite(path)).release();
    expect(existsSync(join(path, "run.lock"))).toBe(false);
  });

  test.each([
    ["a process that is gone", { pid: 2 ** 22 + 12345, host: hostname(), started: null }],
    ["a process id that another process has now", { pid: process.pid, host: hostname(), started: "1" }],
  ])("the lock of %s is taken over", async (_, owner) => {
    writeFileSync(join(parent, "run.lock"), JSON.stringify(owner));
    const lock = await lockRun(join(parent, "run.lock"));
    expect(JSON.parse(readFileSync(join(parent, "run.lock"), "utf8")).pid).toBe(process.pid);
    lock.release();
  });

  test("a lock from another machine cannot be judged", async () => {
    writeFileSync(join(parent, "run.lock"), JSON.stringify({ pid: 1, host: "elsewhere", started: null }));
    await expect(lockRun(join(parent, "run.lock"))).rejects.toThrow(
      /in use by process 1 on elsewhere; if that is no longer so, delete/,
    );
  });

  test("of many that take over a stale lock at once, one wins", async () => {
    writeFileSync(join(parent, "run.lock"), JSON.stringify({ pid: 2 ** 22 + 12345, host: hostname(), started: null }));
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockRun(join(parent, "run.lock"))));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});

describe("metrics.jsonl", () => {
  const report = (iteration: number) => ({ iteration, correlation: iteration / 10, seconds: 0.1 }) as IterationReport;
  const open = async () => {
    const run = await RunFolder.create(path, { experiment, environment });
    const writer = await run.openMetrics(0);
    for (const iteration of [1, 2, 3]) await writer.append(report(iteration));
    await writer.close();
    return run;
  };

  test("half a line and lines no checkpoint knows go on resume", async () => {
    const run = await open();
    appendFileSync(run.file("metrics.jsonl"), '{"iteration":4,"corr');
    expect((await run.metrics()).map(({ iteration }) => iteration)).toEqual([1, 2, 3]);
    const writer = await run.openMetrics(2);
    await writer.append(report(3));
    await writer.append(report(4));
    await writer.close();
    expect(readFileSync(run.file("metrics.jsonl"), "utf8")).toBe(
      [1, 2, 3, 4].map((i) => `${JSON.stringify(report(i))}\n`).join(""),
    );
  });

  test("damage inside the file is an error that names the line", async () => {
    const run = await open();
    const lines = readFileSync(run.file("metrics.jsonl"), "utf8").split("\n");
    lines[1] = lines[1].slice(5);
    writeFileSync(run.file("metrics.jsonl"), lines.join("\n"));
    await expect(run.metrics()).rejects.toMatchObject({ exitCode: 65, message: expect.stringContaining("line 2") });
  });
});

test("test.json keeps the longest test of the same iteration, and the newest of different ones", async () => {
  const report = (iteration: number, trialsPerTask: number) => ({ iteration, trialsPerTask }) as TestReport;
  const run = await RunFolder.create(path, { experiment, environment });
  const [ten, fifty] = [report(7, 10), report(7, 50)];
  expect(await run.writeTest(ten)).toBe(ten);
  expect(await run.writeTest(fifty)).toBe(fifty);
  expect(await run.writeTest(ten)).toEqual(fifty);
  expect(await run.test()).toEqual(fifty);
  await run.writeTest(report(8, 10));
  expect(await run.test()).toEqual(report(8, 10));
  writeFileSync(run.file("test.json"), "{");
  await run.writeTest(report(8, 5));
  expect(await run.test()).toEqual(report(8, 5));
});

test("results keep arrays and numbers that JSON does not know", () => {
  const value = {
    a: Float32Array.of(0.1, Number.NaN, -0),
    b: [Uint32Array.of(4_000_000_000), { c: new Float64Array(0) }],
    d: Number.NEGATIVE_INFINITY,
    e: null,
    f: "text",
    g: { number: "4", other: 1 },
  };
  expect(decodeResult(encodeResult(value))).toEqual(value);
});
