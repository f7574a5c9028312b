/**
 * Latency code: the stronger a number, the earlier its only spike. A leaky membrane with time constant tau that is
 * charged by the constant current x reaches `threshold` at
 *
 *   t = tau ln(x / (x - threshold))        for x > threshold, else never
 *
 * (SpyTorch, tutorial 2; stork has tau 50 ms and threshold 0.1). All numbers of a sample are inputs of their own.
 */

import { log } from "../../math/elementary.ts";
import type { StepEvents } from "../labelled-set.ts";
import { stepLimit } from "./bin-spikes.ts";
import { checkNumber } from "./check.ts";
import { type Encoder, layoutOf, rangeOf, type SetInfo } from "./encoder.ts";
import { StepSorter } from "./step-sorter.ts";

export interface LatencyOptions {
  /** Default 20 ms. */
  readonly tauMs?: number;
  /** Default 0.2, where the range is 0 to 1. */
  readonly threshold?: number;
  /** Width of a step, ms. Default 1. */
  readonly dtMs?: number;
  /** Later spikes are left out. Default 100. */
  readonly steps?: number;
  /** Numbers that become x = 0 and x = 1. Default: the set's, else 0 to 1. */
  readonly range?: readonly [number, number];
}

const sorter = new StepSorter();

export function latencyEncoder(info: SetInfo, options: LatencyOptions = {}): Encoder {
  const { tauMs = 20, threshold = 0.2, dtMs = 1, steps = 100 } = options;
  const layout = layoutOf("latency", info, "whole");
  const [low, high] = rangeOf("latency", info, options.range);
  checkNumber('encoder "latency": tauMs', tauMs, { above: 0 });
  checkNumber('encoder "latency": threshold', threshold, { above: 0 });
  checkNumber('encoder "latency": dtMs', dtMs, { above: 0 });
  checkNumber('encoder "latency": steps', steps, { min: 1, max: stepLimit, whole: true });
  return {
    channels: layout.inputs,
    shape: layout.shape,
    maxSteps: steps,
    random: false,
    encode(sample): StepEvents {
      layout.points(sample);
      const numbers = layout.values(sample);
      sorter.clear();
      for (let i = 0; i < numbers.length; i++) {
        const x = (numbers[i] - low) / (high - low);
        if (!(x > threshold)) continue;
        const step = Math.floor((tauMs * log(x / (x - threshold))) / dtMs);
        if (step < steps) sorter.push(step, i);
      }
      return sorter.finish(steps);
    },
  };
}
