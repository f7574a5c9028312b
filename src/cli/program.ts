/** The command `volley`: all its subcommands, and how errors become messages and exit codes. */
import { Command, CommanderError } from "commander";
import { exitCode, UserError } from "../base/errors.ts";
import { volleyVersion } from "../experiment/environment.ts";
import { addBench, type WorkloadLoader } from "./bench.ts";
import { addCheckGradients } from "./commands/check-gradients.ts";
import { addData } from "./commands/data.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExport } from "./commands/export.ts";
import { addInit } from "./commands/init.ts";
import { addInspect } from "./commands/inspect.ts";
import { addPredict } from "./commands/predict.ts";
import { addReport } from "./commands/report.ts";
import { addResume } from "./commands/resume.ts";
import { addSweep } from "./commands/sweep.ts";
import { addTest } from "./commands/test.ts";
import { addTrain } from "./commands/train.ts";
import type { Context } from "./context.ts";
import { paintFor } from "./talk.ts";

const examples = `Examples:
  volley train alm                train a network on a real recording and write a report
  volley train --data mine.nwb    the same on your own recording
  volley train digits             train a classifier of spoken digits
  volley resume runs/alm          continue after Ctrl-C
  volley doctor                   what this machine can do

`;

export function createProgram(context: Context, workloads?: WorkloadLoader): Command {
  const program = new Command("volley")
    .description("Trains spiking neural networks: fast, and to the byte the same every time.")
    .version(volleyVersion(), "-v, --version")
    .addHelpText("before", examples)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getErrHelpWidth: () => context.stderr.columns ?? 100,
      getOutHelpWidth: () => context.stdout.columns ?? 100,
      // Errors are printed once, by `run`.
      outputError: () => {},
    })
    .showSuggestionAfterError();
  addTrain(program, context);
  addResume(program, context);
  addSweep(program, context);
  addTest(program, context);
  addPredict(program, context);
  addReport(program, context);
  addInit(program, context);
  addInspect(program, context);
  addExport(program, context);
  addData(program, context);
  addDoctor(program, context);
  addCheckGradients(program, context);
  addBench(program, context, workloads);
  // Settings are inherited only by subcommands added with .command(), which all of these are.
  return program;
}

/** Runs one command line and returns its exit code. A user's mistake is a message, anything else keeps its stack. */
export async function run(
  args: readonly string[],
  context: Context,
  options: { workloads?: WorkloadLoader } = {},
): Promise<number> {
  const paint = paintFor(context);
  try {
    await createProgram(context, options.workloads).parseAsync([...args], { from: "user" });
    return exitCode.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCode.ok; // --help, --version
      if (error.code === "commander.help") return exitCode.usage; // no command given: the help was the answer
      const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
      context.stderr.write(`${paint("red", "error:")} ${message}; see volley --help\n`);
      return exitCode.usage;
    }
    if (error instanceof UserError) {
      const stopped = error.exitCode === exitCode.interrupted || error.exitCode === exitCode.terminated;
      context.stderr.write(stopped ? `${error.message}\n` : `${paint("red", "error:")} ${error.message}\n`);
      return error.exitCode;
    }
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.stderr.write(`${paint("red", "internal fault of Volley")}, please report it:\n${stack}\n`);
    return exitCode.internal;
  }
}
