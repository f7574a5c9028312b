/**
 * The memory of a gradient engine and the module that runs in it: made for samples of some length, and made anew, with all
 * that must not be lost, when a longer one comes.
 */
import { UserError } from "../../base/errors.ts";
import type { Surrogate } from "../../expression/node.ts";
import type { ProductFormat } from "../../kernels/rows/integer-dots.ts";
import { writeSharedTables } from "../../kernels/rows/shared.ts";
import { padded } from "../../kernels/rows/wasm.ts";
import type { TapeFormat } from "../../kernels/tape.ts";
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
import { constantValues, periodsOf, programsOf } from "./programs.ts";
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
  /**
   * Numbers in which adjoints are multiplied by dense weights on their way back: `int16` is faster, and rounds them
   * (`integer-dots.ts`). Outputs and spikes are the same, gradients nearly. Default `float32`.
   */
  readonly products?: ProductFormat;
  /**
   * Mean share of channels with an event in a step, from which on the input of a sample is delivered four steps at a time
   * (`dense-input.ts`). Results are the same. Default: where that is faster.
   */
  readonly denseFrom?: number;
}

export interface EngineRoom {
  readonly buffer: ArrayBuffer;
  readonly layout: MemoryLayout;
  readonly kernels: GradientKernels;
}

/** Of the tape of one sample. */
export const defaultTapeBytes = 64 * 2 ** 20;
const largestMemory = 2 ** 32 - 65536;
const noTape: Tape = { before: [], after: [], margin: false, inputs: [] };

/** The next capacity: grown by half at least, so that growing is rare. */
const grow = (have: number, need: number): number => (need <= have ? have : Math.max(need, Math.ceil(1.5 * have), 64));

export class EngineMemory {
  readonly valueLayout: ValueLayout;
  protected readonly setup: EngineSetup;
  protected readonly learns: boolean;
  protected readonly tape: TapeFormat;
  protected capacity: Capacity = { steps: 0, events: 0, tapeSteps: 0 };
  protected at!: MemoryLayout;
  protected memory!: WebAssembly.Memory;
  protected kernels!: GradientKernels;
  #network: GradientNetwork;
  #programs: readonly AdjointProgram[];
  readonly #tapeSteps: number;
  /** Kept apart, because the memory is made anew when it must grow. */
  readonly #feedback: (Float32Array | null)[];
  readonly #sparse: (SparseRows | null)[];
  /** By population: factors of dropout; null where everything is sent. */
  readonly #sent: (ArrayLike<number> | null)[];
  /** Whether the integers of the way back are those of the present values. */
  #isRounded = false;
  /** Spare blocks in use so far. */
  #spareBlocks = 0;

  constructor(setup: EngineSetup) {
    this.#network = setup.network;
    this.setup = setup;
    this.learns = setup.backward ?? true;
    this.tape = setup.tape ?? "float32";
    this.#programs = this.#programsNow();
    this.valueLayout = layOutValues(setup.network, this.programs);
    const perStep = Math.max(1, tapeBytesPerStep(setup.network, this.programs, this.tape));
    this.#tapeSteps = Math.max(1, Math.floor((setup.tapeBytes ?? defaultTapeBytes) / perStep));
    this.#feedback = setup.network.projections.map(() => null);
    this.#sparse = setup.network.projections.map(({ connectivity }) => (isSparse(connectivity) ? connectivity : null));
    this.#sent = setup.network.populations.map(() => null);
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
    return this.learns ? programs : programs.map((program) => ({ ...program, tape: noTape }));
  }

  /** Another surrogate for the samples to come. Values and gradients stay. */
  setSurrogate(population: number, surrogate: Surrogate): void {
    const populations = this.#network.populations.map((spec, p) => (p === population ? { ...spec, surrogate } : spec));
    this.#network = { ...this.#network, populations };
    this.#programs = this.#programsNow();
    this.#build(this.capacity.steps, this.capacity.events);
  }

  /** The block of values (weights, biases, constants), to be written before a forward pass; not to be kept for later. */
  get values(): Float32Array {
    this.#isRounded = false;
    return new Float32Array(this.memory.buffer, this.at.values, this.valueLayout.length);
  }

