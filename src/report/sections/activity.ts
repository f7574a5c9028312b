/** Test trials: currents against targets, PSTHs against the recording, spikes. */
import type { ExampleNeuron, TestReport } from "../../learning/rls/results.ts";
import { correlation, integer, milliseconds, plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import { keptTrials, rankedExamples } from "../payload.ts";
import { absent, chartPanel, figure, key, letter, type Numbering } from "./figure.ts";

const notTested =
  "The network was not tested with frozen weights, so there are no test trials to show; run `volley test` on this run folder.";

/** Positions, in the ranked list, of the neurons shown at first. */
export function firstShown(count: number): readonly { readonly rank: string; readonly position: number }[] {
  if (count === 0) return [];
  if (count === 1) return [{ rank: "The example", position: 0 }];
  const worst = { rank: "Worst", position: count - 1 };
  const best = { rank: "Best", position: 0 };
  return count === 2 ? [best, worst] : [best, { rank: "Median", position: Math.floor((count - 1) / 2) }, worst];
}

function columnHead(
  ranked: readonly ExampleNeuron[],
  rank: string,
  position: number,
  column: number,
  title: string,
): Html {
  const options = ranked.map(
    (e, i) =>
      html`<option value="${i}"${i === position && html` selected`}>neuron ${e.neuron} · r = ${Number.isFinite(e.correlation) ? correlation(e.correlation) : "undefined"}</option>`,
  );
  return html`<div class="column-head"><span class="rank">${rank}</span><select data-column="${column}" aria-label="${title}: neuron in column ${column + 1}">${options}</select></div>`;
}

/** One column per neuron shown, one row per task; letters run along the rows. */
function curveGrid(
  test: TestReport,
  ranked: readonly ExampleNeuron[],
  curve: "current" | "rate",
  title: string,
  unit: string,
): Html {
  const shown = firstShown(ranked.length);
  const tasks = ranked[0].target.length;
  const columns = shown.map(({ rank, position }, column) => {
    const panels = Array.from({ length: tasks }, (_, task) => {
      const name = test.taskNames[task] ?? `task ${task + 1}`;
      return chartPanel({
        letter: letter(task * shown.length + column),
        title: tasks > 1 ? name : title,
        unit,
        attributes: html`data-curve="${curve}" data-column="${column}" data-task="${task}"`,
        label: `${title} of neuron ${ranked[position].neuron}, ${name}`,
        ...(task === tasks - 1 ? { xTitle: "time (s)" } : {}),
      });
    });
    return html`<div class="column">${columnHead(ranked, rank, position, column, title)}${panels}</div>`;
  });
  return html`<div class="panels cols-${shown.length} examples">${columns}</div>`;
}

export function currents(test: TestReport | null, numbering: Numbering): Html {
  const title = html`<h2 id="currents">Currents against targets</h2>`;
  if (!test) return html`${title}${absent(notTested)}`;
  const ranked = rankedExamples(test);
  if (ranked.length === 0) return html`${title}${absent("No example neurons were recorded during the test.")}`;
  const kept = keptTrials(test);
  const body = html`${
    kept.length > 1 &&
    html`<div class="controls screen"><label for="trial">Single trial</label><input id="trial" type="range" min="1" max="${kept.length}" value="1" step="1"><span><span id="trial-text">1</span> of ${kept.length}</span></div>`
  }
${key([
  { name: "target", colour: "ink" },
  { name: "median over trials", colour: "blue" },
  { name: "± median absolute deviation", colour: "band", look: "block" },
  { name: "one trial", colour: "faint", look: "thin" },
])}
${curveGrid(test, ranked, "current", "Synaptic current", "× threshold")}`;
  const trials = test.examples.reduce((m, e) => Math.max(m, ...e.current.map((c) => c.length)), 0);
  return html`${title}${figure(
    numbering.next(),
    "Synaptic currents of single neurons follow their targets.",
    body,
    html`Windowed current in units of threshold during the trained part of the trial, ${plural(trials, "frozen trial")} per task. Columns, ${
      ranked.length > 2 ? "best, median and worst" : "the"
    } of ${plural(ranked.length, "example neuron")} by correlation (choose others in the lists); rows, tasks. ${
      kept.length < trials &&
      `Every ${integer(Math.round(trials / kept.length))}th single trial is kept in this page; medians use all.`
    }`,
  )}`;
}

export function psth(test: TestReport | null, numbering: Numbering): Html {
  const title = html`<h2 id="psth">Rates against the recording</h2>`;
  if (!test) return html`${title}${absent(notTested)}`;
  const ranked = rankedExamples(test).filter((e) => e.rateHz.some((r) => r.length > 0));
  if (ranked.length === 0 || ranked.length < test.examples.length)
    return html`${title}${absent("No rates of example neurons were recorded during the test.")}`;
  const recorded = ranked.some((e) => e.recordedHz !== null);
  const body = html`${key(
    recorded
      ? [
          { name: "recording", colour: "ink" },
          { name: "model", colour: "blue" },
        ]
      : [{ name: "model", colour: "blue" }],
  )}${curveGrid(test, ranked, "rate", "Firing rate", "Hz")}`;
  return html`${title}${!recorded && absent("The targets were currents, not rates, so the model's rates stand alone.")}${figure(
    numbering.next(),
    recorded ? "Peristimulus time histograms of model and recording." : "Peristimulus time histograms of the model.",
    body,
    html`Rates averaged over ${plural(test.trialsPerTask, "trial")}${
      test.psth &&
      ` and in windows of ±${milliseconds(test.psth.windowMs)}; over all trained neurons the correlation is ${correlation(test.psth.windowed)}`
    }. Same neurons as above.`,
  )}`;
}

export function rasters(test: TestReport | null, numbering: Numbering): Html {
  const title = html`<h2 id="spikes">Spikes</h2>`;
  if (!test) return html`${title}${absent(notTested)}`;
  if (test.raster.length === 0) return html`${title}${absent("No spikes were recorded during the test.")}`;
  const buttons: readonly (readonly [string, string, string])[] = [
    ["in", "+", "Zoom in on time"],
    ["out", "−", "Zoom out of time"],
    ["taller", "↕ +", "Fewer neurons"],
    ["flatter", "↕ −", "More neurons"],
    ["earlier", "←", "Earlier"],
    ["later", "→", "Later"],
    ["down", "↓", "Lower indices"],
    ["up", "↑", "Higher indices"],
    ["reset", "Reset", "Show the whole trial"],
  ];
  const figures = test.raster.map((spikes, task) => {
    const name = test.taskNames[task] ?? `task ${task + 1}`;
    const body = html`<div class="raster panel" data-raster="${task}">
<div class="raster-head"><span class="letter">${letter(task)}</span><span>${name}</span><span class="count">${plural(spikes.steps.length, "spike")}</span><span class="readout" style="margin-left:8px"></span>
<span class="tools screen" role="group" aria-label="View of the raster of ${name}">${buttons.map(
      ([action, text, label]) =>
        html`<button type="button" data-action="${action}" aria-label="${label}" title="${label}">${text}</button>`,
    )}</span></div>
<canvas tabindex="0" role="img" aria-label="Spike raster of ${name}: ${plural(spikes.steps.length, "spike")} of ${plural(test.neurons, "neuron")} in ${(test.trialMs / 1000).toFixed(2)} seconds. Arrow keys pan, plus and minus zoom in time, brackets zoom neurons, 0 shows all."></canvas>
</div>`;
    return body;
  });
  const inhibitory = test.neurons - test.excitatory;
  return html`${title}${figure(
    numbering.next(),
    "Spikes of one test trial per task.",
    html`<div class="panels cols-1">${figures}</div><p class="hint screen">Click a raster, then: wheel zooms time (with Shift neurons, with Alt both), drag pans, double-click shows all. Keys: arrows, + −, [ ], 0.</p>`,
    html`Every spike of the first frozen trial. Blue, ${plural(test.excitatory, "excitatory neuron")}${
      inhibitory > 0 &&
      ` (index 0 to ${test.excitatory - 1}); vermilion, ${plural(inhibitory, "inhibitory neuron")} above the dotted line`
    }. Where many spikes share a pixel, colour deepens with the logarithm of their number. Below, mean rate of each population; its bins follow the zoom.${
      test.stimulusOffMs > 0 &&
      ` The dashed line marks the end of the stimulus at ${milliseconds(test.stimulusOffMs)}, where the trained part begins.`
    }`,
  )}`;
}
