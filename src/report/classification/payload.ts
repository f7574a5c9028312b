/** What the script of the page needs, as JSON with encoded curves. */
import { base64, type EncodedCurves, type EncodedSpikes, encodeCurves, encodeFloats, encodeSpikes } from "../encode.ts";
import { percent } from "../format.ts";
import { type Colour, seriesColour } from "../styles.ts";
import { type CoursePanel, type CourseSeries, healthPanels, isClassifier, learningPanels } from "./course.ts";
import type { ClassificationReportInput, ExampleTrial } from "./input.ts";
import { className, mostOutputs, outputsOf, shownTrials, verdict } from "./trial.ts";

export interface PanelPayload extends Omit<CoursePanel, "series"> {
  readonly series: readonly (Omit<CourseSeries, "values"> & { readonly values: string })[];
}

export interface CoursePayload {
  readonly epoch: string;
  /** Seconds of wall time at the end of each epoch. */
  readonly wall: string;
  readonly panels: readonly PanelPayload[];
}

/** Spikes, or events with amplitudes, of one population or of the input. */
export interface StripPayload {
  readonly neurons: number;
  readonly colour: Colour;
  readonly spikes: EncodedSpikes;
  /** int8 for every event in the order of time, 127 the largest magnitude; null where all are alike. */
  readonly amplitudes: string | null;
  readonly inWords: string;
}

/** A curve of the readout; other outputs stay in the background. */
export interface OutputPayload {
  readonly name: string;
  readonly role: "label" | "prediction" | "other";
}

export interface TrialPayload {
  readonly verdict: string;
  readonly dtMs: number;
  readonly steps: number;
  readonly strips: readonly StripPayload[];
  /** Curves have a point per so many steps, and so many points. */
  readonly every: number;
  readonly points: number;
  readonly membranes: readonly { readonly title: string; readonly colour: Colour; readonly curve: EncodedCurves }[];
  readonly outputs: readonly OutputPayload[];
  readonly readout: EncodedCurves;
  /** As `readout`; null with classes. */
  readonly target: EncodedCurves | null;
  /** The likeliest classes and the true one, likeliest first. */
  readonly decision: readonly {
    readonly name: string;
    readonly share: number;
    readonly text: string;
    readonly isLabel: boolean;
  }[];
}

export interface ClassificationPayload {
  readonly course: CoursePayload | null;
  readonly trials: readonly TrialPayload[];
}

const mostPoints = 1500;
const mostClasses = 5;

/** One value per `every` steps: the largest for membranes, so that no spike is lost, the mean for readouts. */
function thin(value: (step: number) => number, steps: number, every: number, reduce: "largest" | "mean"): Float32Array {
  return Float32Array.from({ length: Math.ceil(steps / every) }, (_, point) => {
    const from = point * every;
    const to = Math.min(steps, from + every);
    let result = reduce === "mean" ? 0 : Number.NEGATIVE_INFINITY;
    for (let step = from; step < to; step++) {
      result = reduce === "mean" ? result + value(step) / (to - from) : Math.max(result, value(step));
    }
    return result;
  });
}

/** The step of every event, from 1, as `encodeSpikes` takes it. */
function stepsOf(starts: Uint32Array): Uint32Array {
  const steps = new Uint32Array(starts[starts.length - 1] - starts[0]);
  for (let t = 0; t + 1 < starts.length; t++) steps.fill(t + 1, starts[t] - starts[0], starts[t + 1] - starts[0]);
  return steps;
}

