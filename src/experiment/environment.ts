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

/** The version in package.json, which lies two folders above `src/experiment` and `dist/experiment` alike. */
export function volleyVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
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
