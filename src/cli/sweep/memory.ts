/**
 * How much memory the cells of a sweep will take, so that no more run at a time than fit. A process of its own finds it
 * out, since data have to be read for it: once for all cells of one size.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { UserError } from "../../base/errors.ts";
import { estimateAll } from "../../experiment/classify/memory.ts";
import { prepareClassification } from "../../experiment/classify/prepare.ts";
import { type ClassifyExperiment, parseClassify } from "../../experiment/classify/schema.ts";
import { encoderOf } from "../../experiment/classify/summary.ts";
import { readConstantsFile } from "../../experiment/constants-file.ts";
import { readFileConstants } from "../../experiment/file-constants.ts";
import { type AnyExperiment, kindOf } from "../../experiment/kind.ts";
import { loadExperiment } from "../../experiment/load-experiment.ts";
import { resolveExperiment } from "../../experiment/resolve.ts";
import { type Experiment, parseExperiment } from "../../experiment/schema.ts";
import { parseAny } from "../../experiment/sweep/cells.ts";
import { openerOf } from "../classify/session.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { jsonLine } from "../talk.ts";

/** Settings that change nothing about how much memory is taken. */
const weightless = new Set(["name", "seed", "initial", "recurrentInitial", "optimiser", "schedule", "checkpoint"]);

/** What experiments that take the same memory have in common. */
const sizeOf = (experiment: AnyExperiment): string =>
  JSON.stringify(experiment, (key, value) => (weightless.has(key) ? undefined : value));

async function classifierBytes(given: ClassifyExperiment, silent: Progress): Promise<number> {
  const { experiment } = await readFileConstants(given, readConstantsFile, (value) => parseClassify(value, given.name));
  const prepared = await prepareClassification(experiment, openerOf(silent));
  prepared.data.close();
  const { spec, plan, summary } = prepared;
  const { maxSteps } = encoderOf(prepared.experiment, summary.info);
  const use = { threads: 1, maxSteps, batch: experiment.learning.batch };
  return (await estimateAll(prepared.experiment, { spec, plan }, summary, use)).total;
}

async function followerBytes(context: Context, given: Experiment): Promise<number> {
  const { experiment } = await readFileConstants(given, readConstantsFile, (value) =>
    parseExperiment(value, given.name),
  );
  const { targets } = experiment;
  const recording = targets.type === "recording" ? await context.readRecording(targets) : null;
  const { estimateMemory } = await context.engine();
  const { spec } = resolveExperiment(experiment, recording);
  return (await estimateMemory(spec, { threads: 1, fast: false, onWarning: () => {} })).total;
}

/** Bytes that one process takes which trains the experiment of a file by one thread. */
function estimator(context: Context): (file: string) => Promise<number> {
  const silent = new Progress({ ...context, stderr: { write: () => {}, columns: undefined } });
  const known = new Map<string, Promise<number>>();
  return async (file) => {
    const { value, source } = await loadExperiment(file);
    const experiment = parseAny(value, source);
    const size = sizeOf(experiment);
    const bytes =
      known.get(size) ??
      (kindOf(experiment, source) === "classify"
        ? classifierBytes(experiment as ClassifyExperiment, silent)
        : followerBytes(context, experiment as Experiment));
    known.set(size, bytes);
    return bytes;
  };
}

/** Prints the bytes of each experiment, a line each; 0 for one that cannot be trained, which training will say. */
export async function printMemory(context: Context, files: readonly string[]): Promise<void> {
  const estimate = estimator(context);
  for (const file of files) {
    const bytes = await estimate(file).catch((error) => {
      if (error instanceof UserError) return 0;
      throw error;
    });
    context.stdout.write(jsonLine({ file, bytes }));
  }
}

export interface MemoryNeeds {
  /** Bytes of the experiment in a file; waits until they are known. 0 when they cannot be known. */
  of(file: string): Promise<number>;
  close(): void;
}

/**
 * Asks a process of its own.
 * @param command what starts Volley. @param files in the order in which they will be asked for
 */
export function memoryNeeds(command: readonly string[], files: readonly string[], folder: string): MemoryNeeds {
  const [program, ...args] = [...command, "sweep-memory", ...files];
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"], detached: true });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on("error", () => lines.return?.());
  const known = new Map<string, number>();
  return {
    async of(file) {
      while (!known.has(file)) {
        const next = await lines.next();
        if (next.done) return 0;
        const found = JSON.parse(next.value) as { file: string; bytes: number };
        known.set(found.file, found.bytes);
      }
      return known.get(file) ?? 0;
    },
    close: () => void child.kill("SIGKILL"),
  };
}
