/** What every workload says of its measurements: the machine, medians with their range, and a table to read. */
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { median } from "../../math/statistics.ts";
import { runtimeFeatures } from "../features.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly platform: string;
  readonly memoryBytes: number;
  readonly simd: { readonly plain: boolean; readonly relaxed: boolean };
  /** Processes that wanted a core during the last minute, as the system counts them when the workload starts. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  const { simd, relaxedSimd } = runtimeFeatures();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    platform: `${platform()} ${release()}`,
    memoryBytes: totalmem(),
    simd: { plain: simd, relaxed: relaxedSimd },
    loadAverage: loadavg()[0],
  };
}

export function machineLine({ cpu, cores, node, simd, loadAverage }: Machine): string {
  const relaxed = simd.relaxed ? "plain and relaxed SIMD" : "plain SIMD";
  return `${cpu}, ${cores} cores, Node ${node.slice(1)}, ${relaxed}; load before ${loadAverage.toFixed(1)}\n`;
}

/** A median and the range it comes from. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** `0.300 (0.291..0.352)`, or one number for one measurement. */
export function spreadText({ median, min, max }: Spread): string {
  return min === max ? digits(median) : `${digits(median)} (${digits(min)}..${digits(max)})`;
}

/** Three digits that matter. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Columns aligned to the left for words, to the right for numbers. */
export function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headers.map((header, c) => Math.max(header.length, ...rows.map((row) => row[c].length)));
  const isNumber = headers.map((_, c) => rows.every((row) => /^[-\d]/.test(row[c])));
  const line = (cells: readonly string[]) =>
    cells.map((cell, c) => (isNumber[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join("  ");
  return [line(headers), ...rows.map(line)].map((text) => `${text.trimEnd()}\n`).join("");
}

/** 1 and as many as are asked for, or as there are cores. */
export function threadCounts(asked: number | undefined): number[] {
  return [...new Set([1, asked ?? availableParallelism()])];
}

/** The largest memory that this process has held so far. */
export const peakRssBytes = (): number => process.resourceUsage().maxRSS * 1024;
