/**
 * Time constants of the network, trained or drawn, against the distributions that time constants of neurons have been found to follow: fits of gamma
 * and log-normal, and measured values beside them.
 */
import type { MeasuredGroup } from "../../../data/measured-constants.ts";
import {
  gammaDensity,
  logNormalDensity,
  type PositiveSummary,
  summarisePositive,
} from "../../../math/distribution-fits.ts";
import { type CumulativeLine, cumulativePoints, cumulativeSvg } from "../../cumulative.ts";
import { integer, significant } from "../../format.ts";
import { type HistogramCurve, histogramSvg } from "../../histogram.ts";
import { type Html, html } from "../../html.ts";
import { figure, type KeyEntry, key, letter, type Numbering } from "../../sections/figure.ts";
import { seriesColour } from "../../styles.ts";
import type { ClassificationReportInput } from "../input.ts";

/** A time constant that every neuron has for itself. */
interface Described {
  /** Of its layer and itself. */
  readonly title: string;
  readonly name: string;
  /** After training; of one that is not trained, as it is. */
  readonly values: Float32Array;
  readonly summary: PositiveSummary;
  /** "drawn, not trained"; null where it is trained. */
  readonly untrained: string | null;
  /** What the table says of it, and when. */
  readonly rows: readonly (readonly [when: string, summary: PositiveSummary])[];
}

/** Whether values are time constants of neurons, which distributions can be fitted to. */
export const isDescribed = (unit: string, ...all: Float32Array[]): boolean =>
  unit === "ms" && all.every((values) => values.length > 1 && values.every((value) => value > 0 && value < Infinity));

function trainedOnes({ parameters }: ClassificationReportInput): Described[] {
  return parameters
    .filter(({ unit, before, after }) => isDescribed(unit, before, after))
    .map(({ layer, name, before, after }) => {
      const summary = summarisePositive(after);
      const rows = [["before", summarisePositive(before)] as const, ["after", summary] as const];
      return { title: `${layer}: ${name}`, name, values: after, summary, untrained: null, rows };
    });
}

function untrainedOnes({ fixed = [] }: ClassificationReportInput): Described[] {
  return fixed
    .filter(({ unit, values }) => isDescribed(unit, values))
    .map(({ layer, name, origin, values }) => {
      const summary = summarisePositive(values);
      const untrained = `${origin}, not trained`;
      return { title: `${layer}: ${name}`, name, values, summary, untrained, rows: [[untrained, summary] as const] };
    });
}

const orDash = (value: number | null | undefined): string => significant(value ?? Number.NaN);

function fitRow(heading: string, when: string, { count, mean, sd, gamma, logNormal }: PositiveSummary): Html {
  return html`<tr><th scope="row">${heading}</th><td>${when}</td><td class="n">${integer(count)}</td><td class="n">${significant(mean)}</td><td class="n">${significant(sd / mean)}</td><td class="n">${orDash(gamma?.shape)}</td><td class="n">${orDash(gamma?.goodness?.p)}</td><td class="n">${orDash(logNormal?.sigma)}</td><td class="n">${orDash(logNormal?.goodness?.p)}</td></tr>`;
}

function measuredRow({ name, count, mean, sd, gamma, logNormal }: MeasuredGroup): Html {
  const variation = mean !== null && sd !== null ? sd / mean : null;
  return html`<tr><th scope="row">${name}</th><td>measured</td><td class="n">${count === null ? "—" : integer(count)}</td><td class="n">${orDash(mean)}</td><td class="n">${orDash(variation)}</td><td class="n">${orDash(gamma?.shape)}</td><td class="n"></td><td class="n">${orDash(logNormal?.sigma)}</td><td class="n"></td></tr>`;
}

function fitTable(all: readonly Described[], groups: readonly MeasuredGroup[]): Html {
  return html`<div class="table-scroll spaced"><table class="figures"><thead><tr><th scope="col">Time constant</th><th scope="col"></th><th scope="col" class="n">neurons</th><th scope="col" class="n">mean (ms)</th><th scope="col" class="n">s.d./mean</th><th scope="col" class="n">gamma shape</th><th scope="col" class="n"><i>P</i></th><th scope="col" class="n">log-normal σ</th><th scope="col" class="n"><i>P</i></th></tr></thead>
<tbody>${all.map(({ title, rows }) =>
    rows.map(([when, summary], i) => fitRow(i === 0 ? title : "", when, summary)),
  )}</tbody>${groups.length > 0 && html`<tbody>${groups.map(measuredRow)}</tbody>`}</table></div>`;
}

