import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeSettings, FakeTrainer } from "../../test/cli/support/fake-trainer.ts";
import { describeEnvironment } from "./environment.ts";
import { Interruption } from "./interruption.ts";
import { resolveExperiment } from "./resolve.ts";
import { RunFolder } from "./run-folder.ts";
import { parseExperiment } from "./schema.ts";
import { measuresCorrelation, restoreNewest, runTraining, type TrainingPlan } from "./training.ts";

const resolved = resolveExperiment(
  parseExperiment({ neurons: 40, static: { K: 3 }, plastic: { inputsPerType: 2 } }, "t"),
  null,
);
const sinusoids = { amplitude: 0.5, periodMs: 1000, bias: "none" } as const;
const plan = (iterations: number, everySeconds = 60): TrainingPlan => ({
  iterations,
  correlationEvery: 3,
  checkpoint: { everySeconds, withP: true },
  fingerprint: "f",
});
const quiet = { iteration: () => {}, checkpoint: () => {} };
const fresh = (settings: FakeSettings = {}) =>
  new FakeTrainer(resolved.spec, { recording: null, sinusoids, copies: 1 }, settings);

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "volley-training-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const create = (name: string) =>
  RunFolder.create(join(parent, name), {
    experiment: resolved.experiment,
    environment: describeEnvironment({ threads: 1, fast: false, command: [] }),
  });

/** The metrics without what depends on the clock. */
const timeless = (run: RunFolder) =>
  readFileSync(run.file("metrics.jsonl"), "utf8").replace(/"seconds":[\d.e-]+/g, '"seconds":0');

test("stopped inside any trial and resumed, or extended: the same bytes as never stopped", async () => {
  const straight = await create("straight");
  const whole = await runTraining(fresh(), straight, plan(7), quiet, new Interruption());
  expect(whole).toMatchObject({ kind: "finished", iterations: 7 });

  for (const ticksBeforeStop of [0, 1, 5, 8, 13, 27]) {
    const run = await create(`stopped-${ticksBeforeStop}`);
    const interruption = new Interruption();
    const trainer = fresh();
    // The stop arrives while tick number `ticksBeforeStop` runs.
    let ticks = 0;
    const advance = Reflect.get(trainer, "advance").bind(trainer) as () => void;
    Reflect.set(trainer, "advance", () => {
      if (ticks++ === ticksBeforeStop) interruption.request();
      advance();
    });
    const stopped = await runTraining(trainer, run, plan(7), quiet, interruption);
    if (ticksBeforeStop < 27) expect(stopped.kind).toBe("interrupted");
    const resumed = fresh();
    await restoreNewest(run, resumed, { fingerprint: "f", onWarning: () => {}, setAside: true });
    const outcome = await runTraining(resumed, run, plan(7), quiet, new Interruption());
    expect(outcome.checkpointSha256).toBe(whole.checkpointSha256);
    expect(outcome.correlation).toBe(whole.correlation);
    expect(timeless(run)).toBe(timeless(straight));
  }

  const extended = await create("extended");
  await runTraining(fresh(), extended, plan(4), quiet, new Interruption());
  const more = fresh();
  await restoreNewest(extended, more, { fingerprint: "f", onWarning: () => {}, setAside: true });
  const outcome = await runTraining(more, extended, plan(7), quiet, new Interruption());
  expect(outcome.checkpointSha256).toBe(whole.checkpointSha256);
  expect(timeless(extended)).toBe(timeless(straight));
});

test("a crash loses nothing but what came after the last checkpoint", async () => {
  const straight = await create("straight");
  const whole = await runTraining(fresh(), straight, plan(6), quiet, new Interruption());
  const run = await create("crashed");
  const crashing = fresh();
  const iterate = crashing.iterate.bind(crashing);
  crashing.iterate = async (options) => {
    if (crashing.iteration === 4) throw new Error("power cut");
    return iterate(options);
  };
  let saved = 0;
  const events = { ...quiet, checkpoint: () => saved++ };
  // A checkpoint after every iteration.
  await expect(runTraining(crashing, run, plan(6, 0), events, new Interruption())).rejects.toThrow("power cut");
  expect(saved).toBe(4);
  const resumed = fresh();
  const restored = await restoreNewest(run, resumed, { fingerprint: "f", onWarning: () => {}, setAside: true });
  expect(restored?.header.iteration).toBe(4);
  const outcome = await runTraining(resumed, run, plan(6), quiet, new Interruption());
  expect(outcome.checkpointSha256).toBe(whole.checkpointSha256);
  expect(timeless(run)).toBe(timeless(straight));
});

test.each([
  [500, /diverged in iteration 4: the neurons fire at 500 Hz. Likely cause: run-away excitation/],
  [0, /diverged in iteration 4: no neuron fired. Likely cause: too little drive; raise static.jxFactor/],
  [Number.NaN, /diverged in iteration 4: rateHz is NaN/],
])("a rate of %s Hz stops training and keeps the last good state", async (rateHz, message) => {
  const run = await create("diverging");
  const trainer = fresh({ rateFrom: { iteration: 4, rateHz } });
  const training = runTraining(trainer, run, plan(10, 0), quiet, new Interruption());
  await expect(training).rejects.toMatchObject({ exitCode: 76, message: expect.stringMatching(message) });
  await expect(training).rejects.toThrow(/The last good checkpoint is kept: .*checkpoint-000003.volley/);
  const restored = await restoreNewest(run, fresh(), { fingerprint: "f", onWarning: () => {}, setAside: false });
  expect(restored?.header.iteration).toBe(3);
});

test("a checkpoint of another experiment is refused", async () => {
  const run = await create("run");
  await runTraining(fresh(), run, plan(1), quiet, new Interruption());
  const restoring = restoreNewest(run, fresh(), { fingerprint: "g", onWarning: () => {}, setAside: false });
  await expect(restoring).rejects.toThrow(/belongs to another experiment: experiment.json or the data were changed/);
});

test("which iterations are measured does not depend on how many there will be", () => {
  expect([1, 2, 3, 4, 5, 6].map((i) => measuresCorrelation(i, 3))).toEqual([true, false, true, false, false, true]);
});
