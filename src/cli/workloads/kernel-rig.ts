/**
 * What a worker of the kernel workload holds: trained neurons without a network around them, in memories of its own.
 *
 * Every neuron gets the same initial P and traces of its own. Their updates are real ones (P shrinks, weights move), with
 * the same traces each time.
 */
import type { Host } from "../../device/cpu/group.ts";
import { encodeP, int16Range, type PLayout, type Precision, pLayout } from "../../kernels/rls/layout.ts";
import {
  neuronField,
  neuronRecordBytes,
  pendingBytes,
  scratchBytes,
  synapseBytes,
} from "../../kernels/rls/neuron-memory.ts";
import { initialP, updateRls } from "../../kernels/rls/reference.ts";
import { addRlsKernels } from "../../kernels/rls/wasm.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { i32, i32x4, ModuleBuilder, v128 } from "../../wasm/assembler.ts";

export type Simd = "plain" | "relaxed";

export interface RigSetup {
  readonly seed: number;
  readonly rank: number;
  readonly inputs: number;
  readonly precision: Precision;
  /** P of all neurons together, about. */
  readonly bytes: number;
}

export interface RigSize {
  readonly neurons: number;
  readonly bytesPerNeuron: number;
  readonly simd: readonly Simd[];
}

/** Milliseconds of a clock that all threads of the process share. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

function timed(work: () => void): Interval {
  const start = now();
  work();
  return { start, end: now() };
}

const lambda = 0.8;
const mu = 0.01;
const firstByte = 1024;
/** A WebAssembly memory ends at 4 GiB. */
const memoryBytes = 2e9;
/** Well inside a second-level cache. */
const cachedBytes = 200e3;
const twinNeurons = 4;

interface Part {
  readonly neurons: number;
  readonly memory: WebAssembly.Memory;
  readonly at: Readonly<Record<"P" | "pending" | "synapses" | "neurons" | "scratch" | "end", number>>;
  readonly update: Partial<Record<Simd, (count: number) => void>>;
  readonly multiply: () => void;
}

/** A module that reads, multiplies by one and writes every byte of a range: the fastest an update in place could be. */
function multiplyInPlaceModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.function("multiply", { from: "i32", to: "i32", factor: "i32" }, (f, { from, to, factor }) => {
    const vector = f.let(i32x4.splat(factor));
    f.repeat(
      () => {
        for (const offset of [0, 16, 32, 48]) {
          f.push(v128.store(from, i32x4.mul(v128.load(from, offset), vector), offset));
        }
        f.advance(from, 64);
      },
      () => i32.ltU(from, to),
    );
  });
  return module.toBytes();
}

function rlsModule(layout: PLayout, simd: Simd): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  addRlsKernels(module, { layout, relaxed: simd === "relaxed", compat: "none", bounded: false });
  return module.toBytes();
}

export class KernelRig {
  readonly #memories: WebAssembly.Memory[] = [];
  #layout!: PLayout;
  #parts: Part[] = [];
  #scale = 1;

  /** Fills the memories; they are kept and grow, so that one setup after another needs no more than the largest. */
  prepare({ seed, rank, inputs, precision, bytes }: RigSetup): RigSize {
    const layout = pLayout(inputs, precision);
    this.#layout = layout;
    this.#scale = precision === "f32" ? 1 : 1 / lambda / int16Range;
    const simds = (["plain", "relaxed"] as const).filter((simd) => WebAssembly.validate(rlsModule(layout, simd)));
    const count = Math.max(1, Math.ceil(bytes / layout.bytes));
    const parts = Math.ceil((count * layout.bytes) / memoryBytes);
    const template = encodeP(layout, initialP(this.#signs(), lambda, 1, mu), this.#scale);
    // Filtered spike trains of a few Hz are some 0.005 per ms.
    const traces = new Float64Array(10_007);
    new Philox(seed).uniform(streamOf(streamKind.test, rank), 0, traces);
    this.#parts = Array.from({ length: parts }, (_, p) => {
      const neurons = Math.floor(((p + 1) * count) / parts) - Math.floor((p * count) / parts);
      return this.#part(p, neurons, simds, new Uint8Array(template.buffer), traces);
    });
    return { neurons: count, bytesPerNeuron: layout.bytes, simd: simds };
  }

