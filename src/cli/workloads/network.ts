/** The default network (preset sinusoids): seconds per iteration, where they go, and how soon the first one is reported. */
import { presets } from "../../experiment/presets.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { firstProgress } from "./first-progress.ts";
import { spreadText } from "./measurement.ts";
import { networkTable, timeNetwork } from "./training.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

async function run(context: Context, options: WorkloadOptions) {
  const progress = new Progress(context);
  const times = await timeNetwork(context, progress, presets.sinusoids.experiment, options);
  progress.say("first line of progress");
  const args = ["sinusoids", "--neurons", `${times.size.neurons}`, "--seed", `${options.seed}`];
  const first = await firstProgress(args, times.repeat);
  if (!options.json) {
    context.stdout.write(
      networkTable("default network", times) +
        `first line of volley train sinusoids after ${spreadText(first.firstLineSeconds)} s, ` +
        `first iteration reported after ${spreadText(first.firstIterationSeconds)} s\n`,
    );
  }
  return { ...times, firstProgress: first };
}

export const network: Workload = {
  name: "network",
  about: "the default network of 4096 neurons: seconds per iteration and where they go",
  run,
};
