/** A histogram as SVG text: it needs no script, prints sharply and takes its colours from the page. */
import { integer, significant, superscript } from "./format.ts";
import { type Html, type HtmlValue, html } from "./html.ts";
import { histogram, mean, niceTicks, quantile, sortedFinite } from "./statistics.ts";

export interface HistogramSeries {
  readonly values: ArrayLike<number>;
  readonly name: string;
  /** `area`: filled; `outline`: a line on top of it. */
  readonly look: "area" | "outline";
}

/** A distribution drawn over the bars of the first series. */
export interface HistogramCurve {
  /** Per unit of the axis, with the integral 1. */
  density(x: number): number;
  readonly dashed: boolean;
}

export interface HistogramSpec {
  /** Said to who cannot see the figure. */
  readonly name: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly HistogramSeries[];
  /** Fixed ends of the axis; what is open is set by the data, without the outermost 0.5 %. */
  readonly low?: number;
  readonly high?: number;
  /** Logarithmic counts, for distributions with long tails. */
  readonly logCounts?: boolean;
  /** A line at the median of the first series. */
  readonly markMedian?: boolean;
  /** Or a line at this value. */
  readonly mark?: { readonly value: number; readonly name: string };
  readonly curves?: readonly HistogramCurve[];
  readonly wide?: boolean;
}

const height = 196;
const curvePoints = 120;
/** The axis of counts reaches this far above the highest bar, if a curve does. */
const mostOverBars = 2;
const margin = { left: 46, right: 14, top: 20, bottom: 38 };

/** At most 200 000 values, evenly taken: enough for the ends of an axis. */
function sample(values: ArrayLike<number>): ArrayLike<number> {
  const every = Math.ceil(values.length / 200_000);
  return every <= 1 ? values : Array.from({ length: Math.floor(values.length / every) }, (_, i) => values[i * every]);
}

function ends(spec: HistogramSpec): [number, number] {
  const sorted = spec.series.map((s) => sortedFinite(sample(s.values))).filter((s) => s.length > 0);
  const marked = spec.mark ? [spec.mark.value] : [];
  let low = spec.low ?? Math.min(...sorted.map((s) => quantile(s, 0.005)), ...marked);
  let high = spec.high ?? Math.max(...sorted.map((s) => quantile(s, 0.995)), ...marked);
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  // Round outwards, so that the axis ends at a labelled tick.
  const [first, second] = niceTicks(low, high, 5);
  const step = second === undefined ? high - low : second - first;
  if (spec.low === undefined) low = Math.floor(low / step + 1e-9) * step;
  if (spec.high === undefined) high = Math.ceil(high / step - 1e-9) * step;
  return [low, high];
}

