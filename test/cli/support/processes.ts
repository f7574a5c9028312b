/** Starts the command line as real processes, with the engine that learns nothing or the one that is shipped. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import type { FakeSettings } from "./fake-trainer.ts";
import { transpileRepository } from "./transpile.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when stderr has shown this. */
  shown(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly cwd?: string;
  /** Settings of the engine that learns nothing, or the engine that is shipped. */
  readonly fake?: FakeSettings | "shipped";
  /** Words before the command. */
  readonly prefix?: readonly string[];
}

export interface CommandLine {
  start(args: readonly string[], options?: StartOptions): Running;
  remove(): void;
}

export async function commandLine(): Promise<CommandLine> {
  const { folder, remove } = await transpileRepository();
  const fakeScript = join(folder, "test/cli/support/fake-volley.js");
  const shippedScript = join(folder, "src/cli/main.js");
  return {
    remove,
    start(args, { cwd, fake = {}, prefix = [] } = {}) {
      const script = fake === "shipped" ? shippedScript : fakeScript;
      const [program, ...rest] = [...prefix, process.execPath, script, ...args];
      const child = spawn(program, rest, { cwd, env: { ...process.env, VOLLEY_FAKE: JSON.stringify(fake) } });
      let stdout = "";
      let stderr = "";
      const waiting = new Set<() => void>();
      child.stdout.on("data", (text) => {
        stdout += text;
      });
      child.stderr.on("data", (text) => {
        stderr += text;
        for (const check of waiting) check();
      });
      const ended = new Promise<Ended>((resolve) => {
        child.on("close", (code) => resolve({ code, stdout, stderr }));
      });
      return {
        child,
        ended,
        shown: (pattern) =>
          new Promise((resolve, reject) => {
            const check = () => {
              if (!pattern.test(stderr)) return;
              waiting.delete(check);
              resolve();
            };
            waiting.add(check);
            check();
            void ended.then(() => reject(new Error(`ended without ${pattern}: ${stderr}`)));
          }),
      };
    },
  };
}