  /** The block of gradients, summed over all samples since `clearGradients`; empty without a way back. */
  get gradients(): Float32Array {
    const length = this.learns ? this.valueLayout.length : 0;
    return new Float32Array(this.memory.buffer, this.at.gradients, length);
  }

  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Numbers of blocks as large as the gradients, for sums; they live in the same memory. */
  spareBlocks(count: number): number[] {
    return Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** A spare block; memory for it is taken when it is first asked for. */
  block(index: number): Float32Array {
    const from = this.#blockAddress(index);
    return new Float32Array(this.memory.buffer, from, this.valueLayout.length);
  }

  /** Copies the gradients into a spare block. */
  keepGradients(index: number): void {
    this.block(index).set(this.gradients);
  }

  /** Spare block `to` += spare block `from`. */
  addBlock(to: number, from: number): void {
    this.kernels.addBlock(this.#blockAddress(to), this.#blockAddress(from));
  }

  #blockAddress(index: number): number {
    const bytes = 4 * this.valueLayout.length;
    const from = this.at.bytes + index * bytes;
    const missing = from + bytes - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    this.#spareBlocks = Math.max(this.#spareBlocks, index + 1);
    return from;
  }

  /** Before a way back whose products are taken in integers: makes them of values that may have changed. */
  protected roundMatrices(): void {
    if (!this.#isRounded) this.kernels.roundMatrices();
    this.#isRounded = true;
  }

  clearGradients(): void {
    this.gradients.fill(0);
  }

  /** Matrix of a projection with `backward: "feedback"`, laid out as its weights are. */
  setFeedback(projection: number, block: Float32Array): void {
    this.#feedback[projection] = block;
    this.#isRounded = false;
    const address = this.at.feedback[projection];
    if (address === null) throw new Error(`projection ${projection} has no feedback matrix`);
    new Float32Array(this.memory.buffer, address, block.length).set(block);
  }

  /** Other synapses of a sparse projection, as many as before (rewiring). */
  setSparse(projection: number, rows: SparseRows): void {
    const before = this.#sparse[projection];
    if (before === null || before.targets.length !== rows.targets.length) {
      throw new Error(`projection ${projection} is not sparse or has another number of synapses`);
    }
    this.#sparse[projection] = rows;
    this.#writeSparse(this.memory, this.at);
  }

  /**
   * Dropout of the samples to come.
   * @param factors what a spike of each neuron counts for where it arrives, 0 or 1/(1 - p); null: all are sent as they are
   */
  setSent(population: number, factors: ArrayLike<number> | null): void {
    this.#sent[population] = factors;
    this.#writeSent(this.memory, this.at);
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

  /**
   * Room for this many steps and events, and what runs in it, for those who feed a sample in pieces (`stream.ts`). Holds
   * until the memory must grow.
   */
  reserve(steps: number, events: number): EngineRoom {
    if (steps > this.capacity.steps || events > this.capacity.events) this.#build(steps, events);
    return { buffer: this.memory.buffer, layout: this.at, kernels: this.kernels };
  }

  /** Makes memory and module anew for samples of this size; values and gradients move along. */
  #build(steps: number, events: number): void {
    const { network } = this;
    const wanted = grow(this.capacity.steps, steps);
    this.capacity = {
      steps: wanted,
      events: grow(this.capacity.events, events),
      tapeSteps: Math.min(wanted, this.#tapeSteps),
    };
    const constants = network.populations.map((spec, p) => constantValues(spec, this.programs[p], {}, network.dtMs));
    const layout = layOutMemory(network, this.programs, this.valueLayout, this.capacity, {
      perNeuron: (p, name) => typeof constants[p][name] !== "number",
      costsOverTime: this.setup.costsOverTime ?? false,
      tape: this.tape,
      products: this.setup.products ?? "float32",
      gradients: this.learns,
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
    if (this.memory !== undefined) {
      block(layout.values).set(this.values);
      if (this.learns) block(layout.gradients).set(this.gradients);
      new Uint8Array(memory.buffer, layout.bytes, spareBytes).set(
        new Uint8Array(this.memory.buffer, this.at.bytes, spareBytes),
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
    const bytes = gradientModule({
      network,
      programs: this.programs,
      values: this.valueLayout,
      at: layout,
      options: {
        relaxed: this.setup.relaxed ?? false,
        truncateSteps: this.setup.truncateSteps ?? 0,
        costsOverTime: this.setup.costsOverTime ?? false,
        backward: this.learns,
      },
    });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    this.#isRounded = false;
    this.memory = memory;
    this.at = layout;
    this.kernels = instance.exports as unknown as GradientKernels;
  }
}
