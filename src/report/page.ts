/** A report: contents, sections, and the script that draws its charts. */
import { htmlDocument } from "./document.ts";
import { type Html, html } from "./html.ts";
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

export function renderPage(content: PageContent, library: ChartLibrary): string {
  return htmlDocument({
    title: `${content.title} — Volley report`,
    comment: `Charts by uPlot (https://github.com/leeoniya/uPlot), whose licence follows.\n\n${library.licence.trim()}`,
    styles: [library.css, styleSheet(), content.styles ?? ""],
    main: html`<div class="top"><nav class="screen" aria-label="Contents">${content.contents.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav><button type="button" id="theme" class="screen">Dark</button></div>
${content.header}
<noscript><p class="absent">Charts and rasters are drawn by a script in this page; with scripts switched off, only text, tables and histograms are shown.</p></noscript>
${content.sections.map((section) => html`${section}\n`)}
<footer>Written by Volley. Charts: uPlot, MIT licence. This page is complete: it needs no network and no other file.</footer>`,
    program: { data: content.data, script: content.script },
  });
}
