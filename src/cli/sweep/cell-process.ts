/** One cell of a sweep as a process of its own. */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { exitCode } from "../../base/errors.ts";
import type { CellEnd, RunningCell } from "./schedule.ts";

/** The message at the end of what a command said, without the progress before it. */
export function messageIn(said: string): string {
  const start = Math.max(said.lastIndexOf("error: "), said.lastIndexOf("internal fault of Volley"));
  const message = start < 0 ? (said.trimEnd().split("\n").at(-1) ?? "") : said.slice(start);
  return message.replace(/^error: /, "").trim();
}

function endOf(code: number | null, signal: NodeJS.Signals | null, said: string): CellEnd {
  if (code === exitCode.ok) return { kind: "finished" };
  if (signal === null) return { kind: "failed", message: messageIn(said), exitCode: code };
  const why = signal === "SIGKILL" ? "; most likely the machine ran out of memory: try fewer --jobs" : "";
  return { kind: "failed", message: `was ended by ${signal}${why}`, exitCode: null };
}

export interface CellPlaces {
  readonly experiment: string;
  readonly run: string;
  readonly log: string;
}

/** The last so many characters hold whatever a command says when it fails. */
const remembered = 10_000;

/**
 * @param command what starts Volley
 * @param onProgress share of the training that is done
 */
export function startCell(
  command: readonly string[],
  { experiment, run, log }: CellPlaces,
  onProgress: (fraction: number) => void,
): RunningCell {
  const [program, ...args] = [...command, "sweep-cell", experiment, run];
  // A group of its own: Ctrl-C reaches the sweep alone, which passes it on once. The channel tells the cell when the
  // sweep is gone.
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], detached: true });
  // A log that cannot be written is no reason to stop.
  const file = createWriteStream(log, { flags: "a" }).on("error", () => {});
  let said = "";
  let ending = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    file.write(text);
    said = (said + text).slice(-remembered);
    const found = [...text.matchAll(/^(?:epoch|iteration) (\d+)\/(\d+)/gm)].at(-1);
    if (found !== undefined) onProgress(Number(found[1]) / Number(found[2]));
  });
  const ended = new Promise<CellEnd>((resolve) => {
    child.on("error", (error) => resolve({ kind: "failed", message: error.message, exitCode: null }));
    child.on("close", (code, signal) => {
      file.end();
      const end = endOf(code, signal, said);
      resolve(ending && end.kind === "failed" ? { kind: "stopped" } : end);
    });
  });
  return {
    ended,
    stop() {
      ending = true;
      child.kill("SIGINT");
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
