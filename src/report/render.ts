/** The report of an RLS run: results in, one HTML page out. Pure; `report.node.ts` adds the chart library from disk. */
import { createRasterControls } from "./client/rasterControls.ts";
import { createRasterView } from "./client/rasterView.ts";
import { pageScript } from "./client/script.ts";
import { startReport } from "./client/start.ts";
import type { ReportInput } from "./input.ts";
import { type ChartLibrary, renderPage } from "./page.ts";
import { payloadOf } from "./payload.ts";
import { currents, psth, rasters } from "./sections/activity.ts";
import { distributions } from "./sections/distributions.ts";
import { Numbering } from "./sections/figure.ts";
import { learning, timing } from "./sections/learning.ts";
import { reproduce } from "./sections/reproduce.ts";
import { summary } from "./sections/summary.ts";

const contents: readonly (readonly [string, string])[] = [
  ["learning", "Learning"],
  ["currents", "Currents"],
  ["psth", "Rates"],
  ["spikes", "Spikes"],
  ["distributions", "Distributions"],
  ["timing", "Time"],
  ["reproduce", "Reproduce"],
];

export function renderReportWith(input: ReportInput, library: ChartLibrary): string {
  const numbering = new Numbering();
  return renderPage(
    {
      title: input.title,
      contents,
      header: summary(input),
      sections: [
        learning(input, numbering),
        currents(input.test, numbering),
        psth(input.test, numbering),
        rasters(input.test, numbering),
        distributions(input, numbering),
        timing(input, numbering),
        reproduce(input),
      ],
      data: payloadOf(input),
      script: pageScript(library.script, startReport, { createRasterView, createRasterControls }),
    },
    library,
  );
}
