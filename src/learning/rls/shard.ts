/**
 * One shard: a range of neurons with everything they own, in one WebAssembly memory, and the kernels that work on it.
 */
import type { ShardRange } from "../../network/partition.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { CompiledNetwork } from "./compile.ts";
import { PlasticSynapses } from "./plastic-synapses.ts";
import { instantiateKernels, type Kernels } from "./shard-kernels.ts";
import { planShard, type ShardMemory } from "./shard-memory.ts";

/** Static synapses of a shard, gathered before its memory exists. */
export interface StaticSynapses {
  readonly offsets: Uint32Array;
  readonly targets: Uint16Array;
  readonly weights: Float32Array | null;
}

export class Shard {
  readonly network: CompiledNetwork;
  readonly range: ShardRange;
  readonly memory: ShardMemory;
  /** Local index, and global index, of every trained neuron. */
  readonly trainedLocal: Uint32Array;
  readonly trainedGlobal: Uint32Array;
  readonly plastic: PlasticSynapses;
  readonly bytes: Uint8Array;
  readonly #buffer: ArrayBuffer;
  readonly #kernels: Kernels;
  readonly #spikesIn: Uint32Array;
  readonly #spikesOut: Uint32Array;

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
    const subset = trainedGlobal.length !== range.size || range.size !== range.capacity;
    this.#kernels = instantiateKernels(network, this.memory, memory, { subset, relaxed });
    const { at } = this.memory;
    this.#spikesIn = this.u32(at.spikesIn, network.sources);
    this.#spikesOut = this.u32(at.spikesOut, range.capacity);
    const trained = { local: this.trainedLocal, global: trainedGlobal };
    this.plastic = new PlasticSynapses(network, this.memory, this.#buffer, this.#kernels, trained);
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

  /** Everything that a trial starts from: zero currents, traces and arrivals, voltages as drawn. */
  startTrial(drawState: (name: string, first: number, out: Float32Array) => void): void {
    const { arrays } = this.memory;
    const { equations } = this.network.program;
    const { capacity } = this.range;
    for (const name of equations.synapticStates) this.f32(arrays.state(name), capacity).fill(0);
    for (const name of this.memory.carried) this.f32(arrays.work(name), capacity).fill(0);
    this.bytes.fill(0, arrays.refractory, arrays.refractory + capacity);
    for (const name of equations.membraneStates) {
      for (const segment of this.range.segments) {
        drawState(name, segment.firstGlobal, this.f32(arrays.state(name) + 4 * segment.firstLocal, segment.size));
      }
    }
    this.plastic.startTrial();
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
