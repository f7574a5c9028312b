/** `volley sweep`: an experiment over a grid of settings, conditions and seeds, to one table and its figures. */
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { availableMemory } from "../../experiment/memory.ts";
import { type Cell, type Shard, shardOf } from "../../experiment/sweep/cells.ts";
import { type CellState, SweepFolder } from "../../experiment/sweep/folder.ts";
import { type LoadedSweep, loadSweep } from "../../experiment/sweep/load-sweep.ts";
import { refuseMissingFiles } from "../../experiment/sweep/missing-files.ts";
import type { Context } from "../context.ts";
import { setOption } from "../experiment-flags.ts";
import type { Progress } from "../progress.ts";
import { shortPath, wholeNumber } from "../session.ts";
import { Stopping } from "../stopping.ts";
import { startCell } from "../sweep/cell-process.ts";
import { type ChangingFlags, commandAgain, withFlags } from "../sweep/flags.ts";
import { memoryNeeds } from "../sweep/memory.ts";
import { countText, figureText, outcomeObject, plainOutcome, Results, writeOutcome } from "../sweep/outcome.ts";
import { SweepProgress } from "../sweep/progress.ts";
import { runCells } from "../sweep/schedule.ts";
import { jsonLine } from "../talk.ts";

interface SweepFlags extends ChangingFlags {
  readonly jobs?: number;
  readonly shard?: Shard;
  readonly figure?: string;
  readonly json?: boolean;
}

const examples = `Examples:
  volley sweep examples/sweeps/randman-sigma.json     every cell, the table and the figure; again to continue
  volley sweep shd-heterogeneity                      by its name: one of those that come with Volley
  volley sweep initialisation-digits --data train.h5.gz --test test.h5.gz     on samples of your own
  volley sweep mine.json --jobs 1 --out sweeps/mine   one cell at a time
  volley sweep mine.json --shard 2/4                  the second quarter of the cells, on another machine
  volley sweep mine.json --figure docs/figures        figures go there

`;

