/** Learning curves, and where the time of an iteration went. */
import type { TimeSplit } from "../../learning/rls/results.ts";
import { integer, plural, seconds, significant } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { runningWindow, taskNames } from "../payload.ts";
import { mean, median, sortedFinite } from "../statistics.ts";
import { type Colour, seriesColours } from "../styles.ts";
import { absent, axisSwitch, chartPanel, figure, type KeyEntry, key, type Numbering } from "./figure.ts";
import { shareTable } from "./shares.ts";

export function learning(input: ReportInput, numbering: Numbering): Html {
  const { iterations } = input;
  if (iterations.length === 0)
    return html`<h2 id="learning">Learning</h2>${absent("No iteration was recorded, so there is no learning curve.")}`;
  const tasks = taskNames(input);
  const measured = iterations.filter((i) => i.correlation !== null);
  const dots: KeyEntry[] =
    tasks.length > 1
      ? tasks.map((name, t) => ({ name, colour: seriesColours[t % seriesColours.length], look: "dot" as const }))
      : [{ name: "single iterations", colour: "faint", look: "dot" }];
  const ends = (pick: (i: (typeof iterations)[number]) => number): string =>
    `from ${significant(pick(iterations[0]))} to ${significant(pick(iterations[iterations.length - 1]))}`;
  const body = html`${axisSwitch("iteration")}
${key([...dots, { name: "running mean", colour: "ink" }])}
<div class="panels cols-2">
${
  measured.length > 0
    ? chartPanel({
        letter: "a",
        title: "Correlation of current with target",
        className: "span-all",
        attributes: html`data-panel="correlation"`,
        course: "iteration",
        label: `Correlation over iterations, ${measured[0].correlation?.toFixed(2)} at first and ${measured[measured.length - 1].correlation?.toFixed(2)} at last`,
      })
    : html`<div class="panel span-all">${absent("Correlation was not measured during training.")}</div>`
}
${chartPanel({ letter: "b", title: html`Mean rate of <b style="color:var(--blue)">excitatory</b> and <b style="color:var(--vermilion)">inhibitory</b> neurons`, unit: "Hz", attributes: html`data-panel="rate"`, course: "iteration", label: `Mean rate in Hz, ${ends((i) => i.rateHz)}` })}
${chartPanel({ letter: "c", title: "Error before each update, r.m.s.", unit: "× threshold", attributes: html`data-panel="error"`, course: "iteration", label: `Root mean square error, ${ends((i) => i.rmsError)}` })}
</div>`;
  const undefinedMost = iterations.reduce((m, i) => Math.max(m, i.undefinedCorrelations), 0);
  return html`<h2 id="learning">Learning</h2>${figure(
    numbering.next(),
    "Progress of training.",
    body,
    html`<b>a</b>, Pearson correlation of the windowed synaptic current with its target, mean over trained neurons, one dot per iteration; line, running mean over ${integer(runningWindow(iterations.length))} iterations.${
      undefinedMost > 0 && ` Up to ${plural(undefinedMost, "neuron")} with a constant target or current left out.`
    } <b>b</b>, Mean rate of excitatory and inhibitory neurons. <b>c</b>, Root mean square over neurons and updates of the error before each weight step, in units of the firing threshold.`,
  )}`;
}

const parts: readonly (readonly [keyof TimeSplit, string, string, Colour])[] = [
  ["rls", "RLS", "update of P and weights", "blue"],
  ["neurons", "Neurons", "filters, membrane, spikes", "teal"],
  ["noise", "Noise", "random numbers", "plum"],
  ["delivery", "Delivery", "spikes to their targets", "ochre"],
  ["exchange", "Exchange", "waiting for other workers", "vermilion"],
  ["other", "Other", "the loop itself, recording", "grey"],
];

export function timing(input: ReportInput, numbering: Numbering): Html {
  const { iterations } = input;
  const title = html`<h2 id="timing">Time and numerical health</h2>`;
  if (iterations.length === 0)
    return html`${title}${absent("No iteration was recorded, so there are no times to show.")}`;
  const rows = parts.map(([field, name, note, colour]) => ({
    name,
    note,
    colour,
    seconds: mean(iterations.map((i) => i.split[field])),
  }));
  const wall = iterations.map((i) => i.seconds);
  const resets = iterations.reduce((sum, i) => sum + i.health.resets, 0);
  const withResets = iterations.filter((i) => i.health.resets > 0);
  const largest = Math.max(
    Number.NEGATIVE_INFINITY,
    ...sortedFinite(iterations.map((i) => i.health.largestGain)).slice(-1),
  );
  const body = html`<div class="panels cols-2">
<div class="panel"><div class="panel-head"><span class="letter">a</span><span class="panel-title">One iteration, mean over workers</span></div>
${shareTable(rows, "Sum of parts")}</div>
<div>${chartPanel({
    letter: "b",
    title: html`Gain <i>x</i>′<i>Px</i> of the updates`,
    attributes: html`data-panel="gain"`,
    course: "iteration",
    label: `Gain of updates on a logarithmic axis, at most ${significant(largest)}`,
  })}
${key([
  { name: "largest of an iteration", colour: "vermilion", look: "thin" },
  { name: "mean", colour: "blue" },
])}</div>
</div>`;
  const health =
    resets === 0
      ? "No update found P indefinite: nothing was reset."
      : `P of single neurons was reset ${plural(resets, "time")} in ${plural(withResets.length, "iteration")}, first in iteration ${integer(withResets[0].iteration)}.`;
  return html`${title}${figure(
    numbering.next(),
    "Where the time went, and the health of P.",
    body,
    html`<b>a</b>, Seconds per iteration, averaged over ${plural(iterations.length, "iteration")}; wall time per iteration was ${seconds(median(wall))} (median), ${seconds(mean(wall))} (mean). <b>b</b>, The gain falls as P learns the inputs; a negative or undefined value marks a P that is no longer positive definite. ${health}`,
  )}`;
}
