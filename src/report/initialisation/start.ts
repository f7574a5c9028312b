/** What a network does before any training: a table of its layers, and the histograms of their free membranes. */
import type { HomeostasisReport } from "../../learning/initialisation/homeostasis.ts";
import type { LayerStart, StartReport } from "../../learning/initialisation/report.ts";
import { htmlDocument } from "../document.ts";
import { hertz, integer, percent, plural, significant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { figure, letter, type Numbering } from "../sections/figure.ts";
import { styleSheet } from "../styles.ts";
import { type MembranePanel, membraneHistogram } from "./membranes.ts";

export interface InitialReport {
  readonly start: StartReport;
  /** Null where there was no such phase. */
  readonly homeostasis: HomeostasisReport | null;
  /** Of the first batch; null where none was run. */
  readonly gradients: {
    readonly samples: number;
    readonly loss: number;
    /** By layer of `start.layers`: norm of the gradient by everything that leads into the layer. */
    readonly byLayer: readonly number[];
    /** By group of parameters. */
    readonly byGroup: Readonly<Record<string, number>>;
  } | null;
}

const ruleText = ({ rules }: LayerStart): string => [...new Set(rules)].join(", ");

function layerTable({ start, gradients }: InitialReport): Html {
  const head = ["Rate", "Silent", "σ aimed at", "σ implied", "σ measured", "ξ", "Mean", "Spread", "Predicted"];
  const rows = start.layers.map((layer, l) => {
    const { name, neurons, rateHz, silentShare, aim, implied, measured } = layer;
    const cells = [
      hertz(rateHz),
      percent(silentShare),
      aim === null ? "—" : significant(aim.sigma),
      significant(implied.sigma),
      significant(measured.sigma),
      significant(measured.xi),
      significant(measured.mean, 2),
      significant(measured.spread, 2),
      significant(implied.independentSpread, 2),
      ...(gradients === null ? [] : [significant(gradients.byLayer[l], 2)]),
    ];
    return html`<tr><th scope="row">${name}</th><td class="n">${integer(neurons)}</td><td>${ruleText(layer)}</td>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>
`;
  });
  return html`<div class="table-scroll"><table class="figures"><thead><tr><th scope="col">Layer</th><th scope="col" class="n">neurons</th><th scope="col">rule</th>${[...head, ...(gradients === null ? [] : ["Gradient"])].map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** Histogram of each layer. */
export const panelsOf = ({ layers }: StartReport): MembranePanel[] =>
  layers.map(({ name, values, aim, measured }) => ({
    title: name,
    note: `σ ${significant(measured.sigma)}${aim === null ? "" : `, aimed at ${significant(aim.sigma)}`}`,
    values,
    aim,
  }));

function homeostasisSentence({ homeostasis }: InitialReport): string {
  if (homeostasis === null) return "";
  const { by, course, reached } = homeostasis;
  const how = by === "scaling" ? "weights of single neurons were scaled" : "nothing but rate regularisers was learned";
  return ` Before, ${how} in ${plural(course.length - 1, "batch", "batches")}; all layers ${reached ? "came" : "did not come"} within the bounds of their rates.`;
}

/** Table and figure. */
function startContents(report: InitialReport, numbering: Numbering): Html {
  const { start: seen, gradients } = report;
  const panels = panelsOf(seen).map(
    (panel, i) =>
      html`<div class="panel"><div class="panel-head"><span class="letter">${letter(i)}</span><span class="panel-title">${panel.title}</span><span class="readout">${panel.note}</span></div>${membraneHistogram(panel)}</div>`,
  );
  const batch =
    gradients &&
    ` Gradient: norm over everything that leads into the layer, first batch of ${plural(gradients.samples, "sample")}.`;
  return html`<p class="text">Seen in ${plural(seen.samples, "training sample")}, whose channels fire at ${hertz(seen.inputHz)} on average.${homeostasisSentence(report)}</p>
${layerTable(report)}
${figure(
  numbering.next(),
  "Free membranes before training.",
  html`<div class="panels cols-3">${panels}</div>`,
  html`The free membrane is what the membrane would do if the neuron did not spike, in thresholds. Curve, the distribution that the initial weights aim at. σ, standard deviation over time about the mean of each neuron; implied, what the weights mean if sources fired as independent Poisson trains at the rates measured; ξ, distance from the mean to the threshold in units of σ; spread, standard deviation of the means of neurons; predicted, if every weight were drawn by itself.${batch}`,
)}`;
}

/** A section of the report of a training. */
export const start = (report: InitialReport, numbering: Numbering): Html =>
  html`<h2 id="start">Start</h2>${startContents(report, numbering)}`;

const startStyles = `.table-scroll{overflow-x:auto;margin-top:18px}
table.figures th{font-weight:400}
table.figures thead th{font-weight:600}
table.figures th[scope=row]{color:var(--ink)}
table.figures .n+:not(.n){padding-left:18px}
main{padding-top:56px}
h1{margin-bottom:18px}`;

/** A page of its own: it needs no script, no network and no other file. */
export function renderStart(title: string, report: InitialReport, numbering: Numbering): string {
  return htmlDocument({
    title: `${title} — before training`,
    styles: [styleSheet(), startStyles],
    main: html`<div class="eyebrow">Before training</div>
<h1>${title}</h1>
${startContents(report, numbering)}
<footer>Written by Volley. This page is complete: it needs no network and no other file.</footer>`,
    program: null,
  });
}
