/**
 * One shard: a range of neurons with everything they own, in one WebAssembly memory, and the kernels that work on it.
 */
import { plasticEntry } from "../../kernels/delivery/wasm.ts";
import { encodeP, int16Range, int16RangeForgetting } from "../../kernels/rls/layout.ts";
import { initialP } from "../../kernels/rls/reference.ts";
import { neuronField, neuronRecordBytes, pendingBytes, synapseBytes } from "../../kernels/rls/wasm.ts";
import { integerPower } from "../../math/elementary.ts";
import type { ShardRange } from "../../network/partition.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { CompiledNetwork } from "./compile.ts";
import { instantiateKernels, type Kernels } from "./shard-kernels.ts";
import { planShard, type ShardMemory } from "./shard-memory.ts";
import { trainedNeurons } from "./trained.ts";

/** Static synapses of a shard, gathered before its memory exists. */
export interface StaticSynapses {
  readonly offsets: Uint32Array;
  readonly targets: Uint16Array;
  readonly weights: Float32Array | null;
}

/** P that is updated in one go: small next to a second-level cache. */
const updateChunkBytes = 2 ** 18;

export class Shard {
  readonly network: CompiledNetwork;
  readonly range: ShardRange;
  readonly memory: ShardMemory;
  /** Local index, and global index, of every trained neuron. */
  readonly trainedLocal: Uint32Array;
  readonly trainedGlobal: Uint32Array;
  readonly bytes: Uint8Array;
  readonly #buffer: ArrayBuffer;
  readonly #floats: Float32Array;
  readonly #kernels: Kernels;
  readonly #spikesIn: Uint32Array;
  readonly #spikesOut: Uint32Array;
  #backwards = false;
  readonly #records: Float32Array;
  readonly #recordFlags: Int32Array;
  /** Position of its first trained neuron among those of the network. */
  #firstTrained: number | null = null;
  #P0: { template: Float32Array | Int16Array; lambda: number } | null = null;

