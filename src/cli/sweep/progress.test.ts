import { expect, test } from "vitest";
import type { Cell } from "../../experiment/sweep/cells.ts";
import type { Sweep } from "../../experiment/sweep/schema.ts";
import type { CellOutcome } from "../../experiment/sweep/table.ts";
import type { Context } from "../context.ts";
import { plotsOf } from "./figures.ts";
import { figureText } from "./outcome.ts";
import { SweepProgress } from "./progress.ts";

const cell = (name: string, places: number[] = [], seed = 1): Cell => ({ name, places, seed, experiment: {} });

function rig(columns: number | undefined) {
  let written = "";
  let ms = 0;
  const stderr = { write: (text: string) => void (written += text), columns };
  const progress = new SweepProgress(
    { stderr, env: { NO_COLOR: "1" } } as unknown as Context,
    { total: 10, before: 4 },
    () => ms,
  );
  return { progress, said: () => written, at: (seconds: number) => (ms = 1000 * seconds) };
}

test("a line for each cell that ended, and the time that is left from all that was done", () => {
  const { progress, said, at } = rig(undefined);
  const [a, b, c] = ["a", "b", "c"].map((name) => cell(name));
  progress.start(a);
  progress.start(b);
  expect(progress.secondsLeft()).toBeUndefined();
  at(10);
  progress.move(a, 0.5);
  progress.move(b, 0.5);
  // One cell's worth in 10 s: five are left.
  expect(progress.secondsLeft()).toBeCloseTo(50, 9);
  at(20);
  progress.end(a, "test accuracy 50 %");
  progress.end(b, "failed: no");
  progress.start(c);
  expect(progress.secondsLeft()).toBeCloseTo(40, 9);
  expect(said()).toBe("[5/10] a  test accuracy 50 %  20 s\n[6/10] b  failed: no  20 s\n");
});

test("on a terminal a bar", () => {
  const { progress, said, at } = rig(100);
  const a = cell("a");
  progress.start(a);
  at(10);
  progress.move(a, 0.25);
  expect(said()).toContain("4/10 cells  1 running  3 min 50 s left");
  expect(said()).toContain("━");
});

test("the first figure of a cell is shown in the unit of the table", () => {
  const measures = ["accuracy.test", "first.layers.0.rateHz"].map((path) => ({ path, label: "auto" }));
  expect(figureText(measures, [0.96123, 14.23456])).toBe("test accuracy 96.12 %");
  expect(figureText(measures.slice(1), [14.23456])).toBe("first.layers.0.rateHz 14.23 Hz");
  expect(figureText(measures, [null, 1])).toBe("test accuracy -");
});

test("a figure has the axes it names, in the unit of its measure", () => {
  const value = (label: string, given: unknown) => ({ label, value: given, settings: [] });
  const axes = [
    { name: "condition", values: [value("hom", "hom"), value("het", "het")] },
    { name: "sigma", values: [value("0.1", 0.1), value("1", 1)] },
  ];
  const settings = {
    title: "t",
    y: null,
    lines: ["condition"],
    logX: true,
    logY: false,
    xLabel: null,
    yLabel: null,
    name: null,
  };
  const sweep = {
    name: "s",
    measure: [
      { path: "accuracy.test", label: "auto" },
      { path: "first.layers.0.rateHz", label: "rate" },
    ],
    figure: [
      {
        ...settings,
        x: "sigma",
        marks: [
          { y: 0.1, label: "chance" },
          { x: 0.3, label: "here" },
        ],
      },
      { ...settings, x: "condition", lines: ["sigma"], logX: false, y: "first.layers.0.rateHz", marks: [] },
    ],
  } as unknown as Sweep;
  const outcomes = [1, 2].flatMap((seed) =>
    [0, 1].flatMap((i) =>
      [0, 1].map((j): CellOutcome => {
        const missing = i === 1 && j === 1;
        return {
          cell: cell("c", [i, j], seed),
          state: missing ? "missing" : "finished",
          values: missing ? [null, null] : [0.5 + i / 10 + seed / 100, 7],
        };
      }),
    ),
  );
  const plots = plotsOf(sweep, axes, outcomes);
  expect([...plots.keys()]).toEqual(["s", "s-2"]);
  const [first, second] = plots.values();
  expect(first.x).toEqual({ label: "sigma", logarithmic: true, categories: null });
  expect(first.y).toEqual({ label: "test accuracy (%)", logarithmic: false, bounds: [0, 100] });
  expect(first.series.map(({ name }) => name)).toEqual(["hom", "het"]);
  expect(first.series[0].points[1]).toMatchObject({
    x: 1,
    mean: expect.closeTo(51.5, 9),
    sd: expect.closeTo(Math.SQRT1_2, 9),
  });
  expect(first.series[1].points[1].mean).toBeNaN();
  expect(first.marks).toEqual([
    { axis: "y", value: 10, label: "chance" },
    { axis: "x", value: 0.3, label: "here" },
  ]);
  expect(first.note).toBe("mean ± standard deviation of 2 seeds; 2 of 8 cells without a figure");
  expect(second.x.categories).toEqual(["hom", "het"]);
  expect(second.y.label).toBe("rate (Hz)");
  expect(second.series.map(({ name, points }) => [name, points.map(({ x }) => x)])).toEqual([
    ["0.1", [0, 1]],
    ["1", [0, 1]],
  ]);
});
