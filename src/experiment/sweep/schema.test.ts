import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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
    [{ kind: "classify" }, /is one experiment, not a sweep.*; train it with: volley train .*s\.json$/],
    [{ kind: "swep" }, /kind is "swep"; it must be .* or "sweep" — did you mean "sweep"\?/],
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
    [
      { grid, references: [{ what: "b", measure: "x", values: [{ at: {}, value: 1 }] }] },
      /references\.0\.measure is "x"/,
    ],
    [
      { grid, references: [{ what: "b", values: [{ at: { bach: 4 }, value: 1 }] }] },
      /references\.0\.values\.0\.at is "bach", which is no axis .* did you mean "batch"/,
    ],
    [
      { grid, references: [{ what: "b", values: [{ at: { batch: "large" }, value: 1 }] }] },
      /values\.0\.at\.batch is "large", which is no value of this axis — its values are "4", "8"/,
    ],
    [
      {
        grid,
        references: [
          { what: "b", values: [4, 4].map((batch, i) => ({ at: i ? { batch, epochs: 2 } : { batch }, value: 1 })) },
        ],
      },
      /references\.0\.values\.1 is a second figure of the same networks/,
    ],
  ])("%j is refused", async (change, message) => {
    await expect(load(change)).rejects.toThrow(message);
  });

  it("has figures of others by the values of its axes", async () => {
    const values = [
      { at: { batch: 4, epochs: 2 }, value: 0.5, sd: 0.1 },
      { at: { batch: 8 }, value: 0.6 },
    ];
    const { references } = await load({
      grid,
      measure: ["a", "b"],
      references: [{ what: "they", measure: "b", values }],
    });
    expect(references).toMatchObject([{ what: "they", measure: 1 }]);
    const at = (...places: number[]) => references[0].of(places);
    expect([at(0, 0), at(0, 1), at(1, 0), at(1, 1)]).toMatchObject([
      null,
      { mean: 0.5, sd: 0.1 },
      { mean: 0.6, sd: null },
      { mean: 0.6, sd: null },
    ] as object[]);
  });

  it("may be called by its name where it comes with Volley; files of a preset are looked for where one is", async () => {
    const { sweep, cells, references } = await loadSweep("shd-heterogeneity");
    expect(sweep.name).toBe("shd-heterogeneity");
    expect(cells).toHaveLength(12);
    expect(cells[0].experiment.data).toMatchObject({ train: resolve("data/shd/shd_train.h5.gz") });
    const published = [0, 1, 2, 3].map((place) => references[0].of([place])?.mean);
    expect(published).toEqual([0.717, 0.737, 0.827, 0.817]);
    await expect(loadSweep("shd-heterogenity")).rejects.toThrow(/neither a sweep .* did you mean "shd-heterogeneity"/);
    await expect(loadSweep("shd")).rejects.toThrow(/one experiment, not a sweep.*volley train shd$/);
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
