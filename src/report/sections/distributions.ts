/** Distributions over neurons, and of weights. */
import { integer, plural, significant } from "../format.ts";
import { beyondAxis, type HistogramSpec, histogramSvg } from "../histogram.ts";
import { type Html, type HtmlValue, html } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { sortedFinite, standardDeviation } from "../statistics.ts";
import { absent, figure, key, letter, type Numbering } from "./figure.ts";

function neuronSpecs(input: ReportInput): HistogramSpec[] {
  const per = input.test?.perNeuron;
  if (!per) return [];
  const spec = (
    name: string,
    xLabel: string,
    values: Float32Array,
    rest: Partial<HistogramSpec> = {},
  ): HistogramSpec => ({
    name,
    xLabel,
    yLabel: "neurons",
    series: [{ name, values, look: "area" }],
    markMedian: true,
    ...rest,
  });
  return [
    spec("Correlation", "correlation of current with target", per.correlation, { high: 1 }),
    spec("Firing rate", "rate (Hz)", per.rateHz, { low: 0 }),
    spec("CV of intervals", "CV of inter-spike intervals", per.cvIsi, { low: 0 }),
    spec("Fano factor", "Fano factor of spike counts", per.fano, { low: 0 }),
  ];
}

export function distributions(input: ReportInput, numbering: Numbering): Html {
  const title = html`<h2 id="distributions">Distributions</h2>`;
  const specs = neuronSpecs(input);
  const weights = input.weights;
  if (specs.length === 0 && !weights)
    return html`${title}${absent("The network was not tested and its weights were not kept, so there are no distributions to show.")}`;
  const shown = specs.filter((s) => sortedFinite(s.series[0].values).length > 0);
  const missing = specs.filter((s) => !shown.includes(s)).map((s) => s.name);
  const panels: HtmlValue[] = shown.map((spec, i) => {
    const all = spec.series[0].values.length;
    const undefinedCount = all - sortedFinite(spec.series[0].values).length;
    const side = [undefinedCount > 0 ? `${integer(undefinedCount)} undefined` : "", beyondAxis(spec)]
      .filter(Boolean)
      .join(", ");
    return html`<div class="panel"><div class="panel-head"><span class="letter">${letter(i)}</span><span class="panel-title">${spec.name}</span><span style="margin-left:auto;color:var(--soft);font-size:12px">${side}</span></div>${histogramSvg(spec)}</div>`;
  });
  if (weights) {
    const spec: HistogramSpec = {
      name: "Plastic weights",
      xLabel: "weight (threshold × ms)",
      yLabel: "weights, logarithmic",
      logCounts: true,
      wide: true,
      series: [
        { name: "after", values: weights.after, look: "area" },
        { name: "before", values: weights.before, look: "outline" },
      ],
    };
    panels.push(html`<div class="panel span-2"><div class="panel-head"><span class="letter">${letter(shown.length)}</span><span class="panel-title">Plastic weights</span><span style="margin-left:auto;color:var(--soft);font-size:12px">${beyondAxis(spec)}</span></div>
${histogramSvg(spec)}
${key([
  { name: `before: s.d. ${significant(standardDeviation(weights.before))}`, colour: "ink", look: "thin" },
  { name: `after: s.d. ${significant(standardDeviation(weights.after))}`, colour: "band", look: "block" },
])}</div>`);
  }
  const neurons = input.test?.perNeuron.rateHz.length ?? 0;
  return html`${title}
${specs.length === 0 && absent("The network was not tested with frozen weights, so only its weights are shown.")}
${missing.length > 0 && absent(`Not shown because no neuron has a defined value: ${missing.join(", ")}.`)}
${!weights && absent("The weights were not kept, so their distribution is not shown.")}
${
  panels.length > 0 &&
  figure(
    numbering.next(),
    shown.length > 0 ? "Variability across neurons, and weights." : "Weights before and after training.",
    html`<div class="panels cols-3">${panels}</div>`,
    html`${shown.length > 0 && `${plural(neurons, "trained neuron")}, values averaged over tasks. CV, coefficient of variation, undefined with fewer than three spikes in every trial; Fano factor, variance over mean of spike counts across trials. Vermilion, median. `}${
      weights && `Weights: ${plural(weights.after.length, "plastic synapse")}; counts on a logarithmic axis.`
    } Axes leave out the outermost 0.5 % at open ends.`,
  )
}`;
}
