/** How much memory there is to take, in Node. What becomes of an experiment that needs more: memory-guard.ts. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";

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
