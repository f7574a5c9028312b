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
  /** Title of the x axis; a string, or "iteration" for the axis that can be switched to wall time. */
  readonly xTitle?: string;
  /** Said to who cannot see the chart. */
  readonly label: string;
}

/** An empty panel that the page's script fills with a chart. */
export function chartPanel(spec: PanelSpec): Html {
  const switched = spec.xTitle === "iteration";
  return html`<div class="panel ${spec.className ?? ""}" ${spec.attributes}>
<div class="panel-head">${spec.letter && html`<span class="letter">${spec.letter}</span>`}<span class="panel-title">${spec.title}${spec.unit && html` <span class="unit">(${spec.unit})</span>`}</span><span class="readout"></span></div>
<div class="chart" role="img" aria-label="${spec.label}"></div>
${spec.xTitle && html`<div class="x-title"${switched && html` data-axis-title`}>${spec.xTitle}</div>`}
</div>`;
}

export interface KeyEntry {
  readonly name: string;
  readonly colour: Colour;
  readonly look?: "line" | "thin" | "dot" | "block";
}

export function key(entries: readonly KeyEntry[]): Html {
  return html`<ul class="key">${entries.map(
    (e) => html`<li><i class="${e.look ?? "line"}" style="--c:var(--${e.colour})"></i>${e.name}</li>`,
  )}</ul>`;
}

export function absent(sentence: string): Html {
  return html`<p class="absent">${sentence}</p>`;
}
