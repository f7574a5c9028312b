/** The text of the report of a run by gradients: what it says, and that nothing in it can do harm. */
import { expect, test } from "vitest";
import type { ClassificationReportInput, ExampleTrial } from "../../src/report/classification/input.ts";
import { payloadOf } from "../../src/report/classification/payload.ts";
import { renderClassificationReport } from "../../src/report/classification/report.node.ts";
import { firstShown, normalisedError, shownTrials } from "../../src/report/classification/trial.ts";
import { createDecoder } from "../../src/report/client/decode.ts";
import { classificationInput, regressionInput } from "./classification-fixture.ts";

const small = {
  inputs: 60,
  layers: [{ name: "hidden", size: 20, model: "GennALIF" }],
  epochs: 6,
  steps: 80,
  trials: 3,
};
const headings = ["learning", "figures", "confusion", "trials", "health", "distributions", "timing", "reproduce"];

/** What a person reads: no scripts, styles and tags, and spaces alike. */
const readable = (page: string): string =>
  page
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/[\s\u202f]+/g, " ");

const render = (input: ClassificationReportInput): string => readable(renderClassificationReport(input));

test("a full-size report stays below 1.5 MB and is the same text each time", () => {
  const page = renderClassificationReport(classificationInput());
  expect(page.length).toBeLessThan(1.5e6);
  expect(renderClassificationReport(classificationInput())).toBe(page);
});

