/**
 * The folder of a run: everything one experiment produced, in open formats.
 *
 *     experiment.json    what was run, every default and "auto" filled in; its kind decides what else there is
 *     environment.json   where: versions, processor, threads, command
 *     metrics.jsonl      one iteration or epoch per line
 *     checkpoints/       the newest state and the one before
 *     weights.json       RLS: trained weights before and after, of a large network a sample
 *     data.json          classifier: what the network was told of its data
 *     before.json        classifier: what was learned later as it was at the start
 *     initial.json       classifier: rates and free membranes before training
 *     outcome.json       classifier: figures, confusion, rates and example trials at the end
 *     notes.json         what was guessed or decided while the experiment was read
 *     test.json          RLS: the frozen test; of several after the same iteration the one with most trials
 *     report.html        all of it to look at
 *     run.lock           while a process writes here
 */
import { join, resolve } from "node:path";
import { dataError, exitCode, UserError } from "../base/errors.ts";
import type { IterationReport, TestReport } from "../learning/rls/results.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import type { EpochReport } from "./classify/epoch-sums.ts";
import { type ClassifyExperiment, parseClassify } from "./classify/schema.ts";
import type { Environment } from "./environment.ts";
import {
  type FileSystem,
  listFolder,
  makeFolder,
  nodeFileSystem,
  readTextIfPresent,
  replaceText,
} from "./file-system.ts";
import { type AnyExperiment, type ExperimentKind, kindOf } from "./kind.ts";
import { MetricsWriter, readMetrics } from "./metrics.ts";
import { decodeResult, encodeResult } from "./result-codec.ts";
import { lockRun, type RunLock } from "./run-lock.ts";
import { type Experiment, parseExperiment } from "./schema.ts";

const lockName = "run.lock";
/** What is left of a run that was killed while it was created. Nothing had been trained yet: it is written over. */
const unborn = new Set(["environment.json", ".environment.json.partial", ".experiment.json.partial"]);

export class RunFolder {
  readonly path: string;
  readonly checkpoints: CheckpointStore;
  private readonly fileSystem: FileSystem;
  private lock: RunLock | undefined;

  private constructor(path: string, fileSystem: FileSystem) {
    this.path = path;
    this.fileSystem = fileSystem;
    this.checkpoints = new CheckpointStore(join(path, "checkpoints"), fileSystem);
  }

  /** Makes a new run; refuses a folder that holds anything. The run is locked until `release`. */
  static async create(
    path: string,
    content: { experiment: AnyExperiment; environment: Environment },
    fileSystem = nodeFileSystem,
  ): Promise<RunFolder> {
    const names = (await listFolder(path)).filter((name) => !name.startsWith(lockName) && !unborn.has(name));
    if (names.includes("experiment.json")) {
      throw new UserError(
        `${path} already holds a run; continue it with "volley resume ${path}", or choose another folder with --out`,
        exitCode.usage,
      );
    }
    if (names.length > 0) {
      throw new UserError(
        `${path} is not empty (it holds ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", ..." : ""}) and is no run of Volley; ` +
          "choose another folder with --out",
        exitCode.usage,
      );
    }
    await makeFolder(path);
    const run = new RunFolder(resolve(path), fileSystem);
    run.lock = await lockRun(join(path, lockName));
    try {
      await run.writeEnvironment(content.environment);
      await run.writeExperiment(content.experiment);
    } catch (error) {
      run.release();
      throw error;
    }
    return run;
  }

  /** Opens a run to look at it. Takes no lock: a run may be read while it is written. */
  static async open(path: string, fileSystem = nodeFileSystem): Promise<RunFolder> {
    const names = await listFolder(path);
    if (!names.includes("experiment.json")) {
      throw new UserError(
        names.length === 0
          ? `there is no run at ${path}; check the path`
          : `${path} is not a run of Volley: it has no experiment.json; give the folder that "volley train" printed`,
        exitCode.noInput,
      );
    }
    return new RunFolder(resolve(path), fileSystem);
  }

