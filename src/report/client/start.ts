/** Brings the page to life: reads the data, fills every panel, wires the controls. */
import type uPlot from "uplot";
import type { ExamplePayload, ExampleTask, Payload } from "../payload.ts";
import type { ChartSpec, createCharts } from "./charts.ts";
import type { createDecoder } from "./decode.ts";
import type { createBinner } from "./raster.ts";
import type { createRasterControls } from "./rasterControls.ts";
import type { createRasterView, RasterView } from "./rasterView.ts";
import type { createTheme } from "./theme.ts";

export interface Parts {
  readonly uPlot: typeof uPlot;
  readonly createDecoder: typeof createDecoder;
  readonly createTheme: typeof createTheme;
  readonly createCharts: typeof createCharts;
  readonly createBinner: typeof createBinner;
  readonly createRasterView: typeof createRasterView;
  readonly createRasterControls: typeof createRasterControls;
}

export function startReport(parts: Parts): void {
  const data = JSON.parse(document.getElementById("volley-data")?.textContent ?? "{}") as Payload;
  const decoder = parts.createDecoder();
  const theme = parts.createTheme();
  const charts = parts.createCharts(parts.uPlot, theme);
  const panelOf = (name: string): HTMLElement | null => document.querySelector(`[data-panel="${name}"]`);
  const taskColours = ["blue", "ochre", "teal", "plum", "vermilion"];

  function learning(): void {
    const source = data.learning;
    if (!source) return;
    const floats = decoder.floats;
    const iteration = floats(source.iteration) as number[];
    const wall = floats(source.wall) as number[];
    const last = wall[wall.length - 1] ?? 0;
    const unit = last > 3 * 3600 ? ([3600, "h"] as const) : last > 180 ? ([60, "min"] as const) : ([1, "s"] as const);
    let byTime = false;
    const axis = () => ({
      x: byTime ? wall.map((s) => s / unit[0]) : iteration,
      xUnit: byTime ? unit[1] : "",
    });
    const perTask = (values: (number | null)[]) =>
      source.tasks.map((name, t) => ({
        label: source.tasks.length > 1 ? name : "iteration",
        values: values.map((v, i) => (source.task[i] === t ? v : null)),
        colour: source.tasks.length > 1 ? taskColours[t % taskColours.length] : "faint",
        look: "dots" as const,
      }));
    const correlation = floats(source.correlation);
    const error = floats(source.error);
    const group = "learning";
    const panels: Record<string, () => ChartSpec> = {
      correlation: () => ({
        ...axis(),
        height: 270,
        yUnit: "",
        group,
        floor: 0,
        ceiling: 1,
        series: [
          ...perTask(correlation),
          { label: "running mean", values: floats(source.correlationMean), colour: "ink", look: "line" },
        ],
      }),
      rate: () => ({
        ...axis(),
        height: 190,
        yUnit: "Hz",
        group,
        floor: 0,
        series: [
          { label: "I", values: floats(source.rateInhibitory), colour: "vermilion", look: "thin" },
          { label: "E", values: floats(source.rateExcitatory), colour: "blue", look: "thin" },
        ],
      }),
      error: () => ({
        ...axis(),
        height: 190,
        yUnit: "",
        group,
        floor: 0,
        series: [
          ...perTask(error),
          { label: "running mean", values: floats(source.errorMean), colour: "ink", look: "line" },
        ],
      }),
      gain: () => {
        const positive = (list: (number | null)[]) => list.map((v) => (v !== null && v > 0 ? v : null));
        return {
          ...axis(),
          height: 200,
          yUnit: "",
          logarithmic: true,
          series: [
            { label: "largest", values: positive(floats(source.gainLargest)), colour: "vermilion", look: "thin" },
            { label: "mean", values: positive(floats(source.gainMean)), colour: "blue", look: "line" },
          ],
        };
      },
    };
    const drawn = Object.entries(panels).flatMap(([name, spec]) => {
      const panel = panelOf(name);
      return panel ? [{ chart: charts.chart(panel, spec()), spec }] : [];
    });
    const buttons = [...document.querySelectorAll<HTMLElement>("[data-axis]")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        byTime = button.dataset.axis === "time";
        for (const b of buttons) b.setAttribute("aria-pressed", String(b === button));
        for (const title of document.querySelectorAll("[data-axis-title]")) {
          title.textContent = byTime ? `wall time (${unit[1]})` : "iteration";
        }
        for (const { chart, spec } of drawn) chart.update(spec());
      });
    }
  }

  function examples(): void {
    if (data.examples.length === 0) return;
    const times = Array.from({ length: data.rows.count }, (_, i) => (data.rows.firstMs + i * data.rows.everyMs) / 1000);
    let trial = 0;
    const current = (task: ExampleTask): ChartSpec => ({
      x: times,
      xUnit: "s",
      yUnit: "",
      height: 176,
      group: "examples",
      band: [0, 1],
      series: [
        { label: "", values: decoder.floats(task.low), colour: "band", look: "edge" },
        { label: "", values: decoder.floats(task.high), colour: "band", look: "edge" },
        ...(task.trials.count > 0
          ? [
              {
                label: "trial",
                values: decoder.curve(task.trials, Math.min(trial, task.trials.count - 1), times.length),
                colour: "faint",
                look: "thin" as const,
              },
            ]
          : []),
        { label: "median", values: decoder.floats(task.median), colour: "blue", look: "line" },
        { label: "target", values: decoder.floats(task.target), colour: "ink", look: "line" },
      ],
    });
    const rate = (task: ExampleTask): ChartSpec => ({
      x: times,
      xUnit: "s",
      yUnit: "Hz",
      height: 150,
      group: "examples",
      floor: 0,
      series: [
        { label: "model", values: decoder.floats(task.rate), colour: "blue", look: "line" },
        ...(task.recorded
          ? [{ label: "recording", values: decoder.floats(task.recorded), colour: "ink", look: "line" as const }]
          : []),
      ],
    });
    const kinds: Record<string, (task: ExampleTask) => ChartSpec> = { current, rate };
    const chosen: ExamplePayload[] = [];
    const updates: (() => void)[] = [];
    const selects = [...document.querySelectorAll<HTMLSelectElement>("select[data-column]")];
    for (const select of selects) {
      const column = Number(select.dataset.column);
      chosen[column] ??= data.examples[Number(select.value)];
      select.addEventListener("change", () => {
        chosen[column] = data.examples[Number(select.value)];
        for (const twin of selects) if (twin.dataset.column === select.dataset.column) twin.value = select.value;
        for (const update of updates) update();
      });
    }
    for (const panel of document.querySelectorAll<HTMLElement>("[data-curve]")) {
      const kind = kinds[panel.dataset.curve ?? ""];
      const pick = (): ExampleTask => chosen[Number(panel.dataset.column)].tasks[Number(panel.dataset.task)];
      const made = charts.chart(panel, kind(pick()));
      updates.push(() => made.update(kind(pick())));
    }
    const range = document.querySelector<HTMLInputElement>("#trial");
    range?.addEventListener("input", () => {
      trial = Number(range.value) - 1;
      const text = document.getElementById("trial-text");
      if (text) text.textContent = range.value;
      for (const update of updates) update();
    });
  }

  function rasters(): RasterView[] {
    return [...document.querySelectorAll<HTMLElement>("[data-raster]")].map((panel) => {
      const encoded = data.rasters[Number(panel.dataset.raster)];
      const binner = parts.createBinner(decoder.spikes(encoded));
      const view = parts.createRasterView(panel, { ...data, spikes: encoded.count }, binner, theme);
      parts.createRasterControls(panel, view, data.dtMs);
      return view;
    });
  }

  function copying(): void {
    for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
      button.addEventListener("click", async () => {
        const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
        try {
          await navigator.clipboard.writeText(text);
          button.textContent = "Copied";
        } catch {
          button.textContent = "Press Ctrl+C";
          const node = document.getElementById(button.dataset.copy ?? "");
          if (node) getSelection()?.selectAllChildren(node);
        }
      });
    }
    for (const button of document.querySelectorAll<HTMLElement>("[data-save]")) {
      button.addEventListener("click", () => {
        const text = document.getElementById(button.dataset.save ?? "")?.textContent ?? "";
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
        link.download = "experiment.json";
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      });
    }
    const folded = [...document.querySelectorAll("details")];
    let open: boolean[] | undefined;
    addEventListener("beforeprint", () => {
      open ??= folded.map((d) => d.open);
      for (const d of folded) d.open = true;
    });
    addEventListener("afterprint", () => {
      folded.forEach((d, i) => {
        d.open = open?.[i] ?? d.open;
      });
      open = undefined;
    });
  }

  learning();
  examples();
  const views = rasters();
  copying();
  // For tests and for the curious in the console.
  Object.assign(globalThis, { volleyReport: { rasters: views, data } });
  document.documentElement.setAttribute("data-ready", "");
}
