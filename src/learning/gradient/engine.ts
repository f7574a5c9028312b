/**
 * The fast gradient engine of one worker: one sample after the other through one WebAssembly memory, gradients added up.
 *
 * ```ts
 * const engine = new GradientEngine({ network, relaxed: false });
 * engine.values.set(block);                       // laid out as engine.valueLayout says
 * const outputs = engine.forward(sample);         // [step * outputs + output]
 * engine.outputAdjoints(sample.steps).set(...);   // dL/d(outputs)
 * engine.backward();                              // engine.gradients += this sample's
 * ```
 * What it computes is `reference.ts`, in f32.
 */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import type { Surrogate } from "../../expression/node.ts";
import { writeSharedTables } from "../../kernels/rows/shared.ts";
import { padded } from "../../kernels/rows/wasm.ts";
import { readTape, type TapeFormat } from "../../kernels/tape.ts";
import type { AdjointProgram, Tape } from "../../model/adjoint.ts";
import {
  type Capacity,
  layOutMemory,
  layOutValues,
  type MemoryLayout,
  tapeBytesPerStep,
  type ValueLayout,
  writeNeurons,
} from "./layout.ts";
import { type GradientKernels, gradientModule } from "./module.ts";
import { constantValues, periodsOf, programsOf, startStates } from "./programs.ts";
import { type GradientNetwork, isShared, isSparse, type SparseRows } from "./spec.ts";

export interface EngineSetup {
  readonly network: GradientNetwork;
  /** Fused multiply-add where the machine has it: faster, bytes differ between machines. Default false. */
  readonly relaxed?: boolean;
  /** Adjoints are not carried over multiples of this many steps (truncated BPTT). Default 0: never cut. */
  readonly truncateSteps?: number;
  /** Spike costs differ from step to step. Default false: one number per neuron and sample. */
  readonly costsOverTime?: boolean;
  /** Default true; false for inference. */
  readonly backward?: boolean;
  /** Largest tape, in bytes; longer samples repeat their forward pass piece by piece. Default 64 MiB. */
  readonly tapeBytes?: number;
  /**
   * How the tape keeps numbers: `bfloat16` takes half the memory. Outputs and spikes are the same, gradients nearly. Default
   * `float32`.
   */
  readonly tape?: TapeFormat;
}

/** Of `FilteredRate`; strength includes the weight of the sample. */
export interface RateRule {
  readonly strength: number;
  readonly target: number;
  readonly decay: number;
}

export interface EngineRoom {
  readonly buffer: ArrayBuffer;
  readonly layout: MemoryLayout;
  readonly kernels: GradientKernels;
}

const defaultTapeBytes = 64 * 2 ** 20;
const largestMemory = 2 ** 32 - 65536;
const noTape: Tape = { before: [], after: [], margin: false, inputs: [] };

/** The next capacity: grown by half at least, so that growing is rare. */
const grow = (have: number, need: number): number => (need <= have ? have : Math.max(need, Math.ceil(1.5 * have), 64));

export class GradientEngine {
  readonly valueLayout: ValueLayout;
  #network: GradientNetwork;
  #programs: readonly AdjointProgram[];
  readonly #setup: EngineSetup;
  readonly #learns: boolean;
  readonly #tape: TapeFormat;
  readonly #tapeSteps: number;
  #capacity: Capacity = { steps: 0, events: 0, tapeSteps: 0 };
  #at!: MemoryLayout;
  #memory!: WebAssembly.Memory;
  #kernels!: GradientKernels;
  #sample: StepEvents | null = null;
  /** States at the start of every piece of a long sample. */
  #snapshots: Uint8Array[][] = [];
  /** Kept apart, because the memory is made anew when it must grow. */
  #feedback: (Float32Array | null)[];
  #sparse: (SparseRows | null)[];
  /** By population: factors of dropout; null where everything is sent. */
  #sent: (ArrayLike<number> | null)[];
  /** By population: states at the start of a sample. */
  readonly #starts: (number | Float32Array)[][];
  /** Spare blocks in use so far. */
  #spareBlocks = 0;

