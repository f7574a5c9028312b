/** The top of the page: how well the network does, on samples it has not learned from. */
import { accuracy, bytes, duration, hertz, integer, percent, plural, seconds, significant } from "../../format.ts";
import type { Html } from "../../html.ts";
import { pageHeader, type Tile, valueAndUnit } from "../../sections/header.ts";
import { median, shareInterval } from "../../statistics.ts";
import { isClassifier } from "../course.ts";
import type { ClassificationReportInput, SetFigures } from "../input.ts";

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

/** What the epoch reaches that is best by validation, when it is not the last. */
function bestText(input: ClassificationReportInput, kind: "test" | "validation" | "training"): string {
  const { final } = input;
  const set = final?.best && { test: final.best.test, validation: final.best.validation, training: null }[kind];
  if (!set || final.best?.epoch === final.last.epoch) return "";
  const reached = isClassifier(input)
    ? `${accuracy(set.accuracy ?? Number.NaN)}`
    : `an error of ${significant(set.normalisedError ?? Number.NaN)}`;
  return ` The weights of epoch ${integer(final.best?.epoch ?? Number.NaN)}, the best by validation, reach ${reached}.`;
}

function lead(input: ClassificationReportInput): string {
  const { epochs, timings, final } = input;
  const effort =
    epochs.length === 0 ? "" : `After ${plural(epochs.length, "epoch")} (${duration(timings.secondsTotal)})`;
  const set = final && (final.last.test ?? final.last.validation ?? final.last.train);
  if (!final || !set) {
    return `${effort || "No epoch was recorded;"} the network has not been tested with frozen weights.`;
  }
  const kind = final.last.test ? "test" : final.last.validation ? "validation" : "training";
  const begin = effort === "" ? "The network" : `${effort} the network`;
  const samples = plural(set.samples, `${kind} sample`);
  const unseen = final.last.test ? "" : " It has not been tested on samples kept apart from all choices.";
  const chosen = bestText(input, kind);
  if (!isClassifier(input)) {
    return `${begin} follows its targets with a normalised error of ${significant(set.normalisedError ?? Number.NaN)} on ${samples}: 0 would be perfect, 1 no better than a constant.${chosen}${unseen}`;
  }
  return `${begin} recognises ${accuracy(set.accuracy ?? Number.NaN)} of ${samples} among ${plural(input.classNames.length, "class", "classes")} (95 % interval ${intervalText(set)}); always naming the most frequent class would give ${percent(chanceLevel(input))}.${chosen}${unseen}`;
}

function setTiles(input: ClassificationReportInput): Tile[] {
  if (input.final === null) return [];
  const result = input.final.last;
  const classes = isClassifier(input);
  const sets = [
    ["Test", result.test, "kept apart from all choices"],
    ["Validation", result.validation, "not learned from"],
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
