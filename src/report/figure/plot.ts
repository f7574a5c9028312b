/**
 * A figure as an SVG of its own: lines through means with their spread, or, along categories, groups of points. It needs
 * no script and no other file, and has colours for light and for dark surroundings.
 */
import { Html, html } from "../html.ts";
import { type Colour, dark, light, sans, seriesColour, tokens } from "../styles.ts";
import { plainNumber, type Scale, scaleOf, type Tick } from "./scale.ts";

export interface PlotPoint {
  /** On a numeric axis the value, along categories the place from 0. */
  readonly x: number;
  readonly mean: number;
  /** null: a single value. */
  readonly sd: number | null;
  /** What the mean is of. */
  readonly values: readonly number[];
}

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly PlotPoint[];
}

export interface PlotMark {
  readonly axis: "x" | "y";
  readonly value: number;
  readonly label: string;
}

export interface PlotAxis {
  readonly label: string;
  readonly logarithmic: boolean;
}

export interface Plot {
  readonly title: string | null;
  readonly x: PlotAxis & { readonly categories: readonly string[] | null };
  readonly y: PlotAxis & { readonly bounds?: readonly [number, number] };
  /** What tells the series apart. */
  readonly legend: string;
  readonly series: readonly PlotSeries[];
  readonly marks: readonly PlotMark[];
  /** A line below the figure. */
  readonly note: string;
}

const width = 760;
const plotHeight = 320;
const letter = 6.6;
const shapes = ["circle", "square", "diamond", "triangle", "cross"] as const;
/** More series than colours: the second round is dashed. */
const rounds = ["", "6 3", "2 3"];

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Scale;
  readonly y: Scale;
}

const px = (value: number): string => String(Number(value.toFixed(2)));
const across = ({ left, right, x }: Frame, value: number): number => left + x.at(value) * (right - left);
const up = ({ top, bottom, y }: Frame, value: number): number => bottom - y.at(value) * (bottom - top);

/** Ends of an error bar; on a logarithmic axis what would be below 0 ends at the axis. */
function ends({ y }: Frame, { mean, sd }: PlotPoint): [number, number] {
  const spread = sd ?? 0;
  return [Math.max(y.low, mean - spread), Math.min(y.high, mean + spread)];
}

/** Places of categories: one unit each, with the ticks in the middle. */
function categoryScale(categories: readonly string[]): Scale {
  const ticks: Tick[] = categories.map((label, value) => ({ value, label }));
  return { low: -0.5, high: categories.length - 0.5, ticks, at: (value) => (value + 0.5) / categories.length };
}

const mostPlaces = 9;

function xScale({ x, series, marks }: Plot): Scale {
  if (x.categories !== null) return categoryScale(x.categories);
  const places = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b);
  const marked = marks.filter(({ axis }) => axis === "x").map(({ value }) => value);
  const gaps = places.slice(1).map((place, i) => place - places[i]);
  const span = places[places.length - 1] - places[0];
  // Places that would be written over each other are left to round numbers.
  const apart = places.length > 0 && places.length <= mostPlaces && Math.min(span, ...gaps) >= span / 14;
  return scaleOf([...places, ...marked], { logarithmic: x.logarithmic, ...(apart ? { places } : {}) });
}

function yScale({ y, series, marks }: Plot): Scale {
  const shown = series.flatMap(({ points }) =>
    points.flatMap(({ mean, sd, values }) => [mean - (sd ?? 0), mean + (sd ?? 0), ...values]),
  );
  const marked = marks.filter(({ axis }) => axis === "y").map(({ value }) => value);
  const values = [...shown, ...marked].filter((value) => Number.isFinite(value) && (!y.logarithmic || value > 0));
  const lowest = Math.min(...values);
  // Figures that begin near 0 are seen from 0.
  const floor = !y.logarithmic && lowest > 0 && lowest < 0.35 * Math.max(...values) ? [0] : [];
  return scaleOf([...values, ...floor], { logarithmic: y.logarithmic, ...(y.bounds ? { bounds: y.bounds } : {}) });
}

function marker(shape: (typeof shapes)[number], x: number, y: number): Html {
  const r = 4;
  if (shape === "circle") return html`<circle class="m" cx="${px(x)}" cy="${px(y)}" r="${r}"/>`;
  const points = {
    square: [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ],
    diamond: [
      [0, -1.35],
      [1.35, 0],
      [0, 1.35],
      [-1.35, 0],
    ],
    triangle: [
      [0, -1.3],
      [1.25, 0.95],
      [-1.25, 0.95],
    ],
    cross: [
      [-1.2, -0.45],
      [-0.45, -0.45],
      [-0.45, -1.2],
      [0.45, -1.2],
      [0.45, -0.45],
      [1.2, -0.45],
      [1.2, 0.45],
      [0.45, 0.45],
      [0.45, 1.2],
      [-0.45, 1.2],
      [-0.45, 0.45],
      [-1.2, 0.45],
    ],
  }[shape];
  const d = points
    .map(([dx, dy], i) => `${i === 0 ? "M" : "L"}${px(x + r * 0.9 * dx)} ${px(y + r * 0.9 * dy)}`)
    .join("");
  return html`<path class="m" d="${d}Z"/>`;
}

