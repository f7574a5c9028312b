/** The frame of every page: one HTML file that needs no network and no other file. */
import { Html, html, scriptJson, scriptText } from "./html.ts";

export interface DocumentContent {
  readonly title: string;
  /** For those who read the source. */
  readonly comment?: string;
  /** Style sheets, one after the other. */
  readonly styles: readonly string[];
  readonly main: Html;
  /** What the page's script reads, and the script. Null: the browser is told to run none. */
  readonly program: { readonly data: unknown; readonly script: string } | null;
}

export function htmlDocument({ title, comment, styles, main, program }: DocumentContent): string {
  // The browser itself refuses any network access of the page.
  const allowed = program === null ? "img-src data:" : "script-src 'unsafe-inline'; img-src data: blob:";
  const policy = `default-src 'none'; style-src 'unsafe-inline'; ${allowed}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Volley">
<title>${title}</title>
<link rel="icon" href="data:,">
${comment !== undefined && commentElement(comment)}<style>
${new Html(styles.join("\n"))}
</style>
</head>
<body>
<main>
${main}
</main>
${program !== null && scriptElements(program)}</body>
</html>
`.text;
}

/** A comment that cannot end early. */
const commentElement = (text: string): Html =>
  new Html(`<!--\n${text.replaceAll("--", "- -").replaceAll(">", "&gt;")}\n-->\n`);

const scriptElements = ({ data, script }: NonNullable<DocumentContent["program"]>): Html =>
  new Html(
    `<script type="application/json" id="volley-data">${scriptJson(data)}</script>\n` +
      `<script>\n${scriptText(script)}\n</script>\n`,
  );
