/** Line charts: a thin layer over uPlot with the report's look. */
import type uPlot from "uplot";
import type { Theme } from "./theme.ts";

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly colour: string;
  readonly look: "line" | "thin" | "dots" | "edge" | "steps";
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
}

export interface Chart {
  update(spec: ChartSpec): void;
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
        : size < 1e-3 && size > 0
          ? value.toExponential(1)
          : String(Number(value.toPrecision(3)));
    return text.replace("-", "−");
  };

  /** On paper, charts are lower: two figures then share a page. */
  const heightOf = (spec: ChartSpec): number =>
    theme.printing() ? Math.round(spec.height * (spec.height > 180 ? 0.56 : 0.64)) : spec.height;
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
      padding: [8, 10, 0, 0],
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
        { ...axis, size: 26, space: 60, grid: { show: false }, values: (_u, ticks) => ticks.map(short) },
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
          if (s.look === "dots")
            return {
              label: s.label,
              stroke,
              paths: () => null,
              points: { show: true, size: 4, width: 0, fill: stroke, stroke },
            };
          if (s.look === "edge") return { label: s.label, stroke: "transparent", width: 0, points: { show: false } };
          return {
            label: s.label,
            stroke,
            width: s.look === "thin" ? 1 : 1.75,
            points: { show: false },
            ...(s.look === "steps" && UPlot.paths.stepped ? { paths: UPlot.paths.stepped({ align: 0 as never }) } : {}),
          };
        }),
      ],
      bands: spec.band ? [{ series: [spec.band[1] + 1, spec.band[0] + 1], fill: () => theme.colour("band") }] : [],
      hooks: {
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
    };
  }

  theme.onChange(() => {
    for (const resize of all) resize();
  });
  return { chart };
}
