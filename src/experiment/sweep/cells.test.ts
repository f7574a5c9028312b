import { describe, expect, it } from "vitest";
import type { UserError } from "../../base/errors.ts";
import { applySettings } from "./assign.ts";
import { expandSweep, shardOf } from "./cells.ts";
import { parseSweep, type SweepInput } from "./schema.ts";

const base = {
  kind: "classify",
  data: { train: { generate: "randman" } },
  network: { layers: [{ neurons: 8, initial: { type: "fluctuation", sigma: 1 } }] },
};
const place = { folder: "/here", source: "s.json" };

const expand = (change: Partial<SweepInput>, experiment: Record<string, unknown> = base) =>
  expandSweep(
    parseSweep({ kind: "sweep", experiment, measure: ["accuracy.test"], ...change }, "s.json"),
    experiment,
    place,
  );

type Layers = { neurons: number; initial?: { sigma: number } }[];
const layersOf = (experiment: unknown) => (experiment as { network: { layers: Layers } }).network.layers;

describe("settings by path", () => {
  const tree = { a: { list: [{ x: 1 }, { x: 2 }] }, b: 3 };

  it("reach into objects and lists, all items of a list, and make what is absent", () => {
    expect(applySettings(tree, [["a.list.1.x", 9]])).toEqual({ a: { list: [{ x: 1 }, { x: 9 }] }, b: 3 });
    expect(applySettings(tree, [["a.list.*.x", [0]]])).toEqual({ a: { list: [{ x: [0] }, { x: [0] }] }, b: 3 });
    expect(applySettings(tree, [["c.d", null]])).toEqual({ ...tree, c: { d: null } });
    expect(tree).toEqual({ a: { list: [{ x: 1 }, { x: 2 }] }, b: 3 });
  });

  it("lengthen a list by its last item and shorten it", () => {
    expect(applySettings(tree, [["a.list.length", 4]])).toMatchObject({
      a: { list: [{ x: 1 }, { x: 2 }, { x: 2 }, { x: 2 }] },
    });
    expect(applySettings(tree, [["a.list.length", 1]])).toMatchObject({ a: { list: [{ x: 1 }] } });
  });

  it("come whole before part, whatever their order", () => {
    const changed = applySettings(tree, [
      ["a.list.*.x", 5],
      ["a.list.length", 3],
      ["a.list", [{ y: 1 }]],
    ]);
    expect(changed.a).toEqual({
      list: [
        { y: 1, x: 5 },
        { y: 1, x: 5 },
        { y: 1, x: 5 },
      ],
    });
  });

  it.each([
    ["a.list.2.x", 1, /"a\.list" is a list, and "2" is no place of it; it has places 0 to 1/],
    ["a.list.x", 1, /"x" is no place of it.*"\*" means all of them/],
    ["b.*", 1, /"b" is no list/],
    ["a.list.length", 0, /is 0; it must be a whole number from 1/],
    ["a..x", 1, /"a\.\.x" is no path/],
  ])("%s = %s is refused", (path, value, message) => {
    expect(() => applySettings(tree, [[path, value]])).toThrow(message);
  });

  it("cannot reach prototypes", () => {
    applySettings({}, [["__proto__.polluted", 1]]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe("cells", () => {
  it("are every combination: seeds outermost, conditions before the grid, the last axis fastest", () => {
    const { axes, cells } = expand({
      grid: { "network.layers.*.initial.sigma": [0.1, 1], depth: { path: "network.layers.length", values: [1, 2] } },
      conditions: [{ name: "plain" }, { name: "big batch", set: { "learning.batch": 64 } }],
      seeds: [3, 4],
    });
    expect(axes.map(({ name }) => name)).toEqual(["condition", "sigma", "depth"]);
    expect(cells).toHaveLength(16);
    expect(cells.slice(0, 5).map(({ name }) => name)).toEqual([
      "plain_sigma-0.1_depth-1_seed-3",
      "plain_sigma-0.1_depth-2_seed-3",
      "plain_sigma-1_depth-1_seed-3",
      "plain_sigma-1_depth-2_seed-3",
      "big-batch_sigma-0.1_depth-1_seed-3",
    ]);
    expect(cells[8].name).toBe("plain_sigma-0.1_depth-1_seed-4");
    const last = cells.at(-1)!;
    expect(last).toMatchObject({ places: [1, 1, 1], seed: 4 });
    expect(last.experiment).toMatchObject({ seed: 4, name: last.name, learning: { batch: 64 } });
    expect(layersOf(last.experiment).map(({ initial }) => initial?.sigma)).toEqual([1, 1]);
    expect(layersOf(cells[0].experiment).map(({ initial }) => initial?.sigma)).toEqual([0.1]);
  });

  it("of nothing that varies are one, with the seed of the experiment", () => {
    const { cells } = expand({}, { ...base, seed: 12 });
    expect(cells.map(({ name, seed }) => [name, seed])).toEqual([["seed-12", 12]]);
  });

  it("have ranges, rounded to what is written", () => {
    const { axes } = expand({ grid: { "network.layers.*.initial.sigma": { log10: [-2, 1.5, 8] } } });
    expect(axes[0].values.map(({ value }) => value)).toEqual([0.01, 0.0316228, 0.1, 0.316228, 1, 3.16228, 10, 31.6228]);
    const { axes: linear } = expand({ grid: { "network.dtMs": { linear: [0.1, 0.4, 4] } } });
    expect(linear[0].values.map(({ label }) => label)).toEqual(["0.1", "0.2", "0.3", "0.4"]);
  });

  it("take whole subtrees, by name or by their type", () => {
    const layers = [{ neurons: 4 }, { neurons: 6 }];
    const { cells } = expand({
      grid: {
        "network.layers": [{ name: "two", value: layers }],
        "network.layers.*.initial": ["auto", { type: "normal" }],
      },
    });
    expect(cells.map(({ name }) => name)).toEqual([
      "layers-two_initial-auto_seed-1",
      "layers-two_initial-normal_seed-1",
    ]);
    expect(layersOf(cells[1].experiment)).toEqual(layers.map((layer) => ({ ...layer, initial: { type: "normal" } })));
  });

  it("may have bundles of settings on an axis, which are numbers where their names are", () => {
    const values = [1, 3].map((depth) => ({
      name: String(depth),
      set: { "network.layers.length": depth, "learning.epochs": 12 / depth },
    }));
    const { axes, cells } = expand({ grid: { depth: { values } } });
    expect(axes[0].values.map(({ value }) => value)).toEqual([1, 3]);
    expect(cells.map(({ name }) => name)).toEqual(["depth-1_seed-1", "depth-3_seed-1"]);
    expect(cells[1].experiment).toMatchObject({ learning: { epochs: 4 } });
    expect(layersOf(cells[1].experiment)).toHaveLength(3);
  });

  it("are named by as much of a path as tells it from the others", () => {
    const { axes } = expand(
      {
        grid: { "network.layers.0.initial.sigma": [1], "learning.batch": [8], "network.readout.initial.sigma": [1] },
      },
      { ...base, network: { ...base.network, readout: { initial: { type: "fluctuation" } } } },
    );
    expect(axes.map(({ name }) => name)).toEqual(["layers.initial.sigma", "batch", "readout.initial.sigma"]);
  });

  it("that cannot be told apart are refused", () => {
    expect(() => expand({ conditions: [{ name: "a b" }, { name: "a/b" }] })).toThrow(
      /two cells are called "a-b_seed-1"/,
    );
    expect(() => expand({ conditions: [{ name: "a" }, { name: "a" }] })).toThrow(/two conditions are called "a"/);
    expect(() => expand({ seeds: [1, 1] })).toThrow(/seed 1 is given twice/);
    expect(() => expand({ grid: { x: { path: "learning.batch", values: [1] }, "*.x": [2] } })).toThrow(/two axes.*"x"/);
    expect(() => expand({ grid: { seed: [1] } })).toThrow(/an axis of the grid is called "seed"/);
  });

  it("with long names keep them short and apart", () => {
    const values = [0, 1].map((i) => ({ name: `${"very long ".repeat(9)}${i}`, value: 8 + i }));
    const { cells } = expand({ grid: { "learning.batch": values } });
    expect(cells.map(({ name }) => name.length)).toEqual([80, 80]);
    expect(cells[0].name).not.toBe(cells[1].name);
  });

  it("that are no experiments are refused by name, with what was meant", () => {
    const fault = (grid: SweepInput["grid"]) => {
      try {
        expand({ grid });
      } catch (error) {
        return error as UserError;
      }
      throw new Error("nothing was refused");
    };
    expect(fault({ "network.layers.*.neurns": [3] }).message).toMatch(
      /^s\.json, cell neurns-3_seed-1: network\.layers\.0 has the unknown key "neurns".*did you mean "neurons"/,
    );
    expect(fault({ "network.layers.3.neurons": [3] }).message).toMatch(/^s\.json, cell .*"3" is no place of it/);
    expect(fault({ "learning.batch": [0] })).toMatchObject({
      exitCode: 64,
      message: expect.stringMatching(/at least 1|from 1/),
    });
  });

  it("have absolute paths", () => {
    const { cells } = expand({ grid: { "data.train": ["a.npz", "sub/b.npz"] } });
    expect(cells.map(({ experiment }) => (experiment.data as { train: string }).train)).toEqual([
      "/here/a.npz",
      "/here/sub/b.npz",
    ]);
    expect(cells.map(({ name }) => name)).toEqual(["train-a.npz_seed-1", "train-sub-b.npz_seed-1"]);
  });

  it("can be networks that follow a recording", () => {
    const { cells } = expand({ grid: { neurons: [64, 128] } }, { targets: { type: "sinusoids" } });
    expect(cells.map(({ experiment }) => experiment.neurons)).toEqual([64, 128]);
  });
});

describe("shards", () => {
  it("are a partition, each with some of everything", () => {
    const { cells } = expand({ grid: { "learning.batch": { linear: [1, 10, 10] } }, seeds: [1, 2, 3] });
    for (const of of [1, 2, 3, 7, 40]) {
      const parts = Array.from({ length: of }, (_, i) => shardOf(cells, { part: i + 1, of }));
      expect(
        parts
          .flat()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(cells.map(({ name }) => name).sort());
      const sizes = parts.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });
});
