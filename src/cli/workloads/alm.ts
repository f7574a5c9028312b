/** The network of the bundled recording (preset alm): seconds per iteration and where they go. */
import { presets } from "../../experiment/presets.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { networkTable, timeNetwork } from "./training.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

/** The size that is compared between programs; the preset itself may be tuned to another one. */
const inputsPerType = 64;

async function run(context: Context, options: WorkloadOptions) {
  const { experiment } = presets.alm;
  const given = {
    ...experiment,
    copies: 1,
    feedforward: null,
    plastic: { ...experiment.plastic, inputsPerType },
  };
  const times = await timeNetwork(context, new Progress(context), given, options);
  if (!options.json) context.stdout.write(networkTable("ALM recording", times));
  return times;
}

export const alm: Workload = {
  name: "alm",
  about: "the bundled recording, 1216 neurons with 128 inputs: seconds per iteration and where they go",
  run,
};
