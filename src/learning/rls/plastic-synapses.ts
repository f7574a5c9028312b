/**
 * The trained synapses of a shard: who projects to whom, weights, traces and P of every trained neuron, and the kernels
 * that change them. How they lie in memory: shard-memory.ts, kernels/rls.
 */
import { plasticEntry } from "../../kernels/delivery/wasm.ts";
import { encodeP, int16Range, int16RangeForgetting } from "../../kernels/rls/layout.ts";
import { neuronField, neuronRecordBytes, pendingBytes, synapseBytes } from "../../kernels/rls/neuron-memory.ts";
import { initialP } from "../../kernels/rls/reference.ts";
import { integerPower } from "../../math/elementary.ts";
import type { CompiledNetwork } from "./compile.ts";
import type { Kernels } from "./shard-kernels.ts";
import type { ShardMemory } from "./shard-memory.ts";
import { trainedNeurons } from "./trained.ts";

/** P that is updated in one go: small next to a second-level cache. */
const updateChunkBytes = 2 ** 18;

export class PlasticSynapses {
  readonly #network: CompiledNetwork;
  readonly #memory: ShardMemory;
  readonly #buffer: ArrayBuffer;
  readonly #kernels: Kernels;
  /** Local index, and global index, of every trained neuron. */
  readonly #local: Uint32Array;
  readonly #global: Uint32Array;
  /** The whole memory. */
  readonly #floats: Float32Array;
  readonly #records: Float32Array;
  readonly #recordFlags: Int32Array;
  #backwards = false;
  /** Position of its first trained neuron among those of the network. */
  #firstTrained: number | null = null;
  #P0: { template: Float32Array | Int16Array; lambda: number } | null = null;

  /** @param trained local and global indices of the trained neurons of the shard */
  constructor(
    network: CompiledNetwork,
    memory: ShardMemory,
    buffer: ArrayBuffer,
    kernels: Kernels,
    trained: { readonly local: Uint32Array; readonly global: Uint32Array },
  ) {
    this.#network = network;
    this.#memory = memory;
    this.#buffer = buffer;
    this.#kernels = kernels;
    this.#local = trained.local;
    this.#global = trained.global;
    this.#floats = new Float32Array(buffer);
    this.#records = this.#f32(memory.at.neurons, (neuronRecordBytes / 4) * this.#count);
    this.#recordFlags = new Int32Array(buffer, memory.at.neurons, this.#records.length);
  }

