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
import type { StepEvents } from "../../data/labelled-set.ts";
import { padded } from "../../kernels/rows/wasm.ts";
import { readTape } from "../../kernels/tape.ts";
import { EngineMemory, type EngineSetup } from "./engine-memory.ts";
import { inputForm } from "./network-kernels.ts";
import { startStates } from "./programs.ts";
import { type GradientNetwork, hasDenseForm } from "./spec.ts";

/** Of `FilteredRate`; strength includes the weight of the sample. */
export interface RateRule {
  readonly strength: number;
  readonly target: number;
  readonly decay: number;
}

/**
 * From which density of the input on the dense form is faster: 0.45 + 12 / neurons. A product takes as long as events at
 * 45 % of the channels, to prepare it as long as events at all channels to 12 neurons. `volley bench density --neurons N`
 * measures it.
 */
function fasterDenseFrom(network: GradientNetwork): number {
  const dense = network.projections.filter((projection) => hasDenseForm(network, projection));
  const neurons = dense.reduce((sum, { target }) => sum + network.populations[target].size, 0);
  return dense.length === 0 ? Number.POSITIVE_INFINITY : 0.45 + (12 * dense.length) / neurons;
}

export class GradientEngine extends EngineMemory {
  /** Mean share of channels with an event in a step, from which on the input is delivered four steps at a time. */
  readonly denseFrom: number;
  #sample: StepEvents | null = null;
  /** Of the input of the sample: flags of `inputForm`. */
  #form = 0;
  /** States at the start of every piece of a long sample. */
  #snapshots: Uint8Array[][] = [];
  /** By population: states at the start of a sample. */
  readonly #starts: (number | Float32Array)[][];

  constructor(setup: EngineSetup) {
    super(setup);
    this.#starts = setup.network.populations.map(startStates);
    this.denseFrom = setup.denseFrom ?? fasterDenseFrom(setup.network);
  }

  /** Outputs per step, padded to a multiple of 4: the length of a row of `forward`'s result and of `outputAdjoints`. */
  get outputStride(): number {
    return padded(this.network.populations[this.network.readout].size);
  }

