/** Line charts: a thin layer over uPlot with the report's look. */
import type uPlot from "uplot";
import type { Theme } from "./theme.ts";

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly colour: string;
  /** `edge` is the invisible border of a band, `ring` a large mark. */
  readonly look: "line" | "thin" | "dashed" | "dots" | "ring" | "edge" | "steps";
  /** Lines go on across values that are missing. */
  readonly joined?: boolean;
}

export interface ChartSpec {
  readonly x: readonly number[];
  readonly series: readonly ChartSeries[];
  /** Positions of two series (from 0): the area between them is filled. */
  readonly band?: readonly [number, number];
  readonly height: number;
  readonly xUnit: string;
  readonly yUnit: string;
  readonly logarithmic?: boolean;
  /** Include this value in the y axis. */
  readonly floor?: number;
  /** And this one, at the upper end. */
  readonly ceiling?: number;
  /** Charts with one name share the cursor. */
  readonly group?: string;
  /** The x axis counts: only whole numbers are labelled. */
  readonly xCounts?: boolean;
  /** Several charts stand below each other, and only the last says where the x axis is. */
  readonly xLabels?: false;
  /** Told of the part of the x axis that is on view, when it changes. */
  readonly onZoom?: (low: number, high: number) => void;
}

export interface Chart {
  update(spec: ChartSpec): void;
  /** Shows this part of the x axis. */
  zoom(low: number, high: number): void;
}

export type Charts = ReturnType<typeof createCharts>;

export function createCharts(UPlot: typeof uPlot, theme: Theme) {
  const all: (() => void)[] = [];
  const short = (value: number | null | undefined): string => {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    const text =
      size >= 1000
        ? value.toFixed(0)
        : size < 1e-4 && size > 0
          ? value.toExponential(1)
          : String(Number(value.toPrecision(3)));
    return text.replace("-", "−");
  };

  /** On paper, charts are lower: two figures then share a page. */
  const heightOf = ({ height }: ChartSpec): number =>
    theme.printing() ? Math.round(height * (height > 180 ? 0.56 : height > 100 ? 0.64 : 0.8)) : height;
  const wholeSteps = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((power) => [power, 2 * power, 5 * power]);
  const powersOfTen = (_u: uPlot, ticks: readonly number[]): (number | null)[] =>
    ticks.map((t) => (Math.abs(Math.log10(t) % 1) < 1e-6 ? t : null));

  function options(spec: ChartSpec, width: number, read: (text: string) => void): uPlot.Options {
    const axis: uPlot.Axis = {
      stroke: () => theme.colour("soft"),
      font: theme.font(11),
      grid: { stroke: () => theme.colour("grid"), width: 1 },
      ticks: { stroke: () => theme.colour("rule"), width: 1, size: 4 },
      gap: 4,
    };
    return {
      width,
      height: heightOf(spec),
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false },
        ...(spec.group ? { sync: { key: spec.group } } : {}),
      },
      scales: {
        x: { time: false },
        y: spec.logarithmic
          ? { distr: 3 }
          : {
              range: (_u, low, high) => {
                const from = Math.min(low ?? 0, spec.floor ?? Number.POSITIVE_INFINITY);
                const to = Math.max(high ?? 1, spec.floor ?? Number.NEGATIVE_INFINITY);
                const pad = (to - from || 1) * 0.06;
                return [from === spec.floor ? from : from - pad, Math.max(to + pad, spec.ceiling ?? to)];
              },
            },
      },
      axes: [
        spec.xLabels === false
          ? { ...axis, size: 6, space: 60, grid: { show: false }, values: (_u, ticks) => ticks.map(() => "") }
          : {
              ...axis,
              size: 26,
              space: 60,
              grid: { show: false },
              ...(spec.xCounts ? { incrs: wholeSteps } : {}),
              values: (_u, ticks) => ticks.map(short),
            },
        {
          ...axis,
          size: 44,
          space: 28,
          ...(spec.logarithmic ? { grid: { ...axis.grid, filter: powersOfTen } } : {}),
          values: (_u, ticks) => ticks.map((t) => (t === null ? "" : short(t))),
        },
      ],
      series: [
        {},
        ...spec.series.map((s): uPlot.Series => {
          const stroke = () => theme.colour(s.colour);
          if (s.look === "dots" || s.look === "ring")
            return {
              label: s.label,
              stroke,
              paths: () => null,
              points:
                s.look === "dots"
                  ? { show: true, size: 4, width: 0, fill: stroke, stroke }
                  : { show: true, size: 10, width: 2, fill: "transparent", stroke },
            };
          if (s.look === "edge") return { label: s.label, stroke: "transparent", width: 0, points: { show: false } };
          return {
            label: s.label,
            stroke,
            width: s.look === "line" || s.look === "steps" ? 1.75 : 1,
            // A line of one point would not be seen.
            points: spec.x.length > 1 ? { show: false } : { show: true, size: 5, width: 0, fill: stroke, stroke },
            spanGaps: s.joined ?? false,
            ...(s.look === "dashed" ? { dash: [4, 3] } : {}),
            ...(s.look === "steps" && UPlot.paths.stepped ? { paths: UPlot.paths.stepped({ align: 0 as never }) } : {}),
          };
        }),
      ],
      bands: spec.band ? [{ series: [spec.band[1] + 1, spec.band[0] + 1], fill: () => theme.colour("band") }] : [],
      hooks: {
        setScale: [
          (u, scale) => {
            const { min, max } = u.scales.x;
            if (scale === "x" && typeof min === "number" && typeof max === "number") spec.onZoom?.(min, max);
          },
        ],
        setCursor: [
          (u) => {
            const at = u.cursor.idx;
            if (at === null || at === undefined || u.cursor.left === undefined || u.cursor.left < 0) return read("");
            const parts = spec.series.flatMap((s) => {
              const value = s.values[at];
              return s.label === "" || value === null || value === undefined ? [] : [`${s.label} ${short(value)}`];
            });
            read(`${short(spec.x[at])} ${spec.xUnit} · ${parts.join(" · ")} ${spec.yUnit}`);
          },
        ],
      },
    };
  }

  /** Draws into `.chart` inside `panel`; values under the cursor are written into `.readout`. */
  function chart(panel: Element, first: ChartSpec): Chart {
    const holder = panel.querySelector<HTMLElement>(".chart");
    const readout = panel.querySelector(".readout");
    if (!holder) throw new Error("a panel without a place for its chart");
    let spec = first;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      const data = [spec.x, ...spec.series.map((s) => s.values)] as unknown as uPlot.AlignedData;
      plot = new UPlot(
        options(spec, Math.max(120, holder.clientWidth), (text) => {
          if (readout) readout.textContent = text;
        }),
        data,
        holder,
      );
    };
    const resize = (): void => {
      const width = Math.max(120, holder.clientWidth);
      if (plot && plot.width !== width) plot.setSize({ width, height: heightOf(spec) });
      else plot?.redraw(false, true);
    };
    draw();
    new ResizeObserver(() => plot && plot.width !== Math.max(120, holder.clientWidth) && resize()).observe(holder);
    all.push(resize);
    return {
      update(next) {
        spec = next;
        draw();
      },
      zoom(low, high) {
        const shown = plot?.scales.x;
        if (shown?.min !== low || shown.max !== high) plot?.setScale("x", { min: low, max: high });
      },
    };
  }

  theme.onChange(() => {
    for (const resize of all) resize();
  });
  return { chart };
}
