import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { figureNames, loadSweep } from "./load-sweep.ts";
import { parseSweep } from "./schema.ts";

const experiment = {
  kind: "classify",
  data: { train: { generate: "randman" } },
  network: { layers: [{ neurons: 8 }] },
};
const sweep = { kind: "sweep", experiment, measure: ["accuracy.test"] };

describe("the sweep file", () => {
  it("has defaults", () => {
    expect(parseSweep(sweep, "s")).toMatchObject({
      name: "sweep",
      grid: {},
      conditions: [],
      seeds: null,
      measure: [{ path: "accuracy.test", label: "auto" }],
      table: { columns: null },
      figure: [],
    });
    expect(parseSweep({ ...sweep, figure: { x: "sigma", lines: "depth" } }, "s").figure[0]).toMatchObject({
      lines: ["depth"],
      y: null,
      logX: false,
      marks: [],
    });
  });

  test.each([
    [{ mesure: ["a"] }, /unknown key "mesure" — did you mean "measure"/],
    [{ kind: "swep" }, /kind is "swep"; it must be one of "sweep"/],
    [{ measure: [] }, /measure is an empty list/],
    [{ measure: [{ pth: "x" }] }, /measure\.0 is .*it must be the path of a result/],
    [{ experiment: 3 }, /experiment is 3; it must be a preset/],
    [{ seeds: [] }, /seeds is an empty list/],
    [{ seeds: [-1] }, /seeds\.0 is -1; it must be/],
    [{ grid: { a: [] } }, /grid\.a is \[\]; it must be a list of values/],
    [{ grid: { a: 3 } }, /grid\.a is 3; it must be a list of values/],
    [{ grid: { a: { log: [0, 1, 3] } } }, /grid\.a is .*a range is \{"log10"/],
    [{ grid: { a: { log10: [0, 1] } } }, /grid\.a has log10 \[0,1\]; it must be two/],
    [{ grid: { a: { linear: [0, 1, 1] } } }, /a count of at least 2/],
    [{ grid: { a: [[1, 2]] } }, /grid\.a has \[1,2\] at place 0, which needs a name/],
    [{ grid: { a: [1, "1"] } }, /grid\.a has two values called "1"/],
    [{ grid: { a: { path: "b", value: [1] } } }, /grid\.a has the unknown key "value"; an axis has path and values/],
    [{ grid: { a: { values: [1, 2] } } }, /grid\.a has no path; give one, or values that are bundles/],
    [{ grid: { a: { values: [1, 2].map(() => ({ name: "b", set: {} })) } } }, /grid\.a has two values called "b"/],
    [{ grid: { a: { path: 3, values: [1] } } }, /grid\.a has the path 3/],
    [{ conditions: [{ nam: "x" }] }, /unknown key "conditions\.0\.nam" — did you mean "name"/],
    [{ figure: { y: "a" } }, /figure\.0\.x is missing/],
    [{ figure: { x: "a", marks: [{ label: "chance" }] } }, /figure\.0\.marks\.0 must have either x or y/],
  ])("%j is refused", (change, message) => {
    expect(() => parseSweep({ ...sweep, ...change }, "s.json")).toThrow(message);
  });
});

describe("a loaded sweep", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "volley-sweep-file-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const load = (change: object) => {
    const file = join(folder, "s.json");
    writeFileSync(file, JSON.stringify({ ...sweep, ...change }));
    return loadSweep(file);
  };

  it("takes the experiment from a file beside it, with the paths of that file, or from a preset", async () => {
    writeFileSync(join(folder, "e.json"), JSON.stringify({ ...experiment, data: { train: "x.npz" } }));
    const { cells } = await load({ experiment: "e.json", grid: { "learning.batch": [4, 8] } });
    expect(cells.map((cell) => cell.experiment.data)).toEqual([0, 1].map(() => ({ train: join(folder, "x.npz") })));
    expect((await load({ experiment: "sinusoids", seeds: [1, 2] })).cells).toHaveLength(2);
    await expect(load({ experiment: "sinusoid" })).rejects.toThrow(/sinusoid/);
  });

  it("may be a module", async () => {
    const file = join(folder, "s.mjs");
    writeFileSync(file, `export default () => (${JSON.stringify({ ...sweep, seeds: [5] })});`);
    expect((await loadSweep(file)).cells.map(({ name }) => name)).toEqual(["seed-5"]);
  });

  const grid = { "learning.batch": [4, 8], "learning.epochs": [1, 2] };
  test.each([
    [{ kind: "classify" }, /is no sweep: its kind is not "sweep"; train it with: volley train/],
    [
      { grid, table: { columns: "bach" } },
      /table\.columns is "bach", which is no axis of this sweep — did you mean "batch"/,
    ],
    [{ grid, figure: { x: "sigma", lines: "batch" } }, /figure\.x is "sigma", which is no axis.*"batch", "epochs"/],
    [{ grid, figure: { x: "batch" } }, /figure says nothing of the axis "epochs".*add it to lines/],
    [
      { grid, figure: { x: "batch", lines: "epochs", y: "accuracy.tests" } },
      /figure\.y is .*did you mean "accuracy\.test"/,
    ],
    [{ conditions: [{ name: "a" }], figure: { x: "condition", logX: true } }, /logX is true, but not all values/],
    [
      {
        grid: {},
        conditions: [{ name: "a" }],
        figure: [
          { x: "condition", name: "f" },
          { x: "condition", name: "f" },
        ],
      },
      /two figures go to f\.svg/,
    ],
    [{ measure: ["a", "a"] }, /"a" is measured twice/],
  ])("%j is refused", async (change, message) => {
    await expect(load(change)).rejects.toThrow(message);
  });

  it("names its figures after itself", () => {
    const figure = [{ x: "a" }, { x: "a" }, { x: "a", name: "third" }];
    expect(figureNames(parseSweep({ ...sweep, name: "big", figure }, "s"))).toEqual(["big", "big-2", "third"]);
  });
});

const examples = fileURLToPath(new URL("../../../examples/sweeps", import.meta.url));
test.each(readdirSync(examples).filter((name) => name.endsWith(".json")))(
  "examples/sweeps/%s can be run",
  async (name) => {
    const { sweep, cells } = await loadSweep(join(examples, name));
    expect(`${sweep.name}.json`).toBe(name);
    expect(sweep.about).not.toBe("");
    expect(cells.length).toBeGreaterThan(1);
  },
);