  #signs(): Int8Array {
    const { inputs } = this.#layout;
    return Int8Array.from({ length: inputs }, (_, slot) => (slot < inputs / 2 ? 1 : -1));
  }

  #memory(index: number, bytes: number): WebAssembly.Memory {
    this.#memories[index] ??= new WebAssembly.Memory({ initial: 1 });
    const memory = this.#memories[index];
    const missing = Math.ceil((bytes - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    return memory;
  }

  #part(index: number, neurons: number, simds: readonly Simd[], template: Uint8Array, traces: Float64Array): Part {
    const layout = this.#layout;
    const pending = firstByte + neurons * layout.bytes;
    const synapses = pending + neurons * pendingBytes(layout);
    const records = synapses + neurons * synapseBytes(layout);
    const scratch = records + neurons * neuronRecordBytes;
    const at = { P: firstByte, pending, synapses, neurons: records, scratch, end: scratch + scratchBytes(layout) };
    const memory = this.#memory(index, at.end);
    const bytes = new Uint8Array(memory.buffer);
    const floats = new Float32Array(memory.buffer);
    bytes.fill(0, at.pending, at.end);
    for (let n = 0; n < neurons; n++) {
      bytes.set(template, at.P + n * layout.bytes);
      const record = (at.neurons + n * neuronRecordBytes) / 4;
      floats[record + neuronField.scale / 4] = this.#scale;
      floats[record + neuronField.decay / 4] = 1;
      floats[record + neuronField.bias / 4] = 0.3;
      for (let slot = 0; slot < layout.inputs; slot++) {
        floats[this.#trace(at.synapses, n, slot)] = 0.01 * traces[(n * layout.inputs + slot) % traces.length];
      }
    }
    const instantiate = (code: Uint8Array<ArrayBuffer>) =>
      new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports as Record<
        string,
        (...args: number[]) => void
      >;
    const { multiply } = instantiate(multiplyInPlaceModule());
    const update: Part["update"] = {};
    for (const simd of simds) {
      const { rlsUpdate } = instantiate(rlsModule(layout, simd));
      update[simd] = (count) => rlsUpdate(count, at.P, at.pending, at.synapses, at.neurons, at.scratch, 0);
    }
    return { neurons, memory, at, update, multiply: () => multiply(at.P, at.P + neurons * layout.bytes, 1) };
  }

  /** Index of a trace among the floats of the memory; its weight lies 4 before. */
  #trace(synapses: number, neuron: number, slot: number): number {
    return (synapses + neuron * synapseBytes(this.#layout)) / 4 + 8 * (slot >> 2) + 4 + (slot & 3);
  }

  /** Reads and writes every byte of P once. */
  multiply(): Interval {
    return timed(() => {
      for (const part of this.#parts) part.multiply();
    });
  }

  /** One update of every neuron. */
  update(simd: Simd): Interval {
    return timed(() => {
      for (const part of this.#parts) part.update[simd]!(part.neurons);
    });
  }

  /** Seconds per update of few neurons whose P stays in the cache, `repeat` times. */
  cached(simd: Simd, repeat: number): number[] {
    const [part] = this.#parts;
    const neurons = Math.min(part.neurons, Math.max(1, Math.floor(cachedBytes / this.#layout.bytes)));
    const update = part.update[simd]!;
    const run = (rounds: number) => {
      const { start, end } = timed(() => {
        for (let round = 0; round < rounds; round++) update(neurons);
      });
      return (end - start) / 1000 / (rounds * neurons);
    };
    const rounds = Math.max(1, Math.ceil(0.01 / (neurons * run(3))));
    return Array.from({ length: repeat }, () => run(rounds));
  }

  /**
   * The float64 twin of the kernel on the first few neurons: its seconds per update, and the largest difference of a
   * weight after one update, relative to the largest weight. To be called right after `prepare`.
   */
  twin(repeat: number): { seconds: number[]; difference: number } {
    const [part] = this.#parts;
    const { inputs } = this.#layout;
    const count = Math.min(twinNeurons, part.neurons);
    const floats = new Float32Array(part.memory.buffer);
    const element = initialP(this.#signs(), lambda, 1, mu);
    const start = Float64Array.from({ length: inputs * inputs }, (_, i) => element(Math.floor(i / inputs), i % inputs));
    const twins = Array.from({ length: count }, (_, n) => ({
      P: start.slice(),
      w: new Float64Array(inputs),
      x: Float64Array.from({ length: inputs }, (_, slot) => floats[this.#trace(part.at.synapses, n, slot)]),
    }));
    const step = () => {
      for (const { P, w, x } of twins) updateRls(P, w, x, 0.3);
    };
    step();
    part.update.plain!(count);
    let difference = 0;
    let largest = 0;
    for (const [n, { w }] of twins.entries()) {
      for (let slot = 0; slot < inputs; slot++) {
        const weight = floats[this.#trace(part.at.synapses, n, slot) - 4];
        difference = Math.max(difference, Math.abs(weight - w[slot]));
        largest = Math.max(largest, Math.abs(w[slot]));
      }
    }
    // The first rounds are interpreted; they do not count.
    for (let round = 0; round < 20; round++) step();
    const seconds = Array.from({ length: repeat }, () => {
      const { start, end } = timed(step);
      return (end - start) / 1000 / count;
    });
    return { seconds, difference: difference / largest };
  }
}

/** The rig as a table of methods, for a worker to serve. */
export function kernelRigHost(): Host {
  const rig = new KernelRig();
  return {
    prepare: (setup: RigSetup) => rig.prepare(setup),
    multiply: () => rig.multiply(),
    update: (simd: Simd) => rig.update(simd),
    cached: (simd: Simd, repeat: number) => rig.cached(simd, repeat),
    twin: (repeat: number) => rig.twin(repeat),
  };
}