const colourStyle = (index: number): string => `--c:var(--${seriesColour(index)})`;
const dashOf = (index: number): string => rounds[Math.floor(index / 5) % rounds.length];
const shapeOf = (index: number) => shapes[index % shapes.length];

function errorBar(frame: Frame, x: number, point: PlotPoint): Html | null {
  if (point.sd === null || point.sd === 0) return null;
  const [low, high] = ends(frame, point).map((value) => px(up(frame, value)));
  return html`<path class="e" d="M${px(x)} ${low}V${high}M${px(x - 3.5)} ${low}h7M${px(x - 3.5)} ${high}h7"/>`;
}

/** What a pointer that rests on a point is told. */
function told(plot: Plot, { name }: PlotSeries, { x, mean, sd, values }: PlotPoint): string {
  const place = plot.x.categories === null ? `${plot.x.label} ${plainNumber(x)}` : plot.x.categories[x];
  const spread = sd === null ? "" : ` ± ${plainNumber(Number(sd.toPrecision(2)))}`;
  return `${[name, place].filter((part) => part !== "").join(", ")}: ${plainNumber(Number(mean.toPrecision(4)))}${spread} (n = ${values.length})`;
}

const drawable = (frame: Frame, { mean }: PlotPoint): boolean =>
  Number.isFinite(mean) && Number.isFinite(frame.y.at(mean));

function lineSeries(plot: Plot, frame: Frame, series: PlotSeries, index: number): Html {
  const points = series.points.filter((point) => drawable(frame, point)).sort((a, b) => a.x - b.x);
  const path = points
    .map((point, i) => `${i === 0 ? "M" : "L"}${px(across(frame, point.x))} ${px(up(frame, point.mean))}`)
    .join("");
  const dash = dashOf(index);
  return html`<g class="s" style="${colourStyle(index)}">
<path class="l" d="${path === "" ? "M0 0" : path}"${dash !== "" && html` stroke-dasharray="${dash}"`}/>
${points.map(
  (
    point,
  ) => html`<g><title>${told(plot, series, point)}</title>${errorBar(frame, across(frame, point.x), point)}${marker(shapeOf(index), across(frame, point.x), up(frame, point.mean))}</g>
`,
)}</g>`;
}

/** Series side by side within a category: the values as faint dots, their mean with its spread beside them. */
function groupSeries(plot: Plot, frame: Frame, series: PlotSeries, index: number): Html {
  const unit = across(frame, 1) - across(frame, 0);
  const step = Math.min((0.76 * unit) / plot.series.length, 64);
  const offset = (index - (plot.series.length - 1) / 2) * step;
  const points = series.points.filter((point) => drawable(frame, point));
  return html`<g class="s" style="${colourStyle(index)}">
${points.map((point) => {
  const x = across(frame, point.x) + offset;
  const spread = Math.min(5, step / 8);
  const dots = point.values.length < 2 ? [] : point.values;
  const aside = dots.length === 0 ? 0 : Math.min(9, step / 4);
  return html`<g><title>${told(plot, series, point)}</title>${dots.map(
    (value, i) =>
      html`<circle class="v" cx="${px(x - aside + spread * (i - (dots.length - 1) / 2))}" cy="${px(up(frame, value))}" r="2.6"/>`,
  )}${errorBar(frame, x + aside, point)}${marker(shapeOf(index), x + aside, up(frame, point.mean))}</g>
`;
})}</g>`;
}

function axes(plot: Plot, frame: Frame, turned: boolean): Html {
  const { left, right, top, bottom, x, y } = frame;
  const yTicks = y.ticks.map(({ value, label }) => {
    const at = px(up(frame, value));
    if (label === "") return html`<path class="a" d="M${left} ${at}h4"/>`;
    return html`<path class="g" d="M${left} ${at}H${right}"/><text class="t" text-anchor="end" x="${left - 8}" y="${at}" dy=".35em">${label}</text>
`;
  });
  const xTicks = x.ticks.map(({ value, label }) => {
    const at = px(across(frame, value));
    if (label === "") return html`<path class="a" d="M${at} ${bottom}v3"/>`;
    const turn = turned && html` transform="rotate(-28 ${at} ${bottom + 16})"`;
    return html`<path class="a" d="M${at} ${bottom}v6"/><text class="t" text-anchor="${turned ? "end" : "middle"}" x="${at}" y="${bottom + 20}"${turn}>${label}</text>
`;
  });
  const middle = px((top + bottom) / 2);
  const below = turned ? bottom + 26 + turnedHeight(plot) : bottom + 42;
  return html`${yTicks}${xTicks}<path class="a" d="M${left} ${top}V${bottom}H${right}"/>
<text class="n" text-anchor="middle" x="${px((left + right) / 2)}" y="${below}">${plot.x.label}</text>
<text class="n" text-anchor="middle" x="18" y="${middle}" transform="rotate(-90 18 ${middle})">${plot.y.label}</text>`;
}

