/** Cumulative distributions as SVG text, in the look of the histograms. */
import { significant } from "./format.ts";
import { type Html, html } from "./html.ts";
import { niceTicks } from "./statistics.ts";
import type { Colour } from "./styles.ts";

export interface CumulativeLine {
  readonly name: string;
  readonly colour: Colour;
  readonly dashed: boolean;
  /** Values in ascending order, and the share of the distribution up to each. */
  readonly points: readonly { readonly value: number; readonly share: number }[];
}

const [width, height] = [680, 240];
const margin = { left: 46, right: 14, top: 20, bottom: 38 };
/** A quantile needs no more points than this. */
const mostPoints = 200;

/** Every value of a sample, or evenly spaced ones of many. */
export function cumulativePoints(values: ArrayLike<number>): CumulativeLine["points"] {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const count = Math.min(n, mostPoints);
  return Array.from({ length: count }, (_, i) => {
    const at = count === n ? i : Math.round((i * (n - 1)) / (count - 1));
    return { value: sorted[at], share: (at + 0.5) / n };
  });
}

/** @param high end of the axis, which starts at 0 */
export function cumulativeSvg(name: string, xLabel: string, high: number, lines: readonly CumulativeLine[]): Html {
  const base = height - margin.bottom;
  const x = (value: number) =>
    (margin.left + (Math.min(value, high) / high) * (width - margin.left - margin.right)).toFixed(1);
  const y = (share: number) => (base - share * (base - margin.top)).toFixed(1);
  const paths = lines.map(({ colour, dashed, points }) => {
    const d = points.map(({ value, share }) => `${x(value)} ${y(share)}`).join("L");
    return html`<path d="M${d}" fill="none" style="stroke:var(--${colour})" stroke-width="1.6"${dashed && html` stroke-dasharray="5 3"`}/>`;
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (
      share,
    ) => html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y(share)}" y2="${y(share)}"/>
<text class="tick" text-anchor="end" x="${margin.left - 7}" y="${Number(y(share)) + 3.5}">${share}</text>`,
  );
  const ticks = niceTicks(0, high, 7).map(
    (tick) => html`<line class="axis" x1="${x(tick)}" x2="${x(tick)}" y1="${base}" y2="${base + 4}"/>
<text class="tick" text-anchor="middle" x="${x(tick)}" y="${base + 16}">${Number(tick.toPrecision(6))}</text>`,
  );
  const medians = lines.map(({ name: own, points }) => {
    const half = points.find(({ share }) => share >= 0.5);
    return half === undefined ? own : `${own}, half below ${significant(half.value)}`;
  });
  return html`<svg class="histogram" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}: ${medians.join("; ")}.">
${grid}${paths}
<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${base}" y2="${base}"/>
${ticks}
<text class="axis-title" text-anchor="middle" x="${(margin.left + width - margin.right) / 2}" y="${height - 5}">${xLabel}</text>
<text class="axis-title" x="${margin.left}" y="9">share of the neurons</text>
</svg>`;
}
