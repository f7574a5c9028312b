/** Parts of a whole time: a bar, and the same as a table. */
import { percent, seconds } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Colour } from "../styles.ts";

export interface TimePart {
  readonly name: string;
  readonly note?: string;
  readonly colour: Colour;
  readonly seconds: number;
}

export function shareTable(parts: readonly TimePart[], sumName: string): Html {
  const total = parts.reduce((sum, part) => sum + (Number.isFinite(part.seconds) ? part.seconds : 0), 0);
  const share = (part: TimePart): number => (total > 0 ? part.seconds / total : 0);
  return html`<div class="stack" role="img" aria-label="${parts.map((part) => `${part.name} ${percent(share(part))}`).join(", ")}">${parts.map(
    (part) =>
      html`<span style="--c:var(--${part.colour});width:${(100 * share(part)).toFixed(2)}%" title="${part.name} ${percent(share(part))}"></span>`,
  )}</div>
<table class="spaced"><thead><tr><th>Part</th><th class="n">Time</th><th class="n">Share</th></tr></thead>
<tbody>${parts.map(
    (part) =>
      html`<tr><td><i class="block" style="--c:var(--${part.colour})"></i>${part.name}${part.note && html`<span style="color:var(--soft)">, ${part.note}</span>`}</td><td class="n">${seconds(part.seconds)}</td><td class="n">${percent(share(part))}</td></tr>`,
  )}</tbody><tfoot><tr><td>${sumName}</td><td class="n">${seconds(total)}</td><td class="n">${percent(1)}</td></tr></tfoot></table>`;
}
