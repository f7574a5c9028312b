/** The report of a run by gradients: results in, one HTML page out. Pure; `report.node.ts` adds the chart library. */
import { pageScript } from "../client/script.ts";
import { start } from "../initialisation/start.ts";
import { type ChartLibrary, renderPage } from "../page.ts";
import { Numbering } from "../sections/figure.ts";
import { reproduce } from "../sections/reproduce.ts";
import { createAmplitudePainter } from "./client/amplitudePainter.ts";
import { createSpikeStrip } from "./client/spikeStrip.ts";
import { startClassificationReport } from "./client/start.ts";
import { createTrialColumn } from "./client/trialColumn.ts";
import { isClassifier } from "./course.ts";
import type { ClassificationReportInput } from "./input.ts";
import { payloadOf } from "./payload.ts";
import { confusion } from "./sections/confusion.ts";
import { health, learning } from "./sections/course.ts";
import { distributions } from "./sections/distributions.ts";
import { figures } from "./sections/figures.ts";
import { summary } from "./sections/summary.ts";
import { timing } from "./sections/timing.ts";
import { traces, trials } from "./sections/trials.ts";
import { classificationStyles } from "./styles.ts";

export function renderClassificationReportWith(input: ClassificationReportInput, library: ChartLibrary): string {
  const numbering = new Numbering();
  const classes = isClassifier(input);
  return renderPage(
    {
      title: input.title,
      contents: [
        ["learning", "Learning"],
        ["figures", "Figures"],
        classes ? ["confusion", "Confusions"] : ["traces", "Targets"],
        ["trials", "Trials"],
        ["health", "Health"],
        ...(input.initial ? ([["start", "Start"]] as const) : []),
        ["distributions", "Before and after"],
        ["timing", "Time"],
        ["reproduce", "Reproduce"],
      ],
      header: summary(input),
      sections: [
        learning(input, numbering),
        figures(input),
        classes ? confusion(input, numbering) : traces(input, numbering),
        trials(input, numbering),
        health(input, numbering),
        ...(input.initial ? [start(input.initial, numbering)] : []),
        distributions(input, numbering),
        timing(input, numbering),
        reproduce(input),
      ],
      styles: classificationStyles,
      data: payloadOf(input),
      script: pageScript(library.script, startClassificationReport, {
        createAmplitudePainter,
        createSpikeStrip,
        createTrialColumn,
      }),
    },
    library,
  );
}
