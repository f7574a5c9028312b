/**
 * RLS training of a network: the conductor of the members (member.ts), which do the work.
 *
 * An iteration is one trial of one task with learning. Tasks take turns. Members know only their own neurons; what is
 * averaged over neurons is averaged here, in the order of the neurons, so that figures do not depend on threads either.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import { sigmaForRate } from "../../data/targets/transfer.ts";
import { exchangesEntered, requestStop, type ThreadsMemory, threadsMemory } from "../../device/communicator/threads.ts";
import type { WorkerGroup } from "../../device/cpu/group.ts";
import { mean } from "../../math/statistics.ts";
import type { Checkpointable, StateSection } from "./checkpointable.ts";
import { concatenate } from "./concatenate.ts";
import type { MemberSizes, TrainOutcome } from "./host.ts";
import { iterationReport } from "./iteration-report.ts";
import type { Member } from "./member.ts";
import { NetworkSections } from "./network-sections.ts";
import type { IterationReport, TestReport } from "./results.ts";
import { runTest } from "./run-test.ts";
import type { RlsSpec } from "./spec.ts";
import { lifNeuron, targetSource } from "./target-source.ts";
import { trialSteps } from "./timing.ts";
import type { TestOptions, TrainerOptions, TrainerTargets } from "./trainer-options.ts";
import type { TrialRequest } from "./trial.ts";

/** How many workers a platform can give, and how it starts them. */
export interface Platform {
  /** null: no threads here, the calling thread does the work. */
  start(size: number): WorkerGroup;
  readonly canShareMemory: boolean;
}

export class RlsTrainer implements Checkpointable {
  readonly spec: RlsSpec;
  readonly targets: TrainerTargets;
  readonly #group: WorkerGroup;
  readonly #memory: ThreadsMemory | null;
  readonly #sizes: readonly MemberSizes[];
  readonly #sections: NetworkSections;
  readonly trained: Uint32Array;
  #pool: Uint32Array | null = null;
  #digest = "";
  #iteration = 0;
  #resets = 0;
  /** A training trial that was interrupted waits to be continued. */
  #paused = false;
  #pausedSeconds = 0;
  #closed = false;
  /** Exchanges before the trial that runs now. */
  #exchangesBefore = 0;

  private constructor(
    spec: RlsSpec,
    targets: TrainerTargets,
    group: WorkerGroup,
    memory: ThreadsMemory | null,
    sizes: readonly MemberSizes[],
  ) {
    this.spec = spec;
    this.targets = targets;
    this.#group = group;
    this.#memory = memory;
    this.#sizes = sizes;
    this.#sections = new NetworkSections(group, sizes);
    this.trained = concatenate(
      Uint32Array,
      sizes.map((size) => size.trained),
    );
  }

