/** How long a person waits for the first sign of life: the command itself, started as a process of its own. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Spread, spreadOf } from "./measurement.ts";

export interface FirstProgress {
  /** From the start of the process to the first line on stderr. */
  readonly firstLineSeconds: Spread;
  /** To the line that reports the first iteration: the network is built and has learnt once. */
  readonly firstIterationSeconds: Spread;
}

/** Starts `volley train ARGS --iterations 1` `repeat` times; each is ended once it has said what is waited for. */
export async function firstProgress(args: readonly string[], repeat: number): Promise<FirstProgress> {
  const folder = await mkdtemp(join(tmpdir(), "volley-bench-"));
  try {
    const times: { line: number; iteration: number }[] = [];
    for (let i = 0; i < repeat; i++) times.push(await oneStart(args, join(folder, `${i}`)));
    return {
      firstLineSeconds: spreadOf(times.map(({ line }) => line)),
      firstIterationSeconds: spreadOf(times.map(({ iteration }) => iteration)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function oneStart(args: readonly string[], out: string): Promise<{ line: number; iteration: number }> {
  const main = fileURLToPath(new URL("../main.js", import.meta.url));
  const rest = ["--iterations", "1", "--no-report", "--set", "test.trials=0", "--out", out];
  const started = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, main, "train", ...args, ...rest], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    let line: number | undefined;
    let iteration: number | undefined;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const seconds = (performance.now() - started) / 1000;
      said += text;
      if (said.includes("\n")) line ??= seconds;
      if (iteration === undefined && /^iteration 1\/.*\n/m.test(said)) {
        iteration = seconds;
        child.kill("SIGKILL");
      }
    });
    child.on("error", reject);
    child.on("close", () => {
      if (line !== undefined && iteration !== undefined) resolve({ line, iteration });
      else reject(new Error(`volley train ${args.join(" ")} ended without progress:\n${said}`));
    });
  });
}