  /** Trained neurons. */
  get #count(): number {
    return this.#global.length;
  }

  #f32(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, address, length);
  }

  /** Sets who projects to whom, sources [trained][M], with initial weights by slot and P at its start. */
  connect(sources: Uint32Array, initialWeights: Float32Array): void {
    const { inputs } = this.#network;
    this.#writeLists(sources);
    for (let t = 0; t < this.#count; t++) {
      const weights = initialWeights.length === inputs ? initialWeights : initialWeights.subarray(t * inputs);
      this.setWeights(t, weights);
    }
    this.#writeBounds();
    this.#records.fill(0);
    for (let t = 0; t < this.#count; t++) this.#resetP(t);
    this.#writeDecays();
  }

  /** By source: where its spikes go. */
  #writeLists(sources: Uint32Array): void {
    const { at } = this.#memory;
    const { inputs, sources: senders } = this.#network;
    const offsets = new Uint32Array(this.#buffer, at.plasticOffsets, senders + 1);
    offsets.fill(0);
    for (const source of sources) offsets[source + 1]++;
    for (let s = 0; s < senders; s++) offsets[s + 1] += offsets[s];
    const next = offsets.slice();
    const entries = new Uint32Array(this.#buffer, at.plasticEntries, this.#count * inputs);
    for (let t = 0; t < this.#count; t++) {
      for (let slot = 0; slot < inputs; slot++) entries[next[sources[t * inputs + slot]]++] = plasticEntry(t, slot);
    }
    new Uint16Array(this.#buffer, at.neuronOf, this.#count).set(this.#local);
  }

  /** Signs of the slots: feed-forward 0, E +1, I -1, in the order X, E, I. */
  #slotSigns(): Int8Array {
    const { spec, inputs } = this.#network;
    const { inputsPerType } = spec.plastic;
    const first = inputs - 2 * inputsPerType;
    return Int8Array.from({ length: inputs }, (_, slot) => (slot < first ? 0 : slot < first + inputsPerType ? 1 : -1));
  }

  #writeBounds(): void {
    const { learning } = this.#network.spec;
    const bounds = this.#f32(this.#memory.at.bounds, synapseBytes(this.#memory.layout) / 4);
    const largest = Number.isFinite(learning.maxWeight) ? learning.maxWeight : 3.4e38;
    this.#slotSigns().forEach((sign, slot) => {
      const at = 8 * (slot >> 2) + (slot & 3);
      bounds[at] = learning.dale && sign > 0 ? 0 : -largest;
      bounds[at + 4] = learning.dale && sign < 0 ? 0 : largest;
    });
  }

  /** Of traces, from one learning time to the next. */
  #writeDecays(): void {
    const { tauPlasticMs } = this.#network.spec.synapses;
    const { dtMs, learnEveryMs } = this.#network.spec.timing;
    const steps = Math.round(learnEveryMs / dtMs);
    for (let t = 0; t < this.#count; t++) {
      const tau = typeof tauPlasticMs === "number" ? tauPlasticMs : tauPlasticMs[this.#global[t]];
      this.#records[field(t, "decay")] = integerPower(1 - dtMs / tau, steps);
    }
  }

  #lambdaOf(trained: number): number {
    const { lambda } = this.#network.spec.learning;
    if (typeof lambda === "number") return lambda;
    this.#firstTrained ??= trainedNeurons(this.#network.spec).indexOf(this.#global[0]);
    return lambda[this.#firstTrained + trained];
  }

  /** P of one trained neuron back at its start. */
  #resetP(trained: number): void {
    const { learning } = this.#network.spec;
    const { layout, at } = this.#memory;
    const lambda = this.#lambdaOf(trained);
    const largest = Math.max(1 / lambda, 1 / learning.lambdaFeedforward);
    const range = learning.forgetting === 1 ? int16Range : int16RangeForgetting;
    const scale = layout.precision === "f32" ? 1 : largest / range;
    if (this.#P0?.lambda !== lambda) {
      const element = initialP(this.#slotSigns(), lambda, learning.lambdaFeedforward, learning.mu);
      this.#P0 = { lambda, template: encodeP(layout, element, scale) };
    }
    const { template } = this.#P0;
    const bytes = new Uint8Array(template.buffer, template.byteOffset, template.byteLength);
    // In the low-memory mode one P serves all.
    const own = learning.window === 0 ? trained : 0;
    if (own === trained) new Uint8Array(this.#buffer).set(bytes, at.P + own * layout.bytes);
    this.#records[field(trained, "scale")] = scale;
  }

  /** Index among the f32 of the memory of weight `slot` of a trained neuron; its trace lies 4 further. */
  #synapse(trained: number, slot: number): number {
    return (this.#memory.at.synapses + trained * synapseBytes(this.#memory.layout)) / 4 + 8 * (slot >> 2) + (slot & 3);
  }

  setWeights(trained: number, weights: ArrayLike<number>, firstSlot = 0, count = this.#network.inputs): void {
    for (let slot = 0; slot < count; slot++) this.#floats[this.#synapse(trained, firstSlot + slot)] = weights[slot];
  }

  getWeights(trained: number, out: Float32Array, firstSlot = 0, count = this.#network.inputs): void {
    for (let slot = 0; slot < count; slot++) out[slot] = this.#floats[this.#synapse(trained, firstSlot + slot)];
  }

  setTraces(trained: number, traces: ArrayLike<number>): void {
    for (let slot = 0; slot < traces.length; slot++) this.#floats[this.#synapse(trained, slot) + 4] = traces[slot];
  }

  getTraces(trained: number, out: Float32Array): void {
    for (let slot = 0; slot < out.length; slot++) out[slot] = this.#floats[this.#synapse(trained, slot) + 4];
  }

  /** No traces, and nothing counted yet. */
  startTrial(): void {
    const { at, layout } = this.#memory;
    const synapses = this.#f32(at.synapses, (synapseBytes(layout) / 4) * this.#count);
    for (let i = 4; i < synapses.length; i += 8) synapses.fill(0, i, i + 4);
    const counted = ["squaredError", "gain", "largestGain", "resetFlag"] as const;
    for (let t = 0; t < this.#count; t++) for (const name of counted) this.#records[field(t, name)] = 0;
  }

  /**
   * Gains of traces where time constants differ: what a spike of this step adds to the trace as of the next learning time,
   * d^e / tau with d = 1 - dt/tau and e steps to go. `restart`: e = learnEvery - 1; otherwise one step fewer than before.
   */
  advanceGains(restart: boolean): void {
    const { tauPlasticMs } = this.#network.spec.synapses;
    if (typeof tauPlasticMs === "number") return;
    const { dtMs, learnEveryMs } = this.#network.spec.timing;
    const gains = this.#f32(this.#memory.at.gains, this.#count);
    const steps = Math.round(learnEveryMs / dtMs) - 1;
    for (let t = 0; t < gains.length; t++) {
      const tau = tauPlasticMs[this.#global[t]];
      const decay = 1 - dtMs / tau;
      gains[t] = restart ? integerPower(decay, steps) / tau : gains[t] / decay;
    }
  }

  /** The rest of the current minus the target, before an update: u_static - target[row]. */
  prepareErrors(task: number, row: number, rows: number): void {
    const { arrays, at } = this.#memory;
    const target = this.#f32(at.targets + 4 * (task * rows + row) * this.#count, this.#count);
    const currents = this.#network.program.equations.synapticStates
      .filter((name) => name !== "uPlastic")
      .map((name) => arrays.state(name) / 4);
    for (let t = 0; t < this.#count; t++) {
      let rest = -target[t];
      for (const current of currents) rest += this.#floats[current + this.#local[t]];
      this.#records[field(t, "bias")] = rest;
    }
  }

  /**
   * The exact update of all trained neurons; every other time from the last to the first. Neurons do not depend on each
   * other, and where P is somewhat larger than the cache, what the last update left there is used by the next.
   */
  update(): void {
    const { at, layout } = this.#memory;
    const inChunk = Math.max(1, Math.floor(updateChunkBytes / layout.bytes));
    const chunks = Math.ceil(this.#count / inChunk);
    this.#backwards = !this.#backwards;
    for (let c = 0; c < chunks; c++) {
      const first = inChunk * (this.#backwards ? chunks - 1 - c : c);
      this.#kernels.rlsUpdate(
        Math.min(inChunk, this.#count - first),
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
    const { at } = this.#memory;
    if (this.#network.spec.learning.window > 0) return;
    this.#kernels.rlsFlush(this.#count, at.P, at.pending, at.neurons);
  }

  /** Forgets: P <- keep P. */
  scaleP(keep: number): void {
    this.#kernels.rlsScale(this.#count, this.#memory.at.P, keep);
  }

  /** Puts traces and biases aside as sample `index` of `size`; the traces decay to the next learning time. */
  hold(index: number, size: number): void {
    const { at, layout } = this.#memory;
    const xBytes = 16 * layout.tileRows;
    this.#kernels.rlsCapture(this.#count, at.synapses, at.neurons, at.samples + index * xBytes, size * xBytes);
    const biases = this.#f32(at.biases, size * this.#count);
    for (let t = 0; t < this.#count; t++) biases[t * size + index] = this.#records[field(t, "bias")];
  }

  /** The `count` samples held, out of places for `size`. */
  updateBlock(count: number, size: number): void {
    const { at, layout } = this.#memory;
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
    // The samples of a shorter last block do not lie back to back: neuron by neuron then.
    if (count === size) update(0, this.#count);
    else for (let t = 0; t < this.#count; t++) update(t, 1);
  }

  /** Windowed update: sample `newest` of the ring of `size` is learnt, `count` of them are remembered. */
  updateWindow(newest: number, count: number, size: number): void {
    const { at } = this.#memory;
    this.#kernels.rlsUpdateWindow(
      this.#count,
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
    const { at } = this.#memory;
    this.#kernels.rlsCapture(this.#count, at.synapses, at.neurons, at.scratch, 0);
  }

  /** Resets P wherever the last update flagged it; returns how many. */
  repair(): number {
    let resets = 0;
    for (let t = 0; t < this.#count; t++) {
      const flag = field(t, "resetFlag");
      if (this.#recordFlags[flag] === 0) continue;
      this.#recordFlags[flag] = 0;
      this.#resetP(t);
      resets++;
    }
    return resets;
  }

  /** A field of the record of a trained neuron (kernels/rls/neuron-memory.ts). */
  record(trained: number, name: keyof typeof neuronField): number {
    return this.#records[field(trained, name)];
  }
}

/** Index of a field among the f32 of the records. */
const field = (trained: number, name: keyof typeof neuronField): number =>
  (trained * neuronRecordBytes + neuronField[name]) / 4;
