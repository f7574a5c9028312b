/**
 * A checkpointing run killed at random moments must stay readable: `VOLLEY_KILLS=200 npx vitest run test/cli/sigkill`
 * for the full count, 10 in the fast suite.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../../src/experiment/checkpoint.ts";
import { RunFolder } from "../../src/experiment/run-folder.ts";
import { type CommandLine, commandLine } from "./support/processes.ts";

const kills = Number(process.env.VOLLEY_KILLS ?? 10);
let line: CommandLine;
let cwd: string;
beforeAll(() => {
  line = commandLine();
  cwd = mkdtempSync(join(tmpdir(), "volley-kill-"));
});
afterAll(() => {
  line.remove();
  rmSync(cwd, { recursive: true, force: true });
});

/** 3 MB of state, a checkpoint after every iteration of some milliseconds: most kills hit a write. */
const args =
  "train sinusoids --neurons 6000 --set static.K=4 --set plastic.inputsPerType=32 --set checkpoint.everySeconds=0 --set iterations=100000 --out run";

test(`${kills} kills, 0 unreadable runs, and the run only ever moves on`, {
  timeout: 5_000 + 3_000 * kills,
}, async () => {
  let iterations = 0;
  let afterCheckpoint = 0;
  for (let kill = 0; kill < kills; kill++) {
    const first = !existsSync(join(cwd, "run/experiment.json"));
    const running = line.start(first ? args.split(" ") : ["resume", "run"], { cwd, fake: { ticks: 1 } });
    await running.shown(/iteration \d+\//);
    await sleep(300 * Math.random());
    running.child.kill("SIGKILL");
    await running.ended;

    const run = await RunFolder.open(join(cwd, "run"));
    await run.experiment();
    const metrics = await run.metrics();
    const files = await run.checkpoints.list();
    // Every file that has its final name is whole: a kill never needs the fallback.
    for (const { path } of files) await (await openCheckpoint(path)).close();
    if (files.length === 0) continue;
    const newest = await run.checkpoints.openNewest({ onWarning: (text) => expect.fail(text), setAside: false });
    expect(newest?.header.iteration).toBeGreaterThanOrEqual(iterations);
    expect(metrics.length).toBeGreaterThanOrEqual(newest?.header.iteration ?? 0);
    iterations = newest?.header.iteration ?? 0;
    await newest?.close();
    if (readdirSync(join(cwd, "run/checkpoints")).some((name) => name.endsWith(".partial"))) afterCheckpoint++;
  }
  expect(iterations).toBeGreaterThan(0);
  // Kills that hit a half-written file: the case this test is for. With 10 kills at least one, else the test is blind.
  expect(afterCheckpoint).toBeGreaterThan(0);
});