  /** States as at the start of a sample. */
  rest(): void {
    const { buffer } = this.memory;
    for (const [p, { dynamic, states }] of this.at.populations.entries()) {
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
    const { tapeSteps } = this.capacity;
    this.#snapshots = [];
    for (let from = 0; from < sample.steps; from += tapeSteps) {
      if (sample.steps > tapeSteps && this.learns) this.#snapshots.push(this.#snapshot());
      this.kernels.forward(from, Math.min(sample.steps, from + tapeSteps), from, this.#form);
    }
    return new Float32Array(this.memory.buffer, this.at.outputs, sample.steps * this.outputStride);
  }

  /** Whether the input of the sample that ran forward was delivered four steps at a time. */
  get dense(): boolean {
    return (this.#form & inputForm.dense) !== 0;
  }

  /** dL/d(outputs) of the sample that ran forward, to be filled before `backward`; padding must be 0. */
  outputAdjoints(): Float32Array {
    const steps = this.#sample?.steps ?? 0;
    return new Float32Array(this.memory.buffer, this.at.outputAdjoints, steps * this.outputStride);
  }

  /** What is added to dL/d(spike) of a population: one per neuron, or `[step * padded size + neuron]` over time. */
  spikeCosts(population: number): Float32Array {
    const row = padded(this.network.populations[population].size);
    const rows = this.setup.costsOverTime ? (this.#sample?.steps ?? 0) : 1;
    return new Float32Array(this.memory.buffer, this.at.populations[population].cost, rows * row);
  }

  /**
   * Fills the costs over time of a population from the spikes of the sample that ran: constant + strength (f - target),
   * f the filtered spikes (`FilteredRate`).
   * @param constant one per neuron
   */
  fillRateCosts(population: number, constant: ArrayLike<number>, rule: RateRule): void {
    const { spikeAdjoint } = this.at.populations[population];
    const row = new Float32Array(this.memory.buffer, spikeAdjoint, padded(constant.length)).fill(0);
    row.set(constant);
    const fill = (this.kernels as unknown as Record<string, (...args: number[]) => void>)[`rateCosts${population}`];
    fill(this.#sample?.steps ?? 0, rule.strength, rule.target, rule.decay);
  }

  /** Adds the spikes of every neuron of a population in the sample that ran to `counts`. */
  countSpikes(population: number, counts: Float64Array): void {
    const { spikes, spikeStarts } = this.at.populations[population];
    const end = new Uint32Array(this.memory.buffer, spikeStarts)[this.#sample?.steps ?? 0];
    for (const neuron of new Uint32Array(this.memory.buffer, spikes, (end - spikes) / 4)) counts[neuron]++;
  }

  /** Indices of the spikes of a population in the sample that ran, and where those of each step start in the list. */
  spikes(population: number): { readonly neurons: Uint32Array; readonly starts: Uint32Array } {
    const steps = this.#sample?.steps ?? 0;
    const { spikes, spikeStarts } = this.at.populations[population];
    const addresses = new Uint32Array(this.memory.buffer, spikeStarts, steps + 1);
    const starts = addresses.map((address) => (address - spikes) / 4);
    return { neurons: new Uint32Array(this.memory.buffer, spikes, starts[steps]), starts };
  }

  /**
   * Margin (distance to threshold) of every neuron and step, as the tape has it: `[step * padded size + neuron]`; null when
   * not kept.
   */
  margins(population: number): Float32Array | null {
    const { margin } = this.at.populations[population];
    const steps = this.#sample?.steps ?? 0;
    if (margin === null || steps > this.capacity.tapeSteps) return null;
    const count = steps * padded(this.network.populations[population].size);
    return readTape(this.tape, this.memory.buffer, margin, count);
  }

  /** Adds the gradients of the sample that ran forward. */
  backward(): void {
    const sample = this.#sample;
    if (sample === null) throw new Error("backward() before forward()");
    const { steps } = sample;
    for (const { adjointBlock, spikeAdjoint } of this.at.populations) {
      new Uint8Array(this.memory.buffer, adjointBlock.from, adjointBlock.bytes).fill(0);
      new Float32Array(this.memory.buffer, spikeAdjoint, 1).fill(0);
    }
    this.roundMatrices();
    const { tapeSteps } = this.capacity;
    const pieces = Math.ceil(steps / tapeSteps);
    for (let piece = pieces - 1; piece >= 0; piece--) {
      const from = piece * tapeSteps;
      const to = Math.min(steps, from + tapeSteps);
      if (piece < pieces - 1) {
        // The tape of this piece was overwritten: the same steps again give the same tape.
        this.#restore(this.#snapshots[piece]);
        this.kernels.forward(from, to, from, this.#form);
      }
      this.kernels.backward(from, to, from, this.#form, steps);
    }
  }

  #snapshot(): Uint8Array[] {
    return this.at.populations.map(({ dynamic }) =>
      new Uint8Array(this.memory.buffer, dynamic.from, dynamic.bytes).slice(),
    );
  }

  #restore(snapshot: Uint8Array[]): void {
    for (const [p, { dynamic }] of this.at.populations.entries()) {
      new Uint8Array(this.memory.buffer, dynamic.from, dynamic.bytes).set(snapshot[p]);
    }
  }

  #load(sample: StepEvents): void {
    const count = sample.offsets[sample.steps];
    this.reserve(sample.steps, count);
    const { eventStarts, channels, eventValues } = this.at;
    const starts = new Uint32Array(this.memory.buffer, eventStarts, sample.steps + 1);
    for (let t = 0; t <= sample.steps; t++) starts[t] = channels + 4 * sample.offsets[t];
    new Uint32Array(this.memory.buffer, channels, count).set(sample.channels.subarray(0, count));
    if (sample.values) new Float32Array(this.memory.buffer, eventValues, count).set(sample.values.subarray(0, count));
    this.#sample = sample;
    this.#form = (sample.values === null ? 0 : inputForm.amplitudes) + (this.#isDense(sample) ? inputForm.dense : 0);
  }

  #isDense(sample: StepEvents): boolean {
    const { steps, offsets } = sample;
    const hasForm = this.at.denseRows.some((rows) => rows !== null);
    return hasForm && offsets[steps] >= this.denseFrom * steps * this.network.inputs && channelsAscend(sample);
  }
}

/** Whether every step has its channels in order and none twice, as it should: sums of other steps have another order. */
function channelsAscend({ steps, offsets, channels }: StepEvents): boolean {
  for (let t = 0; t < steps; t++) {
    for (let i = offsets[t] + 1; i < offsets[t + 1]; i++) if (channels[i] <= channels[i - 1]) return false;
  }
  return true;
}