function mark(frame: Frame, { axis, value, label }: PlotMark): Html | null {
  const at = axis === "x" ? frame.x.at(value) : frame.y.at(value);
  if (!(at >= 0 && at <= 1)) return null;
  const { left, right, top, bottom } = frame;
  if (axis === "y") {
    const y = px(up(frame, value));
    return html`<path class="k" d="M${left} ${y}H${right}"/><text class="kt" x="${right + 5}" y="${y}" dy=".35em">${label}</text>`;
  }
  const x = across(frame, value);
  const flip = x + 6 + letter * label.length > right;
  return html`<path class="k" d="M${px(x)} ${top}V${bottom}"/><text class="kt" text-anchor="${flip ? "end" : "start"}" x="${px(x + (flip ? -5 : 5))}" y="${top + 11}">${label}</text>`;
}

function legend({ legend: heading, series, x }: Plot, left: number, top: number): Html | null {
  if (series.length < 2) return null;
  const entries = series.map(({ name }, i) => {
    const y = top + 24 + 20 * i;
    const dash = dashOf(i);
    const line =
      x.categories === null &&
      html`<path class="l" d="M${left} ${y}h26"${dash !== "" && html` stroke-dasharray="${dash}"`}/>`;
    return html`<g class="s" style="${colourStyle(i)}">${line}${marker(shapeOf(i), left + 13, y)}<text class="t" x="${left + 34}" y="${y}" dy=".35em">${name}</text></g>
`;
  });
  return html`<text class="n" x="${left}" y="${top + 4}">${heading}</text>
${entries}`;
}

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));

const turn = (28 * Math.PI) / 180;
/** Room that tick labels take below the axis when they are turned. */
const turnedHeight = ({ x }: Plot): number => Math.sin(turn) * letter * longest(x.categories ?? []);

const used = [
  "panel",
  "ink",
  "soft",
  "grid",
  "grey",
  "blue",
  "ochre",
  "teal",
  "plum",
  "vermilion",
] as const satisfies readonly Colour[];
const some = (colours: typeof light) => Object.fromEntries(used.map((name) => [name, colours[name]]));

const style = `.volley-figure{${tokens(some(light))};font-family:${sans}}
@media (prefers-color-scheme:dark){.volley-figure{${tokens(some(dark))}}}
.volley-figure .p{fill:var(--panel)}
.volley-figure text{fill:var(--soft);font-size:12px}
.volley-figure .h{fill:var(--ink);font-size:15px;font-weight:600}
.volley-figure .n{fill:var(--ink);font-size:13px}
.volley-figure path{fill:none}
.volley-figure .g{stroke:var(--grid)}
.volley-figure .a{stroke:var(--grey)}
.volley-figure .k{stroke:var(--grey);stroke-dasharray:4 4}
.volley-figure .kt{font-size:11px}
.volley-figure .l,.volley-figure .e{stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
.volley-figure .e{stroke-width:1.2}
.volley-figure .m{fill:var(--c);stroke:var(--panel);stroke-width:1}
.volley-figure .v{fill:var(--c);opacity:.45}`;

/** The text of an SVG file. */
export function plotSvg(plot: Plot): string {
  const names = plot.series.map(({ name }) => name);
  const x = xScale(plot);
  const y = yScale(plot);
  const categories = plot.x.categories ?? [];
  const marked = letter * longest(plot.marks.flatMap(({ axis, label }) => (axis === "y" ? [label] : [])));
  const keyed = plot.series.length < 2 ? 0 : 40 + letter * Math.min(34, longest([plot.legend, ...names]));
  const right = width - Math.round(24 + Math.max(keyed, marked));
  const ticks = 50 + 7 * Math.max(3, longest(y.ticks.map(({ label }) => label)));
  const room = (from: number) => (right - from) / categories.length;
  const turned = letter * longest(categories) > room(ticks) - 6;
  // The first of turned labels begins to the left of the plot.
  const reach = turned ? 12 + Math.cos(turn) * letter * categories[0].length - room(ticks) / 2 : 0;
  const left = Math.round(Math.max(ticks, reach));
  const top = plot.title === null ? 20 : 52;
  const bottom = top + plotHeight;
  const frame: Frame = { left, right, top, bottom, x, y };
  const end = bottom + 54 + (turned ? turnedHeight(plot) - 14 : 0);
  const height = Math.round(end + (plot.note === "" ? 0 : 22));
  const draw = plot.x.categories === null ? lineSeries : groupSeries;
  const said = `${plot.title ?? plot.y.label}: ${plot.y.label} against ${plot.x.label}${names.length > 1 ? `, for ${names.join("; ")}` : ""}`;
  return html`<svg class="volley-figure" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${said}">
<style>${new Html(style)}</style>
<rect class="p" width="${width}" height="${height}" rx="6"/>
${plot.title !== null && html`<text class="h" x="${left}" y="28">${plot.title}</text>`}
${axes(plot, frame, turned)}
${plot.marks.map((one) => mark(frame, one))}
${plot.series.map((series, i) => draw(plot, frame, series, i))}
${legend(plot, right + 20, top + 6)}
${plot.note !== "" && html`<text x="${left}" y="${px(end + 10)}">${plot.note}</text>`}
</svg>
`.text;
}