test("names cannot inject markup", () => {
  const evil = `<script>alert(1)</script><img src=x onerror="alert(1)">`;
  const input = classificationInput({
    ...small,
    layers: [{ name: evil, size: 20, model: evil }],
    classNames: ["zero", "one", evil],
  });
  const page = renderClassificationReport({
    ...input,
    title: evil,
    experiment: { name: evil, separator: "\u2028" },
    environment: { [evil]: evil, command: evil },
    network: { ...input.network, rule: evil, readout: { size: 3, model: evil } },
    notes: [evil],
    health: [{ epoch: 1, message: evil }],
    timings: { ...input.timings, parts: [{ name: evil, seconds: 1 }] },
  });
  expect(page).not.toContain("<script>alert");
  expect(page).not.toContain("<img");
  expect(page.match(/<\/script/g)).toHaveLength(2);
  expect(page).not.toMatch(/<(?:script|img|link|iframe)[^>]*(?:src|href)="(?!data:)/);
});

test("counts, recall, precision and mistakes of a confusion matrix computed by hand", () => {
  const input = classificationInput({ ...small, classNames: ["a", "b", "c"] });
  // Of 4, 3 and 3 samples 3, 2 and 3 are recognised; one a is taken for b, one b for c.
  const counts = [3, 1, 0, 0, 2, 1, 0, 0, 3];
  const page = renderClassificationReport({ ...input, confusion: { test: { counts, epoch: 5 }, validation: null } });
  const table = /<table class="confusion[\s\S]*?<\/table>/.exec(page)?.[0] ?? "";
  const rows = table
    .split("<tr>")
    .slice(1)
    .map((row) => readable(row).trim());
  expect(rows).toEqual([
    "predicted → true ↓ a b c recall",
    "a 3 1 0 75 %",
    "b 0 2 1 67 %",
    "c 0 0 3 100 %",
    "precision 100 67 75 80.0 %",
  ]);
  expect(table).toContain('title="1 of 4 “a” taken for “b” (25\u202f%)"');
  expect([...table.matchAll(/--share:([\d.]+)/g)].map((m) => Number(m[1]))).toEqual([
    0.75, 0.25, 0, 0, 0.667, 0.333, 0, 0, 1,
  ]);
  expect(readable(page)).toContain(
    "Most often mistaken: “a” taken for “b” 1 of 4 times ; “b” taken for “c” 1 of 3 times ."
      .replaceAll(" ;", ";")
      .replace(" .", "."),
  );
  // The most frequent class has 4 of 10 samples.
  expect(readable(page)).toContain("always naming the most frequent class would give 40 %");
});

test("a class that never occurs and one that is never predicted have no recall and precision, not NaN", () => {
  const input = classificationInput({ ...small, classNames: ["a", "b"] });
  const text = render({ ...input, confusion: { test: { counts: [0, 0, 5, 0], epoch: 1 }, validation: null } });
  expect(text).toContain("a 0 0 —");
  expect(text).toContain("precision 0 — 0.0 %");
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
});

test("many classes: the matrix gives way to the list of mistakes", () => {
  const classNames = Array.from({ length: 61 }, (_, i) => `class ${i}`);
  const page = renderClassificationReport(classificationInput({ ...small, classNames, trials: 1 }));
  expect(page).not.toContain('<table class="confusion');
  expect(page).toContain("Most often mistaken");
});

test("the headline is the test accuracy after the last epoch, with its interval, beside the best by validation", () => {
  const input = classificationInput({ ...small, epochs: 6 });
  const tested = { samples: 300, loss: 0.5, accuracy: 0.85, normalisedError: null };
  const last = { epoch: 6, train: tested, validation: tested, test: tested };
  const best = { ...last, epoch: 4, test: { ...tested, accuracy: 0.87 } };
  const text = render({ ...input, final: { best, last } });
  expect(text).toContain("recognises 85.0 % of 300 test samples among 10 classes (95 % interval 80.5 to 88.6 %)");
  expect(text).toContain("The weights of epoch 4, the best by validation, reach 87.0 %.");
  expect(render({ ...input, final: { best: { ...best, epoch: 6 }, last } })).not.toContain(
    "the best by validation, reach",
  );
  const untested = render({ ...input, final: { best: null, last: { ...last, test: null } } });
  expect(untested).toContain("85.0 % of 300 validation samples");
  expect(untested).toContain("has not been tested on samples kept apart");
});

test("published figures stand beside ours", () => {
  const input = classificationInput(small);
  const references = [
    { what: "ALIF 256, e-prop", accuracy: 0.788, sd: 0.011 },
    { what: "LIF <b>", accuracy: 0.5 },
  ];
  const text = render({ ...input, references });
  expect(text).toContain("Published test accuracy ALIF 256, e-prop 78.8 ± 1.1 % LIF &lt;b&gt; 50.0 %");
  expect(render(input)).not.toContain("Published");
});

test("what was not recorded is said in a sentence, never left as an empty figure", () => {
  const input = classificationInput({ ...small, trials: 0 });
  const page = renderClassificationReport({
    ...input,
    environment: {},
    epochs: [],
    final: null,
    confusion: { validation: null, test: null },
    rates: [],
    parameters: [],
    weights: [],
    health: [],
    notes: [],
    timings: { secondsTotal: 0, parts: [], peakBytes: null },
  });
  for (const id of headings) expect(page).toContain(`<h2 id="${id}">`);
  expect(page).not.toContain("<figure");
  expect(readable(page)).not.toMatch(/undefined|NaN|Infinity/);
});

test("numbers that do not exist leave gaps, not words of the language", () => {
  const input = classificationInput(small);
  const gap = Number.NaN;
  const epochs = input.epochs.map((e, i) => ({
    ...e,
    train: { loss: gap, accuracy: i === 2 ? null : gap, normalisedError: null },
    validation: i % 2 === 0 ? null : e.validation,
    gradientNorm: gap,
    gradientNorms: {},
    layers: e.layers.map((l) => ({ ...l, rateHz: gap, supportShare: null })),
  }));
  const text = render({ ...input, epochs, rates: [{ before: null, after: new Float32Array(20) }] });
  expect(text).not.toMatch(/undefined|NaN|Infinity|null/);
});

test("constants that all neurons share are a table, those of single neurons a distribution", () => {
  const input = classificationInput(small);
  const shared = {
    layer: "hidden",
    name: "beta",
    unit: "",
    before: Float32Array.of(0.5),
    after: Float32Array.of(0.75),
  };
  const page = renderClassificationReport({ ...input, parameters: [shared, input.parameters[0]] });
  expect(readable(page)).toContain("hidden: beta 0.500 0.750");
  expect(page).toContain('aria-label="hidden: tauMemMs: after, mean');
  // All neurons began alike: a mark, not a bar as high as the whole population.
  expect(page).toContain(">before: 20.0</text>");
});

test("of the trials, one that was recognised stands beside one that was not", () => {
  const trial = (label: number, prediction: number) => ({ label, prediction }) as ExampleTrial;
  expect(firstShown([])).toEqual([]);
  expect(firstShown([trial(1, 2)])).toEqual([0]);
  expect(firstShown([trial(1, 2), trial(1, 1), trial(2, 3)])).toEqual([1, 0]);
  expect(firstShown([trial(1, 1), trial(2, 2)])).toEqual([0, 1]);
  expect(firstShown([trial(1, 2), trial(1, 2)])).toEqual([0, 1]);
});

test("spikes, membranes and readouts reach the page as they were", () => {
  const input = classificationInput({ ...small, trials: 1 });
  const [trial] = input.trials;
  const [sent] = payloadOf(input).trials;
  const decoder = createDecoder();
  const events = decoder.spikes(sent.strips[0].spikes);
  expect(events.neurons).toEqual(trial.input.channels);
  expect(Array.from(events.steps)).toEqual(
    Array.from(trial.input.channels, (_, i) => trial.input.offsets.findIndex((offset) => offset > i)),
  );
  expect(decoder.spikes(sent.strips[1].spikes).neurons).toEqual(trial.spikes[0].neurons);
  const margin = decoder.curve(sent.membranes[0].curve, 0, sent.points);
  for (const [t, value] of margin.entries()) expect(value).toBeCloseTo(trial.membranes[0].margin[t], 3);
  const label = sent.outputs.findIndex(({ role }) => role === "label");
  const outputs = input.classNames.length;
  decoder.curve(sent.readout, label, sent.points).forEach((value, t) => {
    expect(value).toBeCloseTo(trial.readout[t * outputs + trial.label!], 3);
  });
});

test("long trials are thinned without losing a spike of a membrane", () => {
  const input = classificationInput({ ...small, steps: 4000, trials: 1 });
  const [trial] = input.trials;
  const margin = new Float32Array(4000).fill(-1);
  margin[1234] = 0.5;
  const [sent] = payloadOf({ ...input, trials: [{ ...trial, membranes: [{ layer: 0, neuron: 3, margin }] }] }).trials;
  expect(sent.every).toBe(3);
  const curve = createDecoder().curve(sent.membranes[0].curve, 0, sent.points);
  expect(curve).toHaveLength(1334);
  expect(curve[Math.floor(1234 / 3)]).toBeCloseTo(0.5, 4);
});

test("more trials than a page can hold are left out, and it says so", () => {
  const input = classificationInput({ ...small, trials: 2 });
  const huge = { ...input.trials[0], readout: new Float32Array(80 * 20_000) };
  const trials = [huge, input.trials[1]];
  expect(shownTrials({ ...input, trials })).toEqual([huge]);
  expect(render({ ...input, trials })).toContain("1 more would make this page too large");
});

test("the normalised error is 1 for the mean of the target, and shown for networks that follow traces", () => {
  const target = Float32Array.of(1, 2, 3, 4);
  const trial = { target, readout: Float32Array.of(2.5, 2.5, 2.5, 2.5) } as ExampleTrial;
  expect(normalisedError(trial)).toBe(1);
  expect(normalisedError({ ...trial, readout: target })).toBe(0);
  expect(normalisedError({ ...trial, target: null })).toBeNaN();
  const text = render(regressionInput({ ...small, outputs: 1 }));
  expect(text).toContain("follows its targets with a normalised error of 0.00940");
  expect(text).toContain("Outputs against targets");
  expect(text).not.toMatch(/Confusions|accuracy|undefined|NaN/);
});
