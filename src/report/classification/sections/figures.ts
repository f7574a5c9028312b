/** The figures as a table, and the network in words. */
import { accuracy, hertz, integer, percent, plural, significant } from "../../format.ts";
import { type Html, html } from "../../html.ts";
import { absent } from "../../sections/figure.ts";
import { isClassifier } from "../course.ts";
import type { ClassificationReportInput, SetFigures, TestedEpoch } from "../input.ts";
import { intervalText } from "./summary.ts";

function figuresTable(input: ClassificationReportInput): Html {
  const { final } = input;
  if (final === null) return absent("Nothing was tested with frozen weights.");
  const classes = isClassifier(input);
  const rowsOf = (tested: TestedEpoch, name: string): Html[] => {
    const sets = [
      ["training", tested.train],
      ["validation", tested.validation],
      ["test", tested.test],
    ] as const;
    const measured: { set: string; figures: SetFigures }[] = [
      ...sets.flatMap(([set, figures]) => (figures ? [{ set, figures }] : [])),
      ...(tested.disturbed ?? []).map((figures) => ({ set: `test, ${figures.name}`, figures })),
    ];
    return measured.map(
      (
        { set, figures },
        i,
      ) => html`<tr>${i === 0 && html`<th scope="rowgroup" rowspan="${measured.length}">${name}</th>`}
<th scope="row">${set}</th><td class="n">${integer(figures.samples)}</td>${
        classes
          ? html`<td class="n">${accuracy(figures.accuracy ?? Number.NaN)}</td><td class="n">${intervalText(figures)}</td>`
          : html`<td class="n">${significant(figures.normalisedError ?? Number.NaN)}</td>`
      }<td class="n">${significant(figures.loss)}</td></tr>`,
    );
  };
  const { best, last } = final;
  const groups: (readonly [TestedEpoch, string])[] =
    best === null || best.epoch === last.epoch
      ? [[last, best === null ? "the last" : "the last, and best by validation"]]
      : [
          [best, "best by validation"],
          [last, "the last"],
        ];
  return html`<table class="figures"><thead><tr><th scope="col">Weights</th><th scope="col">Samples</th><th scope="col" class="n">number</th>${
    classes
      ? html`<th scope="col" class="n">accuracy</th><th scope="col" class="n">95 % interval</th>`
      : html`<th scope="col" class="n">normalised error</th>`
  }<th scope="col" class="n">loss</th></tr></thead>
${groups.map(([tested, name]) => html`<tbody>${rowsOf(tested, `epoch ${integer(tested.epoch)}, ${name}`)}</tbody>`)}</table>`;
}

function referencesTable({ references = [] }: ClassificationReportInput): Html | false {
  if (references.length === 0) return false;
  return html`<table class="figures spaced"><thead><tr><th scope="col">Published</th><th scope="col" class="n">test accuracy</th></tr></thead>
<tbody>${references.map(
    ({ what, accuracy: share, sd }) =>
      html`<tr><th scope="row">${what}</th><td class="n">${sd !== undefined && `${(100 * share).toFixed(1)} ± `}${accuracy(sd ?? share)}</td></tr>`,
  )}</tbody></table>`;
}

function networkTable({ network, epochs }: ClassificationReportInput): Html {
  const last = epochs.at(-1);
  return html`<table class="figures"><thead><tr><th scope="col">Layer</th><th scope="col" class="n">neurons</th><th scope="col">model</th><th scope="col" class="n">rate</th><th scope="col" class="n">silent</th></tr></thead>
<tbody><tr><th scope="row">input</th><td class="n">${integer(network.inputs)}</td><td></td><td class="n"></td><td class="n"></td></tr>
${network.layers.map(
  ({ name, size, model }, l) =>
    html`<tr><th scope="row">${name}</th><td class="n">${integer(size)}</td><td>${model}</td><td class="n">${last?.layers[l] ? hertz(last.layers[l].rateHz) : "—"}</td><td class="n">${last?.layers[l] ? percent(last.layers[l].silentShare) : "—"}</td></tr>`,
)}
<tr><th scope="row">readout</th><td class="n">${integer(network.readout.size)}</td><td>${network.readout.model}</td><td class="n"></td><td class="n"></td></tr></tbody></table>`;
}

export function figures(input: ClassificationReportInput): Html {
  const { network } = input;
  const chosen = input.final?.best
    ? "The best epoch was chosen by validation alone; test samples had no part in any choice. "
    : "";
  return html`<h2 id="figures">Figures</h2>
<p class="text">${chosen}Learned by ${network.rule}, in steps of ${network.dtMs} ms: ${plural(network.trainedNumbers, "number")} in all.</p>
<div class="panels facts spaced"><div class="panel table-scroll">${figuresTable(input)}${referencesTable(input)}</div><div class="panel table-scroll">${networkTable(input)}</div></div>`;
}
