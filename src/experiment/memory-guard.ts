/** Refuses an experiment that does not fit into memory before any of it is taken, whichever door it came in by. */
import { exitCode, UserError } from "../base/errors.ts";
import type { RlsSpec } from "../learning/rls/spec.ts";
import { type Resolved, resolveExperiment } from "./resolve.ts";
import type { Experiment } from "./schema.ts";
import type { MemoryEstimate } from "./trainer-contract.ts";

/** `16.4 GB`, `820 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export interface MemoryPlan {
  /** Neurons, or copies of the recording: what the user can lower. */
  readonly size: number;
  readonly sizeName: string;
  readonly needed: MemoryEstimate;
  /** Total for another size; may throw for sizes that make no network. */
  estimate(size: number): Promise<number>;
  /** Other things that would help, for the end of the message. */
  readonly advice: string;
}

/** Largest size whose estimate fits, 0 when none does. */
export async function largestThatFits(plan: Pick<MemoryPlan, "size" | "estimate">, available: number): Promise<number> {
  const fits = async (size: number) => {
    try {
      return (await plan.estimate(size)) <= available;
    } catch {
      return true; // too small for this experiment: the memory is not what stands in the way
    }
  };
  let low = 0;
  let high = plan.size;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  try {
    return low > 0 && (await plan.estimate(low)) <= available ? low : 0;
  } catch {
    return 0;
  }
}

/** Throws when the experiment needs more than there is: need, have, and the largest that fits. */
export async function assertFits(plan: MemoryPlan, available: number): Promise<void> {
  if (plan.needed.total <= available) return;
  const largest = await largestThatFits(plan, available);
  const parts = Object.entries(plan.needed.parts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, bytes]) => `${name} ${formatBytes(bytes)}`)
    .join(", ");
  throw new UserError(
    `this experiment needs ${formatBytes(plan.needed.total)} of memory (${parts}), but ${formatBytes(available)} are available; ` +
      (largest > 0
        ? `the largest that fits is ${plan.sizeName} ${largest}. `
        : "no smaller network of this kind fits either. ") +
      plan.advice,
    exitCode.unavailable,
  );
}

/** What the check asks: how much a network would take, and how much there is, in bytes. */
export interface MemoryGauge {
  estimate(spec: RlsSpec): Promise<MemoryEstimate>;
  readonly available: number;
}

/**
 * Refuses a network that does not fit.
 *
 * @param given the experiment as written, with its "auto": smaller sizes are resolved from it.
 * @param resolved the same, as it would be built.
 * @throws UserError with need, have, and the largest network (or number of copies) of the kind that fits.
 */
export async function guardMemory(given: Experiment, resolved: Resolved, gauge: MemoryGauge): Promise<void> {
  const { experiment, spec, recording } = resolved;
  const byCopies = recording !== null && experiment.copies > 1;
  const sized = (size: number): Experiment =>
    byCopies ? { ...given, neurons: "auto", copies: size } : { ...given, neurons: size };
  const plan: MemoryPlan = {
    size: byCopies ? experiment.copies : spec.neurons,
    sizeName: byCopies ? "copies =" : "neurons =",
    needed: await gauge.estimate(spec),
    estimate: async (size) => (await gauge.estimate(resolveExperiment(sized(size), recording).spec)).total,
    advice:
      experiment.learning.precision === "f32"
        ? "learning.precision=int16 halves the largest part"
        : "Fewer plastic inputs (plastic.inputsPerType) make it smaller too",
  };
  await assertFits(plan, gauge.available);
}
