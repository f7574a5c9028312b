/**
 * Spikes that fall on each step with one probability, independently: a Poisson process of rate p / dt for small p. The
 * silent steps before a spike follow the geometric law
 *
 *   P(gap >= g) = (1 - p)^g,   so   gap = floor(ln u / ln(1 - p)),  u uniform in (0, 1)
 *
 * and only spikes cost time.
 */

import { log } from "../../math/elementary.ts";
import type { Draws } from "../../random/draws.ts";

/** Calls `spike(step)` for steps from .. to-1, ascending, each with probability p (0 <= p <= 1). */
export function bernoulliSteps(draws: Draws, p: number, from: number, to: number, spike: (step: number) => void): void {
  const logSilent = log(1 - p);
  // 0 for p = 0 and for p that rounding swallows. With p = 1 it is -Infinity and every gap 0.
  if (!(logSilent < 0)) return;
  for (let step = from; ; step++) {
    step += Math.floor(log(draws.uniform()) / logSilent);
    if (!(step < to)) return;
    spike(step);
  }
}
