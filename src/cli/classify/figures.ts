/** The figures of a classifier for people: what it got right, and what that compares with. */
import type { Outcome, SetFigures, TestedEpoch } from "../../experiment/classify/outcome.ts";
import { formatCount } from "../talk.ts";

/** `87.3 % of 200`, or the error of a curve. */
export function setText(figures: SetFigures): string {
  const { accuracy, normalisedError, samples } = figures;
  if (accuracy !== null) return `${(100 * accuracy).toFixed(2)} % of ${formatCount(samples)}`;
  return `normalised error ${(normalisedError ?? Number.NaN).toFixed(4)}`;
}

function epochLines({ train, validation, test }: TestedEpoch): string[] {
  const sets = { training: train, validation, test };
  return Object.entries(sets).flatMap(([name, figures]) =>
    figures === null ? [] : [`  ${name.padEnd(12)}${setText(figures)}`],
  );
}

export function outcomeLines({ last, best }: Outcome): string {
  const lines = [`last epoch (${last.epoch})`, ...epochLines(last)];
  if (best !== null && best.epoch !== last.epoch) {
    lines.push(`best epoch by validation (${best.epoch})`, ...epochLines(best));
  }
  return `${lines.join("\n")}\n`;
}