  /** Builds the network, runs its static part if it has one, and sets the targets. */
  static async create(
    spec: RlsSpec,
    targets: TrainerTargets,
    options: TrainerOptions,
    platform: Platform,
  ): Promise<RlsTrainer> {
    const threads = platform.canShareMemory ? options.threads : 1;
    if (threads < options.threads) {
      options.onWarning?.(
        "memory cannot be shared between threads here: training on one (serve the page cross-origin isolated)",
      );
    }
    const blocks = Math.ceil(spec.neurons / 16) + 1;
    const size = Math.max(1, Math.min(threads, blocks));
    const capacity = 16 * (Math.ceil(blocks / size) + 2);
    const memory = platform.canShareMemory ? threadsMemory(size, capacity) : null;
    const group = platform.start(size);
    try {
      const setup = { spec, relaxed: options.fast, shardNeurons: options.shardNeurons };
      const sizes = await group.callAll<MemberSizes>("create", (rank) => [setup, memory, rank]);
      const trainer = new RlsTrainer(spec, targets, group, memory, sizes);
      await trainer.#prepare();
      return trainer;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    const { spec } = this;
    let sigma = typeof spec.noise.sigma === "number" ? spec.noise.sigma : mean(spec.noise.sigma);
    if (spec.static) {
      const outcomes = await this.#callAll<ReturnType<Member["runStatic"]>>("runStatic", () => []);
      const counts = concatenate(
        Uint32Array,
        outcomes.map((outcome) => outcome.spikeCounts),
      );
      if (spec.plastic.activeFraction < 1) this.#pool = mostActive(counts, spec);
      const seconds = (trialSteps(spec.timing).steps * spec.timing.dtMs) / 1000;
      const rateE = mean(counts.subarray(0, spec.excitatory)) / seconds;
      const currentE = mean(
        concatenate(
          Float64Array,
          outcomes.map((outcome) => outcome.excitatoryCurrents),
        ),
      );
      if (this.targets.recording?.quantity === "rateHz") {
        const drive = typeof spec.drive.excitatory === "number" ? spec.drive.excitatory : mean(spec.drive.excitatory);
        sigma = sigmaForRate(rateE, currentE + drive, lifNeuron(spec));
      }
    }
    const digests = await this.#callAll<[number, number]>("connect", () => [this.#pool]);
    const words = digests.reduce(([a, b], [c, d]) => [(a + c) >>> 0, (b + d) >>> 0], [0, 0]);
    this.#digest = words.map((word) => word.toString(16).padStart(8, "0")).join("");
    const source = targetSource(spec, this.targets, sigma);
    await this.#callAll("setTargets", () => [source]);
  }

  get iteration(): number {
    return this.#iteration;
  }

  /** Workers that share the network. */
  get threads(): number {
    return this.#group.size;
  }

  async iterate({ measure }: { measure: boolean }): Promise<IterationReport | "interrupted"> {
    const started = performance.now();
    const iteration = this.#iteration + 1;
    const task = (iteration - 1) % this.spec.tasks;
    const { forgetting } = this.spec.learning;
    const keep = iteration === 1 ? 1 : 1 / forgetting;
    const request: TrialRequest = { kind: "train", trial: iteration, task, record: measure, keep };
    const outcomes = await this.#callAll<TrainOutcome>("train", () => [request, this.#paused]);
    const seconds = this.#pausedSeconds + (performance.now() - started) / 1000;
    this.#resets += outcomes.reduce((n, { resets }) => n + resets, 0);
    if (!outcomes[0].finished) {
      this.#stopSeen();
      this.#paused = true;
      this.#pausedSeconds = seconds;
      return "interrupted";
    }
    this.#paused = false;
    this.#pausedSeconds = 0;
    if (outcomes.some(({ diverged }) => diverged)) {
      throw new UserError(
        `training diverged in iteration ${iteration}: the weights of a neuron have grown beyond what its current can carry ` +
          "(or are not numbers); raise learning.lambda, lower learning.forgetting's strength or bound weights with learning.maxWeight",
        exitCode.diverged,
      );
    }
    this.#iteration = iteration;
    return iterationReport(this.spec, request, outcomes, seconds);
  }

  /** How far the trial that runs now has come, 0 to 1; 0 where memory cannot be shared. */
  get trialFraction(): number {
    if (!this.#memory) return 0;
    const done = (exchangesEntered(this.#memory) - this.#exchangesBefore) >>> 0;
    return Math.min(1, done / trialSteps(this.spec.timing).steps);
  }

  /** The running trial or test stops at its next step; when none is running, the next one does. */
  interrupt(): void {
    if (this.#memory) requestStop(this.#memory);
  }

  /** A request is forgotten only once something has stopped for it, so that none is lost between two calls. */
  #stopSeen(): void {
    if (this.#memory) requestStop(this.#memory, false);
  }

  /**
   * Frozen trials: `trials` of every task. What is recorded of them: results.ts. An interrupted training trial is given
   * up; its checkpoint can still be resumed by another trainer.
   */
  async test(options: TestOptions): Promise<TestReport | "interrupted"> {
    this.#paused = false;
    const report = await runTest(
      {
        spec: this.spec,
        targets: this.targets,
        iteration: this.#iteration,
        trained: this.trained,
        firstPositions: this.#firstPositions(),
        callAll: (method, args) => this.#callAll(method, args),
        call: (rank, method, args) => this.#group.call(rank, method, args),
      },
      options,
    );
    if (report === "interrupted") this.#stopSeen();
    return report;
  }

  #firstPositions(): number[] {
    let first = 0;
    return this.#sizes.map(({ trained }) => {
      const position = first;
      first += trained.length;
      return position;
    });
  }

  /** Weights of all trained neurons, [trained][M]; inputs in the order feed-forward, E, I. */
  async weights(): Promise<Float32Array> {
    const bytes = await this.readSection("weights", 0, this.trained.length);
    return new Float32Array(bytes.buffer);
  }

  /** Who projects to whom by plastic synapses: `presynaptic` is [trained][inputs]; feed-forward inputs come after neurons. */
  async connectivity(): Promise<{ trained: Uint32Array; presynaptic: Uint32Array; inputs: number }> {
    const { plastic, feedforward } = this.spec;
    const parts = await this.#group.callAll<Uint32Array>("sources", (rank) => [this.#sizes[rank].trained, this.#pool]);
    return {
      trained: this.trained,
      presynaptic: concatenate(Uint32Array, parts),
      inputs: 2 * plastic.inputsPerType + (feedforward?.size ?? 0),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#group.close();
  }

  async #callAll<T>(method: string, args: (rank: number) => unknown[]): Promise<T[]> {
    if (this.#closed) throw new Error("the trainer is closed");
    if (this.#memory) this.#exchangesBefore = exchangesEntered(this.#memory);
    return this.#group.callAll<T>(method, args);
  }

  // ----- Checkpointable -----

  async stateScalars(): Promise<Record<string, unknown>> {
    return {
      iteration: this.#iteration,
      resets: this.#resets,
      connectivity: this.#digest,
      paused: this.#paused ? await this.#group.call(0, "pausedTrial", []) : null,
    };
  }

  stateSections({ withP }: { withP: boolean }): Promise<StateSection[]> {
    return this.#sections.list(withP);
  }

  readSection(name: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#sections.read(name, from, to);
  }

  writeSection(name: string, from: number, bytes: Uint8Array): Promise<void> {
    return this.#sections.write(name, from, bytes);
  }

  async restoreScalars(scalars: Record<string, unknown>): Promise<void> {
    if (scalars.connectivity !== this.#digest) {
      throw new UserError(
        "the checkpoint belongs to another network: its connections differ from those that this experiment builds; " +
          "resume with the experiment and the rules that the run was started with",
        exitCode.data,
      );
    }
    this.#iteration = scalars.iteration as number;
    this.#resets = scalars.resets as number;
    this.#paused = scalars.paused !== null;
    const { tasks } = this.spec;
    if (!this.#paused) {
      await this.#callAll("setTask", () => [Math.max(0, this.#iteration - 1) % tasks]);
      return;
    }
    await this.#callAll("setPausedTrial", () => [scalars.paused, this.#iteration % tasks]);
  }
}

/** The neurons with most spikes, by type: `activeFraction` of E and of I; ties go to lower indices. */
function mostActive(counts: Uint32Array, { excitatory, neurons, plastic }: RlsSpec): Uint32Array {
  const best = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i)
      .sort((a, b) => counts[b] - counts[a] || a - b)
      .slice(0, Math.round((to - from) * plastic.activeFraction));
  return Uint32Array.from([...best(0, excitatory), ...best(excitatory, neurons)]).sort();
}