function shardNumber(text: string): Shard {
  const [, part, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (part >= 1 && part <= of) return { part, of };
  throw new UserError(`--shard is "${text}"; write i/n, for example 2/4 for the second of four parts`, exitCode.usage);
}

export function addSweep(program: Command, context: Context): void {
  program
    .command("sweep")
    .summary("train an experiment over a grid of settings and seeds")
    .description(
      "Trains every combination of the settings in a sweep file, each as a run of its own, several at a time. What is " +
        "finished is kept: the same command continues after Ctrl-C, a crash or a change of the file.",
    )
    .argument("<sweep>", "a file .json, .js, .mjs, .ts (docs/sweep.md), or the name of one of examples/sweeps")
    .option("--data <file>", "train every cell on these samples or this recording")
    .option("--test <file>", "classifiers: test samples, used after training only")
    .addOption(setOption("change one setting of the experiment that is varied"))
    .option("--out <folder>", "where everything goes (default: sweeps/<name>)")
    .option("--jobs <n>", "cells at a time (default: one per core)", wholeNumber("--jobs", 1))
    .option(
      "--shard <i/n>",
      "only every n-th cell; results are put together by copying the folders into one",
      shardNumber,
    )
    .option("--figure <folder>", "where figures go (default: with the rest)")
    .option("--json", "print one JSON object on stdout at the end, and nothing else")
    .addHelpText("beforeAll", examples)
    .action((file: string, flags: SweepFlags) => sweep(context, file, flags));
  // What a sweep starts: not for people.
  program
    .command("sweep-cell", { hidden: true })
    .argument("<experiment>")
    .argument("<run>")
    .action(async (experiment: string, run: string) => {
      const { runCell } = await import("../sweep/run-cell.ts");
      return runCell(context, experiment, run);
    });
  program
    .command("sweep-memory", { hidden: true })
    .argument("<experiments...>")
    .action(async (files: string[]) => {
      const { printMemory } = await import("../sweep/memory.ts");
      return printMemory(context, files);
    });
}

/** Cells have so long to keep their state after Ctrl-C. */
const graceMs = 1700;
/** Of the memory that there is, this share is given away. */
const memoryShare = 0.9;

const plural = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** `96 cells: 8 sigma x 4 depth x 3 seeds` */
function sizeText({ axes, cells }: LoadedSweep): string {
  const seeds = new Set(cells.map(({ seed }) => seed)).size;
  const factors = [...axes.map(({ name, values }) => `${values.length} ${name}`), plural(seeds, "seed")];
  return `${plural(cells.length, "cell")}: ${factors.join(" x ")}`;
}

async function sweep(context: Context, file: string, flags: SweepFlags): Promise<void> {
  const loaded = await loadSweep(file, (experiment) => withFlags(experiment, flags));
  const folder = new SweepFolder(flags.out ?? join("sweeps", loaded.sweep.name));
  const lock = await folder.open(loaded.value, flags.shard ?? null);
  try {
    await runSweep(context, loaded, folder, file, flags);
  } finally {
    lock.release();
  }
}

async function runSweep(context: Context, loaded: LoadedSweep, folder: SweepFolder, file: string, flags: SweepFlags) {
  const mine = flags.shard === undefined ? [...loaded.cells] : shardOf(loaded.cells, flags.shard);
  const states = new Map<Cell, CellState>();
  for (const cell of mine) states.set(cell, await folder.stateOf(cell));
  const inState = (...wanted: CellState[]) => mine.filter((cell) => wanted.includes(states.get(cell)!));
  const waiting = inState("new", "interrupted", "changed");
  refuseMissingFiles(waiting);
  const jobs = flags.jobs ?? availableParallelism();
  const progress = new SweepProgress(context, { total: mine.length, before: mine.length - waiting.length });
  const { talk } = progress;
  const shard = flags.shard === undefined ? "" : `; part ${flags.shard.part} of ${flags.shard.of}: ${mine.length}`;
  talk.say(`${loaded.sweep.name}: ${sizeText(loaded)}${shard}; ${waiting.length} to run, ${jobs} at a time`);
  for (const sentence of remarks(
    folder,
    inState("changed"),
    inState("diverged"),
    await folder.strangers(loaded.cells),
  )) {
    talk.say(sentence);
  }
  const results = new Results(folder, loaded.sweep.measure, (message) => talk.warn(message));
  const stopping = new Stopping(context, talk);
  try {
    for (const cell of waiting) await folder.prepare(cell, states.get(cell)!);
    const complete = await train(loaded, folder, waiting, jobs, { progress, results, stopping });
    talk.finish();
    if (!complete) {
      throw stopping.error(`stopped; what was finished is kept, continue with: ${commandAgain(file, flags)}`);
    }
  } finally {
    stopping.close();
  }
  await finish(context, loaded, folder, results, talk, flags);
}

/** What a person should know of earlier runs in the folder. */
function remarks(
  folder: SweepFolder,
  changed: readonly Cell[],
  diverged: readonly Cell[],
  strangers: readonly string[],
): string[] {
  const place = (name: string) => shortPath(folder.file(name));
  const first = changed.slice(0, 5).map(({ name }) => name);
  return [
    ...(changed.length === 0
      ? []
      : [
          `${plural(changed.length, "cell")} changed since they were run and are run anew: ${first.join(", ")}` +
            `${changed.length > 5 ? ", ..." : ""}; their old runs go to ${place("replaced")}`,
        ]),
    ...(diverged.length === 0
      ? []
      : [
          `${plural(diverged.length, "cell")} diverged before and would again; ` +
            `to try nevertheless delete ${place("failures")}/CELL.json`,
        ]),
    ...(strangers.length === 0
      ? []
      : [`${plural(strangers.length, "run")} in ${place("runs")} belong to no cell of this sweep and are left alone`]),
  ];
}

async function train(
  loaded: LoadedSweep,
  folder: SweepFolder,
  waiting: readonly Cell[],
  jobs: number,
  { progress, results, stopping }: { progress: SweepProgress; results: Results; stopping: Stopping },
): Promise<boolean> {
  if (waiting.length === 0) return true;
  const volley = [process.execPath, ...process.execArgv, process.argv[1]];
  const nameOf = (cell: Cell) => relative(folder.path, folder.experimentFile(cell));
  const memory = jobs > 1 && waiting.length > 1 ? memoryNeeds(volley, waiting.map(nameOf), folder.path) : null;
  try {
    return await runCells<Cell>(
      waiting,
      {
        jobs,
        memory: memoryShare * availableMemory(),
        needOf: async (cell) => memory?.of(nameOf(cell)) ?? 0,
        start(cell) {
          progress.start(cell);
          const places = {
            experiment: folder.experimentFile(cell),
            run: folder.runPath(cell),
            log: folder.logFile(cell),
          };
          return startCell(volley, places, (fraction) => progress.move(cell, fraction));
        },
        async onEnd(cell, end) {
          if (end.kind === "failed") {
            const { message, exitCode: code } = end;
            await folder.recordFailure(cell, { message, exitCode: code });
            progress.end(cell, `failed: ${message.split("\n")[0]}`);
          } else {
            progress.end(cell, figureText(loaded.sweep.measure, await results.of(cell)));
          }
        },
        graceMs,
      },
      stopping.interruption,
    );
  } finally {
    memory?.close();
  }
}

async function finish(
  context: Context,
  loaded: LoadedSweep,
  folder: SweepFolder,
  results: Results,
  talk: Progress,
  flags: SweepFlags,
): Promise<void> {
  const outcomes = await results.outcomes(loaded.cells);
  const files = await writeOutcome(
    loaded,
    folder,
    outcomes,
    flags.figure === undefined ? folder.path : resolve(flags.figure),
  );
  context.stdout.write(
    flags.json ? jsonLine(outcomeObject(loaded, outcomes, folder.path, files)) : plainOutcome(loaded, outcomes),
  );
  talk.say(`${countText(outcomes)}: ${folder.path}`);
  for (const path of files) talk.say(`  ${shortPath(path)}`);
  const failed = outcomes.filter(({ state }) => state === "failed");
  if (failed.length === 0) return;
  const list = failed.slice(0, 5).map(({ cell, message }) => `\n  ${cell.name}: ${message?.split("\n")[0]}`);
  throw new UserError(
    `${failed.length} of ${plural(outcomes.length, "cell")} failed:${list.join("")}${failed.length > 5 ? "\n  ..." : ""}`,
    exitCode.failed,
  );
}