function curvesOf({ gamma, logNormal }: PositiveSummary): HistogramCurve[] {
  return [
    ...(gamma === null ? [] : [{ density: (x: number) => gammaDensity(gamma, x), dashed: false }]),
    ...(logNormal === null ? [] : [{ density: (x: number) => logNormalDensity(logNormal, x), dashed: true }]),
  ];
}

/** Measured groups that are drawn, the largest ones; the table has all. */
const mostMeasured = 3;
/** Largest time constant, over the mean, that is drawn. */
const mostMeans = 3;

/** Learned, drawn and measured distributions, each over its own mean: forms are compared, not how slow neurons are. */
function formLines(all: readonly Described[], groups: readonly MeasuredGroup[]): CumulativeLine[] {
  const own = all.map(({ title, values, summary, untrained }, i): CumulativeLine => {
    const points = cumulativePoints(values).map(({ value, share }) => ({ value: value / summary.mean, share }));
    const name = untrained === null ? title : `${title}, ${untrained}`;
    return { name, colour: seriesColour(i), dashed: false, points };
  });
  const largest = groups.toSorted((a, b) => (b.count ?? 0) - (a.count ?? 0)).slice(0, mostMeasured);
  const measured = largest.flatMap(({ name, mean, quantiles }, i): CumulativeLine[] => {
    if (mean === null || quantiles.length === 0) return [];
    const points = quantiles.map(({ fraction, value }) => ({ value: value / mean, share: fraction }));
    return [{ name: `${name}, measured`, colour: seriesColour(all.length + i), dashed: true, points }];
  });
  return [...own, ...measured];
}

/** Nothing where all neurons of a layer have the same time constants. */
export function timeConstants(input: ClassificationReportInput, numbering: Numbering): Html | false {
  const all = [...trainedOnes(input), ...untrainedOnes(input)];
  if (all.length === 0) return false;
  const { source = "", groups = [] } = input.measured ?? {};
  const lines = formLines(all, groups);
  const lineKey = lines.map(
    ({ name, colour, dashed }): KeyEntry => ({ name, colour, look: dashed ? "dashed" : "line" }),
  );
  const body = html`${key([
    {
      name: all.every(({ untrained }) => untrained === null) ? "after training" : "neurons",
      colour: "band",
      look: "block",
    },
    { name: "gamma", colour: "vermilion" },
    { name: "log-normal", colour: "vermilion", look: "dashed" },
  ])}<div class="panels cols-3">${all.map(
    ({ title, name, values, summary, untrained }, i) =>
      html`<div class="panel noted"><div class="panel-head"><span class="letter">${letter(i)}</span><span class="panel-title">${title}</span><span class="panel-note">${untrained ?? "after training"}</span></div>${histogramSvg(
        {
          name: `${title} with its fits`,
          xLabel: `${name} (ms)`,
          yLabel: "neurons",
          low: 0,
          series: [{ name: untrained ?? "after", values, look: "area" }],
          curves: curvesOf(summary),
        },
      )}</div>`,
  )}<div class="panel span-2"><div class="panel-head"><span class="letter">${letter(all.length)}</span><span class="panel-title">Form of the distributions</span></div>${cumulativeSvg(
    "Form of the distributions",
    "time constant / mean",
    mostMeans,
    lines,
  )}${key(lineKey)}</div></div>${fitTable(all, groups)}`;
  return figure(
    numbering.next(),
    "Time constants and the distributions that fit them.",
    body,
    html`Gamma and log-normal distributions of greatest likelihood that start at 0. <i>P</i>, chi-square test of the fit in bins of 2 ms up to 80 ms, joined until each holds 20 neurons; a dash where neurons are too few or all alike. ${
      groups.length > 0 &&
      html`Measured: ${source}; of neurons in tissue, in ms of real time, so forms are compared over their means.`
    }`,
  );
}
