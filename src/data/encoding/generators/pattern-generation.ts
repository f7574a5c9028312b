/**
 * Pattern generation (Bellec et al., Nature Communications 11, 2020, supplement; rates and periods are those of the
 * authors' tutorial code): driven by Poisson spikes that are the same in every trial, the network must produce a curve.
 *
 *   y(t) = sum_i w_i sin(2 pi (n_i t / (T - 1) + phi_i)),   t = 0 .. T-1 ms,   n_i = floor(T / period_i)
 *
 * with periods 1000, 500, 333 and 200 ms, w uniform in (0.5, 2) and phi in (0, 1); then y(0) is subtracted, and y is
 * divided by its largest magnitude.
 */

import { openDraws } from "../../../random/draws.ts";
import type { Frames, LabelledSet } from "../../labelled-set.ts";
import { bernoulliSteps } from "../bernoulli.ts";
import { checkNumber } from "../check.ts";
import { sortByTime } from "../sort-spikes.ts";
import { generatedSet } from "./generated-set.ts";
import { sinOfTurns } from "./sin-of-turns.ts";

export interface PatternGenerationOptions {
  readonly seed: number;
  /** Default 100. */
  readonly inputs?: number;
  /** Curves to produce at once. Default 1. */
  readonly outputs?: number;
  /** T, ms. Default 1000. */
  readonly trialMs?: number;
  /** Rate of the inputs, Hz. Default 50. */
  readonly rateHz?: number;
}

export interface PatternGenerationTask {
  /** The input spikes, as a set of one sample without a class of its own. */
  readonly inputs: LabelledSet;
  /** What the readout should be at each ms: a frame per ms, a number per output, within -1 .. 1. */
  readonly target: Frames;
  readonly outputs: number;
  /** Length of a trial, ms. */
  readonly trialMs: number;
}

const periodsMs = [1000, 500, 333, 200];

export function patternGeneration(options: PatternGenerationOptions): PatternGenerationTask {
  const { seed, inputs = 100, outputs = 1, trialMs = 1000, rateHz = 50 } = options;
  checkNumber("pattern generation: inputs", inputs, { min: 1, max: 1e6, whole: true });
  checkNumber("pattern generation: outputs", outputs, { min: 1, max: 1e4, whole: true });
  checkNumber("pattern generation: trialMs", trialMs, { min: 200, max: 1e6, whole: true });
  checkNumber("pattern generation: rateHz", rateHz, { above: 0, max: 1000 });

  const times: number[] = [];
  const units: number[] = [];
  const draws = openDraws(seed, "pattern generation: input spikes");
  for (let unit = 0; unit < inputs; unit++) {
    bernoulliSteps(draws, rateHz / 1000, 0, trialMs, (step) => {
      times.push(step);
      units.push(unit);
    });
  }
  const spikes = sortByTime(Float32Array.from(times), Uint32Array.from(units));

  const values = new Float32Array(trialMs * outputs);
  for (let output = 0; output < outputs; output++) {
    const curve = sumOfSines(seed, `pattern generation: curve ${output}`, trialMs);
    for (let t = 0; t < trialMs; t++) values[t * outputs + output] = curve[t];
  }
  return {
    inputs: generatedSet({
      name: "pattern generation",
      channels: inputs,
      durationMs: trialMs - 1,
      classNames: ["pattern"],
      labels: new Uint32Array(1),
      sample: () => ({ ...spikes, timesMs: spikes.timesMs.slice(), units: spikes.units.slice() }),
    }),
    target: { kind: "frames", frames: trialMs, values },
    outputs,
    trialMs,
  };
}

function sumOfSines(seed: number, name: string, trialMs: number): Float64Array {
  const draws = openDraws(seed, name);
  const curve = new Float64Array(trialMs);
  for (const periodMs of periodsMs) {
    const weight = 0.5 + 1.5 * draws.uniform();
    const phase = draws.uniform();
    const cycles = Math.floor(trialMs / periodMs);
    for (let t = 0; t < trialMs; t++) {
      curve[t] += weight * sinOfTurns((cycles * t) / (trialMs - 1) + phase);
    }
  }
  const first = curve[0];
  let largest = 0;
  for (let t = 0; t < trialMs; t++) {
    curve[t] -= first;
    largest = Math.max(largest, Math.abs(curve[t]));
  }
  return curve.map((value) => value / largest);
}
