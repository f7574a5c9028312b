/**
 * A checkpointing run killed at random moments must stay readable, and go on to the bytes of a run that was never killed:
 * `npm run test:kills` for 200 kills of each kind, a few in the fast suite.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openCheckpoint } from "../../src/experiment/checkpoint.ts";
import { RunFolder } from "../../src/experiment/run-folder.ts";
import { smallExperiment } from "../classify/small.ts";
import { workplace } from "./support/workplace.ts";

const kills = Number(process.env.VOLLEY_KILLS ?? 10);
const killsOfTraining = Number(process.env.VOLLEY_KILLS ?? 3);
const place = workplace("volley-kill-", { folder: "file" });

/** What a kill may leave must be whole; `done` is the iteration (or epoch) of the newest checkpoint, 0 without any. */
async function inspectRun(path: string) {
  const run = await RunFolder.open(path);
  const classifies = (await run.kind()) === "classify";
  await (classifies ? run.classifyExperiment() : run.experiment());
  const metrics = await (classifies ? run.epochs() : run.metrics());
  // Every file that has its final name is whole: a kill never needs the fallback.
  for (const { path: file } of await run.checkpoints.list()) await (await openCheckpoint(file)).close();
  const newest = await run.checkpoints.openNewest({ onWarning: (text) => expect.fail(text), setAside: false });
  if (newest === undefined) return { done: 0, lines: 0, sha256: "" };
  await newest.close();
  const { iteration: done } = newest.header;
  expect(metrics.length).toBeGreaterThanOrEqual(done);
  return { done, lines: metrics.length, sha256: newest.sha256 };
}

/** Whether the last kill came while a checkpoint was being written. */
function halfWrittenIn(run: string): boolean {
  const folder = join(run, "checkpoints");
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".partial"));
}

/** 3 MB of state, a checkpoint after every iteration of some milliseconds: most kills hit a write. */
const args =
  "train sinusoids --neurons 6000 --set static.K=4 --set plastic.inputsPerType=32 --set checkpoint.everySeconds=0 --set iterations=100000 --out run";

test(`${kills} kills, 0 unreadable runs, and the run only ever moves on`, {
  timeout: 30_000 + 10_000 * kills,
}, async () => {
  let iterations = 0;
  let afterCheckpoint = 0;
  for (let kill = 0; kill < kills; kill++) {
    const first = !existsSync(place.path("run/experiment.json"));
    const running = place.start(first ? args : "resume run", { fake: { ticks: 1 } });
    await running.shown(/iteration \d+\//);
    await sleep(300 * Math.random());
    running.child.kill("SIGKILL");
    await running.ended;

    const { done } = await inspectRun(place.path("run"));
    if (done === 0) continue;
    expect(done).toBeGreaterThanOrEqual(iterations);
    iterations = done;
    if (halfWrittenIn(place.path("run"))) afterCheckpoint++;
  }
  expect(iterations).toBeGreaterThan(0);
  // Kills that hit a half-written file: the case this test is for. With 10 kills at least one, else the test is blind.
  expect(afterCheckpoint).toBeGreaterThan(0);
});

/** A real network, small enough that an iteration and its checkpoint of half a megabyte take milliseconds. */
const training = [
  "train sinusoids --neurons 200 --set static=null --set noise.sigma=0.65 --set plastic.inputsPerType=16",
  "--set timing.stimulusOnMs=0 --set timing.stimulusOffMs=20 --set timing.trainMs=80 --iterations 40",
  "--set checkpoint.everySeconds=0 --set test.trials=0 --no-report --json",
]
  .join(" ")
  .split(" ");

/** As much state as above, and an epoch of some milliseconds. */
const classifier = smallExperiment({
  layer: { neurons: 250 },
  learning: { batch: 8, epochs: 15 },
  rest: { checkpoint: { everySeconds: 0 } },
});
const classifying = "train classifier.json --no-report --json".split(" ");

test.each([
  ["of training", training],
  ["of a classifier", classifying],
])(
  `${killsOfTraining} kills %s: every run is readable, resumes and ends as if never killed`,
  {
    timeout: 60_000 + 30_000 * killsOfTraining,
  },
  async (_, train) => {
    place.write("classifier.json", classifier);
    const shipped = { fake: "shipped" } as const;
    let started = performance.now();
    const whole = await place.start([...train, "--out", "whole"], shipped).ended;
    // Of a run that is not killed: kills fall evenly into it. Measured again when one got through, as machines have moods.
    let lifetime = performance.now() - started;
    expect(whole.code, whole.stderr).toBe(0);
    const { checkpointSha256 } = JSON.parse(whole.stdout);
    rmSync(place.path("whole"), { recursive: true });

    let finished = 0;
    let kill = 0;
    let midway = 0;
    let halfWritten = 0;
    while (kill < killsOfTraining || finished === 0) {
      const name = `run-${finished}`;
      const path = place.path(name);
      let iterations = 0;
      for (let life = 0; ; life++) {
        // Sometimes before there is a run: then nothing is lost, and the same command starts it again.
        const begun = existsSync(join(path, "experiment.json"));
        const command = begun ? ["resume", name, "--no-report", "--json"] : [...train, "--out", name];
        started = performance.now();
        const running = place.start([...command, "--threads", String(1 + (life % 2))], shipped);
        const after = kill < killsOfTraining ? lifetime * Math.random() : Number.POSITIVE_INFINITY;
        const ended = await Promise.race([running.ended, ...(Number.isFinite(after) ? [sleep(after)] : [])]);
        if (ended) {
          expect(ended.stderr).not.toMatch(/damaged/);
          // 64: the kill before came when all was done and written.
          if (ended.code === 64) expect(ended.stderr).toMatch(/has done (\d+) of \1 /);
          else expect(ended.code, ended.stderr).toBe(0);
          const { done, lines, sha256 } = await inspectRun(path);
          expect(sha256).toBe(checkpointSha256);
          expect(lines).toBe(done);
          if (life === 0) lifetime = performance.now() - started;
          break;
        }
        running.child.kill("SIGKILL");
        await running.ended;
        kill++;
        if (!existsSync(join(path, "experiment.json"))) continue;
        const { done } = await inspectRun(path);
        expect(done).toBeGreaterThanOrEqual(iterations);
        iterations = done;
        if (done > 0) midway++;
        if (halfWrittenIn(path)) halfWritten++;
      }
      finished++;
      rmSync(path, { recursive: true });
    }
    if (kill < 50) return;
    // A few kills may all come early or between writes; of many, some must hit what the test is for.
    console.log(
      `${kill} kills in ${finished} runs: ${midway} after a first checkpoint, ${halfWritten} while one was written`,
    );
    expect(Math.min(midway, halfWritten)).toBeGreaterThan(0);
  },
);
