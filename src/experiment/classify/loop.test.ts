import { expect, test } from "vitest";
import { delayedGroup, everything, loopOf, smallExperiment } from "../../../test/classify/small.ts";
import { packState, unpackState } from "../packed-state.ts";
import { PlainState } from "../plain-state.ts";
import type { EpochReport } from "./epoch-sums.ts";
import type { LoopState, StopRequest, TrainingLoop } from "./loop.ts";
import type { ClassifyInput } from "./schema.ts";

/** A wish to stop that can be made at any time. */
class Stop implements StopRequest {
  requested = false;
  readonly #listeners = new Set<() => void>();

  onRequest(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  request(): void {
    this.requested = true;
    for (const listener of this.#listeners) listener();
  }
}

const pack = (loop: TrainingLoop) =>
  packState(new PlainState({ ...loop.state() }), { kind: "classify", fingerprint: "", iteration: loop.epoch });

/** Whether a loop's state packs to these bytes: `toEqual` would be slow on so many. */
const packsTo = async (loop: TrainingLoop, bytes: Uint8Array) => Buffer.from(await pack(loop)).equals(bytes);

async function restored(input: ClassifyInput, packed: Uint8Array): Promise<TrainingLoop> {
  const loop = await loopOf(input);
  await loop.restore((await unpackState(packed)).state.value() as unknown as LoopState);
  return loop;
}

/** Without what depends on the clock. */
const timeless = ({ seconds: _, samplesPerSecond: __, split: ___, ...report }: EpochReport) => report;

async function train(loop: TrainingLoop): Promise<EpochReport[]> {
  const reports: EpochReport[] = [];
  while (!loop.finished) {
    const report = await loop.runEpoch();
    if (report === "interrupted") throw new Error("nobody asked to stop");
    reports.push(report);
  }
  return reports;
}

test.each([
  ["BPTT", smallExperiment()],
  ["everything there is", everything],
])("%s: stopped after any batch and gone on with elsewhere gives the same bytes and reports", async (_, input) => {
  const straight = await loopOf(input);
  const reports = await train(straight);
  const whole = await pack(straight);
  expect(reports.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);

  // 36 samples, 3 of them held out: 5 batches in each of 3 epochs.
  for (let after = 0; after < 15; after++) {
    const first = await loopOf(input);
    const stop = new Stop();
    const before: EpochReport[] = [];
    let batches = 0;
    if (after === 0) stop.request();
    for (;;) {
      const report = await first.runEpoch(stop, () => {
        if (++batches === after) stop.request();
      });
      if (report === "interrupted") break;
      before.push(report);
    }
    const second = await restored(input, await pack(first));
    const rest = await train(second);
    expect([...before, ...rest].map(timeless)).toEqual(reports.map(timeless));
    expect(await packsTo(second, whole)).toBe(true);
  }
});

test("a batch is given up while it runs: the state is that before it, here and elsewhere", async () => {
  for (const input of [smallExperiment(), everything]) {
    const straight = await loopOf(input);
    await train(straight);
    const whole = await pack(straight);
    for (const during of [0, 2, 5]) {
      const group = delayedGroup();
      const loop = await loopOf(input, group);
      const stop = new Stop();
      let runs = 0;
      group.before = async () => {
        // Validation runs too, but only batches are given up.
        if (runs++ !== during) return;
        setTimeout(() => stop.request());
        await new Promise((resolve) => setTimeout(resolve, 20));
      };
      let report: EpochReport | "interrupted";
      do report = await loop.runEpoch(stop);
      while (report !== "interrupted");
      const packed = await pack(loop);
      const elsewhere = await restored(input, packed);
      await train(elsewhere);
      expect(await packsTo(elsewhere, whole)).toBe(true);
      // The batch has come to its end in the meantime; the state that can be kept is still that before it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await packsTo(loop, packed)).toBe(true);
      await train(loop);
      expect(await packsTo(loop, whole)).toBe(true);
    }
  }
});

test("an epoch of so many samples goes on where the last one ended, and meets all in turn", async () => {
  const loop = await loopOf(smallExperiment({ learning: { batch: 5, samplesPerEpoch: 20, epochs: 4 } }));
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((epoch) => loop.batches(epoch).flatMap((batch) => [...batch]));
  const { indices } = loop.task.training.samples;
  expect(all).toHaveLength(180);
  for (let round = 0; round < 5; round++) {
    const met = all.slice(round * indices.length, (round + 1) * indices.length);
    expect([...met].sort((a, b) => a - b)).toEqual([...indices]);
  }
  expect(all.slice(0, indices.length)).not.toEqual(all.slice(indices.length, 2 * indices.length));
  expect(loop.batches(2).map(({ length }) => length)).toEqual([5, 5, 5, 5]);
});

test("keeps the epoch that was best in validation, and stops when none has been better for a while", async () => {
  const input = smallExperiment({
    data: { validation: { type: "fraction", fraction: 0.4 } },
    learning: { epochs: 40, earlyStopping: { patience: 3 }, optimiser: { type: "adam", rate: 0.05 } },
  });
  const loop = await loopOf(input);
  const bests: number[] = [];
  const reports: EpochReport[] = [];
  while (!loop.finished) {
    reports.push((await loop.runEpoch()) as EpochReport);
    bests.push(loop.best!.epoch);
  }
  const figures = reports.map(({ validation }) => validation!);
  const best = figures.reduce(
    (at, { accuracy, loss }, i) =>
      accuracy! > figures[at].accuracy! || (accuracy === figures[at].accuracy && loss < figures[at].loss) ? i : at,
    0,
  );
  expect(loop.best?.epoch).toBe(best + 1);
  expect(loop.ended).toBe("patience");
  expect(reports).toHaveLength(best + 1 + 3);
  // What was kept are the weights of that epoch, not later ones.
  const again = await loopOf({ ...input, learning: { ...input.learning, epochs: best + 1 } });
  await train(again);
  expect(loop.best?.parameters.parameters).toEqual(again.trainer.state().parameters);
  expect(loop.best?.parameters.parameters).not.toEqual(loop.trainer.state().parameters);
});

test("stops at its goal", async () => {
  const loop = await loopOf(smallExperiment({ learning: { stopAt: { accuracy: 0 } } }));
  expect(await train(loop)).toHaveLength(1);
  expect(loop.ended).toBe("goal");
});

test("a curve is followed: the error falls, and is that of the trace", async () => {
  const input = smallExperiment({
    data: { train: { generate: "pattern", trialMs: 200, inputs: 20 }, validation: null },
    layer: { neurons: 30 },
    learning: { batch: 1, samplesPerEpoch: 20, epochs: 5, optimiser: { type: "adam", rate: 0.01 } },
  });
  const loop = await loopOf(input);
  const reports = await train(loop);
  expect(reports[0].train).toMatchObject({ accuracy: null });
  expect(reports[4].train.normalisedError!).toBeLessThan(0.7 * reports[0].train.normalisedError!);
  const [sample] = await loop.task.training.prepare(0, [0]);
  const { losses } = await loop.trainer.test([sample]);
  const target = (sample.target as { trace: Float32Array }).trace;
  const mean = target.reduce((sum, y) => sum + y, 0) / target.length;
  const deviation = target.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  expect(losses[0] * loop.task.scoring.errorPerLoss).toBeCloseTo((2 * losses[0]) / deviation, 6);
});

test("numbers that run away stop training with a message and exit code 76", async () => {
  const loop = await loopOf(smallExperiment({ learning: { optimiser: { type: "sgd", rate: 1e39 }, epochs: 20 } }));
  await expect(train(loop)).rejects.toMatchObject({
    exitCode: 76,
    message: expect.stringMatching(/^training diverged in epoch \d+, batch \d: the (loss|norm of the gradient) is /),
  });
});

test("reports what the network did", async () => {
  const loop = await loopOf(smallExperiment({ learning: { schedule: [{ type: "exponential", factor: 0.5 }] } }));
  const reports = await train(loop);
  expect(reports.map(({ learningRate }) => learningRate)).toEqual([0.01, 0.005, 0.0025]);
  for (const { layers, gradientNorm, gradientNorms, samples, train: figures } of reports) {
    expect(samples).toBe(33);
    expect(Object.keys(gradientNorms)).toEqual(["input", "output", "readout.bias", "recurrent"]);
    expect(gradientNorm).toBeGreaterThan(0);
    expect(layers).toHaveLength(1);
    const [{ name, rateHz, silentShare, supportShare }] = layers;
    expect(name).toBe("hidden");
    expect(rateHz).toBeGreaterThan(0);
    expect(silentShare).toBeLessThan(1);
    expect(supportShare).toBeGreaterThan(0);
    expect(figures.accuracy! * 33).toBeCloseTo(Math.round(figures.accuracy! * 33), 9);
  }
});
