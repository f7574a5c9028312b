/** The top of every page: title, a sentence, warnings, the figures one looks for first. */
import { type Html, type HtmlValue, html } from "../html.ts";
import type { Reproducible } from "./reproduce.ts";

export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly note: string;
  readonly alarm?: boolean;
}

/** "12.3 Hz" in two sizes: number and unit. */
export function valueAndUnit(text: string): Pick<Tile, "value" | "unit"> {
  const match = /^([^\s\u202f]+)\u202f(\D+)$/.exec(text);
  return match ? { value: match[1], unit: match[2] } : { value: text };
}

export interface PageHeader {
  readonly eyebrow: string;
  readonly title: string;
  readonly lead: HtmlValue;
  readonly environment: Reproducible["environment"];
  readonly notes: readonly string[];
  readonly tiles: readonly Tile[];
}

export function pageHeader({ eyebrow, title, lead, environment: e, notes, tiles }: PageHeader): Html {
  const byline = [e.version && `Volley ${e.version}`, e.date, e.seed !== undefined && `seed ${e.seed}`]
    .filter(Boolean)
    .join(" · ");
  return html`<header>
<p class="eyebrow">${eyebrow}</p>
<h1>${title}</h1>
<p class="lead">${lead}</p>
${byline && html`<p class="text" style="margin-top:12px;font:13px/1.5 var(--sans)">${byline}</p>`}
</header>
${notes.length > 0 && html`<ul class="notes" aria-label="Warnings">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${
  tiles.length > 0 &&
  html`<dl class="tiles" aria-label="Key figures">${tiles.map(
    (t) => html`<div class="tile ${t.alarm && "alarm"}"><dt>${t.label}</dt>
<dd class="value">${t.value}${t.unit && html`<small> ${t.unit}</small>`}</dd><dd class="note">${t.note}</dd></div>`,
  )}</dl>`
}`;
}
