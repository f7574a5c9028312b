/** Histograms of free membranes over the distribution that initial weights aim at. */
import { type HistogramSpec, histogramSvg } from "../histogram.ts";
import { Html, html } from "../html.ts";
import { dark, histogramStyle, light, sans, tokens } from "../styles.ts";

/** One histogram: of a layer, or of a rule. */
export interface MembranePanel {
  readonly title: string;
  /** Below the title. */
  readonly note: string;
  /** Membrane potentials, in thresholds. */
  readonly values: ArrayLike<number>;
  /** The normal distribution that they should have; null: none. */
  readonly aim: { readonly mean: number; readonly sigma: number } | null;
  /** Ends of the axis. Default: where the values end. */
  readonly ends?: readonly [number, number];
}

const normalDensity =
  (mean: number, sd: number) =>
  (x: number): number =>
    Math.exp(-((x - mean) ** 2) / (2 * sd * sd)) / (sd * Math.sqrt(2 * Math.PI));

function specOf({ title, values, aim, ends }: MembranePanel): HistogramSpec {
  return {
    name: title,
    xLabel: "free membrane (thresholds)",
    yLabel: "values",
    series: [{ values, name: "membrane", look: "area" }],
    ...(ends === undefined ? {} : { low: ends[0], high: ends[1] }),
    mark: { value: 1, name: "threshold" },
    ...(aim === null ? {} : { curves: [{ density: normalDensity(aim.mean, aim.sigma), dashed: false }] }),
  };
}

export const membraneHistogram = (panel: MembranePanel): Html => histogramSvg(specOf(panel));

const [panelWidth, panelHeight, gap, head] = [330, 196, 24, 52];
const rowHeight = panelHeight + 46;
const perRow = 3;

/** The text of an SVG file with the panels in rows of three. */
export function membraneFigure(title: string, panels: readonly MembranePanel[]): string {
  const columns = Math.min(perRow, panels.length);
  const width = columns * (panelWidth + gap) + gap;
  const height = Math.ceil(panels.length / perRow) * rowHeight + head;
  const placed = panels.map((panel, i) => {
    const x = gap + (i % perRow) * (panelWidth + gap);
    const y = head + Math.floor(i / perRow) * rowHeight;
    const place = `<svg x="${x}" y="${y + 30}" width="${panelWidth}" height="${panelHeight}" class="histogram"`;
    const drawn = new Html(membraneHistogram(panel).text.replace('<svg class="histogram"', place));
    return html`<text class="head" x="${x}" y="${y + 4}">${panel.title}</text><text class="note" x="${x}" y="${y + 20}">${panel.note}</text>
${drawn}
`;
  });
  const style = `.membranes{${tokens(light)};--sans:${sans};font-family:${sans}}
@media (prefers-color-scheme:dark){.membranes{${tokens(dark)}}}
${histogramStyle}.membranes .paper{fill:var(--panel)}
.membranes .title{font-size:15px;font-weight:600;fill:var(--ink)}
.membranes .head{font-size:13px;fill:var(--ink)}
.membranes .note{font-size:12px;fill:var(--soft)}`;
  return html`<svg class="membranes" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">
<style>${new Html(style)}</style>
<rect class="paper" width="${width}" height="${height}" rx="6"/>
<text class="title" x="${gap}" y="26">${title}</text>
${placed}</svg>
`.text;
}
