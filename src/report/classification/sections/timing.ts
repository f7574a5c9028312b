/** Where the time of the run went. */
import { bytes, duration, integer, plural, seconds as secondsText } from "../../format.ts";
import { type Html, html } from "../../html.ts";
import { absent, figure, type Numbering } from "../../sections/figure.ts";
import { shareTable, type TimePart } from "../../sections/shares.ts";
import { median } from "../../statistics.ts";
import { seriesColour } from "../../styles.ts";
import type { ClassificationReportInput } from "../input.ts";

export function timing(input: ClassificationReportInput, numbering: Numbering): Html {
  const { epochs, timings, final } = input;
  const title = html`<h2 id="timing">Time</h2>`;
  if (epochs.length === 0 && timings.parts.length === 0)
    return html`${title}${absent("No epoch was recorded, so there are no times to show.")}`;
  const named = timings.parts.reduce((sum, part) => sum + part.seconds, 0);
  const parts: TimePart[] = timings.parts.map(({ name, seconds }, i) => ({
    name: name.charAt(0).toUpperCase() + name.slice(1),
    colour: seriesColour(i),
    seconds,
  }));
  const rest = timings.secondsTotal - named;
  // Rounding of the parts is not a rest.
  if (rest > 0.001 * timings.secondsTotal) parts.push({ name: "Other", colour: "grey", seconds: rest });
  const perEpoch = median(epochs.map((e) => e.seconds));
  const samples = final?.last.train?.samples;
  const rows: (readonly [string, string])[] = [
    ["Whole run", duration(timings.secondsTotal)],
    ...(epochs.length > 0
      ? [
          [`Epoch, median of ${integer(epochs.length)}`, secondsText(perEpoch)] as const,
          ["Slowest epoch", secondsText(Math.max(...epochs.map((e) => e.seconds)))] as const,
        ]
      : []),
    ...(samples && perEpoch > 0
      ? [
          ["Per training sample, validation included", secondsText(perEpoch / samples)] as const,
          ["Training samples per second", integer(samples / perEpoch)] as const,
        ]
      : []),
    ...(timings.peakBytes === null ? [] : [["Peak memory", bytes(timings.peakBytes)] as const]),
  ];
  return html`${title}${figure(
    numbering.next(),
    "Where the time went.",
    html`<div class="panels cols-2"><div class="panel">${parts.length > 0 ? shareTable(parts, "Whole run") : absent("Times were not taken apart.")}</div>
<div class="panel"><table class="figures"><tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="n">${value}</td></tr>`)}</tbody></table></div></div>`,
    html`Wall time of ${plural(epochs.length, "epoch")}.`,
  )}`;
}
