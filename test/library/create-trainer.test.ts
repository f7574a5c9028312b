/** The library's door, on what was built: worker threads start from JavaScript files. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type * as Volley from "../../src/index.ts";

const library = (await import(
  /* @vite-ignore */ fileURLToPath(new URL("../../dist/index.js", import.meta.url))
)) as typeof Volley;
const { createTrainer, exitCode, UserError } = library;

const small: Volley.ExperimentInput = {
  neurons: 32,
  static: null,
  drive: { excitatory: 1, inhibitory: 1 },
  noise: { sigma: 0.3 },
  plastic: { inputsPerType: 8 },
  timing: { stimulusOnMs: 0, stimulusOffMs: 50, trainMs: 100 },
  iterations: 4,
  test: { trials: 2, exampleNeurons: 1 },
};

const recording = (): Volley.Recording => ({
  quantity: "current",
  tasks: 2,
  rows: 5,
  neurons: 16,
  values: Float64Array.from({ length: 160 }, (_, i) => Math.sin(i)),
  taskNames: ["left", "right"],
  intervalMs: 20,
  notes: ["made by hand"],
});

async function collect(reports: AsyncIterable<Volley.IterationReport>): Promise<Volley.IterationReport[]> {
  const all = [];
  for await (const report of reports) all.push(report);
  return all;
}

test("trains to the experiment's iterations, in portions as wanted, and hands out weights with their sources", async () => {
  const trainer = await createTrainer({ ...small, correlationEvery: 2 });
  expect(trainer.threads).toBe(1);
  const first = await collect(trainer.train(1));
  const rest = await collect(trainer.train());
  expect([...first, ...rest].map(({ iteration, correlation }) => [iteration, correlation !== null])).toEqual([
    [1, true],
    [2, true],
    [3, false],
    [4, true],
  ]);
  expect(await collect(trainer.train())).toEqual([]);
  const report = await trainer.test();
  expect(report).toMatchObject({ trialsPerTask: 2, neurons: 32 });
  expect(report.examples).toHaveLength(1);
  const { presynaptic, inputs } = await trainer.connectivity();
  expect(inputs).toBe(16);
  expect((await trainer.weights()).length).toBe(presynaptic.length);
  await trainer.close();
});

test("a program that is given to Node as text trains on worker threads", () => {
  const library = JSON.stringify(new URL("../../dist/index.js", import.meta.url).href);
  const program = `import { createTrainer } from ${library};
    const trainer = await createTrainer(${JSON.stringify({ ...small, iterations: 1 })}, { threads: 2 });
    for await (const { iteration } of trainer.train()) console.log("iteration", iteration);
    await trainer.close();`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toBe("iteration 1\n");
});

test("a resolved experiment makes the same trainer again", async () => {
  const first = await createTrainer(small, { threads: 2 });
  const second = await createTrainer(JSON.parse(JSON.stringify(first.experiment)), { threads: 1 });
  const [a, b] = await Promise.all([first, second].map(async (trainer) => (await collect(trainer.train(2))).at(-1)));
  expect(a?.rmsError).toBe(b?.rmsError);
  expect(await first.weights()).toEqual(await second.weights());
  await Promise.all([first.close(), second.close()]);
});

test("a recording made by hand needs no targets in the experiment and decides size, tasks and timing", async () => {
  const { neurons: _, timing: __, ...rest } = small;
  const trainer = await createTrainer({ ...rest, copies: 2 }, { recording: recording() });
  expect(trainer.experiment).toMatchObject({ neurons: 32, copies: 2, timing: { trainMs: 100, learnEveryMs: 20 } });
  expect(trainer.engine.spec.tasks).toBe(2);
  expect(trainer.notes).toContain("made by hand");
  const [report] = await collect(trainer.train(1));
  expect(report.rmsError).toBeGreaterThan(0);
  await trainer.close();
});

test("an interrupted trial is continued by the next train()", async () => {
  const long = { ...small, timing: { stimulusOnMs: 0, stimulusOffMs: 50, trainMs: 20_000 } };
  const trainer = await createTrainer(long);
  const training = collect(trainer.train(1));
  setTimeout(() => trainer.interrupt(), 20);
  expect(await training).toEqual([]);
  const [continued] = await collect(trainer.train(1));
  const unstopped = await createTrainer(long);
  const [whole] = await collect(unstopped.train(1));
  expect(continued.rmsError).toBe(whole.rmsError);
  expect(continued.correlation).toBe(whole.correlation);
  await Promise.all([trainer.close(), unstopped.close()]);
});

test("an interrupted test says so; a request that came too late stops nothing later", async () => {
  const trainer = await createTrainer(small);
  const report = trainer.test({ trials: 2000 });
  setTimeout(() => trainer.interrupt(), 20);
  await expect(report).rejects.toMatchObject({ exitCode: exitCode.interrupted });
  trainer.interrupt();
  trainer.engine.interrupt();
  expect(await collect(trainer.train(2))).toHaveLength(2);
  await trainer.close();
});

test.each<[string, Volley.ExperimentInput, Volley.CreateTrainerOptions, RegExp]>([
  ["an unknown key", { learning: { lamda: 1 } } as never, {}, /learning\.lamda.*did you mean "lambda"/],
  ["two sources of targets", { ...small, targets: { type: "sinusoids" } }, { recording: recording() }, /leave one of/],
  ["threads out of range", small, { threads: 0 }, /threads is 0; it must be a whole number/],
  [
    "more memory than there is",
    { ...small, neurons: 16_000_000, plastic: { inputsPerType: 200 } },
    {},
    /needs 5\.\d TB of memory \(P .* the largest that fits is neurons = \d+/,
  ],
  ["a file that is not there", { ...small, targets: { type: "recording", file: "no.h5" } }, {}, /no recording no\.h5/],
])("%s is refused with a message", async (_, experiment, options, message) => {
  const error = await createTrainer(experiment, options).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
});

test("models and expressions: a model of one's own is defined, described and stepped", () => {
  const { defineModel, describeModel, expression } = library;
  const model = defineModel({
    name: "Leak",
    description: "Decays, and fires above 1.",
    source: "this test",
    parameters: { tauMs: { unit: "ms", default: 10, exclusiveMin: 0, doc: "time constant" } },
    states: { v: { unit: "1", initial: 0, doc: "voltage" } },
    step: ({ v, tauMs, dtMs, current }) => ({
      v: v.times(expression.exp(dtMs.over(tauMs).times(-1))).plus(current),
    }),
    margin: ({ v }) => v.minus(1),
    reset: () => ({ v: 0 }),
  });
  expect(describeModel(model)).toContain("tauMs");
  expect(exitCode.usage).toBe(64);
});
