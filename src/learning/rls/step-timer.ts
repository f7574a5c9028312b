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

  /** Parts in seconds; what the samples did not see is `other`. */
  split(): TimeSplit {
    const total = (performance.now() - this.#start) / 1000;
    const known = Object.values(this.#seconds).reduce((a, b) => a + b, 0) - this.#seconds.other;
    return { ...this.#seconds, other: Math.max(0, total - known) };
  }
}