export function histogramSvg(spec: HistogramSpec): Html {
  const width = spec.wide ? 680 : 330;
  const [low, high] = ends(spec);
  const plotWidth = width - margin.left - margin.right;
  const plotHeight = height - margin.top - margin.bottom;
  const base = margin.top + plotHeight;
  const bins = spec.wide ? 96 : 44;
  const counted = spec.series.map((s) => histogram(s.values, low, high, bins));
  // A density times the number of values times the width of a bin is a count.
  const perBin = (sortedFinite(spec.series[0].values).length * (high - low)) / bins;
  const curves = (spec.curves ?? []).map(({ density, dashed }) => ({
    dashed,
    points: Array.from({ length: curvePoints + 1 }, (_, i) => {
      const at = low + (i / curvePoints) * (high - low);
      return { at, count: perBin * density(at) };
    }),
  }));
  const highest = Math.max(1, ...counted.flatMap((c) => Array.from(c.counts)));
  // A curve that fits badly is cut, so that the bars can still be seen.
  const peak = Math.max(0, ...curves.flatMap(({ points }) => points.map(({ count }) => count)));
  const most = Math.max(highest, Math.min(peak, mostOverBars * highest));
  const x = (value: number): number => margin.left + ((value - low) / (high - low)) * plotWidth;
  const top = spec.logCounts ? 10 ** Math.ceil(Math.log10(most)) : most * 1.05;
  const y = (count: number): number =>
    spec.logCounts
      ? base - (count < 1 ? 0 : (Math.log10(count) + 0.3) / (Math.log10(top) + 0.3)) * plotHeight
      : base - (count / top) * plotHeight;
  const px = (value: number): string => value.toFixed(1);

  const shapes: HtmlValue[] = counted.map(({ counts }, s) => {
    let path = `M${px(margin.left)} ${px(base)}`;
    counts.forEach((count, b) => {
      path += `V${px(y(count))}H${px(margin.left + ((b + 1) * plotWidth) / bins)}`;
    });
    path += `V${px(base)}`;
    return html`<path class="bars ${spec.series[s].look}" d="${path}"/>`;
  });
  for (const { points, dashed } of curves) {
    const places = points.map(({ at, count }) => `${px(x(at))} ${px(Math.max(margin.top, y(count)))}`);
    shapes.push(html`<path class="fit${dashed && " dashed"}" d="M${places.join("L")}"/>`);
  }
  const yTicks = spec.logCounts
    ? Array.from({ length: Math.round(Math.log10(top)) + 1 }, (_, i) => 10 ** i).filter(
        (_, i, all) => all.length < 6 || i % 2 === 0,
      )
    : niceTicks(0, top, 4);
  const grid = yTicks.map(
    (t) => html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${px(y(t))}" y2="${px(y(t))}"/>
<text class="tick" text-anchor="end" x="${margin.left - 7}" y="${px(y(t) + 3.5)}">${spec.logCounts ? power(t) : integer(t)}</text>`,
  );
  const xTicks = niceTicks(low, high, spec.wide ? 9 : 5).map(
    (t) => html`<line class="axis" x1="${px(x(t))}" x2="${px(x(t))}" y1="${base}" y2="${base + 4}"/>
<text class="tick" text-anchor="middle" x="${px(x(t))}" y="${base + 16}">${tickText(t)}</text>`,
  );
  const mark = spec.markMedian
    ? { value: quantile(sortedFinite(sample(spec.series[0].values)), 0.5), name: "median" }
    : spec.mark;
  const flip = mark && x(mark.value) > width - margin.right - 90;
  const markLine =
    mark &&
    mark.value >= low &&
    mark.value <= high &&
    html`<line class="mark" x1="${px(x(mark.value))}" x2="${px(x(mark.value))}" y1="${margin.top - 6}" y2="${base}"/>
<text class="mark-text" text-anchor="${flip ? "end" : "start"}" x="${px(x(mark.value) + (flip ? -5 : 5))}" y="${margin.top + 1}">${mark.name} ${significant(mark.value)}</text>`;
  const label = `${spec.name}: ${spec.series.map((s) => `${s.name}, mean ${significant(mean(s.values))}`).join("; ")}. Axis from ${significant(low)} to ${significant(high)}.`;
  return html`<svg class="histogram" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${grid}${shapes}
<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${base}" y2="${base}"/>
${xTicks}${markLine}
<text class="axis-title" text-anchor="middle" x="${px(margin.left + plotWidth / 2)}" y="${height - 5}">${spec.xLabel}</text>
<text class="axis-title" x="${margin.left}" y="9">${spec.yLabel}</text>
</svg>`;
}

/** 100000 -> 10⁵ */
function power(value: number): string {
  return `10${superscript(Math.round(Math.log10(value)))}`;
}

function tickText(value: number): string {
  return Number(value.toPrecision(6)).toString().replace("-", "−");
}

/** "12 values beyond the axis" or nothing. */
export function beyondAxis(spec: HistogramSpec): string {
  const [low, high] = ends(spec);
  const outside = spec.series.reduce((sum, s) => {
    const { below, above } = histogram(s.values, low, high, 1);
    return sum + below + above;
  }, 0);
  return outside === 0 ? "" : `${integer(outside)} beyond the axis`;
}
