/**
 * Rate code: at every step of a time point, input i spikes with probability
 *
 *   p = rate dt (x - low) / (high - low),   the fraction kept within 0 and 1
 *
 * independently of all others: Poisson spikes of that rate, at most one per step.
 */

import type { Draws } from "../../random/draws.ts";
import type { StepEvents } from "../labelled-set.ts";
import { bernoulliSteps } from "./bernoulli.ts";
import { checkNumber } from "./check.ts";
import { type Encoder, heldSteps, layoutOf, type Presentation, rangeOf, type SetInfo } from "./encoder.ts";
import { StepSorter } from "./step-sorter.ts";

export interface PoissonOptions {
  /** Rate at the top of the range, Hz. Default 100. */
  readonly rateHz?: number;
  /** Width of a step, ms. Default 1. */
  readonly dtMs?: number;
  /** Default "whole". */
  readonly present?: Presentation;
  /** Steps for which each time point is held. Default 100. */
  readonly stepsPerFrame?: number;
  /** Numbers that become silence and the full rate. Default: the set's, else 0 to 1. */
  readonly range?: readonly [number, number];
}

const sorter = new StepSorter();

export function poissonEncoder(info: SetInfo, options: PoissonOptions = {}): Encoder {
  const { rateHz = 100, dtMs = 1, present = "whole", stepsPerFrame = 100 } = options;
  const layout = layoutOf("poisson", info, present);
  const maxSteps = heldSteps("poisson", layout, stepsPerFrame);
  const [low, high] = rangeOf("poisson", info, options.range);
  checkNumber('encoder "poisson": dtMs', dtMs, { above: 0 });
  checkNumber('encoder "poisson": rateHz', rateHz, { above: 0, max: 1000 / dtMs });
  const most = (rateHz * dtMs) / 1000;
  const { inputs } = layout;
  return {
    channels: inputs,
    shape: layout.shape,
    maxSteps,
    random: true,
    encode(sample, draws: Draws): StepEvents {
      const points = layout.points(sample);
      const numbers = layout.values(sample);
      sorter.clear();
      for (let point = 0; point < points; point++) {
        const from = point * stepsPerFrame;
        for (let input = 0; input < inputs; input++) {
          const fraction = (numbers[point * inputs + input] - low) / (high - low);
          const p = most * Math.min(1, fraction);
          bernoulliSteps(draws, p, from, from + stepsPerFrame, (step) => sorter.push(step, input));
        }
      }
      return sorter.finish(points * stepsPerFrame);
    },
  };
}
