/**
 * `volley bench`: named workloads with their measurements (workloads/). The command lists them and runs the ones that are
 * named.
 */
import { type Command, Option } from "commander";
import { didYouMean, exitCode, UserError } from "../base/errors.ts";
import type { Context } from "./context.ts";
import { wholeNumber } from "./session.ts";
import { jsonLine } from "./talk.ts";
import type { Workload, WorkloadLoader, WorkloadOptions } from "./workloads/workload.ts";

export type { Workload, WorkloadLoader };

const builtIn: WorkloadLoader = async () => (await import("./workloads/index.ts")).workloads;

const examples = `Examples:
  volley bench                                    the list of workloads
  volley bench kernel network --json > here.json  two of them, as data
  volley bench million --neurons 50000            a smaller network of the same shape
  volley bench 50k --precision int16 --block 5 --minutes 30

`;

export function addBench(program: Command, context: Context, load: WorkloadLoader = builtIn): void {
  program
    .command("bench")
    .summary("measure speed on this machine")
    .description("Runs named workloads; without a name it lists them. What a workload has no use for is ignored.")
    .argument("[names...]", "workloads to run")
    .option("--threads <n>", "worker threads, compared with one where that is measured", wholeNumber("--threads", 1))
    .option("--neurons <n>", "size of the network", wholeNumber("--neurons", 2))
    .option("--repeat <n>", "measurements of each thing; medians are reported", wholeNumber("--repeat", 1))
    .option("--seed <n>", "seed of all random numbers", wholeNumber("--seed", 0), 1)
    .option("--steps <n>", "gradient, rules: steps of the longest sample", wholeNumber("--steps", 20))
    .option("--epochs <n>", "rules: passes over the training data", wholeNumber("--epochs", 1))
    .option("--minutes <n>", "50k: longest time to train", positiveNumber("--minutes"))
    .option("--bytes <n>", "kernel: P in the memory of each thread, for example 1.2e9", wholeNumber("--bytes", 1))
    .option("--fast", "million, 50k: relaxed SIMD where the runtime has it")
    .addOption(new Option("--precision <type>", "million, 50k: how P is stored").choices(["f32", "int16"]))
    .option("--block <n>", "million, 50k: samples per RLS update", wholeNumber("--block", 1))
    .option("--figure <folder>", "membrane: write its figure there, as SVG")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", examples)
    .action(async (names: string[], flags: Partial<WorkloadOptions> & { seed: number }) => {
      const workloads = await load();
      const options: WorkloadOptions = { ...flags, json: flags.json ?? false, fast: flags.fast ?? false };
      if (names.length === 0) {
        context.stdout.write(
          options.json
            ? jsonLine(workloads.map(({ name, about }) => ({ name, about })))
            : workloads.map(({ name, about }) => `${name.padEnd(16)}${about}\n`).join(""),
        );
        return;
      }
      const chosen = names.map((name) => findWorkload(workloads, name));
      const results: Record<string, unknown> = {};
      for (const workload of chosen) results[workload.name] = await workload.run(context, options);
      if (options.json) context.stdout.write(jsonLine(results));
    });
}

function positiveNumber(name: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value > 0 && Number.isFinite(value))) {
      throw new UserError(`${name} is "${text}"; it must be a number above 0`, exitCode.usage);
    }
    return value;
  };
}

function findWorkload(workloads: readonly Workload[], name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found !== undefined) return found;
  const names = workloads.map((workload) => workload.name);
  throw new UserError(
    `there is no workload "${name}"${didYouMean(name, names) || ` — there are ${names.join(", ") || "none yet"}`}`,
    exitCode.usage,
  );
}
