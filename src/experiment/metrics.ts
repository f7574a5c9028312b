/**
 * `metrics.jsonl`: one iteration per line, appended as it happens. The file is the truth that tables and reports are
 * made from.
 *
 * A process that dies may leave half a line, and lines of iterations that no checkpoint has seen. Both go when the run
 * is taken up again, so that in the end the file is that of a run never stopped, timings apart.
 */
import { dataError } from "../base/errors.ts";
import type { IterationReport } from "../learning/rls/results.ts";
import {
  type FileSystem,
  nodeFileSystem,
  type OutputFile,
  readTextIfPresent,
  replaceText,
  writeFailed,
} from "./file-system.ts";

/** JSON has no NaN: a figure that is not a number is written as null. */
function parseLine(line: string): IterationReport | undefined {
  try {
    const value = JSON.parse(line) as IterationReport;
    return typeof value === "object" && value !== null && Number.isInteger(value.iteration) ? value : undefined;
  } catch {
    return undefined;
  }
}

function splitLines(text: string, path: string): { line: string; report: IterationReport }[] {
  const lines = text.split("\n");
  const found: { line: string; report: IterationReport }[] = [];
  lines.forEach((line, index) => {
    // What follows the last newline is a line that was never finished.
    if (index === lines.length - 1 || line === "") return;
    const report = parseLine(line);
    if (report === undefined) {
      throw dataError(
        `${path} is damaged: line ${index + 1} is not the report of an iteration; delete the line or the file`,
      );
    }
    found.push({ line, report });
  });
  return found;
}

/** The reports in a file, an unfinished last line left out; none when there is no file. */
export async function readMetrics(path: string): Promise<IterationReport[]> {
  const text = (await readTextIfPresent(path)) ?? "";
  return splitLines(text, path).map(({ report }) => report);
}

export class MetricsWriter {
  private constructor(
    private readonly path: string,
    private readonly file: OutputFile,
  ) {}

  /** Cuts the file to the iterations up to `lastIteration` and opens it for more. */
  static async open(
    path: string,
    lastIteration: number,
    fileSystem: FileSystem = nodeFileSystem,
  ): Promise<MetricsWriter> {
    const text = (await readTextIfPresent(path)) ?? "";
    const kept = splitLines(text, path).filter(({ report }) => report.iteration <= lastIteration);
    const whole = kept.map(({ line }) => `${line}\n`).join("");
    if (whole !== text) await replaceText(path, whole, fileSystem);
    try {
      return new MetricsWriter(path, await fileSystem.append(path));
    } catch (cause) {
      throw writeFailed(path, cause);
    }
  }

  async append(report: IterationReport): Promise<void> {
    try {
      await this.file.write(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
    } catch (cause) {
      throw writeFailed(this.path, cause, "The newest checkpoint is kept; free some space and resume.");
    }
  }

  /** Called before a checkpoint, so that no checkpoint knows more than the file. */
  async sync(): Promise<void> {
    try {
      await this.file.sync();
    } catch (cause) {
      throw writeFailed(this.path, cause);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
