/**
 * The page's own script, as text.
 *
 * Each part is a self-contained function, so its source text is the program: no bundler, and the same result from
 * TypeScript sources, from dist/ and inside a browser.
 */
import type uPlot from "uplot";
import { createCharts } from "./charts.ts";
import { createDecoder } from "./decode.ts";
import { createLearningPanels } from "./learningPanels.ts";
import { createBinner } from "./raster.ts";
import { createSpikePainter } from "./spikePainter.ts";
import { createTheme } from "./theme.ts";
import { wirePage } from "./wirePage.ts";

/** Parts that every report has. */
const shared = {
  createDecoder,
  createTheme,
  createCharts,
  createBinner,
  createSpikePainter,
  createLearningPanels,
  wirePage,
};

export type SharedParts = typeof shared & { readonly uPlot: typeof uPlot };

/**
 * @param library text of a script that defines the global `uPlot`.
 * @param start brings the page to life; it is called with all parts.
 * @param own further parts, by name.
 */
export function pageScript<Own extends object>(
  library: string,
  start: (parts: SharedParts & Own) => void,
  own: Own,
): string {
  const listed = Object.entries({ ...shared, ...own }).map(([name, part]) => `${name}: ${part}`);
  return `"use strict";
(() => {
// Some compilers wrap functions to keep their names.
const __name = (f) => f;
// uPlot reads both once. A ratio of 2 or more keeps charts sharp on paper; the language is that of the page, and some
// browsers (LANG=C) name their own in a way that Intl refuses.
const uPlot = ((devicePixelRatio, navigator) => { ${library}
return uPlot; })(Math.max(2, globalThis.devicePixelRatio || 1), { language: "en-US" });
(${start})({ uPlot, ${listed.join(",\n")} });
})();`;
}