function stripsOf(trial: ExampleTrial, { network }: ClassificationReportInput): StripPayload[] {
  const { input, steps, dtMs } = trial;
  const { offsets, channels, values } = input;
  const length = `${(steps * dtMs).toFixed(0)} ms`;
  let largest = 0;
  if (values) for (const v of values) largest = Math.max(largest, Math.abs(v));
  const plain = values === null || values.every((v) => v === values[0]);
  const inputStrip: StripPayload = {
    neurons: network.inputs,
    colour: "ink",
    spikes: encodeSpikes(stepsOf(offsets), channels.subarray(0, offsets[steps]), network.inputs),
    amplitudes: plain
      ? null
      : base64(Uint8Array.from(values.subarray(0, offsets[steps]), (v) => Math.round((127 * v) / largest) & 255)),
    inWords: `Input: ${offsets[steps]} ${plain ? "spikes" : "amplitudes"} on ${network.inputs} channels in ${length}`,
  };
  const layers = network.layers.flatMap(({ name, size }, l): StripPayload[] => {
    const spikes = trial.spikes[l];
    if (!spikes) return [];
    const steps1 = stepsOf(spikes.starts);
    const neurons = spikes.neurons.subarray(spikes.starts[0], spikes.starts[0] + steps1.length);
    return [
      {
        neurons: size,
        colour: seriesColour(l),
        spikes: encodeSpikes(steps1, neurons, size),
        amplitudes: null,
        inWords: `${name}: ${neurons.length} spikes of ${size} neurons in ${length}`,
      },
    ];
  });
  return [inputStrip, ...layers];
}

/** Indices of the outputs that are drawn: label and prediction last, on top of the others. */
function drawnOutputs(trial: ExampleTrial): number[] {
  const all = Array.from({ length: outputsOf(trial) }, (_, o) => o);
  const { label, prediction, probabilities } = trial;
  if (label === null) return all.slice(0, mostOutputs);
  const important = [label, prediction].filter((o, i, both) => o !== null && both.indexOf(o) === i) as number[];
  const others = all.filter((o) => !important.includes(o));
  if (probabilities) others.sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  return [...others.slice(0, mostOutputs - important.length), ...important.reverse()];
}

function decisionOf({ label, probabilities }: ExampleTrial, classNames: readonly string[]): TrialPayload["decision"] {
  if (!probabilities) return [];
  const ranked = Array.from(probabilities, (share, o) => ({ o, share })).sort((a, b) => b.share - a.share || a.o - b.o);
  return ranked
    .filter(({ o }, rank) => rank < mostClasses || o === label)
    .map(({ o, share }) => ({
      name: className(classNames, o),
      share,
      text: percent(share),
      isLabel: o === label,
    }));
}

function trialPayload(trial: ExampleTrial, input: ClassificationReportInput): TrialPayload {
  const { steps, dtMs, readout, target, label, prediction } = trial;
  const outputs = outputsOf(trial);
  const every = Math.max(1, Math.ceil(steps / mostPoints));
  const points = Math.ceil(steps / every);
  const drawn = drawnOutputs(trial);
  const curves = (trace: Float32Array): EncodedCurves =>
    encodeCurves(
      drawn.map((o) => thin((step) => trace[step * outputs + o], steps, every, "mean")),
      points,
    );
  return {
    verdict: verdict(trial),
    dtMs,
    steps,
    strips: stripsOf(trial, input),
    every,
    points,
    membranes: trial.membranes.map(({ layer, neuron, margin }) => ({
      title: `${input.network.layers[layer]?.name ?? "layer"}, neuron ${neuron}`,
      colour: seriesColour(layer),
      curve: encodeCurves([thin((step) => margin[step], steps, every, "largest")], points),
    })),
    outputs: drawn.map((o) => ({
      name: isClassifier(input) ? className(input.classNames, o) : `output ${o + 1}`,
      role: o === label ? "label" : o === prediction ? "prediction" : "other",
    })),
    readout: curves(readout),
    target: target && curves(target),
    decision: decisionOf(trial, input.classNames),
  };
}

export function payloadOf(input: ClassificationReportInput): ClassificationPayload {
  const { epochs } = input;
  let wall = 0;
  const course: CoursePayload | null =
    epochs.length === 0
      ? null
      : {
          epoch: encodeFloats(epochs.map((e) => e.epoch)),
          wall: encodeFloats(
            epochs.map((e) => {
              wall += e.seconds;
              return wall;
            }),
          ),
          panels: [...learningPanels(input), ...healthPanels(input)].map((panel) => ({
            ...panel,
            series: panel.series.map((s) => ({ ...s, values: encodeFloats(s.values.map((v) => v ?? Number.NaN)) })),
          })),
        };
  return { course, trials: shownTrials(input).map((trial) => trialPayload(trial, input)) };
}
