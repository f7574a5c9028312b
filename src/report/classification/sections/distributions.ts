/** Distributions before and after training: rates, trained constants, weights. */
import { integer, plural, significant } from "../../format.ts";
import { beyondAxis, type HistogramSpec, histogramSvg } from "../../histogram.ts";
import { type Html, html } from "../../html.ts";
import { absent, figure, key, letter, type Numbering } from "../../sections/figure.ts";
import { mean, sortedFinite, standardDeviation } from "../../statistics.ts";
import type { BeforeAfter, ClassificationReportInput, FixedParameter, TrainedParameter } from "../input.ts";
import { isDescribed, timeConstants } from "./time-constants.ts";

interface Panel {
  readonly spec: HistogramSpec;
  /** Beside the title. */
  readonly note: string;
}

const isOneValue = (values: Float32Array): boolean => values.length > 0 && values.every((v) => v === values[0]);

/** Values that were all alike before training are a line, not a bar that dwarfs the rest. */
function before(values: Float32Array | null): Pick<HistogramSpec, "mark"> & { outline: HistogramSpec["series"] } {
  if (values === null || values.length === 0) return { outline: [] };
  if (isOneValue(values)) return { outline: [], mark: { value: values[0], name: "before:" } };
  return { outline: [{ name: "before", values, look: "outline" }] };
}

function ratePanel(name: string, { before: old, after }: BeforeAfter): Panel {
  const silent = after.reduce((sum, v) => sum + (v === 0 ? 1 : 0), 0);
  const { outline } = before(old);
  return {
    spec: {
      name: `Rates of ${name}`,
      xLabel: "rate (Hz)",
      yLabel: "neurons",
      low: 0,
      series: [{ name: "after", values: after, look: "area" }, ...outline],
    },
    note: silent > 0 ? `${integer(silent)} silent` : "",
  };
}

function parameterPanel({ layer, name, unit, before: old, after }: TrainedParameter): Panel {
  const { outline, mark } = before(old);
  return {
    spec: {
      name: `${layer}: ${name}`,
      xLabel: unit === "" ? name : `${name} (${unit})`,
      yLabel: "neurons",
      series: [{ name: "after", values: after, look: "area" }, ...outline],
      ...(mark ? { mark } : {}),
    },
    note: `s.d. ${significant(standardDeviation(old))} → ${significant(standardDeviation(after))}`,
  };
}

function fixedPanel({ layer, name, unit, origin, values }: FixedParameter): Panel {
  return {
    spec: {
      name: `${layer}: ${name}`,
      xLabel: unit === "" ? name : `${name} (${unit})`,
      yLabel: "neurons",
      series: [{ name: origin, values, look: "area" }],
    },
    note: `${origin}, not trained`,
  };
}

function weightPanel({ name, before: old, after }: ClassificationReportInput["weights"][number]): Panel {
  return {
    spec: {
      name: `Weights: ${name}`,
      xLabel: "weight",
      yLabel: "weights, logarithmic",
      logCounts: true,
      series: [
        { name: "after", values: after, look: "area" },
        { name: "before", values: old, look: "outline" },
      ],
    },
    note: `s.d. ${significant(standardDeviation(old))} → ${significant(standardDeviation(after))}`,
  };
}

/** Parameters that all neurons of a layer share: a number each. */
function sharedTable(shared: readonly TrainedParameter[]): Html {
  return html`<div class="table-scroll spaced"><table class="figures"><thead><tr><th scope="col">Shared constant</th><th scope="col" class="n">before</th><th scope="col" class="n">after</th></tr></thead><tbody>${shared.map(
    ({ layer, name, unit, before: old, after }) =>
      html`<tr><th scope="row">${layer}: ${name}${unit && ` (${unit})`}</th><td class="n">${significant(old[0])}</td><td class="n">${significant(after[0])}</td></tr>`,
  )}</tbody></table></div>`;
}

export function distributions(input: ClassificationReportInput, numbering: Numbering): Html {
  const { rates, parameters, fixed = [], weights, network } = input;
  const title = html`<h2 id="distributions">Before and after</h2>`;
  const isShared = ({ layer, after }: TrainedParameter): boolean =>
    after.length === 1 && (network.layers.find(({ name }) => name === layer)?.size ?? 1) > 1;
  const single = parameters.filter((p) => !isShared(p));
  const shared = parameters.filter(isShared);
  const all: Panel[] = [
    ...rates.flatMap((r, l) => (r.after.length > 0 ? [ratePanel(network.layers[l]?.name ?? `layer ${l + 1}`, r)] : [])),
    ...single.map(parameterPanel),
    // Time constants stand with their fits below.
    ...fixed.filter(({ unit, values }) => !isDescribed(unit, values)).map(fixedPanel),
    ...weights.map(weightPanel),
  ];
  const panels = all.filter(({ spec }) => sortedFinite(spec.series[0].values).length > 0);
  if (panels.length === 0 && shared.length === 0)
    return html`${title}${absent("Neither rates nor weights were kept, so there are no distributions to show.")}`;
  const sampled = weights.filter(({ synapses, after }) => after.length < synapses);
  const moved = single.map(
    ({ layer, name, unit, before: old, after }) =>
      `${layer} ${name} from ${significant(mean(old))} to ${significant(mean(after))}${unit && ` ${unit}`}`,
  );
  const body = html`${key([
    { name: "before training", colour: "ink", look: "thin" },
    { name: "after", colour: "band", look: "block" },
  ])}<div class="panels cols-3">${panels.map(
    ({ spec, note }, i) =>
      html`<div class="panel noted"><div class="panel-head"><span class="letter">${letter(i)}</span><span class="panel-title">${spec.name}</span><span class="panel-note">${[note, beyondAxis(spec)].filter(Boolean).join(", ")}</span></div>${histogramSvg(spec)}</div>`,
  )}</div>${shared.length > 0 && sharedTable(shared)}`;
  const constants =
    single.length > 0 &&
    `Constants are learned for every neuron; means went ${moved.join(", ")}. Vermilion, the value all neurons had before. `;
  return html`${title}${
    parameters.length === 0 && absent("No constants of the neurons were trained: only weights changed.")
  }${figure(
    numbering.next(),
    "Distributions before and after training.",
    body,
    html`Rates: mean of every neuron over the samples of a test. ${constants}${
      weights.length > 0 &&
      `Weights: ${weights.map(({ name, synapses }) => `${name}, ${plural(synapses, "synapse")}`).join("; ")}; counts on a logarithmic axis. `
    }${sampled.length > 0 && `Of ${sampled.map(({ name, after }) => `${name} ${integer(after.length)}`).join(", ")} synapses are shown. `}Axes leave out the outermost 0.5 % at open ends.`,
  )}${timeConstants(input, numbering)}`;
}
