/** One line of metrics.jsonl from what the members tell about a training trial. */
import { mean, median } from "../../math/statistics.ts";
import { concatenate } from "./concatenate.ts";
import type { TrainOutcome } from "./host.ts";
import type { IterationReport, TimeSplit } from "./results.ts";
import type { RlsSpec } from "./spec.ts";
import { trialSteps } from "./timing.ts";
import type { TrialOutcome, TrialRequest } from "./trial.ts";

/** @param outcomes of all members, in the order of ranks; sums over neurons go in their order. */
export function iterationReport(
  spec: RlsSpec,
  { trial, task, record }: TrialRequest,
  outcomes: readonly TrainOutcome[],
  seconds: number,
): IterationReport {
  const { rows, steps } = trialSteps(spec.timing);
  const all = record
    ? concatenate(
        Float64Array,
        outcomes.map((outcome) => outcome.correlations!),
      )
    : null;
  const known = all?.filter((value) => !Number.isNaN(value));
  const counts = concatenate(
    Uint32Array,
    outcomes.map((outcome) => outcome.spikeCounts),
  );
  const rate = (from: number, to: number) =>
    to > from ? (1000 * mean(counts.subarray(from, to))) / (steps * spec.timing.dtMs) : 0;
  const updates = rows * outcomes.reduce((n, { squaredError }) => n + squaredError.length, 0);
  const total = (field: "squaredError" | "gain") =>
    outcomes.reduce((sum, outcome) => outcome[field].reduce((s, value) => s + value, sum), 0);
  return {
    iteration: trial,
    task,
    correlation: known ? mean(known) : null,
    medianCorrelation: known ? median(known) : null,
    undefinedCorrelations: all && known ? all.length - known.length : 0,
    rateHz: rate(0, counts.length),
    rateExcitatoryHz: rate(0, spec.excitatory),
    rateInhibitoryHz: rate(spec.excitatory, counts.length),
    rmsError: Math.sqrt(total("squaredError") / updates),
    seconds,
    split: meanSplit(outcomes),
    health: {
      resets: outcomes.reduce((n, { resets }) => n + resets, 0),
      meanGain: total("gain") / updates,
      largestGain: outcomes.reduce((most, outcome) => outcome.largestGain.reduce((a, b) => Math.max(a, b), most), 0),
    },
  };
}

/** Means over workers. */
function meanSplit(outcomes: readonly TrialOutcome[]): TimeSplit {
  const part = (name: keyof TimeSplit) => mean(outcomes.map(({ split }) => split[name]));
  return {
    rls: part("rls"),
    neurons: part("neurons"),
    noise: part("noise"),
    delivery: part("delivery"),
    exchange: part("exchange"),
    other: part("other"),
  };
}
