/** The steps that `train`, `resume`, `test` and `export` share: from an experiment to a trainer, and from a run to its report. */
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { exitCode, UserError } from "../base/errors.ts";
import { readConstantsFile } from "../experiment/constants-file.ts";
import type { Environment } from "../experiment/environment.ts";
import { readFileConstants } from "../experiment/file-constants.ts";
import { fingerprintOf } from "../experiment/fingerprint.ts";
import { availableMemory } from "../experiment/memory.ts";
import { guardMemory } from "../experiment/memory-guard.ts";
import { type Resolved, resolveExperiment } from "../experiment/resolve.ts";
import type { RunFolder } from "../experiment/run-folder.ts";
import { type Experiment, parseExperiment } from "../experiment/schema.ts";
import type { Engine, RlsTrainer, TrainerOptions, TrainerTargets } from "../experiment/trainer-contract.ts";
import type { Context } from "./context.ts";
import type { Progress } from "./progress.ts";
import { formatCount } from "./talk.ts";

export interface Prepared extends Resolved {
  readonly engine: Engine;
  readonly targets: TrainerTargets;
  readonly fingerprint: string;
  readonly options: TrainerOptions;
}

export interface MachineOptions {
  readonly threads: number | undefined;
  readonly fast: boolean;
}

/** A path as a person would type it here. */
export function shortPath(path: string): string {
  const here = relative(process.cwd(), path);
  return here.length < path.length ? here : path;
}

/** Threads asked for, or one per core. More than the cores are allowed and warned about. */
function chooseThreads(asked: number | undefined, progress: Progress): number {
  const cores = availableParallelism();
  if (asked === undefined) return cores;
  if (asked > cores)
    progress.warn(`${asked} threads on ${cores} cores wait for each other; use --threads ${cores} or leave it out`);
  return asked;
}

/** Reads the targets, fills in the experiment and makes sure that it fits, all before anything is allocated or written. */
export async function prepare(
  context: Context,
  progress: Progress,
  given: Experiment,
  machine: MachineOptions,
): Promise<Prepared> {
  const { experiment, notes } = await readFileConstants(given, readConstantsFile, (value) =>
    parseExperiment(value, "the experiment with the numbers of its files"),
  );
  const { targets } = experiment;
  let recording = null;
  if (targets.type === "recording") {
    progress.say(`reading ${shortPath(targets.file)}`);
    recording = await context.readRecording(targets);
  }
  const resolved = resolveExperiment(experiment, recording);
  for (const note of [...notes, ...resolved.notes]) progress.say(`note: ${note}`);
  const engine = await context.engine();
  const options: TrainerOptions = {
    threads: chooseThreads(machine.threads, progress),
    fast: machine.fast,
    onWarning: (message) => progress.warn(message),
  };
  await guardMemory(experiment, resolved, {
    estimate: (spec) => engine.estimateMemory(spec, options),
    available: availableMemory(),
  });
  const trainerTargets: TrainerTargets = {
    recording: resolved.recording,
    sinusoids:
      targets.type === "sinusoids"
        ? { amplitude: targets.amplitude, periodMs: targets.periodMs, bias: targets.bias }
        : null,
    copies: resolved.experiment.copies,
  };
  return {
    ...resolved,
    engine,
    targets: trainerTargets,
    fingerprint: fingerprintOf(resolved.spec, trainerTargets),
    options,
  };
}

/** Says what is built, then builds it. */
export function createTrainer(progress: Progress, prepared: Prepared): Promise<RlsTrainer> {
  const { spec, options } = prepared;
  const inputs = 2 * spec.plastic.inputsPerType + (spec.feedforward?.size ?? 0);
  progress.say(
    `building network: ${formatCount(spec.neurons)} neurons, ${inputs} plastic inputs each` +
      `${spec.static === null ? "" : `, ${2 * spec.static.K} static`}, ${options.threads} thread${options.threads === 1 ? "" : "s"}`,
  );
  return prepared.engine.createRlsTrainer(spec, prepared.targets, options);
}

/** The weights that a report shows: all of a small network, an evenly spaced sample of a large one, none of a huge one. */
export async function sampleWeights(
  trainer: RlsTrainer,
  inputs: number,
  neurons: number,
): Promise<Float32Array | null> {
  const most = 20_000_000;
  const sample = 100_000;
  if (inputs * neurons > most) return null;
  const weights = await trainer.weights();
  if (weights.length <= sample) return weights;
  return Float32Array.from({ length: sample }, (_, i) => weights[Math.floor((i * weights.length) / sample)]);
}

/** Where a run was made, as a report shows it. */
export function environmentTable(environment: Environment | undefined): Record<string, string | number> {
  if (environment === undefined) return {};
  return {
    version: environment.volley,
    node: environment.node,
    platform: environment.platform,
    cpu: environment.cpu,
    cores: environment.cores,
    threads: environment.threads,
    arithmetic: environment.fast ? "relaxed SIMD (--fast)" : "reproducible",
    date: environment.startedAt,
    command: environment.command.join(" "),
  };
}

/** Renders report.html from what is in the run folder. Returns its path. */
export async function writeRunReport(context: Context, run: RunFolder): Promise<string> {
  const experiment = await run.experiment();
  const iterations = await run.metrics();
  const environment = await run.environment();
  const html = await context.renderReport({
    title: experiment.name,
    experiment,
    environment: { ...environmentTable(environment), seed: experiment.seed },
    iterations,
    test: (await run.test()) ?? null,
    weights: (await run.readResult<{ before: Float32Array; after: Float32Array }>("weights.json")) ?? null,
    notes: (await run.readResult<string[]>("notes.json")) ?? [],
    secondsTotal: iterations.reduce((sum, report) => sum + report.seconds, 0),
    dtMs: experiment.timing.dtMs,
  });
  return run.writeReport(html);
}

/** A whole number from the command line. */
export function wholeNumber(name: string, smallest: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < smallest) {
      throw new UserError(`${name} is "${text}"; it must be a whole number of at least ${smallest}`, exitCode.usage);
    }
    return value;
  };
}
