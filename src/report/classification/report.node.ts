/** The report of a run by gradients with its chart library, read from node_modules. */
import { chartLibrary } from "../report.node.ts";
import type { ClassificationReportInput } from "./input.ts";
import { renderClassificationReportWith } from "./render.ts";

/** One self-contained HTML file: opens offline, light and dark, prints. */
export function renderClassificationReport(input: ClassificationReportInput): string {
  return renderClassificationReportWith(input, chartLibrary());
}
