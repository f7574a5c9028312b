/** What is needed to get the same numbers again. */
import { shellWord } from "../../base/shell-word.ts";
import { type Html, html, readableJson } from "../html.ts";

/** What every report is given. */
export interface Reproducible {
  readonly experiment: unknown;
  readonly environment: Readonly<Record<string, string | number>>;
}

export function commandLine(environment: Reproducible["environment"]): string {
  if (typeof environment.command === "string" && environment.command !== "") return environment.command;
  const version = environment.version === undefined ? "" : `@${environment.version}`;
  return `npx ${shellWord(`volley${version}`)} train experiment.json`;
}

const words: Readonly<Record<string, string>> = {
  version: "Volley",
  node: "Node.js",
  cpu: "CPU",
  gpu: "GPU",
  os: "Operating system",
};

function label(name: string): string {
  return words[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

export function reproduce(input: Reproducible): Html {
  const rows = Object.entries(input.environment).filter(([name]) => name !== "command");
  return html`<h2 id="reproduce">Reproduce</h2>
<p class="text">Save the experiment below as <code>experiment.json</code> and run the command. The same seed gives the same weights, whatever the number of threads.</p>
<pre class="command" id="command">${commandLine(input.environment)}</pre>
<div class="controls screen"><button type="button" data-copy="command">Copy command</button><button type="button" data-save="experiment">Save experiment.json</button></div>
${
  rows.length > 0
    ? html`<h3 class="spaced">Environment</h3><table class="environment"><tbody>${rows.map(
        ([name, value]) => html`<tr><th scope="row">${label(name)}</th><td>${value}</td></tr>`,
      )}</tbody></table>`
    : html`<p class="absent">The environment of this run was not recorded.</p>`
}
<details><summary>Experiment, with every default resolved</summary><pre id="experiment">${readableJson(input.experiment)}</pre></details>`;
}
