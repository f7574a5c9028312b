/** Figures over the epochs: learning, and health. */
import { integer, plural } from "../../format.ts";
import { type Html, type HtmlValue, html } from "../../html.ts";
import { absent, axisSwitch, chartPanel, figure, key, letter, type Numbering } from "../../sections/figure.ts";
import { bestPosition, type CoursePanel, healthPanels, isClassifier, learningPanels } from "../course.ts";
import type { ClassificationReportInput } from "../input.ts";

function panel(spec: CoursePanel, index: number, className: string): Html {
  return chartPanel({
    letter: letter(index),
    title: spec.title,
    ...(spec.unit === "" ? {} : { unit: spec.unit }),
    attributes: html`data-panel="${spec.id}"`,
    course: "epoch",
    className,
    label: `${spec.title} over epochs: ${spec.inWords}`,
  });
}

const keyOf = ({ series }: CoursePanel): Html => key(series.map(({ name, colour, look }) => ({ name, colour, look })));

export function learning(input: ClassificationReportInput, numbering: Numbering): Html {
  const title = html`<h2 id="learning">Learning</h2>`;
  const panels = learningPanels(input);
  if (panels.length === 0) return html`${title}${absent("No epoch was recorded, so there is no learning curve.")}`;
  const [first] = panels;
  const best = bestPosition(input);
  const what: HtmlValue[] = panels.map(({ id }, i) => {
    const sentence = {
      accuracy:
        "Share of samples whose class was predicted; training, while learning, and validation, with the weights at the end of the epoch.",
      error: "Squared error over the squared deviation of the target from its mean, on a logarithmic axis.",
      loss: "What is minimised, without regularisers, mean over samples.",
      "learning-rate": "Of the last batch of the epoch.",
    }[id];
    return html`<b>${letter(i)}</b>, ${sentence} `;
  });
  return html`${title}${figure(
    numbering.next(),
    "Progress of training.",
    html`${axisSwitch("epoch")}${keyOf(first)}<div class="panels cols-2">${panels.map((p, i) => panel(p, i, i === 0 ? "span-all" : ""))}</div>`,
    html`${what}${best >= 0 && `Ring, epoch ${integer(input.epochs[best].epoch)}, whose weights were kept as the best by validation${isClassifier(input) ? "" : " (lowest error)"}.`}`,
  )}`;
}

export function health(input: ClassificationReportInput, numbering: Numbering): Html {
  const title = html`<h2 id="health">Health</h2>`;
  const said =
    input.health.length === 0
      ? html`<p class="text">No health check complained.</p>`
      : html`<ul class="notes" aria-label="Health messages">${input.health.map(({ epoch, message }) => html`<li><b>Epoch ${integer(epoch)}.</b> ${message}</li>`)}</ul>`;
  const panels = healthPanels(input);
  if (panels.length === 0)
    return html`${title}${said}${absent("No epoch was recorded, so there are no rates and gradients.")}`;
  const what: HtmlValue[] = panels.map(({ id }, i) => {
    const sentence = {
      rate: "Mean rate of each layer over the training samples of the epoch.",
      silent:
        "Neurons without a spike in any of them: such a neuron learns only where its surrogate derivative is not zero.",
      saturated: "Neurons that spike at more than half of the steps at which they could: their spikes tell little.",
      support:
        "Where the surrogate derivative is not zero (one without an end: within 0.5 of the threshold), so that a spike or its absence can be learned from.",
      gradient: "Euclidean norm by group of parameters, mean over batches, on a logarithmic axis.",
    }[id];
    return html`<b>${letter(i)}</b>, ${sentence} `;
  });
  return html`${title}${said}${figure(
    numbering.next(),
    "Activity and gradients.",
    html`<div class="panels cols-2">${panels.map((p, i) => html`<div class="under-chart ${i === panels.length - 1 && i % 2 === 0 && "span-all"}">${panel(p, i, "")}${keyOf(p)}</div>`)}</div>`,
    html`${plural(input.network.layers.length, "layer")}. ${what}`,
  )}`;
}
