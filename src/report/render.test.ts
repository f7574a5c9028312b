import { expect, test } from "vitest";
import { reportInput } from "../../test/report/fixture.ts";
import { renderReport } from "./report.node.ts";
import { commandLine } from "./sections/reproduce.ts";

const small = { neurons: 60, excitatory: 48, trials: 4, examples: 3, iterations: 20, trialMs: 1200 };
const headings = ["learning", "currents", "psth", "spikes", "distributions", "timing", "reproduce"];

test("a full-size report stays below 1.5 MB and is the same text each time", () => {
  const page = renderReport(reportInput());
  expect(page.length).toBeLessThan(1.5e6);
  expect(renderReport(reportInput())).toBe(page);
});

test("the page refers to nothing outside itself and keeps the licence of the chart library", () => {
  const page = renderReport(reportInput(small));
  expect(page).not.toMatch(/<(?:script|img|link|iframe)[^>]*(?:src|href)="(?!data:)/);
  expect(page).not.toMatch(/@import|url\(/);
  expect(page.includes("default-src &#39;none&#39;")).toBe(true);
  expect(page.includes("Leon Sorokin")).toBe(true);
  expect(page.includes("Permission is hereby granted")).toBe(true);
});

test("names cannot inject markup", () => {
  const input = reportInput(small);
  const evil = `<script>alert(1)</script><img src=x onerror="alert(1)">`;
  const page = renderReport({
    ...input,
    title: evil,
    experiment: { name: evil, separator: "\u2028" },
    environment: { [evil]: evil, command: evil },
    notes: [evil],
    test: input.test && { ...input.test, taskNames: [evil, evil] },
  });
  expect(page).not.toContain("<script>alert");
  expect(page).not.toContain("<img");
  expect(page.match(/<\/script/g)).toHaveLength(2);
});

test("what was not recorded is said in a sentence, never left as an empty figure", () => {
  const input = reportInput(small);
  const bare = renderReport({ ...input, iterations: [], test: null, weights: null, notes: [], environment: {} });
  for (const id of headings) expect(bare).toContain(`<h2 id="${id}">`);
  expect(bare).not.toContain("<figure");
  expect(bare.match(/class="absent"/g)).toHaveLength(headings.length + 1);
  expect(bare).not.toMatch(
    /undefined|NaN/.exec(bare.slice(0, bare.indexOf("<script")).replace(/<style[\s\S]*<\/style>/, ""))?.[0] ?? "\0",
  );
});

test("without a test, without rates as targets, with one example: each still makes sense", () => {
  const input = reportInput({ ...small, tasks: 1 });
  const report = input.test;
  if (!report) throw new Error("the fixture has a test");
  expect(renderReport({ ...input, test: null })).toContain("has not been tested with frozen weights");
  const currents = {
    ...report,
    psth: null,
    examples: report.examples.slice(0, 1).map((e) => ({ ...e, recordedHz: null })),
  };
  const page = renderReport({ ...input, test: currents });
  expect(page).toContain("targets were currents");
  expect(page).toContain("The example");
});

test("the command is the recorded one, or one that works for a saved experiment", () => {
  expect(commandLine({ command: "npx volley train alm" })).toBe("npx volley train alm");
  expect(commandLine({ version: "0.1.0" })).toBe("npx volley@0.1.0 train experiment.json");
  expect(commandLine({ version: "a'; rm" })).toBe(`npx 'volley@a'\\''; rm' train experiment.json`);
});
