/** Refuses an experiment that does not fit into memory before any of it is taken. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { exitCode, UserError } from "../base/errors.ts";

function readNumber(path: string): number | undefined {
  try {
    const value = Number(readFileSync(path, "utf8").trim());
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the system says can be taken without swapping. */
function systemAvailable(): number {
  try {
    const match = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"));
    if (match) return Number(match[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return freemem();
}

/** File pages that the container's memory count holds, but that go when somebody needs the space. */
function reclaimable(statFile: string): number {
  try {
    return Number(/^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(statFile, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What the container or job allows on top of what it uses already (cgroup v2, then v1). */
function containerAvailable(): number {
  const root = "/sys/fs/cgroup";
  for (const [limitFile, usedFile, statFile] of [
    [`${root}/memory.max`, `${root}/memory.current`, `${root}/memory.stat`],
    [`${root}/memory/memory.limit_in_bytes`, `${root}/memory/memory.usage_in_bytes`, `${root}/memory/memory.stat`],
  ]) {
    const limit = readNumber(limitFile);
    const used = readNumber(usedFile);
    if (limit !== undefined && used !== undefined) return Math.max(0, limit - used + reclaimable(statFile));
  }
  return Number.POSITIVE_INFINITY;
}

/** Bytes this process can still take. */
export function availableMemory(): number {
  return Math.min(systemAvailable(), containerAvailable());
}

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
  readonly needed: { readonly total: number; readonly parts: Readonly<Record<string, number>> };
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
export async function assertFits(plan: MemoryPlan, available = availableMemory()): Promise<void> {
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
