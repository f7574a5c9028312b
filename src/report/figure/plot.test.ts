import { describe, expect, it } from "vitest";
import { type Plot, type PlotSeries, plotSvg } from "./plot.ts";
import { scaleOf } from "./scale.ts";

const point = (x: number, mean: number, sd: number | null = 1) => ({
  x,
  mean,
  sd,
  values: sd === null ? [mean] : [mean - sd, mean, mean + sd],
});
const plot = (change: Partial<Plot> = {}): Plot => ({
  title: "Accuracy & depth",
  x: { label: "sigma", logarithmic: true, categories: null },
  y: { label: "test accuracy (%)", logarithmic: false, bounds: [0, 100] },
  legend: "depth",
  series: [
    { name: "1", points: [point(0.01, 10), point(1, 96, 3), point(30, 10)] },
    { name: "<3>", points: [point(0.01, 10), point(1, 97, null), point(30, Number.NaN, null)] },
  ],
  marks: [
    { axis: "x", value: 0.1, label: "Kaiming" },
    { axis: "y", value: 10, label: "chance" },
  ],
  note: "mean ± s.d. of 3 seeds",
  ...change,
});

/** Names of elements in order of their opening; throws when tags do not match or text is not XML. */
function elements(xml: string): string[] {
  const open: string[] = [];
  const found: string[] = [];
  let rest = xml;
  for (;;) {
    const at = rest.indexOf("<");
    const text = at < 0 ? rest : rest.slice(0, at);
    if (/&(?!(amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`bare & in ${text}`);
    if (at < 0) break;
    const tag = /^<(\/?)([a-z]+)((?: [\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*) ?(\/?)>/.exec(
      rest.slice(at),
    );
    if (tag === null) throw new Error(`no tag: ${rest.slice(at, at + 80)}`);
    const [all, closing, name, , empty] = tag;
    if (closing !== "") {
      if (open.pop() !== name) throw new Error(`</${name}> closes something else`);
    } else {
      found.push(name);
      if (empty === "") open.push(name);
    }
    rest = rest.slice(at + all.length);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(", ")}`);
  return found;
}

const numbersIn = (svg: string) =>
  [...svg.matchAll(/ (?:d|x|y|cx|cy|x1|y1|width|height)="([^"]*)"/g)].map(([, text]) => text);

describe("a figure", () => {
  it("is well-formed, self-contained, and every number in it is finite", () => {
    for (const one of [
      plot(),
      plot({ title: null, note: "", marks: [] }),
      plot({ series: [] }),
      plot({ series: [{ name: "", points: [point(1, 5, null)] }] }),
      plot({
        x: { label: "c", logarithmic: false, categories: ["hom/standard", "a & b", "het/het"] },
        series: grouped,
      }),
      plot({ y: { label: "norm", logarithmic: true } }),
      plot({
        series: Array.from({ length: 12 }, (_, i) => ({ name: `s${i}`, points: [point(0.1, i), point(1, 2 * i)] })),
      }),
    ]) {
      const svg = plotSvg(one);
      expect(elements(svg)[0]).toBe("svg");
      expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
      expect(svg).not.toMatch(/href|url\(|@import|<script/);
      for (const text of numbersIn(svg)) expect(text).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it("escapes what is not its own", () => {
    const svg = plotSvg(plot());
    expect(svg).toContain("&lt;3&gt;");
    expect(svg).toContain("Accuracy &amp; depth");
  });

  it("has colours for light and dark, and a line with a mark and an error bar for each point that there is", () => {
    const svg = plotSvg(plot());
    expect(svg).toMatch(/@media \(prefers-color-scheme:dark\)/);
    const drawn = elements(svg.replace(/<style>.*<\/style>/s, ""));
    const groups = svg.split('<g class="s"');
    // Two series, and their two entries of the legend.
    expect(groups).toHaveLength(5);
    expect(groups[1].match(/class="m"/g)).toHaveLength(3);
    expect(groups[1].match(/class="e"/g)).toHaveLength(3);
    expect(groups[2].match(/class="m"/g)).toHaveLength(2);
    expect(groups[2].match(/class="e"/g)).toHaveLength(1);
    expect(drawn.filter((name) => name === "title")).toHaveLength(5);
    expect(svg).toContain("1, sigma 1: 96 ± 3 (n = 3)");
  });

  it("puts points where the axes say: equal ratios are equal distances", () => {
    const series = [{ name: "a", points: [0.1, 1, 10].map((x, i) => point(x, 10 * i, null)) }];
    const svg = plotSvg(plot({ series, marks: [] }));
    const [x0, x1, x2] = [...svg.matchAll(/<circle class="m" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x]) => Number(x));
    expect(x1 - x0).toBeCloseTo(x2 - x1, 1);
    expect(x1).toBeGreaterThan(x0);
  });

  it("shows the values of a category beside their mean", () => {
    const svg = plotSvg(
      plot({ x: { label: "condition", logarithmic: false, categories: ["a", "b", "c"] }, series: grouped, marks: [] }),
    );
    expect(svg.match(/class="v"/g)).toHaveLength(9);
    expect(svg).not.toMatch(/class="l"/);
    expect(svg).toContain(">b</text>");
  });
});

const grouped: PlotSeries[] = [{ name: "digits", points: [0, 1, 2].map((x) => point(x, 80 + x)) }];

describe("scales", () => {
  const labels = (values: number[], logarithmic: boolean) =>
    scaleOf(values, { logarithmic }).ticks.flatMap(({ label }) => (label === "" ? [] : [label]));

  it("have round ticks", () => {
    expect(labels([0, 96], false)).toEqual(["0", "20", "40", "60", "80", "100"]);
    expect(labels([-1, 1], false)).toEqual(["−1", "−0.5", "0", "0.5", "1"]);
    expect(labels([0.01, 31], true)).toEqual(["10⁻²", "10⁻¹", "1", "10"]);
    expect(labels([20, 60], true)).toEqual(["20", "50"]);
  });

  it("keep to their bounds, and hold every value", () => {
    const bounded = scaleOf([91, 99.5], { logarithmic: false, bounds: [0, 100] });
    expect([bounded.low, bounded.high]).toEqual([90, 100]);
    for (const values of [[5], [0, 0], [1e-7, 3], [-4, 1e6]]) {
      for (const logarithmic of [false, true]) {
        const shown = logarithmic ? values.filter((value) => value > 0) : values;
        const { at } = scaleOf(shown, { logarithmic });
        for (const value of shown) {
          expect(at(value)).toBeGreaterThanOrEqual(0);
          expect(at(value)).toBeLessThanOrEqual(1);
        }
      }
    }
  });

  it("label few values themselves", () => {
    const { ticks } = scaleOf([1, 2, 3, 5], { logarithmic: false, places: [1, 2, 3, 5] });
    expect(ticks.map(({ label }) => label)).toEqual(["1", "2", "3", "5"]);
  });
});
