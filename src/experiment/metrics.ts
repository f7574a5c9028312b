/**
 * `metrics.jsonl`: one iteration (or epoch) per line, appended as it happens. The file is the truth that tables and reports are
 * made from.
 *
 * A process that dies may leave half a line, and lines of iterations that no checkpoint has seen. Both go when the run
 * is taken up again, so that in the end the file is that of a run never stopped, timings apart.
 */
import { dataError } from "../base/errors.ts";
import {
  type FileSystem,
  nodeFileSystem,
  type OutputFile,
  readTextIfPresent,
  replaceText,
  writeFailed,
} from "./file-system.ts";

/** What a line reports on, and the key under which its number stands. */
export type MetricsKey = "iteration" | "epoch";

/** JSON has no NaN: a figure that is not a number is written as null. */
function parseLine<Key extends MetricsKey>(line: string, key: Key): Record<Key, number> | undefined {
  try {
    const value = JSON.parse(line) as Record<Key, number>;
    return typeof value === "object" && value !== null && Number.isInteger(value[key]) ? value : undefined;
  } catch {
    return undefined;
  }
}

function splitLines<Key extends MetricsKey>(text: string, path: string, key: Key) {
  const lines = text.split("\n");
  const found: { line: string; report: Record<Key, number> }[] = [];
  lines.forEach((line, index) => {
    // What follows the last newline is a line that was never finished.
    if (index === lines.length - 1 || line === "") return;
    const report = parseLine(line, key);
    if (report === undefined) {
      throw dataError(
        `${path} is damaged: line ${index + 1} is not the report of an ${key}; delete the line or the file`,
      );
    }
    found.push({ line, report });
  });
  return found;
}

/** The reports in a file, an unfinished last line left out; none when there is no file. */
export async function readMetrics<Report>(path: string, key: MetricsKey): Promise<Report[]> {
  const text = (await readTextIfPresent(path)) ?? "";
  return splitLines(text, path, key).map(({ report }) => report as Report);
}

export class MetricsWriter<Report> {
  private constructor(
    private readonly path: string,
    private readonly file: OutputFile,
  ) {}

  /** Cuts the file to the lines up to number `last` and opens it for more. */
  static async open<Report>(
    path: string,
    key: MetricsKey,
    last: number,
    fileSystem: FileSystem = nodeFileSystem,
  ): Promise<MetricsWriter<Report>> {
    const text = (await readTextIfPresent(path)) ?? "";
    const kept = splitLines(text, path, key).filter(({ report }) => report[key] <= last);
    const whole = kept.map(({ line }) => `${line}\n`).join("");
    if (whole !== text) await replaceText(path, whole, fileSystem);
    try {
      return new MetricsWriter(path, await fileSystem.append(path));
    } catch (cause) {
      throw writeFailed(path, cause);
    }
  }

  async append(report: Report): Promise<void> {
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
