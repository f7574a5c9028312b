/** Where a run was made: written beside the results, never into them. */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";

export interface Environment {
  readonly volley: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly threads: number;
  /** Relaxed SIMD was asked for. */
  readonly fast: boolean;
  readonly command: readonly string[];
  readonly startedAt: string;
}

/** The version in package.json, from `src/` and from `dist/` alike. */
export function volleyVersion(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as {
        name?: string;
        version: string;
      };
      if (found.name === "volley") return found.version;
    } catch {
      // Not at this depth.
    }
  }
  return "unknown";
}

export function describeEnvironment(options: {
  threads: number;
  fast: boolean;
  command: readonly string[];
}): Environment {
  return {
    volley: volleyVersion(),
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    ...options,
    startedAt: new Date().toISOString(),
  };
}
