import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Axis } from "./axes.ts";
import { measured, nearestMeasure } from "./result.ts";
import {
  type CellOutcome,
  csvOf,
  groupsOf,
  labelOf,
  markdownTable,
  plainTable,
  statisticsOf,
  statisticsText,
  tablesOf,
  unitOf,
} from "./table.ts";

const axis = (name: string, ...labels: string[]): Axis => ({
  name,
  values: labels.map((label) => ({ label, value: label, settings: [] })),
});
const axes = [axis("sigma", "0.1", "1"), axis("depth", "1", "3")];
const measures = [
  { path: "accuracy.test", label: "auto" },
  { path: "seconds", label: "time" },
];

/** Seeds 1 to 3; the value of seed s at places (i, j) is i/2 + j/10 + s/100. */
const outcomes: CellOutcome[] = [1, 2, 3].flatMap((seed) =>
  [0, 1].flatMap((i) =>
    [0, 1].map((j): CellOutcome => {
      const failed = seed === 3 && i === 1 && j === 1;
      return {
        cell: { name: `c${i}${j}${seed}`, places: [i, j], seed, experiment: {} },
        state: failed ? "failed" : "finished",
        values: failed ? [null, null] : [i / 2 + j / 10 + seed / 100, 40],
        ...(failed ? { message: "no luck" } : {}),
      };
    }),
  ),
);

describe("statistics over seeds", () => {
  it("have the closed forms of two, three and equally spaced values", () => {
    expect(statisticsOf([])).toMatchObject({ n: 0, mean: Number.NaN, sd: null });
    expect(statisticsOf([7, null])).toMatchObject({ n: 1, mean: 7, sd: null });
    // Two values: |a - b| / sqrt 2.
    expect(statisticsOf([1, 4]).sd).toBeCloseTo(3 / Math.SQRT2, 12);
    expect(statisticsOf([1, 2, 3])).toMatchObject({ n: 3, mean: 2, sd: 1 });
    // 1 to n: n (n + 1) / 12.
    const n = 25;
    const { mean, sd } = statisticsOf(Array.from({ length: n }, (_, i) => i + 1));
    expect(mean).toBe((n + 1) / 2);
    expect(sd! ** 2).toBeCloseTo((n * (n + 1)) / 12, 10);
  });

  it("move with the values and scale with them", () => {
    const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(values, fc.double({ min: -10, max: 10, noNaN: true }), (given, shift) => {
        const [own, moved] = [statisticsOf(given), statisticsOf(given.map((value) => 3 * value + shift))];
        expect(moved.mean).toBeCloseTo(3 * own.mean + shift, 8);
        expect(moved.sd!).toBeCloseTo(3 * own.sd!, 8);
      }),
    );
  });

  it("are written with the digits that matter", () => {
    const text = (values: number[], path: string) => statisticsText(statisticsOf(values), unitOf(path));
    expect(text([0.961, 0.965], "accuracy.test")).toBe("96.3 +- 0.3 (2)");
    expect(text([0.9], "best.accuracy.test")).toBe("90.0 (1)");
    expect(text([14.22, 15.4], "first.layers.0.rateHz")).toBe("14.81 +- 0.83 (2)");
    expect(text([123.4], "seconds")).toBe("123 (1)");
    expect(text([2, 2], "epochs")).toBe("2.00 +- 0.00 (2)");
    expect(text([], "epochs")).toBe("-");
    expect(text([0.00123], "loss.test")).toBe("0.00123 (1)");
  });
});

