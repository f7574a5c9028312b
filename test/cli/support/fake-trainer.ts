/**
 * A trainer that learns nothing: small deterministic numbers in the shape of the real one, so that runs, checkpoints,
 * signals and progress can be tested in milliseconds. Every tick changes every number, so a state that is restored
 * wrongly shows at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../../src/cli/context.ts";
import type { Recording } from "../../../src/data/recording.ts";
import type { Engine, RlsTrainer, TrainerOptions, TrainerTargets } from "../../../src/experiment/trainer-contract.ts";
import type { StateSection } from "../../../src/learning/rls/checkpointable.ts";
import type { IterationReport, TestReport } from "../../../src/learning/rls/results.ts";
import type { RlsSpec } from "../../../src/learning/rls/spec.ts";

export interface FakeSettings {
  /** Interruptible pieces of one iteration. */
  readonly ticks?: number;
  readonly msPerTick?: number;
  /** How long building takes. */
  readonly buildMs?: number;
  /** From this iteration on the rate is this. */
  readonly rateFrom?: { iteration: number; rateHz: number };
}

export class FakeTrainer implements RlsTrainer {
  readonly trialFraction = 0;
  iteration = 0;
  private tick = 0;
  private stop = false;
  private readonly w: Float32Array;
  private readonly p: Float32Array;
  private readonly inputs: number;

  constructor(
    readonly spec: RlsSpec,
    private readonly targets: TrainerTargets,
    private readonly settings: FakeSettings = {},
  ) {
    this.inputs = 2 * spec.plastic.inputsPerType;
    this.w = Float32Array.from({ length: spec.neurons * this.inputs }, (_, i) =>
      Math.fround(((i * 7) % 11) - 5 + spec.seed),
    );
    this.p = new Float32Array(spec.neurons * this.inputs).fill(1);
  }

  /** One step of every number: exact in float32, so it does not depend on how it was split. */
  private advance(): void {
    const x = (this.iteration * 31 + this.tick * 17 + this.spec.seed) % 64;
    for (let i = 0; i < this.w.length; i++) {
      this.w[i] = (this.w[i] * 3 + x + i) % 1024;
      this.p[i] = (this.p[i] * 5 + x) % 1024;
    }
  }

  async iterate({ measure }: { measure: boolean }): Promise<IterationReport | "interrupted"> {
    const { ticks = 4, msPerTick = 0, rateFrom } = this.settings;
    const started = performance.now();
    for (; this.tick < ticks; this.tick++) {
      await sleep(msPerTick);
      if (this.stop) {
        this.stop = false;
        return "interrupted";
      }
      this.advance();
    }
    this.tick = 0;
    this.iteration++;
    const rateHz = rateFrom && this.iteration >= rateFrom.iteration ? rateFrom.rateHz : 5 + (this.w[0] % 16) / 16;
    return {
      iteration: this.iteration,
      task: (this.iteration - 1) % this.spec.tasks,
      correlation: measure ? 1 - 1 / (1 + this.iteration / 10) : null,
      medianCorrelation: measure ? 1 - 1 / (1 + this.iteration / 9) : null,
      undefinedCorrelations: 0,
      rateHz,
      rateExcitatoryHz: rateHz - 1,
      rateInhibitoryHz: rateHz + 1,
      rmsError: 1 / this.iteration,
      seconds: (performance.now() - started) / 1000,
      split: { rls: 0, neurons: 0, noise: 0, delivery: 0, exchange: 0, other: 0 },
      health: { resets: 0, meanGain: 0.01, largestGain: 0.1 },
    };
  }

  interrupt(): void {
    this.stop = true;
  }

