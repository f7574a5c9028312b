/** The figures of a frozen test, for people and for programs. */
import type { TestReport } from "../learning/rls/results.ts";
import { formatFigure } from "./talk.ts";

/** The object of `volley test --json`. A figure that does not exist is null. */
export function testFigures(report: TestReport) {
  const { current, psth } = report;
  return {
    current: {
      single: current.single,
      average: current.average,
      worstTrial: current.worstTrial,
      varianceExplained: current.varianceExplained,
      undefinedNeurons: current.undefinedNeurons,
    },
    psth: psth && {
      correlation: psth.windowed,
      binned: psth.binned,
      windowMs: psth.windowMs,
      selectivity: psth.selectivity,
      heldOut: psth.heldOut,
    },
    rateHz: report.rateHz,
    rateInWindowHz: report.rateInWindowHz,
    highestTrialRateHz: report.highestTrialRateHz,
    neurons: report.trained.length,
    trials: report.trialsPerTask,
  };
}

/** The same as lines to read. */
export function testLines(report: TestReport): string {
  const { current, psth, trialsPerTask: trials } = report;
  const tasks = report.taskNames.length;
  const lines = [
    `frozen test of ${report.trained.length} neurons, ${trials} trial${trials === 1 ? "" : "s"}${tasks > 1 ? ` of each of ${tasks} tasks` : ""}`,
    `  current, single trial      ${formatFigure(current.single)} correlation (worst trial ${formatFigure(current.worstTrial)})`,
    `  current, mean of trials    ${formatFigure(current.average)} correlation, ${formatFigure(current.varianceExplained)} of the variance explained`,
  ];
  if (psth !== null) {
    lines.push(
      `  firing rate over time      ${formatFigure(psth.windowed)} correlation in windows of +-${psth.windowMs} ms, ${formatFigure(psth.binned)} in single bins`,
    );
    if (psth.selectivity !== null)
      lines.push(`  selectivity between tasks  ${formatFigure(psth.selectivity)} correlation`);
    if (psth.heldOut !== null) lines.push(`  held-out trials            ${formatFigure(psth.heldOut)} correlation`);
  }
  lines.push(
    `  rate                       ${report.rateHz.toFixed(2)} Hz (${report.rateInWindowHz.toFixed(2)} while trained, highest trial ${report.highestTrialRateHz.toFixed(2)})`,
  );
  if (current.undefinedNeurons > 0) {
    lines.push(`  left out                   ${current.undefinedNeurons} neurons whose target or current is constant`);
  }
  return `${lines.join("\n")}\n`;
}
