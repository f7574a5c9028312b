/** Multiplies the weights of a layer until its free membrane has the standard deviation that is aimed at. */
import { exp, log } from "../../math/elementary.ts";

/** Weights that can be multiplied, and what they then do. */
export interface Scalable {
  multiply(factor: number): void;
  /** Standard deviation of the free membrane, above 0. */
  sigma(): number;
}

/** What came of weights that were multiplied by `scale` in all. */
interface Trial {
  readonly scale: number;
  readonly sigma: number;
}

/** Exact enough. */
const tolerance = 0.005;
const mostSteps = 12;

/** Ends within `tolerance` of the aim, or after `mostSteps` at the scale that came nearest. */
export function bringTo(aim: number, weights: Scalable): void {
  let scale = 1;
  const moveTo = (next: number) => {
    weights.multiply(next / scale);
    scale = next;
  };
  let best: Trial | null = null;
  let [weak, strong]: (Trial | null)[] = [null, null];
  for (let step = 0; ; step++) {
    const trial: Trial = { scale, sigma: weights.sigma() };
    if (best === null || Math.abs(trial.sigma - aim) < Math.abs(best.sigma - aim)) best = trial;
    if (Math.abs(trial.sigma / aim - 1) < tolerance) return;
    if (step === mostSteps) {
      if (best !== trial) moveTo(best.scale);
      return;
    }
    if (trial.sigma < aim) weak = trial;
    else strong = trial;
    moveTo(weak !== null && strong !== null ? between(weak, strong, aim) : (scale * aim) / trial.sigma);
  }
}

/**
 * Where recurrent spikes answer, sigma grows faster than the weights, as a power of them: a step by aim / sigma would go
 * too far, back and forth. Between a scale that is too weak and one that is too strong the power is known.
 */
function between(weak: Trial, strong: Trial, aim: number): number {
  const share = log(aim / weak.sigma) / log(strong.sigma / weak.sigma);
  return weak.scale * exp(share * log(strong.scale / weak.scale));
}
