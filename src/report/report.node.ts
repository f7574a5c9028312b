/** The report of an RLS run with its chart library, read from node_modules. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ReportInput } from "./input.ts";
import type { ChartLibrary } from "./page.ts";
import { renderReportWith } from "./render.ts";

let library: ChartLibrary | undefined;

export function chartLibrary(): ChartLibrary {
  if (!library) {
    const folder = dirname(createRequire(import.meta.url).resolve("uplot/package.json"));
    const read = (...path: string[]): string => readFileSync(join(folder, ...path), "utf8");
    library = {
      script: read("dist", "uPlot.iife.min.js"),
      css: read("dist", "uPlot.min.css"),
      licence: read("LICENSE"),
    };
  }
  return library;
}

/** One self-contained HTML file: opens offline, light and dark, prints. */
export function renderReport(input: ReportInput): string {
  return renderReportWith(input, chartLibrary());
}
