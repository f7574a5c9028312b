/**
 * Where the time of a trial goes. Reading the clock several times in each of 20 000 steps would itself cost: learning
 * steps are timed always, the others one in sixteen and counted sixteen times.
 */
import type { TimeSplit } from "./results.ts";

type Part = keyof TimeSplit;
const every = 16;

export class StepTimer {
  readonly #seconds: Record<Part, number> = { rls: 0, neurons: 0, noise: 0, delivery: 0, exchange: 0, other: 0 };
  readonly #start = performance.now();
  #sampled = false;
  #last = 0;

  begin(step: number): void {
    this.#sampled = step % every === 1;
    if (this.#sampled) this.#last = performance.now();
  }

  /** The time since the last mark belongs to `part`. */
  mark(part: Part): void {
    if (part === "rls") {
      const now = performance.now();
      this.#seconds.rls += (now - this.#last) / 1000;
      this.#last = now;
      return;
    }
    if (!this.#sampled) return;
    const now = performance.now();
    this.#seconds[part] += (every * (now - this.#last)) / 1000;
    this.#last = now;
  }

  /** Before work that is timed whole. */
  beginWhole(): void {
    this.#last = performance.now();
  }

  /** Parts in seconds that add up to the time of the trial; what the samples did not see is `other`. */
  split(): TimeSplit {
    const total = (performance.now() - this.#start) / 1000;
    const { rls, neurons, noise, delivery, exchange } = this.#seconds;
    const sampled = neurons + noise + delivery + exchange;
    // One step in sixteen is a sample: on a busy machine it may have been an unlucky one.
    const fair = Math.min(1, (total - rls) / sampled);
    return {
      rls,
      neurons: neurons * fair,
      noise: noise * fair,
      delivery: delivery * fair,
      exchange: exchange * fair,
      other: Math.max(0, total - rls - sampled * fair),
    };
  }
}
