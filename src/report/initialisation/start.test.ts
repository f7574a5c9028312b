import { expect, test } from "vitest";
import { Numbering } from "../sections/figure.ts";
import { membraneFigure } from "./membranes.ts";
import { type InitialReport, renderStart, start } from "./start.ts";

const values = Float32Array.from({ length: 999 }, (_, i) => Math.sin(i) + Math.cos(1.7 * i));
const membrane = { mean: 0.1, sigma: 0.9, xi: 1, spread: 0.4 };
const layer = (name: string) => ({
  name,
  neurons: 128,
  rules: ["fluctuation", "fluctuation"],
  rateHz: 12.3,
  silentShare: 0.25,
  aim: { mean: 0, sigma: 1, xi: 1 },
  implied: { ...membrane, independentSpread: 0.43 },
  measured: membrane,
  values,
});
const report = (change: Partial<InitialReport> = {}): InitialReport => ({
  start: { samples: 64, inputHz: 15.8, layers: [layer("lower"), { ...layer("upper"), aim: null, rules: ["kaiming"] }] },
  homeostasis: null,
  gradients: null,
  ...change,
});
const readable = (page: string): string =>
  page
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/[\s\u202f]+/g, " ");

test("the page names every layer with its figures, needs nothing else, and is the same text each time", () => {
  const page = renderStart("mine", report(), new Numbering());
  expect(renderStart("mine", report(), new Numbering())).toBe(page);
  const text = readable(page);
  expect(text).toMatch(/Seen in 64 training samples, whose channels fire at 15\.8 Hz/);
  expect(text).toMatch(/lower 128 fluctuation 12\.3 Hz 25 % 1\.00 0\.900 0\.900 1\.00 0\.10 0\.40 0\.43/);
  expect(text).toMatch(/upper 128 kaiming 12\.3 Hz 25 % — 0\.900/);
  expect(page.match(/class="fit/g)).toHaveLength(1);
  expect(page).not.toMatch(/<script|url\(/);
});

test("gradients and homeostasis are told where there were any", () => {
  const course = [[{ name: "lower", rateHz: 0, silentShare: 1 }], [{ name: "lower", rateHz: 9, silentShare: 0 }]];
  const gradients = { samples: 8, loss: 2.3, byLayer: [0.12, 0.34], byGroup: { input: 0.12 } };
  const homeostasis = { by: "scaling", reached: true, course } as const;
  const text = readable(start(report({ gradients, homeostasis }), new Numbering()).text);
  expect(text).toMatch(/weights of single neurons were scaled in 1 batch; all layers came within the bounds/);
  expect(text).toMatch(/Gradient .* 0\.12 upper .* 0\.34/);
  expect(text).toMatch(/first batch of 8 samples/);
});

test("names cannot inject markup", () => {
  const evil = `<img src=x onerror="alert(1)">`;
  const layers = [{ ...layer(evil), rules: [evil] }];
  const page = renderStart(evil, report({ start: { ...report().start, layers } }), new Numbering());
  expect(page).not.toContain(evil);
  expect(membraneFigure(evil, [{ title: evil, note: evil, values, aim: null }])).not.toContain(evil);
});

test("the figure is one SVG file with panels in rows of three", () => {
  const panel = { title: "a", note: "b", values, aim: { mean: 0, sigma: 1 } };
  const svg = membraneFigure("title", [panel, panel, panel, panel]);
  expect(svg).toMatch(/^<svg class="membranes" xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 1086 536"/);
  const places = [...svg.matchAll(/<svg x="(\d+)" y="(\d+)" width="330"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(places).toEqual([
    [24, 82],
    [378, 82],
    [732, 82],
    [24, 324],
  ]);
});