  /** Opens a run to go on with it: locked until `release`, remains of a crash removed. */
  static async openToWrite(path: string, fileSystem = nodeFileSystem): Promise<RunFolder> {
    const run = await RunFolder.open(path, fileSystem);
    run.lock = await lockRun(join(path, lockName));
    await run.checkpoints.removePartials();
    return run;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** What the run is of, not checked. */
  private async readExperiment(): Promise<unknown> {
    const path = this.file("experiment.json");
    try {
      return JSON.parse((await readTextIfPresent(path)) ?? "");
    } catch (cause) {
      throw dataError(`${path} is damaged: ${(cause as Error).message}`, cause);
    }
  }

  async kind(): Promise<ExperimentKind> {
    return kindOf(await this.readExperiment(), this.file("experiment.json"));
  }

  async experiment(): Promise<Experiment> {
    return parseExperiment(await this.readExperiment(), this.file("experiment.json"));
  }

  async classifyExperiment(): Promise<ClassifyExperiment> {
    return parseClassify(await this.readExperiment(), this.file("experiment.json"));
  }

  writeExperiment(experiment: AnyExperiment): Promise<void> {
    return replaceText(this.file("experiment.json"), `${JSON.stringify(experiment, null, 2)}\n`, this.fileSystem);
  }

  async environment(): Promise<Environment | undefined> {
    const text = await readTextIfPresent(this.file("environment.json"));
    return text === undefined ? undefined : (JSON.parse(text) as Environment);
  }

  writeEnvironment(environment: Environment): Promise<void> {
    return replaceText(this.file("environment.json"), `${JSON.stringify(environment, null, 2)}\n`, this.fileSystem);
  }

  metrics(): Promise<IterationReport[]> {
    return readMetrics(this.file("metrics.jsonl"), "iteration");
  }

  /** @param lastIteration what the checkpoint knows: later lines are dropped. */
  openMetrics(lastIteration: number): Promise<MetricsWriter<IterationReport>> {
    return MetricsWriter.open(this.file("metrics.jsonl"), "iteration", lastIteration, this.fileSystem);
  }

  /** The metrics of a classifier. */
  epochs(): Promise<EpochReport[]> {
    return readMetrics(this.file("metrics.jsonl"), "epoch");
  }

  openEpochs(lastEpoch: number): Promise<MetricsWriter<EpochReport>> {
    return MetricsWriter.open(this.file("metrics.jsonl"), "epoch", lastEpoch, this.fileSystem);
  }

  async test(): Promise<TestReport | undefined> {
    return this.readResult<TestReport>("test.json");
  }

  /**
   * Keeps the longest test of a network: one of fewer trials after the same iteration does not replace it.
   * @returns what test.json holds now.
   */
  async writeTest(report: TestReport): Promise<TestReport> {
    // A damaged file is as good as none here.
    const earlier = await this.test().catch(() => undefined);
    if (earlier?.iteration === report.iteration && earlier.trialsPerTask > report.trialsPerTask) return earlier;
    await this.writeResult("test.json", report);
    return report;
  }

  /** Any other result, arrays included. */
  async readResult<Result>(name: string): Promise<Result | undefined> {
    const text = await readTextIfPresent(this.file(name));
    if (text === undefined) return undefined;
    try {
      return decodeResult<Result>(text);
    } catch (cause) {
      throw dataError(
        `${this.file(name)} is damaged: ${(cause as Error).message}; delete it and run the test again`,
        cause,
      );
    }
  }

  writeResult(name: string, value: unknown): Promise<void> {
    return replaceText(this.file(name), encodeResult(value), this.fileSystem);
  }

  async writeReport(html: string): Promise<string> {
    await replaceText(this.file("report.html"), html, this.fileSystem);
    return this.file("report.html");
  }

  release(): void {
    this.lock?.release();
    this.lock = undefined;
  }
}

/** The first free folder of the form `runs/name`, `runs/name-2`, ... */
export async function freeRunPath(name: string, folder = "runs"): Promise<string> {
  const taken = new Set(await listFolder(folder));
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(candidate)) return join(folder, candidate);
  }
}
