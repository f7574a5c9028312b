/** Brings the page of a run by gradients to life: reads the data, fills every panel, wires the controls. */
import type { CourseAxis } from "../../client/learningPanels.ts";
import type { SharedParts } from "../../client/script.ts";
import type { ClassificationPayload } from "../payload.ts";
import type { createAmplitudePainter } from "./amplitudePainter.ts";
import type { createSpikeStrip } from "./spikeStrip.ts";
import type { createTrialColumn } from "./trialColumn.ts";

interface Parts extends SharedParts {
  readonly createAmplitudePainter: typeof createAmplitudePainter;
  readonly createSpikeStrip: typeof createSpikeStrip;
  readonly createTrialColumn: typeof createTrialColumn;
}

export function startClassificationReport(parts: Parts): void {
  const data = JSON.parse(document.getElementById("volley-data")?.textContent ?? "{}") as ClassificationPayload;
  const decoder = parts.createDecoder();
  const theme = parts.createTheme();
  const charts = parts.createCharts(parts.uPlot, theme);

  function course(): void {
    const source = data.course;
    if (!source) return;
    const panels = source.panels.map((panel) => {
      const series = panel.series.map(({ name, values, ...rest }) => ({
        ...rest,
        label: name === "best by validation" ? "" : name,
        values: decoder.floats(values),
      }));
      const { logarithmic, floor, ceiling } = panel;
      const spec = (axis: CourseAxis) => ({
        ...axis,
        height: 200,
        yUnit: panel.unit.length <= 2 ? panel.unit : "",
        group: "course",
        series,
        ...(logarithmic === undefined ? {} : { logarithmic }),
        ...(floor === undefined ? {} : { floor }),
        ...(ceiling === undefined ? {} : { ceiling }),
      });
      return [panel.id, spec] as const;
    });
    parts.createLearningPanels(charts)({
      name: "epoch",
      positions: decoder.floats(source.epoch) as number[],
      wall: decoder.floats(source.wall) as number[],
      panels: Object.fromEntries(panels),
    });
  }

  function traces(): void {
    for (const panel of document.querySelectorAll<HTMLElement>("[data-trace]")) {
      const trial = data.trials[Number(panel.dataset.trace)];
      const output = Number(panel.dataset.traceOutput);
      const { target, readout, points, every, steps, dtMs } = trial;
      if (!target) continue;
      charts.chart(panel, {
        x: Array.from({ length: points }, (_, i) => Math.min(steps, (i + 1) * every) * dtMs),
        xUnit: "ms",
        yUnit: "",
        height: 200,
        series: [
          { label: "target", values: decoder.curve(target, output, points), colour: "ink", look: "line" },
          { label: "output", values: decoder.curve(readout, output, points), colour: "blue", look: "line" },
        ],
      });
    }
  }

  course();
  traces();
  const tools = { ...parts, decoder, theme, charts };
  const columns = [...document.querySelectorAll<HTMLElement>("[data-trial-column]")].map((column) =>
    parts.createTrialColumn(column, data.trials, tools),
  );
  parts.wirePage();
  // For tests and for the curious in the console.
  Object.assign(globalThis, { volleyReport: { columns, data } });
  document.documentElement.setAttribute("data-ready", "");
}
