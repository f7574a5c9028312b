/** The top of the page: how well the network does, on samples it has not learned from. */
import { accuracy, bytes, duration, hertz, integer, percent, plural, seconds, significant } from "../../format.ts";
import type { Html } from "../../html.ts";
import { pageHeader, type Tile, valueAndUnit } from "../../sections/header.ts";
import { median, shareInterval } from "../../statistics.ts";
import { isClassifier } from "../course.ts";
import type { ClassificationReportInput, SetFigures, TestedEpoch } from "../input.ts";

/** The weights that count as the result: the best by validation, else the last. */
export function resultOf({ final }: ClassificationReportInput): TestedEpoch | null {
  return final === null ? null : (final.best ?? final.last);
}

/** Share of the most frequent class: what always naming that one would give. */
export function chanceLevel({ classNames, confusion }: ClassificationReportInput): number {
  const counts = (confusion.test ?? confusion.validation)?.counts;
  const classes = classNames.length;
  if (!counts || counts.length !== classes * classes) return 1 / classes;
  const cases = classNames.map((_, c) => {
    let sum = 0;
    for (let p = 0; p < classes; p++) sum += counts[c * classes + p];
    return sum;
  });
  const all = cases.reduce((a, b) => a + b, 0);
  return all > 0 ? Math.max(...cases) / all : 1 / classes;
}

export function intervalText({ accuracy: share, samples }: SetFigures): string {
  if (share === null || !Number.isFinite(share) || !(samples > 0)) return "—";
  const [low, high] = shareInterval(share, samples);
  return `${(100 * low).toFixed(1)} to ${accuracy(high)}`;
}

function lead(input: ClassificationReportInput): string {
  const { epochs, timings, final } = input;
  const result = resultOf(input);
  const effort =
    epochs.length === 0 ? "" : `After ${plural(epochs.length, "epoch")} (${duration(timings.secondsTotal)})`;
  if (result === null) {
    return effort === ""
      ? "No epoch was recorded and nothing was tested."
      : `${effort} the network has not been tested with frozen weights.`;
  }
  const set = result.test ?? result.validation ?? result.train;
  if (set === null) return `${effort || "So far"} the network has not been tested with frozen weights.`;
  const kind = result.test ? "test" : result.validation ? "validation" : "training";
  const begin = effort === "" ? "The network" : `${effort} the network`;
  const samples = plural(set.samples, `${kind} sample`);
  const weights =
    final?.best === null || final === null
      ? ""
      : ` The weights are those of epoch ${integer(result.epoch)}, the best of ${integer(final.last.epoch)} by validation.`;
  const unseen = result.test ? "" : " It has not been tested on samples kept apart from all choices.";
  if (!isClassifier(input)) {
    return `${begin} follows its targets with a normalised error of ${significant(set.normalisedError ?? Number.NaN)} on ${samples}: 0 would be perfect, 1 no better than a constant.${weights}${unseen}`;
  }
  return `${begin} recognises ${accuracy(set.accuracy ?? Number.NaN)} of ${samples} among ${plural(input.classNames.length, "class", "classes")} (95 % interval ${intervalText(set)}); always naming the most frequent class would give ${percent(chanceLevel(input))}.${weights}${unseen}`;
}

function setTiles(input: ClassificationReportInput): Tile[] {
  const result = resultOf(input);
  if (result === null) return [];
  const classes = isClassifier(input);
  const sets = [
    ["Test", result.test, "kept apart from training"],
    ["Validation", result.validation, "chose the epoch, not learned from"],
    ["Training", result.train, "learned from"],
  ] as const;
  return sets.map(([name, set, note]): Tile => {
    const label = classes ? `${name} accuracy` : `${name}, normalised error`;
    if (set === null) return { label, value: "—", note: "not measured" };
    return {
      label,
      ...valueAndUnit(classes ? accuracy(set.accuracy ?? Number.NaN) : significant(set.normalisedError ?? Number.NaN)),
      note: `${plural(set.samples, "sample")}, ${note}`,
    };
  });
}

function tiles(input: ClassificationReportInput): Tile[] {
  const { epochs, network, timings } = input;
  const list = setTiles(input);
  const last = epochs.at(-1);
  if (last) {
    const rates = last.layers.map(({ rateHz }) => rateHz);
    const silent = last.layers.map(({ silentShare }) => silentShare);
    const neurons = network.layers.reduce((sum, { size }) => sum + size, 0);
    const mean = (values: readonly number[]): number =>
      network.layers.reduce((sum, { size }, l) => sum + size * (values[l] ?? Number.NaN), 0) / neurons;
    const time = median(epochs.map((e) => e.seconds));
    list.push(
      { label: "Loss", value: significant(last.train.loss), note: "training, last epoch" },
      {
        label: "Mean rate",
        ...valueAndUnit(hertz(mean(rates))),
        note: "of the neurons that spike, last epoch",
      },
      {
        label: "Silent neurons",
        ...valueAndUnit(percent(mean(silent))),
        note: `of ${plural(neurons, "neuron")}, last epoch`,
        alarm: mean(silent) > 0.5,
      },
      {
        label: "Time per epoch",
        ...valueAndUnit(seconds(time)),
        note: `median of ${integer(epochs.length)}, with validation`,
      },
    );
  }
  list.push({
    label: "Trained numbers",
    value: integer(network.trainedNumbers),
    note: "weights, biases, constants",
  });
  if (timings.peakBytes !== null) {
    list.push({ label: "Peak memory", ...valueAndUnit(bytes(timings.peakBytes)), note: "of the whole process" });
  }
  list.push({
    label: "Health",
    value: integer(input.health.length),
    note: ["no check complained", "message, see below"][input.health.length] ?? "messages, see below",
    alarm: input.health.length > 0,
  });
  return list;
}

export function summary(input: ClassificationReportInput): Html {
  const { title, environment, notes } = input;
  return pageHeader({ eyebrow: "Training report", title, lead: lead(input), environment, notes, tiles: tiles(input) });
}
