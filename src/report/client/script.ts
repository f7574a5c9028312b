/**
 * The page's own script, as text.
 *
 * Each part is a self-contained function, so its source text is the program: no bundler, and the same result from
 * TypeScript sources, from dist/ and inside a browser.
 */
import { createCharts } from "./charts.ts";
import { createDecoder } from "./decode.ts";
import { createBinner } from "./raster.ts";
import { createRasterControls } from "./rasterControls.ts";
import { createRasterView } from "./rasterView.ts";
import { startReport } from "./start.ts";
import { createTheme } from "./theme.ts";

const parts = { createDecoder, createTheme, createCharts, createBinner, createRasterView, createRasterControls };

/** @param uPlot text of a script that defines the global `uPlot`. */
export function pageScript(uPlot: string): string {
  const listed = Object.entries(parts).map(([name, part]) => `${name}: ${part}`);
  return `"use strict";
(() => {
// Some compilers wrap functions to keep their names.
const __name = (f) => f;
// uPlot reads both once. A ratio of 2 or more keeps charts sharp on paper; the language is that of the page, and some
// browsers (LANG=C) name their own in a way that Intl refuses.
const uPlot = ((devicePixelRatio, navigator) => { ${uPlot}
return uPlot; })(Math.max(2, globalThis.devicePixelRatio || 1), { language: "en-US" });
(${startReport})({ uPlot, ${listed.join(",\n")} });
})();`;
}
