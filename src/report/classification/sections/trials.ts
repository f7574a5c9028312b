/** Example trials: from input spikes to the readout, aligned in time; and target traces against outputs. */
import { integer, plural, significant } from "../../format.ts";
import { type Html, type HtmlValue, html } from "../../html.ts";
import { absent, chartPanel, figure, type KeyEntry, key, letter, type Numbering } from "../../sections/figure.ts";
import { isClassifier } from "../course.ts";
import type { ClassificationReportInput, ExampleTrial } from "../input.ts";
import { firstShown, mostOutputs, normalisedError, outputsOf, shownTrials, trialName, verdict } from "../trial.ts";

const notKept = "No example trials were kept.";
/** Panels of the figure of traces. */
const mostTraces = 9;

function strip(index: number, title: string): Html {
  return html`<div class="panel strip" data-strip="${index}"><div class="panel-head"><span class="panel-title">${title}</span><span class="readout"></span></div><canvas role="img"></canvas></div>`;
}

function column(input: ClassificationReportInput, trials: readonly ExampleTrial[], at: number, position: number): Html {
  const trial = trials[position];
  const membranes = Math.max(...trials.map((t) => t.membranes.length));
  const outputs = isClassifier(input) ? 1 : Math.min(3, outputsOf(trial));
  const options = trials.map(
    (t, i) => html`<option value="${i}"${i === position && html` selected`}>${trialName(t, input.classNames)}</option>`,
  );
  const decision =
    isClassifier(input) &&
    html`<div class="panel"><div class="panel-head"><span class="panel-title">Decision <span class="unit">(probability)</span></span></div><ol class="decision" data-decision></ol></div>`;
  return html`<div class="column" data-trial-column="${at}">
<div class="column-head"><span class="panel-title"><span class="letter">${letter(at)}</span> <span class="rank">${verdict(trial)}</span></span><select aria-label="Trial in column ${at + 1}">${options}</select></div>
<div class="aligned">
${strip(0, `Input, ${plural(input.network.inputs, "channel")}`)}
${input.network.layers.map(({ name, size }, l) => strip(l + 1, `${name}, ${plural(size, "neuron")}`))}
${Array.from({ length: membranes }, (_, m) =>
  chartPanel({
    title: html`<span data-name></span>`,
    unit: m === 0 ? "membrane − threshold" : "",
    attributes: html`data-membrane="${m}"`,
    className: "membrane",
    label: "Membrane potential minus threshold",
  }),
)}
${Array.from({ length: outputs }, (_, o) =>
  chartPanel({
    title: isClassifier(input) ? "Readout" : `Output ${o + 1}`,
    attributes: html`data-output="${o}"`,
    label: isClassifier(input) ? "Readout traces of all classes" : `Output ${o + 1} and its target`,
    ...(o === outputs - 1 ? { xTitle: "time (ms)" } : {}),
  }),
)}
<div class="time-line screen" hidden></div>
</div>
${decision}
</div>`;
}

const readoutKey = (classes: boolean): readonly KeyEntry[] =>
  classes
    ? [
        { name: "readout of the true class", colour: "blue" },
        { name: "of the class wrongly predicted", colour: "vermilion" },
        { name: "of the others", colour: "grey", look: "thin" },
      ]
    : [
        { name: "target", colour: "ink" },
        { name: "output", colour: "blue" },
      ];

export function trials(input: ClassificationReportInput, numbering: Numbering): Html {
  const title = html`<h2 id="trials">Trials</h2>`;
  const shown = shownTrials(input);
  if (shown.length === 0) return html`${title}${absent(notKept)}`;
  const classes = isClassifier(input);
  const positions = firstShown(shown);
  const amplitudes = shown.some(({ input: { values } }) => values?.some((v) => v !== values[0]));
  const outputs = Math.max(...shown.map(outputsOf));
  const left = input.trials.length - shown.length;
  return html`${title}${figure(
    numbering.next(),
    classes ? "From input to decision." : "From input to output.",
    html`<div class="controls screen"><span>Drag across a panel to zoom a trial in time, double-click to return.</span></div>
${key([{ name: "threshold", colour: "grey", look: "dashed" }, ...readoutKey(classes)])}
<div class="panels trials cols-${positions.length}">${positions.map((position, at) => column(input, shown, at, position))}</div>`,
    html`${plural(shown.length, "example trial")} to choose from in the lists${left > 0 && `; ${integer(left)} more would make this page too large`}. From above: events of the input${
      amplitudes && ", shaded by amplitude (vermilion: negative)"
    }; spikes of every layer; membrane potentials of single neurons minus their threshold, which spike where they reach the dashed line; ${
      classes ? "readouts, and the classes found likeliest" : "outputs against targets"
    }. All on one axis of time, in steps of ${input.network.dtMs} ms.${
      classes &&
      outputs > mostOutputs &&
      ` Of ${integer(outputs)} readouts the ${integer(mostOutputs)} likeliest are drawn.`
    }`,
  )}`;
}

/** In place of confusions, when the network follows traces. */
export function traces(input: ClassificationReportInput, numbering: Numbering): Html {
  const title = html`<h2 id="traces">Targets</h2>`;
  const panels: HtmlValue[] = [];
  for (const [t, trial] of shownTrials(input).entries()) {
    if (trial.target === null) continue;
    const outputs = outputsOf(trial);
    for (let o = 0; o < outputs && panels.length < mostTraces; o++) {
      panels.push(
        chartPanel({
          letter: letter(panels.length),
          title: `${trial.set} ${trial.sample}${outputs > 1 ? `, output ${o + 1}` : ""}`,
          unit: `error ${significant(normalisedError(trial))}`,
          attributes: html`data-trace="${t}" data-trace-output="${o}"`,
          className: panels.length === 0 ? "span-all" : "",
          xTitle: "time (ms)",
          label: `Target and output of ${trial.set} sample ${trial.sample}, output ${o + 1}; normalised error of the sample ${significant(normalisedError(trial))}`,
        }),
      );
    }
  }
  if (panels.length === 0)
    return html`${title}${absent("No trials with a target were kept, so outputs cannot be compared.")}`;
  return html`${title}${figure(
    numbering.next(),
    "Outputs against targets.",
    html`${key(readoutKey(false))}<div class="panels cols-2">${panels}</div>`,
    html`Frozen weights. Error, squared error of a sample over the squared deviation of its target from the target's mean.`,
  )}`;
}