  constructor(
    network: CompiledNetwork,
    range: ShardRange,
    trainedGlobal: Uint32Array,
    statics: StaticSynapses | null,
    relaxed: boolean,
  ) {
    this.network = network;
    this.range = range;
    this.trainedGlobal = trainedGlobal;
    this.trainedLocal = trainedGlobal.map((global) => localIndex(range, global));
    this.memory = planShard(network, {
      capacity: range.capacity,
      segments: range.segments.length,
      trained: trainedGlobal.length,
      staticSynapses: statics?.targets.length ?? 0,
    });
    const pages = Math.ceil(this.memory.bytes / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#buffer = memory.buffer;
    this.bytes = new Uint8Array(this.#buffer);
    this.#floats = new Float32Array(this.#buffer);
    const subset = trainedGlobal.length !== range.size || range.size !== range.capacity;
    this.#kernels = instantiateKernels(network, this.memory, memory, { subset, relaxed });
    const { at } = this.memory;
    this.#spikesIn = this.u32(at.spikesIn, network.sources);
    this.#spikesOut = this.u32(at.spikesOut, range.capacity);
    this.#records = this.f32(at.neurons, (neuronRecordBytes / 4) * trainedGlobal.length);
    this.#recordFlags = new Int32Array(this.#buffer, at.neurons, this.#records.length);
    this.#writeConstants();
    if (statics) {
      this.u32(at.staticOffsets, statics.offsets.length).set(statics.offsets);
      new Uint16Array(this.#buffer, at.staticTargets, statics.targets.length).set(statics.targets);
      if (statics.weights) this.f32(at.staticWeights, statics.weights.length).set(statics.weights);
    }
  }

  f32(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, address, length);
  }

  u32(address: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#buffer, address, length);
  }

  #writeConstants(): void {
    const { network, memory } = this;
    const names = [...network.program.constants, "drive"];
    this.range.segments.forEach((segment, s) => {
      const values = network.constants[segment.population];
      const block = this.f32(memory.at.constants + 4 * names.length * s, names.length);
      const { firstInPopulation: first, size, firstLocal } = segment;
      names.forEach((name, i) => {
        const value = values[name];
        if (typeof value === "number") block[i] = value;
        const address = memory.arrays.perNeuron(name);
        if (address === null) return;
        const array = this.f32(address + 4 * firstLocal, size);
        if (typeof value === "number") array.fill(value);
        else array.set(value.subarray(first, first + size));
      });
      const refractory = network.refractory[segment.population];
      const periods = this.bytes.subarray(memory.arrays.refractoryPeriod + firstLocal).subarray(0, size);
      if (typeof refractory === "number") periods.fill(refractory);
      else periods.set(refractory.subarray(first, first + size));
    });
  }

  /** Values in the order of the neurons from an array of the shard that has padding. */
  gather(address: number, out: Float32Array): void {
    let at = 0;
    for (const { firstLocal, size } of this.range.segments) {
      out.set(this.f32(address + 4 * firstLocal, size), at);
      at += size;
    }
  }

  /** Sets the trained synapses: sources [trained][M], initial weights by slot, P at its start. */
  connect(sources: Uint32Array, initialWeights: Float32Array): void {
    const { memory, network } = this;
    const { at } = memory;
    const { inputs } = network;
    const trained = this.trainedGlobal.length;
    const offsets = this.u32(at.plasticOffsets, network.sources + 1);
    offsets.fill(0);
    for (const source of sources) offsets[source + 1]++;
    for (let s = 0; s < network.sources; s++) offsets[s + 1] += offsets[s];
    const next = offsets.slice();
    const entries = this.u32(at.plasticEntries, trained * inputs);
    for (let t = 0; t < trained; t++) {
      for (let slot = 0; slot < inputs; slot++) entries[next[sources[t * inputs + slot]]++] = plasticEntry(t, slot);
    }
    new Uint16Array(this.#buffer, at.neuronOf, trained).set(this.trainedLocal);
    for (let t = 0; t < trained; t++) {
      const weights = initialWeights.length === inputs ? initialWeights : initialWeights.subarray(t * inputs);
      this.setWeights(t, weights);
    }
    this.#writeBounds();
    this.#records.fill(0);
    this.resetAllP();
    const { tauPlasticMs } = network.spec.synapses;
    const { dtMs, learnEveryMs } = network.spec.timing;
    const steps = Math.round(learnEveryMs / dtMs);
    for (let t = 0; t < trained; t++) {
      const tau = typeof tauPlasticMs === "number" ? tauPlasticMs : tauPlasticMs[this.trainedGlobal[t]];
      const record = (t * neuronRecordBytes) / 4;
      this.#records[record + neuronField.decay / 4] = integerPower(1 - dtMs / tau, steps);
    }
  }

  /** Signs of the slots: feed-forward 0, E +1, I -1, in the order X, E, I. */
  #slotSigns(): Int8Array {
    const { spec, inputs } = this.network;
    const { inputsPerType } = spec.plastic;
    const first = inputs - 2 * inputsPerType;
    return Int8Array.from({ length: inputs }, (_, slot) => (slot < first ? 0 : slot < first + inputsPerType ? 1 : -1));
  }

  #writeBounds(): void {
    const { learning } = this.network.spec;
    const bounds = this.f32(this.memory.at.bounds, synapseBytes(this.memory.layout) / 4);
    const largest = Number.isFinite(learning.maxWeight) ? learning.maxWeight : 3.4e38;
    this.#slotSigns().forEach((sign, slot) => {
      const at = 8 * (slot >> 2) + (slot & 3);
      bounds[at] = learning.dale && sign > 0 ? 0 : -largest;
      bounds[at + 4] = learning.dale && sign < 0 ? 0 : largest;
    });
  }

  lambdaOf(trained: number): number {
    const { lambda } = this.network.spec.learning;
    if (typeof lambda === "number") return lambda;
    this.#firstTrained ??= trainedNeurons(this.network.spec).indexOf(this.trainedGlobal[0]);
    return lambda[this.#firstTrained + trained];
  }

  /** P of one trained neuron back at its start. */
  resetP(trained: number): void {
    const { learning } = this.network.spec;
    const { layout, at } = this.memory;
    const lambda = this.lambdaOf(trained);
    const largest = Math.max(1 / lambda, 1 / learning.lambdaFeedforward);
    const range = learning.forgetting === 1 ? int16Range : int16RangeForgetting;
    const scale = layout.precision === "f32" ? 1 : largest / range;
    if (this.#P0?.lambda !== lambda) {
      const element = initialP(this.#slotSigns(), lambda, learning.lambdaFeedforward, learning.mu);
      this.#P0 = { lambda, template: encodeP(layout, element, scale) };
    }
    const { template } = this.#P0;
    const source = new Uint8Array(template.buffer, template.byteOffset, template.byteLength);
    if (learning.window === 0) this.bytes.set(source, at.P + trained * layout.bytes);
    else if (trained === 0) this.bytes.set(source, at.P);
    this.#records[(trained * neuronRecordBytes + neuronField.scale) / 4] = scale;
  }

  resetAllP(): void {
    for (let t = 0; t < this.trainedGlobal.length; t++) this.resetP(t);
  }

  /** Index among the f32 of the memory of weight `slot` of a trained neuron; its trace lies 4 further. */
  #synapse(trained: number, slot: number): number {
    return (this.memory.at.synapses + trained * synapseBytes(this.memory.layout)) / 4 + 8 * (slot >> 2) + (slot & 3);
  }

  setWeights(trained: number, weights: ArrayLike<number>, firstSlot = 0, count = this.network.inputs): void {
    for (let slot = 0; slot < count; slot++) this.#floats[this.#synapse(trained, firstSlot + slot)] = weights[slot];
  }

  getWeights(trained: number, out: Float32Array, firstSlot = 0, count = this.network.inputs): void {
    for (let slot = 0; slot < count; slot++) out[slot] = this.#floats[this.#synapse(trained, firstSlot + slot)];
  }

  setTraces(trained: number, traces: ArrayLike<number>): void {
    for (let slot = 0; slot < traces.length; slot++) this.#floats[this.#synapse(trained, slot) + 4] = traces[slot];
  }

  getTraces(trained: number, out: Float32Array): void {
    for (let slot = 0; slot < out.length; slot++) out[slot] = this.#floats[this.#synapse(trained, slot) + 4];
  }

  /** Everything that a trial starts from: zero currents, traces and arrivals, voltages as drawn. */
  startTrial(initialStates: (name: string, first: number, out: Float32Array, segment: number) => void): void {
    const { arrays, at, layout } = this.memory;
    const { equations } = this.network.program;
    const { capacity } = this.range;
    for (const name of equations.synapticStates) this.f32(arrays.state(name), capacity).fill(0);
    for (const name of this.memory.carried) {
      this.f32(arrays.work(name), capacity).fill(0);
    }
    this.bytes.fill(0, arrays.refractory, arrays.refractory + capacity);
    for (const name of equations.membraneStates) {
      for (const segment of this.range.segments) {
        const view = this.f32(arrays.state(name) + 4 * segment.firstLocal, segment.size);
        initialStates(name, segment.firstGlobal, view, segment.population);
      }
    }
    const groups = synapseBytes(layout) / 4;
    const synapses = this.f32(at.synapses, groups * this.trainedGlobal.length);
    for (let i = 4; i < synapses.length; i += 8) synapses.fill(0, i, i + 4);
    const { squaredError, gain, largestGain, resetFlag } = neuronField;
    for (let r = 0; r < this.#records.length; r += neuronRecordBytes / 4) {
      for (const field of [squaredError, gain, largestGain, resetFlag]) this.#records[r + field / 4] = 0;
    }
  }

  /** Puts the spikes to deliver where the kernels read them. */
  receive(spikes: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#spikesIn[i] = spikes[i];
  }

  /** Static arrivals of the first `count` received spikes (feed-forward spikes come after the network's). */
  deliverStatic(count: number): void {
    if (count === 0) return;
    const { at, arrays } = this.memory;
    if (this.network.options.arrivals === "counts") {
      this.#kernels.deliverCounts(at.spikesIn, count, at.staticOffsets, at.staticTargets, arrays.work("counts"));
    } else {
      const [excitatory, inhibitory] = [arrays.work("arrivedExc"), arrays.work("arrivedInh")];
      this.#kernels.deliverWeights(
        at.spikesIn,
        count,
        at.staticOffsets,
        at.staticTargets,
        at.staticWeights,
        excitatory,
        inhibitory,
      );
    }
  }

  /** Plastic currents, traces (growing by `gain`, or by the gain of each neuron) or both, of the received spikes. */
  deliverPlastic(what: "Currents" | "Traces" | "Both", count: number, gain: number): void {
    if (count === 0) return;
    const { at, arrays } = this.memory;
    this.#kernels[`deliver${what}`](
      at.spikesIn,
      count,
      at.plasticOffsets,
      at.plasticEntries,
      at.synapses,
      arrays.work("arrivedPlastic"),
      at.neuronOf,
      at.gains,
      gain,
    );
  }

  /**
   * Gains of traces where time constants differ: what a spike of this step adds to the trace as of the next learning time,
   * d^e / tau with d = 1 - dt/tau and e steps to go. `restart`: e = learnEvery - 1; otherwise one step fewer than before.
   */
  advanceGains(restart: boolean): void {
    const { tauPlasticMs } = this.network.spec.synapses;
    if (typeof tauPlasticMs === "number") return;
    const { dtMs, learnEveryMs } = this.network.spec.timing;
    const gains = this.f32(this.memory.at.gains, this.trainedGlobal.length);
    const steps = Math.round(learnEveryMs / dtMs) - 1;
    for (let t = 0; t < gains.length; t++) {
      const tau = tauPlasticMs[this.trainedGlobal[t]];
      const decay = 1 - dtMs / tau;
      gains[t] = restart ? integerPower(decay, steps) / tau : gains[t] / decay;
    }
  }

  /** Noise of this step for every segment; kind and index choose the stream, population by population. */
  fillNoise(kind: "noise" | "stimulus", trialOrTask: number, step: number): void {
    const { arrays } = this.memory;
    for (const { population, firstInPopulation, firstLocal, size } of this.range.segments) {
      const stream = noiseStream(kind, trialOrTask, population);
      this.#kernels.fillNoise(
        arrays.work("noise") + 4 * firstLocal,
        Math.ceil(size / 16),
        firstInPopulation / 16,
        step,
        (stream % 2 ** 32) | 0,
        Math.floor(stream / 2 ** 32),
      );
    }
  }

  /** All neurons by one step; returns how many spikes are in `spikes`. */
  step(stimulated: boolean): number {
    const { at } = this.memory;
    const constants = this.network.program.constants.length + 1;
    const step = stimulated ? this.#kernels.stepNeuronsStimulated : this.#kernels.stepNeurons;
    let count = 0;
    this.range.segments.forEach(({ firstLocal, firstGlobal, size }, s) => {
      const block = at.constants + 4 * constants * s;
      count += step(firstLocal, firstLocal + size, firstGlobal, block, at.spikesOut + 4 * count);
    });
    return count;
  }

  get spikes(): Uint32Array {
    return this.#spikesOut;
  }

  /** Applies a recording kernel to all neurons. */
  forAll(kernel: "recordCurrents" | "flushCurrents"): void {
    this.#kernels[kernel](0, this.range.capacity);
  }

  stepStimulus(decay: number, amplitude: number): void {
    this.#kernels.stepStimulus(0, this.range.capacity, decay, amplitude);
  }

  /** The rest of the current minus the target, before an update: u_static - target[row]. */
  prepareErrors(task: number, row: number, rows: number): void {
    const { arrays, at } = this.memory;
    const trained = this.trainedGlobal.length;
    const target = this.f32(at.targets + 4 * (task * rows + row) * trained, trained);
    const currents = this.network.program.equations.synapticStates
      .filter((name) => name !== "uPlastic")
      .map((name) => this.f32(arrays.state(name), this.range.capacity));
    const bias = neuronField.bias / 4;
    for (let t = 0; t < trained; t++) {
      const local = this.trainedLocal[t];
      let rest = -target[t];
      for (let c = 0; c < currents.length; c++) rest += currents[c][local];
      this.#records[t * (neuronRecordBytes / 4) + bias] = rest;
    }
  }

  /**
   * The exact update of all trained neurons; every other time from the last to the first. Neurons do not depend on each
   * other, and where P is somewhat larger than the cache, what the last update left there is used by the next.
   */
  update(): void {
    const { at, layout } = this.memory;
    const trained = this.trainedGlobal.length;
    const inChunk = Math.max(1, Math.floor(updateChunkBytes / layout.bytes));
    const chunks = Math.ceil(trained / inChunk);
    this.#backwards = !this.#backwards;
    for (let c = 0; c < chunks; c++) {
      const first = inChunk * (this.#backwards ? chunks - 1 - c : c);
      this.#kernels.rlsUpdate(
        Math.min(inChunk, trained - first),
        at.P + first * layout.bytes,
        at.pending + first * pendingBytes(layout),
        at.synapses + first * synapseBytes(layout),
        at.neurons + first * neuronRecordBytes,
        at.scratch,
        at.bounds,
      );
    }
  }

  /** Makes the changes of P that the last updates put off. */
  flush(): void {
    const { at } = this.memory;
    if (this.network.spec.learning.window > 0) return;
    this.#kernels.rlsFlush(this.trainedGlobal.length, at.P, at.pending, at.neurons);
  }

  /** Forgets: P <- keep P. */
  scaleP(keep: number): void {
    this.#kernels.rlsScale(this.trainedGlobal.length, this.memory.at.P, keep);
  }

  /** Puts traces and biases aside as sample `index` of `size`; the traces decay to the next learning time. */
  hold(index: number, size: number): void {
    const { at, layout } = this.memory;
    const xBytes = 16 * layout.tileRows;
    this.#kernels.rlsCapture(
      this.trainedGlobal.length,
      at.synapses,
      at.neurons,
      at.samples + index * xBytes,
      size * xBytes,
    );
    const biases = this.f32(at.biases, size * this.trainedGlobal.length);
    for (let t = 0; t < this.trainedGlobal.length; t++) {
      biases[t * size + index] = this.#records[(t * neuronRecordBytes + neuronField.bias) / 4];
    }
  }

  /** The `count` samples held, out of places for `size`. */
  updateBlock(count: number, size: number): void {
    const { at, layout } = this.memory;
    const update = (first: number, neurons: number) =>
      this.#kernels.rlsUpdateBlock(
        neurons,
        at.P + first * layout.bytes,
        at.pending + first * pendingBytes(layout),
        at.synapses + first * synapseBytes(layout),
        at.neurons + first * neuronRecordBytes,
        at.samples + first * size * 16 * layout.tileRows,
        at.biases + first * size * 4,
        count,
        at.scratch,
        at.bounds,
      );
    const trained = this.trainedGlobal.length;
    // The samples of a shorter last block do not lie back to back: neuron by neuron then.
    if (count === size) update(0, trained);
    else for (let t = 0; t < trained; t++) update(t, 1);
  }

  /** Windowed update: sample `newest` of the ring of `size` is learnt, `count` of them are remembered. */
  updateWindow(newest: number, count: number, size: number): void {
    const { at } = this.memory;
    this.#kernels.rlsUpdateWindow(
      this.trainedGlobal.length,
      at.P,
      at.synapses,
      at.neurons,
      at.samples,
      newest,
      count,
      size,
      at.scratch,
      at.bounds,
    );
  }

  /** Traces decay to the next learning time without an update. */
  decayTraces(): void {
    const { at } = this.memory;
    this.#kernels.rlsCapture(this.trainedGlobal.length, at.synapses, at.neurons, at.scratch, 0);
  }

  /** Resets P wherever the last update flagged it; returns how many. */
  repair(): number {
    const flag = neuronField.resetFlag / 4;
    let resets = 0;
    for (let t = 0; t < this.trainedGlobal.length; t++) {
      const at = (t * neuronRecordBytes) / 4 + flag;
      if (this.#recordFlags[at] === 0) continue;
      this.#recordFlags[at] = 0;
      this.resetP(t);
      resets++;
    }
    return resets;
  }

  /** A field of the record of a trained neuron (rls/wasm.ts). */
  record(trained: number, field: keyof typeof neuronField): number {
    return this.#records[(trained * neuronRecordBytes + neuronField[field]) / 4];
  }
}

/** The stream of noise or stimulus: trials (or tasks) and populations interleave. */
export function noiseStream(kind: "noise" | "stimulus", trialOrTask: number, population: number): number {
  return streamOf(streamKind[kind], 2 * trialOrTask + population);
}

/** Local index of a neuron that the shard holds. */
export function localIndex(range: ShardRange, global: number): number {
  for (const { firstGlobal, size, firstLocal } of range.segments) {
    if (global >= firstGlobal && global < firstGlobal + size) return firstLocal + global - firstGlobal;
  }
  return -1;
}
