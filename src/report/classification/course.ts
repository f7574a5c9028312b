/** What is drawn over the epochs: the curves of every panel, for the page's text and for its script. */
import { accuracy, hertz, percent, significant } from "../format.ts";
import { type Colour, seriesColour, seriesColours } from "../styles.ts";
import type { ClassificationReportInput, EpochMetrics, Figures } from "./input.ts";

export interface CourseSeries {
  readonly name: string;
  readonly colour: Colour;
  readonly look: "line" | "dashed" | "ring";
  /** One value per epoch; null and what is not finite are gaps. */
  readonly values: readonly (number | null)[];
  /** Measured in some epochs only: the line goes on across the others. */
  readonly joined?: boolean;
}

export interface CoursePanel {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly series: readonly CourseSeries[];
  readonly logarithmic?: boolean;
  /** The y axis holds these values. */
  readonly floor?: number;
  readonly ceiling?: number;
  /** The last value in words, for who cannot see the chart. */
  readonly inWords: string;
}

export const isClassifier = ({ classNames }: Pick<ClassificationReportInput, "classNames">): boolean =>
  classNames.length > 0;

/** Position of the epoch whose weights count as the result, if it was chosen by validation. */
export function bestPosition({ epochs, final }: ClassificationReportInput): number {
  return final?.best ? epochs.findIndex(({ epoch }) => epoch === final.best?.epoch) : -1;
}

const hasNumber = ({ values }: CourseSeries): boolean => values.some((v) => v !== null && Number.isFinite(v));
const last = (values: readonly (number | null)[]): number => values.findLast((v) => v !== null) ?? Number.NaN;

/** Training, validation, and a ring around the epoch that was chosen. */
function learned(
  input: ClassificationReportInput,
  pick: (figures: Figures) => number | null,
  format: (value: number) => string,
): Pick<CoursePanel, "series" | "inWords"> {
  const { epochs } = input;
  const best = bestPosition(input);
  const training = epochs.map(({ train }) => pick(train));
  const validation = epochs.map(({ validation: v }) => (v ? pick(v) : null));
  const all: CourseSeries[] = [
    { name: "training", colour: "blue", look: "line", values: training },
    { name: "validation", colour: "vermilion", look: "line", values: validation, joined: true },
    {
      name: "best by validation",
      colour: "vermilion",
      look: "ring",
      values: validation.map((v, i) => (i === best ? v : null)),
    },
  ];
  const series = all.filter(hasNumber);
  const inWords = `training ${format(last(training))}${series.length > 1 ? `, validation ${format(last(validation))}` : ""} in the last epoch`;
  return { series, inWords };
}

/** Panels of the figure about learning. */
export function learningPanels(input: ClassificationReportInput): readonly CoursePanel[] {
  const main: CoursePanel = isClassifier(input)
    ? {
        id: "accuracy",
        title: "Accuracy",
        unit: "%",
        floor: 0,
        ceiling: 100,
        ...learned(
          input,
          (f) => (f.accuracy === null ? null : 100 * f.accuracy),
          (percentage) => accuracy(percentage / 100),
        ),
      }
    : {
        id: "error",
        title: "Normalised error",
        unit: "1: as good as a constant",
        logarithmic: true,
        ...learned(input, (f) => f.normalisedError, significant),
      };
  const rates = input.epochs.map((e) => e.learningRate);
  const panels: CoursePanel[] = [
    main,
    { id: "loss", title: "Loss", unit: "mean over samples", floor: 0, ...learned(input, (f) => f.loss, significant) },
    {
      id: "learning-rate",
      title: "Learning rate",
      unit: "",
      floor: 0,
      series: [{ name: "learning rate", colour: "ink", look: "line", values: rates }],
      inWords: `${significant(last(rates))} in the last epoch`,
    },
  ];
  return panels.filter(({ series }) => series.some(hasNumber));
}

/** Panels of the figure about health. */
export function healthPanels({ epochs, network }: ClassificationReportInput): readonly CoursePanel[] {
  const perLayer = (
    pick: (activity: EpochMetrics["layers"][number]) => number | null,
    format: (value: number) => string,
  ): Pick<CoursePanel, "series" | "inWords"> => {
    const series = network.layers.map(
      ({ name }, l): CourseSeries => ({
        name,
        colour: seriesColour(l),
        look: "line",
        values: epochs.map(({ layers }) => (layers[l] ? pick(layers[l]) : null)),
      }),
    );
    return { series, inWords: series.map(({ name, values }) => `${name} ${format(last(values))}`).join(", ") };
  };
  const inPercent = (percentage: number): string => percent(percentage / 100);
  const groups = Object.keys(epochs[0]?.gradientNorms ?? {});
  const norm = (pick: (e: EpochMetrics) => number): (number | null)[] =>
    // Zero has no place on a logarithmic axis.
    epochs.map((e) => (pick(e) > 0 ? pick(e) : null));
  const gradients: CourseSeries[] = [
    { name: "all together", colour: "ink", look: "line", values: norm((e) => e.gradientNorm) },
    ...groups.map(
      (group, g): CourseSeries => ({
        name: group,
        colour: seriesColour(g),
        look: g < seriesColours.length ? "line" : "dashed",
        values: norm((e) => e.gradientNorms[group]),
      }),
    ),
  ];
  const panels: CoursePanel[] = [
    { id: "rate", title: "Mean rate", unit: "Hz", floor: 0, ...perLayer((a) => a.rateHz, hertz) },
    {
      id: "silent",
      title: "Silent neurons",
      unit: "%",
      floor: 0,
      ceiling: 5,
      ...perLayer((a) => 100 * a.silentShare, inPercent),
    },
    {
      id: "saturated",
      title: "Saturated neurons",
      unit: "%",
      floor: 0,
      ceiling: 5,
      ...perLayer((a) => 100 * a.saturatedShare, inPercent),
    },
    {
      id: "support",
      title: "Within reach of the surrogate",
      unit: "% of neurons and steps",
      floor: 0,
      ...perLayer((a) => (a.supportShare === null ? null : 100 * a.supportShare), inPercent),
    },
    {
      id: "gradient",
      title: "Norm of the gradient",
      unit: "before clipping",
      logarithmic: true,
      series: gradients,
      inWords: gradients.map(({ name, values }) => `${name} ${significant(last(values))}`).join(", "),
    },
  ];
  return panels
    .map((panel) => ({ ...panel, series: panel.series.filter(hasNumber) }))
    .filter(({ series }) => series.length > 0);
}
