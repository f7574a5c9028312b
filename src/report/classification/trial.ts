/** Example trials as the page shows them: which of them, and what they are called. */
import { percent, significant } from "../format.ts";
import type { ClassificationReportInput, ExampleTrial } from "./input.ts";

/** Events and values of all trials in the page; the page would grow by 3 bytes for each. */
const mostNumbers = 1_500_000;
/** Readout curves of a trial in the page. */
export const mostOutputs = 40;

function numbersOf({ input, spikes, membranes, readout, steps }: ExampleTrial): number {
  const events = input.channels.length * (input.values === null ? 1 : 2);
  return events + spikes.reduce((sum, s) => sum + s.neurons.length, 0) + membranes.length * steps + readout.length;
}

/** The first trials that fit into the page, and at least one if there is any. */
export function shownTrials({ trials }: ClassificationReportInput): readonly ExampleTrial[] {
  let numbers = 0;
  return trials.filter((trial, i) => {
    numbers += numbersOf(trial);
    return i === 0 || numbers <= mostNumbers;
  });
}

/** Number of readout neurons. */
export const outputsOf = ({ readout, steps }: ExampleTrial): number => (steps > 0 ? readout.length / steps : 0);

export function className(classNames: readonly string[], label: number | null): string {
  return label === null ? "—" : (classNames[label] ?? String(label));
}

/** Squared error over the squared deviation of the target from its mean; NaN without a target that varies. */
export function normalisedError({ readout, target }: ExampleTrial): number {
  if (target === null) return Number.NaN;
  const mean = target.reduce((sum, v) => sum + v, 0) / target.length;
  let [error, deviation] = [0, 0];
  for (let i = 0; i < target.length; i++) {
    error += (readout[i] - target[i]) ** 2;
    deviation += (target[i] - mean) ** 2;
  }
  return deviation > 0 ? error / deviation : Number.NaN;
}

/** "Recognised", "Mistaken", or "Trial" without classes. */
export function verdict({ label, prediction }: ExampleTrial): string {
  if (label === null) return "Trial";
  return label === prediction ? "Recognised" : "Mistaken";
}

/** For a list to choose from. */
export function trialName(trial: ExampleTrial, classNames: readonly string[]): string {
  const where = `${trial.set} ${trial.sample}`;
  const { label, prediction, probabilities } = trial;
  if (label === null) return `${where} · error ${significant(normalisedError(trial))}`;
  const certain = prediction === null ? undefined : probabilities?.[prediction];
  return `${className(classNames, label)} → ${className(classNames, prediction)}${
    certain === undefined ? "" : ` · ${percent(certain)}`
  } · ${where}`;
}

/** Positions of the trials shown at first: one that was recognised beside one that was not, where there are both. */
export function firstShown(trials: readonly ExampleTrial[]): readonly number[] {
  if (trials.length < 2) return trials.map((_, i) => i);
  const right = Math.max(
    0,
    trials.findIndex((t) => t.label === t.prediction),
  );
  const wrong = trials.findIndex((t) => t.label !== t.prediction);
  return [right, wrong >= 0 && wrong !== right ? wrong : right === 0 ? 1 : 0];
}
