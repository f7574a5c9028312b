/**
 * `volley bench`: named workloads with their measurements. A workload is a value of this type in the list below; the
 * command lists them and runs the ones that are named.
 */
import type { Command } from "commander";
import { didYouMean, exitCode, UserError } from "../base/errors.ts";
import type { Context } from "./context.ts";

export interface Workload {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  /** Measures and returns plain data for --json; says what it does on stderr, prints its table on stdout otherwise. */
  run(context: Context, options: { json: boolean }): Promise<unknown>;
}

/** Loaded when the command runs. */
export type WorkloadLoader = () => Promise<readonly Workload[]>;

const none: WorkloadLoader = async () => [];

export function addBench(program: Command, context: Context, load: WorkloadLoader = none): void {
  program
    .command("bench")
    .summary("measure speed on this machine")
    .description("Runs named workloads; without a name it lists them.")
    .argument("[names...]", "workloads to run")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", "Examples:\n  volley bench\n  volley bench rls --json\n\n")
    .action(async (names: string[], flags: { json?: boolean }) => {
      const workloads = await load();
      const json = flags.json ?? false;
      if (names.length === 0) {
        context.stdout.write(
          json
            ? `${JSON.stringify(workloads.map(({ name, about }) => ({ name, about })))}\n`
            : workloads.map(({ name, about }) => `${name.padEnd(16)}${about}\n`).join(""),
        );
        return;
      }
      const chosen = names.map((name) => findWorkload(workloads, name));
      const results: Record<string, unknown> = {};
      for (const workload of chosen) results[workload.name] = await workload.run(context, { json });
      if (json) context.stdout.write(`${JSON.stringify(results)}\n`);
    });
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
