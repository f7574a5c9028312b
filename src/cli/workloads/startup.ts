/** Seconds to the first line of progress, for networks of several sizes. */
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { type FirstProgress, firstProgress } from "./first-progress.ts";
import { describeMachine, machineLine, spreadText, table } from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const defaultRepeat = 5;

interface Row extends FirstProgress {
  readonly experiment: string;
  readonly neurons: number;
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const repeat = options.repeat ?? defaultRepeat;
  const sizes = options.neurons === undefined ? [256, 1216, 4096] : [options.neurons];
  const cases = sizes.map((neurons) => ({ experiment: "sinusoids", neurons, size: ["--neurons", `${neurons}`] }));
  if (options.neurons === undefined) cases.push({ experiment: "alm", neurons: 1216, size: [] });
  const threads = options.threads === undefined ? [] : ["--threads", `${options.threads}`];
  const rows: Row[] = [];
  for (const { experiment, neurons, size } of cases) {
    progress.say(`startup: ${experiment}, ${neurons} neurons`);
    const args = [experiment, ...size, "--seed", `${options.seed}`, ...threads];
    rows.push({ experiment, neurons, ...(await firstProgress(args, repeat)) });
  }
  if (!options.json) {
    context.stdout.write(
      `volley train, seconds from the start of the process, median of ${repeat} (lowest..highest)\n` +
        machineLine(machine) +
        table(
          ["experiment", "neurons", "first line", "first iteration reported"],
          rows.map((row) => [
            row.experiment,
            `${row.neurons}`,
            spreadText(row.firstLineSeconds),
            spreadText(row.firstIterationSeconds),
          ]),
        ),
    );
  }
  return { machine, seed: options.seed, repeat, rows };
}

export const startup: Workload = { name: "startup", about: "seconds to the first line of progress", run };
