/** The report: results in, one self-contained HTML page out. Pure; `report.node.ts` adds the chart library from disk. */
import { pageScript } from "./client/script.ts";
import { type Html, html, Html as RawHtml, scriptJson, scriptText } from "./html.ts";
import type { ChartLibrary, ReportInput } from "./input.ts";
import { payloadOf } from "./payload.ts";
import { currents, psth, rasters } from "./sections/activity.ts";
import { distributions } from "./sections/distributions.ts";
import { Numbering } from "./sections/figure.ts";
import { learning, timing } from "./sections/learning.ts";
import { reproduce } from "./sections/reproduce.ts";
import { summary } from "./sections/summary.ts";
import { styleSheet } from "./styles.ts";

/** The browser itself refuses any network access of the page. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'";

const contents: readonly (readonly [string, string])[] = [
  ["learning", "Learning"],
  ["currents", "Currents"],
  ["psth", "Rates"],
  ["spikes", "Spikes"],
  ["distributions", "Distributions"],
  ["timing", "Time"],
  ["reproduce", "Reproduce"],
];

/** A comment that cannot end early. */
function comment(text: string): Html {
  return new RawHtml(`<!--\n${text.replaceAll("--", "- -").replaceAll(">", "&gt;")}\n-->`);
}

export function renderReportWith(input: ReportInput, library: ChartLibrary): string {
  const numbering = new Numbering();
  const raw = (text: string): Html => new RawHtml(text);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Volley">
<title>${input.title} — Volley report</title>
<link rel="icon" href="data:,">
${comment(`Charts by uPlot (https://github.com/leeoniya/uPlot), whose licence follows.\n\n${library.licence.trim()}`)}
<style>
${raw(library.css)}
${raw(styleSheet())}
</style>
</head>
<body>
<main>
<div class="top"><nav class="screen" aria-label="Contents">${contents.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav><button type="button" id="theme" class="screen">Dark</button></div>
${summary(input)}
<noscript><p class="absent">Charts and rasters are drawn by a script in this page; with scripts switched off, only text, tables and histograms are shown.</p></noscript>
${learning(input, numbering)}
${currents(input.test, numbering)}
${psth(input.test, numbering)}
${rasters(input.test, numbering)}
${distributions(input, numbering)}
${timing(input, numbering)}
${reproduce(input)}
<footer>Written by Volley. Charts: uPlot, MIT licence. This page is complete: it needs no network and no other file.</footer>
</main>
<script type="application/json" id="volley-data">${raw(scriptJson(payloadOf(input)))}</script>
<script>
${raw(scriptText(pageScript(library.script)))}
</script>
</body>
</html>
`;
  return page.text;
}
