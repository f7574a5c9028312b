/**
 * Trained time constants against the distributions that time constants of neurons have been found to follow: fits of gamma
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
import type { ClassificationReportInput, TrainedParameter } from "../input.ts";

interface Described {
  readonly parameter: TrainedParameter;
  readonly before: PositiveSummary;
  readonly after: PositiveSummary;
}

const isPositive = (values: Float32Array): boolean => values.every((value) => value > 0 && value < Infinity);

/** Time constants that every neuron has for itself. */
function described({ parameters }: ClassificationReportInput): Described[] {
  return parameters
    .filter(({ unit, before, after }) => unit === "ms" && after.length > 1 && isPositive(before) && isPositive(after))
    .map((parameter) => ({
      parameter,
      before: summarisePositive(parameter.before),
      after: summarisePositive(parameter.after),
    }));
}

const nameOf = ({ layer, name }: TrainedParameter): string => `${layer}: ${name}`;
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
<tbody>${all.map(
    ({ parameter, before, after }) => html`${fitRow(nameOf(parameter), "before", before)}${fitRow("", "after", after)}`,
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

/** Learned and measured distributions, each over its own mean: forms are compared, not how slow neurons are. */
function formLines(all: readonly Described[], groups: readonly MeasuredGroup[]): CumulativeLine[] {
  const learned = all.map(({ parameter, after }, i): CumulativeLine => {
    const points = cumulativePoints(parameter.after).map(({ value, share }) => ({ value: value / after.mean, share }));
    return { name: nameOf(parameter), colour: seriesColour(i), dashed: false, points };
  });
  const largest = groups.toSorted((a, b) => (b.count ?? 0) - (a.count ?? 0)).slice(0, mostMeasured);
  const measured = largest.flatMap(({ name, mean, quantiles }, i): CumulativeLine[] => {
    if (mean === null || quantiles.length === 0) return [];
    const points = quantiles.map(({ fraction, value }) => ({ value: value / mean, share: fraction }));
    return [{ name: `${name}, measured`, colour: seriesColour(all.length + i), dashed: true, points }];
  });
  return [...learned, ...measured];
}

/** Nothing where no time constants of single neurons were trained. */
export function timeConstants(input: ClassificationReportInput, numbering: Numbering): Html | false {
  const all = described(input);
  if (all.length === 0) return false;
  const { source = "", groups = [] } = input.measured ?? {};
  const lines = formLines(all, groups);
  const lineKey = lines.map(
    ({ name, colour, dashed }): KeyEntry => ({ name, colour, look: dashed ? "dashed" : "line" }),
  );
  const body = html`${key([
    { name: "after training", colour: "band", look: "block" },
    { name: "gamma", colour: "vermilion" },
    { name: "log-normal", colour: "vermilion", look: "dashed" },
  ])}<div class="panels cols-3">${all.map(
    ({ parameter, after }, i) =>
      html`<div class="panel noted"><div class="panel-head"><span class="letter">${letter(i)}</span><span class="panel-title">${nameOf(parameter)}</span></div>${histogramSvg(
        {
          name: `${nameOf(parameter)} with its fits`,
          xLabel: `${parameter.name} (ms)`,
          yLabel: "neurons",
          low: 0,
          series: [{ name: "after", values: parameter.after, look: "area" }],
          curves: curvesOf(after),
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