  async test({
    trials,
    exampleNeurons,
  }: {
    trials: number;
    exampleNeurons: number;
  }): Promise<TestReport | "interrupted"> {
    for (let trial = 0; trial < trials; trial++) {
      await sleep(this.settings.msPerTick ?? 0);
      if (this.stop) {
        this.stop = false;
        return "interrupted";
      }
    }
    const { neurons, excitatory, timing, tasks } = this.spec;
    const rows = Math.round(timing.trainMs / timing.learnEveryMs);
    const perTask = <T>(make: (task: number) => T) => Array.from({ length: tasks }, (_, task) => make(task));
    const wave = (phase: number) => Float32Array.from({ length: rows }, (_, q) => Math.sin(q / 5 + phase));
    const flat = (value: number) => new Float32Array(neurons).fill(value);
    const recorded = this.targets.recording?.quantity === "rateHz";
    return {
      iteration: this.iteration,
      trialsPerTask: trials,
      neurons,
      excitatory,
      rows,
      learnEveryMs: timing.learnEveryMs,
      stimulusOffMs: timing.stimulusOffMs,
      trialMs: timing.stimulusOffMs + timing.trainMs,
      taskNames: this.targets.recording?.taskNames ?? perTask((task) => `task ${task + 1}`),
      trained: Uint32Array.from({ length: neurons }, (_, i) => i),
      current: { single: 0.5, worstTrial: 0.3, average: 0.6, varianceExplained: 0.4, undefinedNeurons: 0 },
      psth: recorded ? { binned: 0.2, windowed: 0.4, windowMs: 50, selectivity: 0.8, heldOut: null } : null,
      rateHz: 5.5,
      rateInWindowHz: 5.4,
      highestTrialRateHz: 7,
      perNeuron: { correlation: flat(0.6), rateHz: flat(5.5), cvIsi: flat(Number.NaN), fano: flat(1) },
      examples: Array.from({ length: Math.min(exampleNeurons, neurons) }, (_, neuron) => ({
        neuron,
        correlation: 0.6,
        target: perTask(() => wave(neuron)),
        current: perTask(() => Array.from({ length: trials }, (_, trial) => wave(neuron + trial / 10))),
        rateHz: perTask(() => wave(neuron)),
        recordedHz: recorded ? perTask(() => wave(neuron)) : null,
      })),
      raster: perTask(() => ({ steps: Uint32Array.of(1, 2, 3), neurons: Uint32Array.of(0, 1, 0) })),
    };
  }

  async weights(): Promise<Float32Array> {
    return this.w.slice();
  }

  async connectivity() {
    return {
      trained: Uint32Array.from({ length: this.spec.neurons }, (_, i) => i),
      presynaptic: Uint32Array.from({ length: this.w.length }, (_, i) => i % this.spec.neurons),
      inputs: this.inputs,
    };
  }

  async close(): Promise<void> {}

  async stateScalars(): Promise<Record<string, unknown>> {
    return { iteration: this.iteration, tick: this.tick };
  }

  async stateSections({ withP }: { withP: boolean }): Promise<StateSection[]> {
    const shape = { items: this.spec.neurons, bytesPerItem: 4 * this.inputs };
    return [{ name: "weights", ...shape }, ...(withP ? [{ name: "P", ...shape }] : [])];
  }

  private section(name: string): Float32Array {
    return name === "P" ? this.p : this.w;
  }

  async readSection(name: string, from: number, to: number): Promise<Uint8Array> {
    const values = this.section(name).slice(from * this.inputs, to * this.inputs);
    return new Uint8Array(values.buffer);
  }

  async restoreScalars(scalars: Record<string, unknown>): Promise<void> {
    this.iteration = scalars.iteration as number;
    this.tick = scalars.tick as number;
  }

  async writeSection(name: string, from: number, bytes: Uint8Array): Promise<void> {
    this.section(name).set(new Float32Array(bytes.slice().buffer), from * this.inputs);
  }
}

export function fakeEngine(settings: FakeSettings = {}): Engine {
  return {
    async createRlsTrainer(spec: RlsSpec, targets: TrainerTargets, _options: TrainerOptions) {
      await sleep(settings.buildMs ?? 0);
      return new FakeTrainer(spec, targets, settings);
    },
    estimateMemory: async (spec) => {
      const inputs = 2 * spec.plastic.inputsPerType;
      const parts = { P: spec.neurons * inputs * inputs * 2, weights: spec.neurons * inputs * 4 };
      return { total: parts.P + parts.weights, parts };
    },
  };
}

/** What commands need of other rooms, around an engine that learns nothing. */
export const fakeRooms = (settings: FakeSettings): Pick<Context, "engine" | "readRecording" | "renderReport"> => ({
  engine: async () => fakeEngine(settings),
  readRecording: async () => fakeRecording(),
  renderReport: async ({ title }) => `<!doctype html><title>${title}</title>`,
});

/** Two tasks, 10 rows, 20 neurons. */
export function fakeRecording(neurons = 20): Recording {
  const [tasks, rows] = [2, 10];
  return {
    quantity: "rateHz",
    tasks,
    rows,
    neurons,
    values: Float64Array.from({ length: tasks * rows * neurons }, (_, i) => 5 + 4 * Math.sin(i / 7)),
    taskNames: ["left", "right"],
    intervalMs: 20,
    notes: [],
  };
}
