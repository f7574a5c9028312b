import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Cell } from "./cells.ts";
import { SweepFolder } from "./folder.ts";

const folders: string[] = [];
let path: string;
let folder: SweepFolder;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "volley-sweep-folder-"));
  folders.push(path);
  folder = new SweepFolder(path);
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

const cell = (change: object = {}): Cell => ({
  name: "a_seed-1",
  places: [0],
  seed: 1,
  experiment: { neurons: 40, iterations: 3, test: { trials: 0 }, ...change },
});

/** A run that has done so many iterations. */
function makeRun({ name, experiment }: Cell, done: number): void {
  const run = join(path, "runs", name);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, "experiment.json"), JSON.stringify(experiment));
  const lines = Array.from({ length: done }, (_, i) => `${JSON.stringify({ iteration: i + 1, seconds: 1 })}\n`);
  writeFileSync(join(run, "metrics.jsonl"), lines.join(""));
}

describe("the state of a cell", () => {
  it("goes from new over interrupted to finished", async () => {
    const one = cell();
    expect(await folder.stateOf(one)).toBe("new");
    (await folder.open({}, null)).release();
    await folder.prepare(one, "new");
    expect(await folder.stateOf(one)).toBe("new");
    makeRun(one, 0);
    expect(await folder.stateOf(one)).toBe("interrupted");
    makeRun(one, 2);
    expect(await folder.stateOf(one)).toBe("interrupted");
    makeRun(one, 3);
    expect(await folder.stateOf(one)).toBe("finished");
  });

  it("is changed by what changes the training, and by nothing else", async () => {
    (await folder.open({}, null)).release();
    await folder.prepare(cell(), "new");
    makeRun(cell(), 3);
    for (const same of [
      { checkpoint: { everySeconds: 3 } },
      { name: "other" },
      { timing: {} },
      { correlationEvery: 1 },
    ]) {
      expect(await folder.stateOf(cell(same))).toBe("finished");
    }
    for (const other of [{ neurons: 41 }, { seed: 4 }, { learning: { lambda: 3 } }]) {
      expect(await folder.stateOf(cell(other))).toBe("changed");
    }
    // A run without its experiment may be of anything.
    rmSync(folder.experimentFile(cell()));
    expect(await folder.stateOf(cell())).toBe("changed");
    writeFileSync(folder.experimentFile(cell()), "{ damaged");
    expect(await folder.stateOf(cell())).toBe("changed");
  });

  it("that changed loses nothing: the old run is set aside", async () => {
    (await folder.open({}, null)).release();
    for (let n = 1; n <= 2; n++) {
      makeRun(cell(), 3);
      await folder.prepare(cell({ neurons: 40 + n }), "changed");
      expect(await folder.stateOf(cell({ neurons: 40 + n }))).toBe("new");
    }
    expect(readdirSync(join(path, "replaced"))).toEqual(["a_seed-1-1", "a_seed-1-2"]);
    expect(readdirSync(join(path, "replaced/a_seed-1-1"))).toEqual(["experiment.json", "metrics.jsonl"]);
  });

  it("after a failure: diverged cells stay so until they change, all others are tried again", async () => {
    (await folder.open({}, null)).release();
    const one = cell();
    await folder.prepare(one, "new");
    await folder.recordFailure(one, { message: "no such file", exitCode: 66 });
    expect(await folder.stateOf(one)).toBe("new");
    makeRun(one, 1);
    await folder.recordFailure(one, { message: "was ended by SIGKILL", exitCode: null });
    expect(await folder.stateOf(one)).toBe("interrupted");
    await folder.recordFailure(one, { message: "diverged", exitCode: 76 });
    expect(await folder.stateOf(one)).toBe("diverged");
    expect(await folder.stateOf(cell({ learning: { lambda: 3 } }))).toBe("changed");
    await folder.prepare(one, "interrupted");
    expect(await folder.failureOf(one)).toBeUndefined();
  });
});

describe("the folder", () => {
  it("is for one process a part, and refuses what is something else", async () => {
    const lock = await folder.open({ name: "s" }, { part: 1, of: 2 });
    await expect(folder.open({}, { part: 1, of: 2 })).rejects.toMatchObject({ exitCode: 69 });
    const other = await folder.open({}, { part: 2, of: 2 });
    lock.release();
    other.release();
    (await folder.open({}, { part: 1, of: 2 })).release();
    const elsewhere = mkdtempSync(join(tmpdir(), "volley-sweep-folder-"));
    folders.push(elsewhere);
    writeFileSync(join(elsewhere, "thesis.doc"), "");
    await expect(new SweepFolder(elsewhere).open({}, null)).rejects.toThrow(/is not empty and holds no sweep/);
  });

  it("knows which runs belong to no cell", async () => {
    makeRun(cell(), 1);
    makeRun({ ...cell(), name: "b" }, 1);
    expect(await folder.strangers([cell()])).toEqual(["b"]);
  });
});
