/** `volley predict` from outside: a trained run, files with and without classes. */
import { mkdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { randman } from "../../src/data/encoding/generators/randman.ts";
import type { SpikeTrains } from "../../src/data/labelled-set.ts";
import { workplace } from "../cli/support/workplace.ts";
import { framesNpz, npzOf } from "../data/make-labelled-files.ts";
import { smallExperiment } from "./small.ts";

const place = workplace("volley-predict-", { folder: "file", engine: "shipped" });
let labels: string[];

/** Samples of the set that `small` is trained on, as a file. */
async function npzOfTraining(words: readonly string[] | null): Promise<Uint8Array> {
  const set = randman({ seed: 3, manifolds: 3, units: 10, steps: 20, samplesPerClass: 12, dimensions: 1 });
  const samples = (await set.read(Array.from({ length: set.size }, (_, i) => i))) as SpikeTrains[];
  labels = Array.from(set.labels, (label) => set.classNames[label]);
  const bounds = [0];
  for (const { units } of samples) bounds.push(bounds[bounds.length - 1] + units.length);
  return npzOf({
    times_ms: { data: Float64Array.from(samples.flatMap(({ timesMs }) => Array.from(timesMs))) },
    units: { data: Uint16Array.from(samples.flatMap(({ units }) => Array.from(units))) },
    offsets: { data: Uint32Array.from(bounds) },
    ...(words === null ? {} : { labels: words }),
  });
}

/** By several threads, for which it takes a process, or by one. */
async function predictions(args: string, threads = 1) {
  const command = `predict runs/small ${args} --threads ${threads} --json`;
  const { code, stdout, stderr } = await (threads === 1 ? place.here(command) : place.run(command));
  expect(code, stderr).toBe(0);
  return {
    stderr,
    rows: stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text)),
  };
}

beforeAll(async () => {
  place.write("small.json", smallExperiment());
  place.write("unlabelled.npz", await npzOfTraining(null));
  place.write("labelled.npz", await npzOfTraining(labels));
  place.write("images.npz", framesNpz());
  mkdirSync(place.path("rates"));
  place.write("rates/experiment.json", { targets: { type: "sinusoids" } });
  const { code, stderr } = await place.here("train small.json --threads 1 --no-report");
  expect(code, stderr).toBe(0);
});

describe("predict", () => {
  test("classes and probabilities of every sample, and as many right as volley test finds", async () => {
    const { rows, stderr } = await predictions("labelled.npz");
    expect(rows.map(({ sample }) => sample)).toEqual(labels.map((_, i) => i));
    expect(rows.map(({ label }) => label)).toEqual(labels);
    for (const { predicted, probability, probabilities } of rows) {
      const all = Object.values<number>(probabilities);
      expect(Object.keys(probabilities)).toEqual(["manifold 0", "manifold 1", "manifold 2"]);
      expect(all.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
      expect(probability).toBe(Math.max(...all));
      expect(probabilities[predicted]).toBe(probability);
    }
    const right = rows.filter(({ predicted, label }) => predicted === label).length;
    expect(stderr).toContain(`36 samples; ${right} of 36 with a known class are right`);
    const tested = await place.here("test runs/small --data labelled.npz --threads 1 --json");
    expect(JSON.parse(tested.stdout).accuracy).toBeCloseTo(right / 36, 12);
  });

  test("the share that an experiment holds out for the test stays when --data names other samples", async () => {
    const held = {
      ...smallExperiment(),
      data: { ...smallExperiment().data, test: { holdOut: { type: "everyNth", n: 5 } } },
    };
    place.write("held.json", held);
    const { code, stdout, stderr } = await place.here(
      "train held.json --data labelled.npz --epochs 1 --threads 1 --no-report --json --out runs/held",
    );
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).accuracy.test).toBeGreaterThanOrEqual(0);
    expect(stderr).toContain("testing on 7 samples");
  });

  test("needs no classes, and any number of threads says the same", async () => {
    const { rows: known } = await predictions("labelled.npz");
    const { rows, stderr } = await predictions("unlabelled.npz", 2);
    expect(rows).toEqual(known.map((row) => ({ ...row, label: null })));
    expect(stderr).toMatch(/36 samples\n$/);
  });

  test("some samples, in the order asked for, as lines to read", async () => {
    const { rows } = await predictions("labelled.npz");
    const { code, stdout } = await place.here("predict runs/small labelled.npz --samples 7,0,7 --threads 1");
    expect(code).toBe(0);
    const wanted = [7, 0, 7].map((i) => {
      const { predicted, probability, label } = rows[i];
      return `${String(i).padStart(6)}  ${predicted}  ${probability.toFixed(3)}  ${label === predicted ? label : `(${label})`}`;
    });
    expect(stdout.trimEnd().split("\n")).toEqual(wanted);
  });

  test.each([
    ["runs/small labelled.npz --samples 36", /names sample 36, but .*labelled.npz has samples 0 to 35/],
    ["runs/small labelled.npz --samples 1,x", /--samples is "1,x"; give numbers of samples/],
    ["runs/small images.npz", /holds frames of numbers, but the network was trained on spikes/],
    ["runs/small nowhere.npz", /there is no file .*nowhere.npz/],
    ["runs/nothing labelled.npz", /runs\/nothing/],
    ["rates labelled.npz", /follows recorded rates; only classifiers predict classes/],
  ])("%s is refused", async (args, message) => {
    const { code, stdout, stderr } = await place.here(`predict ${args} --threads 1`);
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
