/** Training watches itself: numbers that mean the network is lost end the run while a good checkpoint is there. */
import type { IterationReport } from "../learning/rls/results.ts";
import type { RlsSpec } from "../learning/rls/spec.ts";

/** No cortical network fires like this; a refractory period of one step would allow 5000 Hz. */
export const highestRateHz = 200;

/** Why this iteration means that training diverged, with the likely cause, or undefined. */
export function divergence(report: IterationReport, spec: RlsSpec): string | undefined {
  const { rateHz, rmsError, correlation } = report;
  for (const [name, value] of Object.entries({ rateHz, rmsError, correlation })) {
    if (value !== null && !Number.isFinite(value)) {
      return (
        `${name} is ${value}. Likely cause: constants that make the network unstable ` +
        "(tau close to timing.dtMs, very large targets), or learning.lambda too small for 16-bit P"
      );
    }
  }
  if (rateHz > highestRateHz) {
    return (
      `the neurons fire at ${rateHz.toFixed(0)} Hz. Likely cause: run-away excitation; ` +
      "raise learning.lambda, lower plastic.weightScale, or check that the targets are in units of threshold"
    );
  }
  if (rateHz === 0) {
    return (
      "no neuron fired. Likely cause: too little drive; " +
      (spec.static === null ? "raise noise.sigma" : "raise static.jxFactor") +
      ", give drive explicitly, or check that the targets are in units of threshold"
    );
  }
  return undefined;
}