describe("tables", () => {
  const groups = groupsOf(outcomes);

  it("group all seeds of a place, and leave failures out", () => {
    expect(groups.map(({ places }) => places)).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    expect(groups.map(({ statistics }) => statistics[0].n)).toEqual([3, 3, 3, 2]);
    expect(groups[2].statistics[0].mean).toBeCloseTo(0.52, 12);
    expect(groups[2].statistics[0].sd).toBeCloseTo(0.01, 12);
    expect(groups[3].statistics[0].mean).toBeCloseTo(0.615, 12);
  });

  it("have a row for each place, or an axis over the columns", () => {
    const [long] = tablesOf(axes, groups, measures, null);
    expect(long.head).toEqual(["sigma", "depth", "test accuracy (%)", "time (s)"]);
    expect(long.rows[0]).toEqual(["0.1", "1", "2.0 +- 1.0 (3)", "40.0 +- 0.0 (3)"]);
    const wide = tablesOf(axes, groups, measures, "sigma");
    expect(wide.map(({ title }) => title)).toEqual(["test accuracy (%)", "time (s)"]);
    expect(wide[0].head).toEqual(["depth", "sigma 0.1", "sigma 1"]);
    expect(wide[0].rows).toEqual([
      ["1", "2.0 +- 1.0 (3)", "52.0 +- 1.0 (3)"],
      ["3", "12.0 +- 1.0 (3)", "61.5 +- 0.7 (2)"],
    ]);
  });

  it("show figures of others behind the measure that they belong to", () => {
    const known = new Map([
      ["0,1", { mean: 0.125, sd: 0.02 }],
      ["1,0", { mean: 0.5, sd: null }],
    ]);
    const published = {
      what: "others",
      measure: 0,
      of: (places: readonly number[]) => known.get(String(places)) ?? null,
    };
    const [long] = tablesOf(axes, groups, measures, null, [published]);
    expect(long.head).toEqual(["sigma", "depth", "test accuracy (%)", "others (%)", "time (s)"]);
    expect(long.rows.map((row) => row[3])).toEqual(["-", "12.5 +- 2.0", "50.0", "-"]);
    const wide = tablesOf(axes, groups, measures, "sigma", [published], "±");
    expect(wide.map(({ title }) => title)).toEqual(["test accuracy (%)", "others (%)", "time (s)"]);
    expect(wide[1].rows).toEqual([
      ["1", "-", "50.0"],
      ["3", "12.5 ± 2.0", "-"],
    ]);
  });

  it("are text, Markdown and CSV", () => {
    const table = { title: "t", head: ["a", "b|c"], rows: [["long one", "2"]] };
    expect(plainTable(table)).toBe("t\na         b|c\nlong one  2\n");
    expect(markdownTable(table)).toBe("**t**\n\n| a | b\\|c |\n| --- | --- |\n| long one | 2 |\n");
    const lines = csvOf(
      [axis('q"', "x,y")],
      [{ ...outcomes[0], cell: { ...outcomes[0].cell, places: [0] } }],
      measures,
    );
    expect(lines).toBe('cell,"q""",seed,state,accuracy.test,seconds\r\nc001,"x,y",1,finished,0.01,40\r\n');
    expect(csvOf(axes, outcomes, measures).split("\r\n").at(-2)).toBe("c113,1,3,3,failed,,");
  });

  it("name measures and their units", () => {
    expect(
      ["accuracy.test", "best.accuracy.validation", "loss.train", "first.x"].map((path) =>
        labelOf({ path, label: "auto" }),
      ),
    ).toEqual(["test accuracy", "validation accuracy, best epoch", "training loss", "first.x"]);
    expect(
      [
        "a.silentShare",
        "test.rateHz",
        "secondsEach",
        "psth.windowMs",
        "loss.test",
        "first.gradientNorms.input",
        "disturbed.a share of 2 Hz.accuracy",
      ].map((path) => unitOf(path).name),
    ).toEqual(["%", "Hz", "s", "ms", "", "", "%"]);
  });
});

describe("measures", () => {
  const result = {
    accuracy: { test: 0.5, validation: null },
    first: { gradientNorms: { "hidden.bias": 3, hidden: 2 }, layers: [{ rateHz: 5 }, { rateHz: 7 }] },
    best: null,
    broken: Number.NaN,
    name: "x",
  };
  it.each([
    ["accuracy.test", 0.5],
    ["accuracy.validation", null],
    ["best.accuracy.test", null],
    ["broken", null],
    ["first.layers.1.rateHz", 7],
    ["first.layers.-1.rateHz", 7],
    ["first.layers.2.rateHz", undefined],
    ["first.layers.rateHz", undefined],
    ["first.gradientNorms.hidden", 2],
    ["first.gradientNorms.hidden.bias", 3],
    ["accuracy", undefined],
    ["name", undefined],
    ["acuracy.test", undefined],
  ])("%s is %s", (path, value) => {
    expect(measured(result, path)).toBe(value);
  });

  it("that are misspelt are answered with what was meant", () => {
    expect(nearestMeasure(result, "acuracy.test")).toBe(' — did you mean "accuracy.test"?');
    expect(nearestMeasure(result, "something else")).toMatch(/it has "accuracy\.test", "accuracy\.validation"/);
  });
});
