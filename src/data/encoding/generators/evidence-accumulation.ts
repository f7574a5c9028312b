/**
 * Evidence accumulation (Bellec et al., Nature Communications 11, 2020, figure 3; rates and times are those of the
 * authors' tutorial code): cues come from the left or from the right, one after another; after a delay the network must
 * say which side had more.
 *
 * Inputs are four groups: left (first), right, recall, noise. Cue k of 7 makes its group fire for 100 ms, from 50 ms + k
 * 150 ms on. The recall group fires during the last 150 ms, which is when the answer counts; the noise group always, at a
 * quarter of the rate. In each trial one side, either with probability 1/2, is favoured: each cue is from there with
 * probability 0.7.
 */

import { UserError } from "../../../base/errors.ts";
import { openDraws } from "../../../random/draws.ts";
import type { LabelledSet, SpikeTrains } from "../../labelled-set.ts";
import { bernoulliSteps } from "../bernoulli.ts";
import { checkNumber } from "../check.ts";
import { sortByTime } from "../sort-spikes.ts";
import { generatedSet } from "./generated-set.ts";

export interface EvidenceAccumulationOptions {
  readonly seed: number;
  /** Number of trials. Training that should never meet one twice asks for as many as it needs: 12 bytes each. */
  readonly trials: number;
  /** Odd, so that one side always has more; at most 31. Default 7. */
  readonly cues?: number;
  /** From the last cue to the recall, ms. Default 1050. */
  readonly delayMs?: number;
  /** Inputs of each of the four groups. Default 10. */
  readonly groupSize?: number;
  /** Rate of an input while its group is active, Hz; noise has a quarter. Default 40. */
  readonly rateHz?: number;
}

export interface EvidenceAccumulationSet extends LabelledSet {
  /** Length of a trial, ms; 2250 by default. */
  readonly trialMs: number;
  /** The answer counts from here to the end, ms. */
  readonly scoredFromMs: number;
}

const cueMs = 100;
const cueSpacingMs = 150;
const recallMs = 150;
const favouredProbability = 0.7;
const trialLimit = 2 ** 23;

/** Spikes fall on whole ms, at most one per input and ms. Column `rightCues`: how many cues came from the right. */
export function evidenceAccumulation(options: EvidenceAccumulationOptions): EvidenceAccumulationSet {
  const { seed, trials, cues = 7, delayMs = 1050, groupSize = 10, rateHz = 40 } = options;
  const who = "evidence accumulation";
  checkNumber(`${who}: trials`, trials, { min: 1, max: trialLimit, whole: true });
  checkNumber(`${who}: cues`, cues, { min: 1, max: 31, whole: true });
  if (cues % 2 === 0) throw new UserError(`${who}: cues is ${cues}; it must be odd, so that one side always has more`);
  checkNumber(`${who}: delayMs`, delayMs, { min: 0, max: 1e6, whole: true });
  checkNumber(`${who}: groupSize`, groupSize, { min: 1, max: 1e5, whole: true });
  checkNumber(`${who}: rateHz`, rateHz, { above: 0, max: 1000 });
  const p = rateHz / 1000;
  const recallFrom = cues * cueSpacingMs + delayMs;
  const trialMs = recallFrom + recallMs;

  // Bit k of a trial: cue k came from the right.
  const sides = new Uint32Array(trials);
  const rightCues = new Int32Array(trials);
  const draws = openDraws(seed, "evidence accumulation: sides of the cues");
  for (let trial = 0; trial < trials; trial++) {
    const rightProbability = draws.uniform() < 0.5 ? favouredProbability : 1 - favouredProbability;
    for (let cue = 0; cue < cues; cue++) {
      if (draws.uniform() >= rightProbability) continue;
      sides[trial] |= 1 << cue;
      rightCues[trial]++;
    }
  }

  function sample(trial: number): SpikeTrains {
    const random = openDraws(seed, `evidence accumulation: spikes of trial ${trial}`);
    const times: number[] = [];
    const units: number[] = [];
    const fire = (group: number, probability: number, from: number, to: number): void => {
      for (let unit = group * groupSize; unit < (group + 1) * groupSize; unit++) {
        bernoulliSteps(random, probability, from, to, (step) => {
          times.push(step);
          units.push(unit);
        });
      }
    };
    for (let cue = 0; cue < cues; cue++) {
      const from = cue * cueSpacingMs + (cueSpacingMs - cueMs);
      fire((sides[trial] >>> cue) & 1, p, from, from + cueMs);
    }
    fire(2, p, recallFrom, trialMs);
    fire(3, p / 4, 0, trialMs);
    return sortByTime(Float32Array.from(times), Uint32Array.from(units));
  }

  const set = generatedSet({
    name: "evidence accumulation",
    channels: 4 * groupSize,
    durationMs: trialMs - 1,
    classNames: ["left", "right"],
    labels: Uint32Array.from(rightCues, (right) => (right > cues / 2 ? 1 : 0)),
    columns: { rightCues },
    sample,
  });
  return { ...set, trialMs, scoredFromMs: recallFrom };
}
