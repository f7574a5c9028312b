/** Brings the page of an RLS run to life: reads the data, fills every panel, wires the controls. */
import type { ExamplePayload, ExampleTask, Payload } from "../payload.ts";
import type { ChartSpec } from "./charts.ts";
import type { CourseAxis } from "./learningPanels.ts";
import type { createRasterControls } from "./rasterControls.ts";
import type { createRasterView, RasterView } from "./rasterView.ts";
import type { SharedParts } from "./script.ts";

interface Parts extends SharedParts {
  readonly createRasterView: typeof createRasterView;
  readonly createRasterControls: typeof createRasterControls;
}

export function startReport(parts: Parts): void {
  const data = JSON.parse(document.getElementById("volley-data")?.textContent ?? "{}") as Payload;
  const decoder = parts.createDecoder();
  const theme = parts.createTheme();
  const charts = parts.createCharts(parts.uPlot, theme);
  const taskColours = ["blue", "ochre", "teal", "plum", "vermilion"];

  function learning(): void {
    const source = data.learning;
    if (!source) return;
    const floats = decoder.floats;
    const iteration = floats(source.iteration) as number[];
    const wall = floats(source.wall) as number[];
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
    const panels: Record<string, (axis: CourseAxis) => ChartSpec> = {
      correlation: (axis) => ({
        ...axis,
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
      rate: (axis) => ({
        ...axis,
        height: 190,
        yUnit: "Hz",
        group,
        floor: 0,
        series: [
          { label: "I", values: floats(source.rateInhibitory), colour: "vermilion", look: "thin" },
          { label: "E", values: floats(source.rateExcitatory), colour: "blue", look: "thin" },
        ],
      }),
      error: (axis) => ({
        ...axis,
        height: 190,
        yUnit: "",
        group,
        floor: 0,
        series: [
          ...perTask(error),
          { label: "running mean", values: floats(source.errorMean), colour: "ink", look: "line" },
        ],
      }),
      gain: (axis) => {
        const positive = (list: (number | null)[]) => list.map((v) => (v !== null && v > 0 ? v : null));
        return {
          ...axis,
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
    parts.createLearningPanels(charts)({ name: "iteration", positions: iteration, wall, panels });
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
      const binner = parts.createBinner(decoder.spikes(data.rasters[Number(panel.dataset.raster)]));
      const colours = { below: "blue", above: "vermilion" };
      const painter = parts.createSpikePainter(
        { ...colours, neurons: data.neurons, split: data.excitatory },
        binner,
        theme,
      );
      const view = parts.createRasterView(panel, data, binner, painter, theme);
      parts.createRasterControls(panel, view, data.dtMs);
      return view;
    });
  }

  learning();
  examples();
  const views = rasters();
  parts.wirePage();
  // For tests and for the curious in the console.
  Object.assign(globalThis, { volleyReport: { rasters: views, data } });
  document.documentElement.setAttribute("data-ready", "");
}
