/**
 * The library's door: from an experiment, as a person writes it, to a trainer that is used with `for await`.
 *
 * This file is the same in Node and in a page; what differs (how threads start, how a named recording is fetched) is
 * handed in as a `Machine` by src/index.ts and src/index.web.ts.
 */
import { exitCode, UserError } from "../base/errors.ts";
import type { Recording } from "../data/recording.ts";
import type { IterationReport, TestReport } from "../learning/rls/results.ts";
import type { RlsSpec } from "../learning/rls/spec.ts";
import type { RlsTrainer } from "../learning/rls/trainer.ts";
import type { TrainerOptions, TrainerTargets } from "../learning/rls/trainer-options.ts";
import { estimateMemory } from "./estimate.ts";
import { type ReadBytes, readFileConstants } from "./file-constants.ts";
import { guardMemory } from "./memory-guard.ts";
import { type Resolved, resolveExperiment } from "./resolve.ts";
import { type Experiment, type ExperimentInput, parseExperiment, type RecordingTargets } from "./schema.ts";

export interface CreateTrainerOptions {
  /**
   * What the neurons are to follow, from `readRecording` or made by hand. Default: what `targets` of the experiment
   * says; a file named there is read (in a page: fetched).
   */
  readonly recording?: Recording;
  /**
   * Worker threads. Default: one per core, fewer for networks so small that waiting for each other costs more than it
   * saves. Results do not depend on it.
   */
  readonly threads?: number;
  /** Relaxed SIMD where the machine has it. Default false: faster, but the last digits then differ between machines. */
  readonly fast?: boolean;
  /**
   * Refuse a network that needs more memory than there is, before any is taken. Default true. A page is not told how much
   * there is: nothing is refused there.
   */
  readonly checkMemory?: boolean;
  /** Called with what a person should know but what stops nothing. Default: collected in `trainer.notes`. */
  onWarning?(message: string): void;
}

/** What a platform supplies. */
export interface Machine {
  readonly cores: number;
  /** Bytes that can still be taken. Absent where the platform does not tell. */
  availableMemory?(): number;
  readRecording(targets: RecordingTargets): Promise<Recording>;
  /** Of the files that constants name. */
  readonly readBytes: ReadBytes;
  createRlsTrainer(spec: RlsSpec, targets: TrainerTargets, options: TrainerOptions): Promise<RlsTrainer>;
}

/** A built network with its targets, and everything it can do. Made by `createTrainer`; to be closed after use. */
export class Trainer {
  /** The experiment without any "auto": written as JSON it makes the same trainer again. */
  readonly experiment: Experiment;
  /** Guesses, choices and warnings that a person should see. */
  readonly notes: readonly string[];
  /** The engine underneath: plain numbers in (`engine.spec`), and the state for checkpoints out, section by section. */
  readonly engine: RlsTrainer;
  #busy = false;
  #stop = false;

  constructor(engine: RlsTrainer, experiment: Experiment, notes: readonly string[]) {
    this.engine = engine;
    this.experiment = experiment;
    this.notes = notes;
  }

  /** Training trials completed. */
  get iteration(): number {
    return this.engine.iteration;
  }

  /** Workers that share the network. */
  get threads(): number {
    return this.engine.threads;
  }

  /**
   * Trains trial by trial and reports each. Leaving the loop stops training; calling it again goes on from there.
   *
   * @param iterations how many from here. Default: up to `iterations` of the experiment.
   * @throws UserError when the numbers run away.
   */
  async *train(iterations = this.experiment.iterations - this.iteration): AsyncGenerator<IterationReport, void> {
    const last = this.iteration + iterations;
    const { correlationEvery } = this.experiment;
    this.#stop = false;
    while (this.iteration < last && !this.#stop) {
      const next = this.iteration + 1;
      const measure = next === 1 || next % correlationEvery === 0;
      const report = await this.#work(() => this.engine.iterate({ measure }));
      if (report === "interrupted") return;
      yield report;
    }
  }

