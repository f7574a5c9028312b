/** The frame of every report: one HTML file that needs no network and no other file. */
import { type Html, html, Html as RawHtml, scriptJson, scriptText } from "./html.ts";
import { styleSheet } from "./styles.ts";

/** Texts of the chart library that are copied into the page; `report.node.ts` reads them from node_modules. */
export interface ChartLibrary {
  /** A script that defines the global `uPlot`. */
  readonly script: string;
  readonly css: string;
  readonly licence: string;
}

export interface PageContent {
  readonly title: string;
  /** Id and name of every section. */
  readonly contents: readonly (readonly [string, string])[];
  readonly header: Html;
  readonly sections: readonly Html[];
  /** Added to the look that all reports share. */
  readonly styles?: string;
  /** What the page's own script reads. */
  readonly data: unknown;
  /** The page's own script; `pageScript` of `client/script.ts` makes it. */
  readonly script: string;
}

/** The browser itself refuses any network access of the page. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'";

/** A comment that cannot end early. */
function comment(text: string): Html {
  return new RawHtml(`<!--\n${text.replaceAll("--", "- -").replaceAll(">", "&gt;")}\n-->`);
}

export function renderPage(content: PageContent, library: ChartLibrary): string {
  const raw = (text: string): Html => new RawHtml(text);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Volley">
<title>${content.title} — Volley report</title>
<link rel="icon" href="data:,">
${comment(`Charts by uPlot (https://github.com/leeoniya/uPlot), whose licence follows.\n\n${library.licence.trim()}`)}
<style>
${raw(library.css)}
${raw(styleSheet())}
${content.styles && raw(content.styles)}
</style>
</head>
<body>
<main>
<div class="top"><nav class="screen" aria-label="Contents">${content.contents.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav><button type="button" id="theme" class="screen">Dark</button></div>
${content.header}
<noscript><p class="absent">Charts and rasters are drawn by a script in this page; with scripts switched off, only text, tables and histograms are shown.</p></noscript>
${content.sections.map((section) => html`${section}\n`)}
<footer>Written by Volley. Charts: uPlot, MIT licence. This page is complete: it needs no network and no other file.</footer>
</main>
<script type="application/json" id="volley-data">${raw(scriptJson(content.data))}</script>
<script>
${raw(scriptText(content.script))}
</script>
</body>
</html>
`;
  return page.text;
}
