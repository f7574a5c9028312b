/** Figures and panels: numbering, letters, captions, keys. */
import { type Html, type HtmlValue, html } from "../html.ts";
import type { Colour } from "../styles.ts";

/** Numbers figures in the order they are written. */
export class Numbering {
  #count = 0;
  next(): number {
    return ++this.#count;
  }
}

export const letter = (index: number): string => {
  const alphabet = "abcdefghijklmnopqrstuvwxyz";
  return index < 26 ? alphabet[index] : letter(Math.floor(index / 26) - 1) + alphabet[index % 26];
};

export function figure(number: number, title: string, body: HtmlValue, caption: HtmlValue): Html {
  return html`<figure id="fig-${number}" aria-labelledby="cap-${number}">
${body}
<figcaption id="cap-${number}"><b>Fig. ${number} | ${title}</b> ${caption}</figcaption>
</figure>`;
}

export interface PanelSpec {
  readonly letter?: string;
  readonly title: HtmlValue;
  readonly unit?: string;
  readonly attributes?: Html;
  readonly className?: string;
  /** Title of the x axis. */
  readonly xTitle?: string;
  /** Instead: what is counted over the course of training, on an axis that `axisSwitch` switches to wall time. */
  readonly course?: "iteration" | "epoch";
  /** Said to who cannot see the chart. */
  readonly label: string;
}

/** An empty panel that the page's script fills with a chart. */
export function chartPanel(spec: PanelSpec): Html {
  return html`<div class="panel ${spec.className ?? ""}" ${spec.attributes}>
<div class="panel-head">${spec.letter && html`<span class="letter">${spec.letter}</span>`}<span class="panel-title">${spec.title}${spec.unit && html` <span class="unit">(${spec.unit})</span>`}</span><span class="readout"></span></div>
<div class="chart" role="img" aria-label="${spec.label}"></div>
${spec.xTitle && html`<div class="x-title">${spec.xTitle}</div>`}${spec.course && html`<div class="x-title" data-axis-title>${spec.course}</div>`}
</div>`;
}

/** Chooses the horizontal axis of all panels with a `course`. */
export function axisSwitch(course: "iteration" | "epoch"): Html {
  return html`<div class="controls screen"><span>Against</span><span class="switch" role="group" aria-label="Horizontal axis"><button type="button" data-axis="${course}" aria-pressed="true">${course}</button><button type="button" data-axis="time" aria-pressed="false">wall time</button></span><span>Drag across a chart to zoom, double-click to return.</span></div>`;
}

export interface KeyEntry {
  readonly name: string;
  readonly colour: Colour;
  readonly look?: "line" | "thin" | "dashed" | "dot" | "ring" | "block";
}

export function key(entries: readonly KeyEntry[]): Html {
  return html`<ul class="key">${entries.map(
    (e) => html`<li><i class="${e.look ?? "line"}" style="--c:var(--${e.colour})"></i>${e.name}</li>`,
  )}</ul>`;
}

export function absent(sentence: string): Html {
  return html`<p class="absent">${sentence}</p>`;
}