  constructor(setup: EngineSetup) {
    this.#network = setup.network;
    this.#setup = setup;
    this.#learns = setup.backward ?? true;
    this.#tape = setup.tape ?? "float32";
    this.#programs = this.#programsNow();
    this.valueLayout = layOutValues(setup.network, this.programs);
    const perStep = Math.max(1, tapeBytesPerStep(setup.network, this.programs, this.#tape));
    this.#tapeSteps = Math.max(1, Math.floor((setup.tapeBytes ?? defaultTapeBytes) / perStep));
    this.#feedback = setup.network.projections.map(() => null);
    this.#sparse = setup.network.projections.map(({ connectivity }) => (isSparse(connectivity) ? connectivity : null));
    this.#sent = setup.network.populations.map(() => null);
    this.#starts = setup.network.populations.map(startStates);
    this.#build(64, 64);
  }

  get network(): GradientNetwork {
    return this.#network;
  }

  get programs(): readonly AdjointProgram[] {
    return this.#programs;
  }

  #programsNow(): AdjointProgram[] {
    const programs = programsOf(this.#network);
    return this.#learns ? programs : programs.map((program) => ({ ...program, tape: noTape }));
  }

  /** Another surrogate for the samples to come. Values and gradients stay. */
  setSurrogate(population: number, surrogate: Surrogate): void {
    const populations = this.#network.populations.map((spec, p) => (p === population ? { ...spec, surrogate } : spec));
    this.#network = { ...this.#network, populations };
    this.#programs = this.#programsNow();
    this.#build(this.#capacity.steps, this.#capacity.events);
  }

  /** The block of values (weights, biases, constants); to be written before a forward pass. */
  get values(): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#at.values, this.valueLayout.length);
  }

  /** The block of gradients, summed over all samples since `clearGradients`; empty without a way back. */
  get gradients(): Float32Array {
    const length = this.#learns ? this.valueLayout.length : 0;
    return new Float32Array(this.#memory.buffer, this.#at.gradients, length);
  }

  /** Outputs per step, padded to a multiple of 4: the length of a row of `forward`'s result and of `outputAdjoints`. */
  get outputStride(): number {
    return padded(this.network.populations[this.network.readout].size);
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Numbers of blocks as large as the gradients, for sums; they live in the same memory. */
  spareBlocks(count: number): number[] {
    return Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** A spare block; memory for it is taken when it is first asked for. */
  block(index: number): Float32Array {
    const from = this.#blockAddress(index);
    return new Float32Array(this.#memory.buffer, from, this.valueLayout.length);
  }

  /** Copies the gradients into a spare block. */
  keepGradients(index: number): void {
    this.block(index).set(this.gradients);
  }

  /** Spare block `to` += spare block `from`. */
  addBlock(to: number, from: number): void {
    this.#kernels.addBlock(this.#blockAddress(to), this.#blockAddress(from));
  }

  #blockAddress(index: number): number {
    const bytes = 4 * this.valueLayout.length;
    const from = this.#at.bytes + index * bytes;
    const missing = from + bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / 65536));
    this.#spareBlocks = Math.max(this.#spareBlocks, index + 1);
    return from;
  }

  clearGradients(): void {
    this.gradients.fill(0);
  }

  /** Matrix of a projection with `backward: "feedback"`, laid out as its weights are. */
  setFeedback(projection: number, block: Float32Array): void {
    this.#feedback[projection] = block;
    const address = this.#at.feedback[projection];
    if (address === null) throw new Error(`projection ${projection} has no feedback matrix`);
    new Float32Array(this.#memory.buffer, address, block.length).set(block);
  }

  /** Other synapses of a sparse projection, as many as before (rewiring). */
  setSparse(projection: number, rows: SparseRows): void {
    const before = this.#sparse[projection];
    if (before === null || before.targets.length !== rows.targets.length) {
      throw new Error(`projection ${projection} is not sparse or has another number of synapses`);
    }
    this.#sparse[projection] = rows;
    this.#writeSparse(this.#memory, this.#at);
  }

  /**
   * Dropout of the samples to come.
   * @param factors what a spike of each neuron counts for where it arrives, 0 or 1/(1 - p); null: all are sent as they are
   */
  setSent(population: number, factors: ArrayLike<number> | null): void {
    this.#sent[population] = factors;
    this.#writeSent(this.#memory, this.#at);
  }

  #writeSent(memory: WebAssembly.Memory, layout: MemoryLayout): void {
    for (const [p, { sent }] of layout.populations.entries()) {
      if (sent === null) continue;
      const { size } = this.network.populations[p];
      const row = new Float32Array(memory.buffer, sent.factors, size);
      const factors = this.#sent[p];
      if (factors === null) row.fill(1);
      else row.set(factors);
    }
  }

  #writeSparse(memory: WebAssembly.Memory, layout: MemoryLayout): void {
    for (const [k, addresses] of layout.sparse.entries()) {
      const rows = this.#sparse[k];
      if (addresses === null || rows === null) continue;
      const { offsets, targets } = rows;
      const entries = padded(offsets.length - 1) + 4;
      new Uint32Array(memory.buffer, addresses.offsets, entries).fill(targets.length).set(offsets);
      new Uint32Array(memory.buffer, addresses.targets, targets.length).set(targets);
    }
  }

  /** States as at the start of a sample. */
  rest(): void {
    const { buffer } = this.#memory;
    for (const [p, { dynamic, states }] of this.#at.populations.entries()) {
      new Uint8Array(buffer, dynamic.from, dynamic.bytes).fill(0);
      for (const [s, address] of Object.values(states).entries()) {
        const start = this.#starts[p][s];
        if (start === 0) continue;
        const { size } = this.network.populations[p];
        const row = new Float32Array(buffer, address, padded(size));
        // Padding starts as the last neuron does: equations may not bear another start.
        if (typeof start === "number") row.fill(start);
        else row.fill(start[size - 1]).set(start);
      }
    }
  }

  /**
   * Runs a sample from the models' initial states.
   * @returns the first state of the readout after every step, `[step * outputStride + output]`, a view that the next call
   *   overwrites
   */
  forward(sample: StepEvents): Float32Array {
    this.#load(sample);
    this.rest();
    const { tapeSteps } = this.#capacity;
    const valued = sample.values === null ? 0 : 1;
    this.#snapshots = [];
    for (let from = 0; from < sample.steps; from += tapeSteps) {
      if (sample.steps > tapeSteps && this.#learns) this.#snapshots.push(this.#snapshot());
      this.#kernels.forward(from, Math.min(sample.steps, from + tapeSteps), from, valued);
    }
    return new Float32Array(this.#memory.buffer, this.#at.outputs, sample.steps * this.outputStride);
  }

  /** dL/d(outputs) of the sample that ran forward, to be filled before `backward`; padding must be 0. */
  outputAdjoints(): Float32Array {
    const steps = this.#sample?.steps ?? 0;
    return new Float32Array(this.#memory.buffer, this.#at.outputAdjoints, steps * this.outputStride);
  }

  /** What is added to dL/d(spike) of a population: one per neuron, or `[step * padded size + neuron]` over time. */
  spikeCosts(population: number): Float32Array {
    const row = padded(this.network.populations[population].size);
    const rows = this.#setup.costsOverTime ? (this.#sample?.steps ?? 0) : 1;
    return new Float32Array(this.#memory.buffer, this.#at.populations[population].cost, rows * row);
  }

  /**
   * Fills the costs over time of a population from the spikes of the sample that ran: constant + strength (f - target),
   * f the filtered spikes (`FilteredRate`).
   * @param constant one per neuron
   */
  fillRateCosts(population: number, constant: ArrayLike<number>, rule: RateRule): void {
    const { spikeAdjoint } = this.#at.populations[population];
    const row = new Float32Array(this.#memory.buffer, spikeAdjoint, padded(constant.length)).fill(0);
    row.set(constant);
    const fill = (this.#kernels as unknown as Record<string, (...args: number[]) => void>)[`rateCosts${population}`];
    fill(this.#sample?.steps ?? 0, rule.strength, rule.target, rule.decay);
  }

  /** Adds the spikes of every neuron of a population in the sample that ran to `counts`. */
  countSpikes(population: number, counts: Float64Array): void {
    const { spikes, spikeStarts } = this.#at.populations[population];
    const end = new Uint32Array(this.#memory.buffer, spikeStarts)[this.#sample?.steps ?? 0];
    for (const neuron of new Uint32Array(this.#memory.buffer, spikes, (end - spikes) / 4)) counts[neuron]++;
  }

  /** Indices of the spikes of a population in the sample that ran, and where those of each step start in the list. */
  spikes(population: number): { readonly neurons: Uint32Array; readonly starts: Uint32Array } {
    const steps = this.#sample?.steps ?? 0;
    const { spikes, spikeStarts } = this.#at.populations[population];
    const addresses = new Uint32Array(this.#memory.buffer, spikeStarts, steps + 1);
    const starts = addresses.map((address) => (address - spikes) / 4);
    return { neurons: new Uint32Array(this.#memory.buffer, spikes, starts[steps]), starts };
  }

  /**
   * Margin (distance to threshold) of every neuron and step, as the tape has it: `[step * padded size + neuron]`; null when
   * not kept.
   */
  margins(population: number): Float32Array | null {
    const { margin } = this.#at.populations[population];
    const steps = this.#sample?.steps ?? 0;
    if (margin === null || steps > this.#capacity.tapeSteps) return null;
    const count = steps * padded(this.network.populations[population].size);
    return readTape(this.#tape, this.#memory.buffer, margin, count);
  }

  /** Adds the gradients of the sample that ran forward. */
  backward(): void {
    const sample = this.#sample;
    if (sample === null) throw new Error("backward() before forward()");
    const { steps } = sample;
    const valued = sample.values === null ? 0 : 1;
    for (const { adjointBlock, spikeAdjoint } of this.#at.populations) {
      new Uint8Array(this.#memory.buffer, adjointBlock.from, adjointBlock.bytes).fill(0);
      new Float32Array(this.#memory.buffer, spikeAdjoint, 1).fill(0);
    }
    const { tapeSteps } = this.#capacity;
    const pieces = Math.ceil(steps / tapeSteps);
    for (let piece = pieces - 1; piece >= 0; piece--) {
      const from = piece * tapeSteps;
      const to = Math.min(steps, from + tapeSteps);
      if (piece < pieces - 1) {
        // The tape of this piece was overwritten: the same steps again give the same tape.
        this.#restore(this.#snapshots[piece]);
        this.#kernels.forward(from, to, from, valued);
      }
      this.#kernels.backward(from, to, from, valued, steps);
    }
  }

  #snapshot(): Uint8Array[] {
    return this.#at.populations.map(({ dynamic }) =>
      new Uint8Array(this.#memory.buffer, dynamic.from, dynamic.bytes).slice(),
    );
  }

  #restore(snapshot: Uint8Array[]): void {
    for (const [p, { dynamic }] of this.#at.populations.entries()) {
      new Uint8Array(this.#memory.buffer, dynamic.from, dynamic.bytes).set(snapshot[p]);
    }
  }

  /**
   * Room for this many steps and events, and what runs in it, for those who feed a sample in pieces (`stream.ts`). Holds
   * until the memory must grow.
   */
  reserve(steps: number, events: number): EngineRoom {
    if (steps > this.#capacity.steps || events > this.#capacity.events) this.#build(steps, events);
    return { buffer: this.#memory.buffer, layout: this.#at, kernels: this.#kernels };
  }

  #load(sample: StepEvents): void {
    const count = sample.offsets[sample.steps];
    this.reserve(sample.steps, count);
    const { eventStarts, channels, eventValues } = this.#at;
    const starts = new Uint32Array(this.#memory.buffer, eventStarts, sample.steps + 1);
    for (let t = 0; t <= sample.steps; t++) starts[t] = channels + 4 * sample.offsets[t];
    new Uint32Array(this.#memory.buffer, channels, count).set(sample.channels.subarray(0, count));
    if (sample.values) new Float32Array(this.#memory.buffer, eventValues, count).set(sample.values.subarray(0, count));
    this.#sample = sample;
  }

  /** Makes memory and module anew for samples of this size; values and gradients move along. */
  #build(steps: number, events: number): void {
    const { network } = this;
    const wanted = grow(this.#capacity.steps, steps);
    this.#capacity = {
      steps: wanted,
      events: grow(this.#capacity.events, events),
      tapeSteps: Math.min(wanted, this.#tapeSteps),
    };
    const constants = network.populations.map((spec, p) => constantValues(spec, this.programs[p], {}, network.dtMs));
    const layout = layOutMemory(network, this.programs, this.valueLayout, this.#capacity, {
      perNeuron: (p, name) => typeof constants[p][name] !== "number",
      costsOverTime: this.#setup.costsOverTime ?? false,
      tape: this.#tape,
      gradients: this.#learns,
    });
    if (layout.bytes > largestMemory) {
      throw new UserError(
        `a sample of ${steps} steps needs ${Math.ceil(layout.bytes / 2 ** 30)} GiB in one WebAssembly memory, which holds 4 at most; ` +
          "use a larger dtMs, shorter samples or fewer neurons",
      );
    }
    const spareBytes = 4 * this.valueLayout.length * this.#spareBlocks;
    const pages = Math.ceil((layout.bytes + spareBytes) / 65536);
    const memory = new WebAssembly.Memory({ initial: pages });
    const block = (address: number) => new Float32Array(memory.buffer, address, this.valueLayout.length);
    if (this.#memory !== undefined) {
      block(layout.values).set(this.values);
      if (this.#learns) block(layout.gradients).set(this.gradients);
      new Uint8Array(memory.buffer, layout.bytes, spareBytes).set(
        new Uint8Array(this.#memory.buffer, this.#at.bytes, spareBytes),
      );
    }
    for (const [p, addresses] of layout.populations.entries()) {
      const spec = network.populations[p];
      for (const [name, { address, perNeuron }] of Object.entries(addresses.constants)) {
        if (this.valueLayout.constants[p][name] !== undefined) continue;
        const value = constants[p][name];
        if (typeof value === "number") new Float32Array(memory.buffer, address, 1)[0] = value;
        else if (perNeuron) writeNeurons(new Float32Array(memory.buffer), address / 4, value);
      }
      if (addresses.refractory !== null) {
        new Int32Array(memory.buffer, addresses.refractory.period, spec.size).set(periodsOf(spec, network.dtMs));
      }
      for (const { spikes, spikeStarts } of [addresses, addresses.sent ?? addresses]) {
        if (p !== network.readout) new Uint32Array(memory.buffer, spikeStarts, 1)[0] = spikes;
      }
    }
    this.#writeSparse(memory, layout);
    this.#writeSent(memory, layout);
    for (const [k, { connectivity }] of network.projections.entries()) {
      const tables = layout.shared[k];
      if (isShared(connectivity) && tables !== null) writeSharedTables(memory.buffer, tables, connectivity);
    }
    for (const [k, matrix] of this.#feedback.entries()) {
      const address = layout.feedback[k];
      if (matrix !== null && address !== null) new Float32Array(memory.buffer, address, matrix.length).set(matrix);
    }
    const bytes = gradientModule(network, this.programs, this.valueLayout, layout, {
      relaxed: this.#setup.relaxed ?? false,
      truncateSteps: this.#setup.truncateSteps ?? 0,
      costsOverTime: this.#setup.costsOverTime ?? false,
      backward: this.#learns,
    });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    this.#memory = memory;
    this.#at = layout;
    this.#kernels = instance.exports as unknown as GradientKernels;
  }
}
