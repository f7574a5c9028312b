/** `volley init` and what training keeps of its start, from the command line. */
import { existsSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { workplace } from "../cli/support/workplace.ts";
import { smallExperiment } from "./small.ts";

const place = workplace("volley-init-", { folder: "file", processes: false });
const volley = (...args: string[]) => place.here(args);
beforeAll(() => {
  const layers = [{ neurons: 12 }, { neurons: 10, recurrent: false, bias: true }];
  place.write("small.json", smallExperiment({ layers }));
});

test("a table of layers, a page of its own, and the same figures as data", async () => {
  const { code, stdout, stderr } = await volley("init", "small.json", "--threads", "1", "--report", "page.html");
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/report: page\.html\n$/) });
  const [title, header, first, second, loss] = stdout.split("\n");
  expect(title).toBe("before training, in 33 training samples; a channel of the input fires at 50 Hz on average");
  expect(header.split(/\s{2,}/).slice(0, 5)).toEqual(["layer", "neurons", "rule", "rate Hz", "silent"]);
  expect(first).toMatch(/^hidden1\s+12\s+fluctuation\s/);
  expect(second).toMatch(/^hidden2\s+10\s+fluctuation\s/);
  expect(loss).toMatch(/^loss of the first batch [\d.]+ per sample$/);

  const page = place.read("page.html");
  expect(page).toMatch(/<h1>small<\/h1>/);
  expect(page.match(/<svg class="histogram"/g)).toHaveLength(2);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);

  const json = await volley("init", "small.json", "--threads", "1", "--json");
  const { start, homeostasis, gradients } = JSON.parse(json.stdout);
  expect(homeostasis).toBeNull();
  expect(start.layers.map(({ aim }: { aim: object }) => aim)).toEqual([
    { mean: 0, sigma: 1, xi: 1 },
    { mean: 0, sigma: 1, xi: 1 },
  ]);
  expect(gradients.samples).toBe(8);
  // Everything that leads into a layer, its bias too.
  const into = (...names: string[]) => Math.hypot(...names.map((name) => gradients.byGroup[name]));
  expect(gradients.byLayer[0]).toBeCloseTo(into("input", "hidden1.recurrent"), 10);
  expect(gradients.byLayer[1]).toBeCloseTo(into("hidden1-hidden2", "hidden2.bias"), 10);
  expect(start.layers[0].values).toBeUndefined();
});

test("other rules by one setting; homeostasis says what it did", async () => {
  const kaiming = await volley(
    "init",
    "small.json",
    "--threads",
    "1",
    "--json",
    "--set",
    'network.initialisation.weights={"type":"kaiming","gain":0.1}',
  );
  const { start } = JSON.parse(kaiming.stdout);
  for (const { aim, rules, implied } of start.layers) {
    expect(aim).toBeNull();
    expect(new Set(rules)).toEqual(new Set(["kaiming"]));
    expect(implied.sigma).toBeLessThan(0.2);
  }
  // What never fires drives nothing: no sigma, no xi.
  expect(start.layers[1].silentShare).toBe(1);
  expect(start.layers[1].implied.xi).toBeNull();
  const settings = { homeostasis: { by: "scaling", batches: 2 }, weights: { type: "kaiming", gain: 0.1 } };
  const phase = await volley(
    "init",
    "small.json",
    "--threads",
    "1",
    "--set",
    `network.initialisation=${JSON.stringify(settings)}`,
  );
  expect(phase.stderr).toMatch(/homeostasis: 2 changes by scaling of weights did not bring all layers within bounds/);
  expect(phase.stdout).toMatch(/\nhomeostasis by scaling: 2 changes, bounds not reached\n/);
});

test("what is no classifier, and a page that cannot be written, are refused in one sentence", async () => {
  const follow = await volley("init", "alm");
  expect(follow).toMatchObject({ code: 64, stdout: "" });
  expect(follow.stderr).toMatch(/preset "alm" follows a recording; volley init looks at classifiers/);
  const nowhere = await volley("init", "small.json", "--threads", "1", "--report", "no/such/page.html");
  expect(nowhere.code).toBe(74);
  expect(nowhere.stderr).toMatch(/the report cannot be written to no\/such\/page\.html: /);
});

test("a run keeps its start, and its report shows it", async () => {
  const { code } = await volley("train", "small.json", "--threads", "1", "--epochs", "1", "--out", "run", "--json");
  expect(code).toBe(0);
  expect(existsSync(place.path("run/initial.json"))).toBe(true);
  const page = place.read("run/report.html");
  expect(page).toMatch(/<h2 id="start">Start<\/h2>/);
  expect(page).toMatch(/Seen in 16 training samples/);
});
