/** The figures of a classifier for people: what it got right, and what that compares with. */
import type { Outcome, SetFigures, TestedEpoch } from "../../experiment/classify/outcome.ts";
import type { ClassifyExperiment } from "../../experiment/classify/schema.ts";
import { formatCount } from "../talk.ts";

/** `87.3 % of 200`, or the error of a curve. */
export function setText(figures: SetFigures): string {
  const { accuracy, normalisedError, samples } = figures;
  if (accuracy !== null) return `${(100 * accuracy).toFixed(2)} % of ${formatCount(samples)}`;
  return `normalised error ${(normalisedError ?? Number.NaN).toFixed(4)}`;
}

function epochLines({ train, validation, test, disturbed = [] }: TestedEpoch): string[] {
  const sets = { training: train, validation, test };
  const width = Math.max(12, ...disturbed.map(({ name }) => name.length + 8));
  return [
    ...Object.entries(sets).flatMap(([name, figures]) =>
      figures === null ? [] : [`  ${name.padEnd(width)}${setText(figures)}`],
    ),
    ...disturbed.map((figures) => `  ${`test, ${figures.name}`.padEnd(width)}${setText(figures)}`),
  ];
}

/** @param references figures of others */
export function outcomeLines({ last, best }: Outcome, references: ClassifyExperiment["references"] = []): string {
  const lines = [`last epoch (${last.epoch})`, ...epochLines(last)];
  if (best !== null && best.epoch !== last.epoch) {
    lines.push(`best epoch by validation (${best.epoch})`, ...epochLines(best));
  }
  if (references.length > 0) lines.push("published");
  for (const { what, accuracy, sd } of references) {
    const spread = sd === undefined ? "" : ` +- ${(100 * sd).toFixed(1)}`;
    lines.push(`  ${"test".padEnd(12)}${(100 * accuracy).toFixed(1)}${spread} %  ${what}`);
  }
  return `${lines.join("\n")}\n`;
}
