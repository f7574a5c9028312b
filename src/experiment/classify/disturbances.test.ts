import { expect, test } from "vitest";
import { loopOf, prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import type { AugmentationDescription } from "../../data/encoding/make-augmentation.ts";
import { describeOutcome } from "./outcome.ts";
import { disturbedReader, disturbedReaders, plainReader } from "./prepare.ts";
import type { ClassifyInput } from "./schema.ts";

const holdOut = { holdOut: { type: "fraction", fraction: 0.25, stratified: true } } as const;
const disturbed = (...disturbances: NonNullable<ClassifyInput["data"]["disturbances"]>) =>
  smallExperiment({ data: { test: holdOut, disturbances }, rest: { exampleTrials: 0 } });
const change = (...list: AugmentationDescription[]) => list;

async function fault(input: ClassifyInput): Promise<string> {
  try {
    await prepareSmall(input);
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
}

test("the test comes once more for every disturbance, of the last and of the best epoch", async () => {
  const input = disturbed(
    { name: "as it is", change: change({ type: "stretchTimes", factors: [1] }) },
    { name: "no spikes", change: change({ type: "dropSpikes", probability: 1 }) },
    { name: "half speed", change: change({ type: "stretchTimes", factors: [2] }) },
  );
  const prepared = await prepareSmall(input);
  const loop = await loopOf(input);
  const reports = [];
  while (!loop.finished) {
    const report = await loop.runEpoch();
    if (report === "interrupted") throw new Error("nobody interrupts this test");
    reports.push(report);
  }
  const samples = (await prepared.data.openTest())!;
  const { training, validation } = prepared.data;
  const outcome = (await describeOutcome({
    trainer: loop.trainer,
    spec: prepared.spec,
    scoring: prepared.scoring,
    training: plainReader(prepared, training),
    validation: plainReader(prepared, validation!),
    test: plainReader(prepared, samples),
    disturbed: disturbedReaders(prepared, samples),
    epochs: reports,
    epoch: loop.epoch,
    best: loop.best,
    exampleTrials: 0,
    shouldStop: () => false,
  }))!;
  for (const epoch of [outcome.last, outcome.best!]) {
    const [same, silent, slow] = epoch.disturbed!;
    expect([same.name, silent.name, slow.name]).toEqual(["as it is", "no spikes", "half speed"]);
    expect(same).toEqual({ name: "as it is", ...epoch.test });
    expect(silent.samples).toBe(epoch.test!.samples);
    expect(slow.loss).not.toBe(epoch.test!.loss);
    // Nothing arrives, so every sample gets the same answer: right for one class of three.
    expect(silent.accuracy).toBeCloseTo(1 / 3, 12);
  }
});

test("what arrives is changed as asked, and the same each time", async () => {
  const prepared = await prepareSmall(smallExperiment());
  const events = async (...list: AugmentationDescription[]) => {
    const reader = disturbedReader(prepared, prepared.data.training, list);
    const read = async () => (await reader.prepare(0, [0, 1, 2])).map(({ events: e }) => ({ ...e }));
    expect(await read()).toEqual(await read());
    return read();
  };
  const plain = (await plainReader(prepared, prepared.data.training).prepare(0, [0, 1, 2])).map((one) => one.events);
  const count = (all: readonly { offsets: Uint32Array; steps: number }[]) =>
    all.reduce((sum, { offsets, steps }) => sum + offsets[steps], 0);
  expect(count(await events({ type: "dropSpikes", probability: 1 }))).toBe(0);
  expect(count(await events({ type: "dropSpikes", probability: 0.5 }))).toBeLessThan(count(plain));
  expect(count(await events({ type: "insertSpikes", rateHz: 200, durationMs: 20 }))).toBeGreaterThan(count(plain));
  // At double speed everything has arrived in the first half.
  for (const { offsets, steps } of await events({ type: "stretchTimes", factors: [0.5] })) {
    expect(offsets[steps / 2 + 1]).toBe(offsets[steps]);
  }
});

test("what cannot be is refused before anything is trained", async () => {
  const half = { name: "half", change: change({ type: "stretchTimes", factors: [2] }) };
  expect(await fault(disturbed(half, half))).toBe('data.disturbances has two called "half"; name them differently');
  expect(await fault({ ...disturbed(half), data: { ...disturbed(half).data, test: null } })).toMatch(
    /^data\.disturbances are tests on changed samples, but data\.test is null/,
  );
  expect(await fault(disturbed({ name: "x", change: [] }))).toContain("data.disturbances.0.change is an empty list");
  expect(await fault(disturbed({ name: "x", change: change({ type: "dropSpikes", probability: 2 }) }))).toContain(
    "probability is 2",
  );
  expect(await fault(disturbed({ name: "x", change: [{ type: "drop" }] as never }))).toContain('did you mean "crop"');
});