  /**
   * Stops the training or test in progress at its next time step. Nothing is lost: `train` continues in the middle of the
   * trial. In a page that is not cross-origin isolated nothing reaches a running worker: training then stops after the
   * current trial, and a test runs to its end.
   */
  interrupt(): void {
    this.#stop = true;
    if (this.#busy) this.engine.interrupt();
  }

  /**
   * Frozen trials: the network runs without learning and is compared with its targets. A training trial that was
   * interrupted is given up.
   *
   * @param options.trials of every task. Default: `test.trials` of the experiment (10).
   * @param options.exampleNeurons how many neurons to report with all their currents. Default: the experiment's (16).
   * @throws UserError with exit code `interrupted` after `interrupt()`.
   */
  async test(options: Partial<Experiment["test"]> = {}): Promise<TestReport> {
    const { trials, exampleNeurons } = { ...this.experiment.test, ...options };
    if (!(trials >= 1)) throw new UserError(`test: trials is ${trials}; it must be a whole number of at least 1`);
    this.#stop = false;
    const report = await this.#work(() => this.engine.test({ trials, exampleNeurons }));
    if (report === "interrupted") throw new UserError("the test was interrupted", exitCode.interrupted);
    return report;
  }

  /** Trained weights, [trained neuron][input]; feed-forward inputs first, then excitatory, then inhibitory ones. */
  weights(): Promise<Float32Array> {
    return this.engine.weights();
  }

  /** Who the inputs come from: `presynaptic` has the layout of `weights`, `trained` lists the trained neurons. */
  connectivity(): Promise<{ trained: Uint32Array; presynaptic: Uint32Array; inputs: number }> {
    return this.engine.connectivity();
  }

  /** Ends the workers and frees their memory. */
  close(): Promise<void> {
    return this.engine.close();
  }

  /** One trial or test. The engine may still hold a request to stop that came when it had just finished: not for us. */
  async #work<Report>(body: () => Promise<Report | "interrupted">): Promise<Report | "interrupted"> {
    if (this.#busy) throw new Error("the trainer is busy: wait for what it does before asking for more");
    this.#busy = true;
    try {
      for (;;) {
        const report = await body();
        if (report !== "interrupted" || this.#stop) return report;
      }
    } finally {
      this.#busy = false;
    }
  }
}

/** `createTrainer` of the library, on a machine. */
export async function createTrainerOn(
  machine: Machine,
  given: ExperimentInput,
  options: CreateTrainerOptions,
): Promise<Trainer> {
  const parse = (value: unknown) => parseExperiment(value, "the experiment");
  const { experiment, notes: read } = await readFileConstants(
    parse(withTargets(given, options.recording)),
    machine.readBytes,
    parse,
  );
  const { targets } = experiment;
  const recording = targets.type === "recording" ? (options.recording ?? (await machine.readRecording(targets))) : null;
  const resolved = resolveExperiment(experiment, recording);
  const notes = [...read, ...resolved.notes];
  const trainerOptions: TrainerOptions = {
    threads: checkedThreads(options.threads) ?? Math.min(machine.cores, Math.ceil(resolved.spec.neurons / 512)),
    fast: options.fast ?? false,
    onWarning: options.onWarning ?? ((message) => notes.push(message)),
  };
  if ((options.checkMemory ?? true) && machine.availableMemory) {
    await guardMemory(experiment, resolved, {
      estimate: (spec) => estimateMemory(spec, trainerOptions),
      available: machine.availableMemory(),
    });
  }
  const engine = await machine.createRlsTrainer(resolved.spec, targetsOf(resolved), trainerOptions);
  return new Trainer(engine, resolved.experiment, notes);
}

/** A recording that was handed over needs no `targets`; what they say of a file is then not used. */
function withTargets(given: ExperimentInput, recording: Recording | undefined): ExperimentInput {
  if (recording === undefined) return given;
  if (given.targets?.type === "sinusoids") {
    throw new UserError(
      'a recording was given, but the targets of the experiment are "sinusoids"; leave one of them out',
    );
  }
  return { ...given, targets: given.targets ?? { type: "recording", file: "the recording" } };
}

function checkedThreads(threads: number | undefined): number | undefined {
  if (threads === undefined || (Number.isSafeInteger(threads) && threads >= 1)) return threads;
  throw new UserError(`threads is ${threads}; it must be a whole number of at least 1`);
}

function targetsOf({ experiment: { targets, copies }, recording }: Resolved): TrainerTargets {
  if (targets.type === "recording") return { recording, sinusoids: null, copies };
  const { amplitude, periodMs, bias } = targets;
  return { recording, sinusoids: { amplitude, periodMs, bias }, copies };
}
