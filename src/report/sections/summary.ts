/** The top of the page: what was trained, how well it went, the figures one looks for first. */
import {
  correlation,
  duration,
  hertz,
  integer,
  milliseconds,
  percent,
  plural,
  seconds,
  significant,
} from "../format.ts";
import type { Html, HtmlValue } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { median } from "../statistics.ts";
import { pageHeader, type Tile, valueAndUnit } from "./header.ts";

function tiles(input: ReportInput): Tile[] {
  const { test, iterations } = input;
  const list: Tile[] = [];
  const perIteration = median(iterations.map((i) => i.seconds));
  if (test) {
    const { current, psth } = test;
    const trials = plural(test.trialsPerTask, "trial");
    const undefinedNote = current.undefinedNeurons > 0 ? `; ${integer(current.undefinedNeurons)} undefined` : "";
    list.push(
      {
        label: "Correlation, trial average",
        value: correlation(current.average),
        note: `current with target, ${trials}${undefinedNote}`,
      },
      {
        label: "Correlation, single trials",
        value: correlation(current.single),
        note: `mean; worst trial ${correlation(current.worstTrial)}`,
      },
      psth
        ? {
            label: "PSTH correlation",
            value: correlation(psth.windowed),
            note: `±${milliseconds(psth.windowMs)} windows, ${trials}; binned ${correlation(psth.binned)}`,
          }
        : { label: "PSTH correlation", value: "—", note: "targets were currents, not rates" },
      {
        label: "Variance explained",
        value: correlation(current.varianceExplained),
        note: "of the target current, trial average",
      },
      {
        label: "Selectivity",
        value: psth?.selectivity == null ? "—" : correlation(psth.selectivity),
        note:
          psth?.selectivity == null
            ? test.taskNames.length < 2
              ? "needs two tasks"
              : "not measured"
            : "correlation of task differences",
      },
      {
        label: "Held-out trials",
        value: psth?.heldOut == null ? "—" : correlation(psth.heldOut),
        note: psth?.heldOut == null ? "recording has none" : "PSTH, trials kept out of training",
      },
      {
        label: "Mean rate",
        ...valueAndUnit(hertz(test.rateHz)),
        note: `${hertz(test.rateInWindowHz)} in the trained window`,
      },
      {
        label: "Highest trial rate",
        ...valueAndUnit(hertz(test.highestTrialRateHz)),
        note: "mean of the most active trial",
        alarm: test.highestTrialRateHz > 5 * Math.max(1, test.rateHz),
      },
    );
  } else if (iterations.length > 0) {
    const last = iterations[iterations.length - 1];
    const measured = iterations.findLast((i) => i.correlation !== null);
    list.push(
      {
        label: "Correlation, last iteration",
        value: correlation(measured?.correlation ?? Number.NaN),
        note: "current with target while learning",
      },
      { label: "Mean rate", ...valueAndUnit(hertz(last.rateHz)), note: "last iteration" },
      { label: "Error", value: significant(last.rmsError), note: "root mean square before each step (× threshold)" },
    );
  }
  if (iterations.length > 0) {
    const resets = iterations.reduce((sum, i) => sum + i.health.resets, 0);
    list.push(
      {
        label: "Time per iteration",
        ...valueAndUnit(seconds(perIteration)),
        note: `median of ${integer(iterations.length)}`,
      },
      {
        label: "Resets of P",
        value: integer(resets),
        note: resets === 0 ? "every update was sound" : "updates with x′Px < 0",
        alarm: resets > 0,
      },
    );
  }
  return list;
}

function summarySentence(input: ReportInput): HtmlValue {
  const { test, iterations } = input;
  const count = iterations.length;
  const effort =
    count === 0
      ? "No iteration was recorded."
      : `After ${plural(count, "iteration")} (${duration(input.secondsTotal)} of wall time), `;
  if (!test) {
    if (count === 0) return effort;
    const measured = iterations.findLast((i) => i.correlation !== null);
    return measured
      ? `${effort}currents follow their targets with a mean correlation of ${correlation(measured.correlation as number)} while learning. The network has not been tested with frozen weights.`
      : `${effort}no correlation was measured, and the network has not been tested with frozen weights.`;
  }
  const trained = plural(test.trained.length, "trained neuron");
  const begin = count === 0 ? "T" : `${effort}t`;
  const psth = test.psth
    ? ` Their PSTHs correlate with the recording at ${correlation(test.psth.windowed)}${test.psth.heldOut === null ? "" : `, and at ${correlation(test.psth.heldOut)} with held‑out trials`}.`
    : "";
  return `${begin}he currents of ${trained} follow their targets with a mean correlation of ${correlation(test.current.average)} (average of ${plural(test.trialsPerTask, "frozen trial")}${test.taskNames.length > 1 ? " per task" : ""}; ${correlation(test.current.single)} in single trials), explaining ${percent(test.current.varianceExplained)} of their variance.${psth}`;
}

export function summary(input: ReportInput): Html {
  return pageHeader({
    eyebrow: "Training report",
    title: input.title,
    lead: summarySentence(input),
    environment: input.environment,
    notes: input.notes,
    tiles: tiles(input),
  });
}
