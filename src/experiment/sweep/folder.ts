/**
 * The folder of a sweep. Everything lies in it by the name of a cell, so that parts made on several machines are put
 * together by copying their folders into one.
 *
 *     sweep.json             the sweep as it was written
 *     experiments/CELL.json  what the cell was trained on: an experiment file
 *     runs/CELL/             its run
 *     logs/CELL.txt          what it said while it ran
 *     failures/CELL.json     why it failed, if it did
 *     replaced/CELL-N/       runs of an earlier form of the sweep file that no longer fit
 *     sweep.csv, table.md    results
 */
import { rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exitCode, UserError } from "../../base/errors.ts";
import { canonicalJson } from "../checkpoint-format.ts";
import { listFolder, makeFolder, readTextIfPresent, replaceText, writeFailed } from "../file-system.ts";
import { lockRun, type RunLock } from "../run-lock.ts";
import { type Cell, parseAny, type Shard } from "./cells.ts";
import { isFinished } from "./result.ts";

/** `diverged`: its numbers ran away, and would again. `changed`: it was run from another experiment. */
export type CellState = "new" | "interrupted" | "finished" | "diverged" | "changed";

export interface Failure {
  readonly message: string;
  readonly exitCode: number | null;
}

/** Settings that decide nothing about what is learned. */
const cosmetic = new Set(["name", "checkpoint", "references", "exampleTrials"]);

/** Whether two experiments train the same network in the same way, to the same figures. */
function sameTraining(a: unknown, b: unknown): boolean {
  const essence = (experiment: unknown) => {
    const parsed = Object.entries(parseAny(experiment, "the experiment"));
    return canonicalJson(Object.fromEntries(parsed.filter(([key]) => !cosmetic.has(key))));
  };
  try {
    return essence(a) === essence(b);
  } catch (error) {
    if (error instanceof UserError) return false; // written by another version of the schema
    throw error;
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export class SweepFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  runPath({ name }: Cell): string {
    return join(this.path, "runs", name);
  }

  experimentFile({ name }: Cell): string {
    return join(this.path, "experiments", `${name}.json`);
  }

  logFile({ name }: Cell): string {
    return join(this.path, "logs", `${name}.txt`);
  }

  #failureFile({ name }: Cell): string {
    return join(this.path, "failures", `${name}.json`);
  }

  /**
   * Makes the folder, or takes up an old one, for this process alone; other shards may work in it at the same time.
   * @throws UserError for a folder with something else in it, and when the same part of the sweep is running
   */
  async open(value: unknown, shard: Shard | null): Promise<RunLock> {
    const names = await listFolder(this.path);
    const isSweep = names.some((name) => name === "sweep.json" || name.endsWith(".lock"));
    if (names.length > 0 && !isSweep) {
      throw new UserError(
        `${this.path} is not empty and holds no sweep; choose another folder with --out`,
        exitCode.usage,
      );
    }
    for (const folder of ["experiments", "runs", "logs", "failures"]) await makeFolder(this.file(folder));
    const lock = await lockRun(this.file(shard === null ? "sweep.lock" : `sweep-${shard.part}-of-${shard.of}.lock`));
    try {
      await replaceText(this.file("sweep.json"), json(value));
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async stateOf(cell: Cell): Promise<CellState> {
    const names = await listFolder(this.runPath(cell));
    const started = names.includes("experiment.json");
    const failure = await this.failureOf(cell);
    if (!started && failure === undefined) return "new";
    const trained = parsed((await readTextIfPresent(this.experimentFile(cell))) ?? "");
    if (!sameTraining(trained, cell.experiment)) return started ? "changed" : "new";
    if (failure?.exitCode === exitCode.diverged) return "diverged";
    if (!started) return "new";
    return (await isFinished(this.runPath(cell))) ? "finished" : "interrupted";
  }

  /** Makes a cell ready to be run: its experiment as a file, what is left of an earlier form out of the way. */
  async prepare(cell: Cell, state: CellState): Promise<void> {
    if (state === "changed") await this.#setAside(cell);
    if (state !== "interrupted") await replaceText(this.experimentFile(cell), json(cell.experiment));
    await rm(this.#failureFile(cell), { force: true });
  }

  async #setAside(cell: Cell): Promise<void> {
    const folder = this.file("replaced");
    await makeFolder(folder);
    const taken = new Set(await listFolder(folder));
    let n = 1;
    while (taken.has(`${cell.name}-${n}`)) n++;
    const to = join(folder, `${cell.name}-${n}`);
    try {
      await rename(this.runPath(cell), to);
    } catch (cause) {
      throw writeFailed(to, cause);
    }
  }

  recordFailure(cell: Cell, failure: Failure): Promise<void> {
    return replaceText(this.#failureFile(cell), json(failure));
  }

  async failureOf(cell: Cell): Promise<Failure | undefined> {
    const text = await readTextIfPresent(this.#failureFile(cell));
    const value = text === undefined ? undefined : (parsed(text) as Failure | undefined);
    return typeof value?.message === "string" ? value : undefined;
  }

  /** Runs of no cell of the sweep. */
  async strangers(cells: readonly Cell[]): Promise<string[]> {
    const known = new Set(cells.map(({ name }) => name));
    return (await listFolder(this.file("runs"))).filter((name) => !known.has(name));
  }

  writeText(name: string, text: string): Promise<void> {
    return replaceText(this.file(name), text);
  }
}
