/** The command line in this process: a real one takes half a second to start. Without signals. */
import type { Context } from "../../../src/cli/context.ts";
import { run } from "../../../src/cli/program.ts";
import { type FakeSettings, fakeRooms } from "./fake-trainer.ts";
import type { Ended } from "./processes.ts";

/**
 * Networks that follow a recording get the engine that learns nothing; classifiers are real, with `--threads 1`.
 * @param cwd where the commands run
 */
export async function inProcess(args: readonly string[], cwd: string, fake: FakeSettings = {}): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const context: Context = {
    stdout: { columns: undefined, write: (text) => void (stdout += text) },
    stderr: { columns: undefined, write: (text) => void (stderr += text) },
    env: {},
    command: ["volley", ...args],
    onSignal: () => () => {},
    exitNow: (code) => {
      throw new Error(`the process was to end at once with exit code ${code}`);
    },
    ...fakeRooms(fake),
  };
  const before = process.cwd();
  process.chdir(cwd);
  try {
    return { code: await run(args, context), stdout, stderr };
  } finally {
    process.chdir(before);
  }
}
