/**
 * The kernels of the gradient engine that deliver its input, in both forms, on the same data: event by event, and as a
 * product over four steps at once, with everything that the product needs.
 */
import { addDenseAccumulate, addDenseScatter, addSpread, channelBytes, stepsAtOnce } from "../../kernels/rows/dense.ts";
import { accumulate } from "../../kernels/rows/reference.ts";
import { addAccumulate, addScatter, padded } from "../../kernels/rows/wasm.ts";
import type { Draws } from "../../random/draws.ts";
import { type FunctionBuilder, i32, type Local, ModuleBuilder, memory as wasmMemory } from "../../wasm/assembler.ts";
import { type Spread, spreadOf } from "./measurement.ts";

/** Steps whose currents are compared with float64 sums. */
const checkedSteps = 4;

export interface DensityShape {
  readonly inputs: number;
  readonly neurons: number;
  /** A multiple of 4. */
  readonly steps: number;
}

export interface KernelRow {
  readonly density: number;
  /** Events carry amplitudes, or are all 1. */
  readonly valued: boolean;
  /** Microseconds per step. */
  readonly eventForward: Spread;
  readonly denseForward: Spread;
  readonly eventBackward: Spread;
  readonly denseBackward: Spread;
  /** Dense time over event time, forward and backward together: above 1 the event form is faster. */
  readonly denseOverEvent: number;
  /** Whether currents and gradients of both forms are equal to the last bit. */
  readonly sameBytes: boolean;
  /** From the float64 sums, relative to the largest. */
  readonly largestDifference: number;
  /** Of the float64 sums, forward. */
  readonly twinMicroseconds: number;
}

const kernelNames = ["eventForward", "denseForward", "eventBackward", "denseBackward"] as const;
type Kernels = Readonly<Record<(typeof kernelNames)[number], (valued: number) => void>>;

/** Addresses of matrices and lists, and the memory that holds them. */
function layOut({ inputs, neurons, steps }: DensityShape) {
  const rowBytes = 4 * padded(neurons);
  let next = 64;
  const take = (bytes: number): number => {
    const at = next;
    next += 64 * Math.ceil(bytes / 64);
    return at;
  };
  const at = {
    starts: take(4 * (steps + 1)),
    channels: take(4 * steps * inputs),
    values: take(4 * steps * inputs),
    x: take(channelBytes * inputs),
    weights: take(inputs * rowBytes),
    adjoints: take(steps * rowBytes),
    eventCurrents: take(steps * rowBytes),
    denseCurrents: take(steps * rowBytes),
    eventGradients: take(inputs * rowBytes),
    denseGradients: take(inputs * rowBytes),
  };
  return { at, memory: new WebAssembly.Memory({ initial: Math.ceil(next / 65536) }) };
}

export class DensityRig {
  readonly shape: DensityShape;
  readonly #rowBytes: number;
  readonly #at: ReturnType<typeof layOut>["at"];
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #draws: Draws;

  /** @param draws of weights, adjoints and events */
  constructor(shape: DensityShape, draws: Draws) {
    this.shape = shape;
    this.#draws = draws;
    this.#rowBytes = 4 * padded(shape.neurons);
    const { at, memory } = layOut(shape);
    this.#at = at;
    this.#memory = memory;
    this.#kernels = this.#makeKernels();
    for (const [from, rows] of [
      [at.weights, shape.inputs],
      [at.adjoints, shape.steps],
    ]) {
      const block = new Float32Array(memory.buffer, from, (rows * this.#rowBytes) / 4);
      for (let i = 0; i < block.length; i++) if (i % padded(shape.neurons) < shape.neurons) block[i] = draws.normal();
    }
  }

  #makeKernels(): Kernels {
    const { inputs, neurons, steps } = this.shape;
    const at = this.#at;
    const module = new ModuleBuilder();
    const shape = { sources: inputs, targets: neurons, sparse: null, relaxed: false };
    const both = <K>(add: (valued: boolean) => K): K[] => [false, true].map(add);
    const kernels = {
      accumulate: both((valued) => addAccumulate(module, `accumulate ${valued}`, { ...shape, valued })),
      scatter: both((valued) => addScatter(module, `scatter ${valued}`, { ...shape, valued })),
      spread: both((valued) => addSpread(module, `spread ${valued}`, { valued })),
      denseAccumulate: addDenseAccumulate(module, "dense accumulate", shape),
      denseScatter: addDenseScatter(module, "dense scatter", shape),
    };
    /** The events of the step whose entry among the starts this is. */
    const events = (f: FunctionBuilder, entry: Local<"i32">, offset: number) => {
      const list = f.let(i32.load(entry, offset));
      return { list, end: i32.load(entry, offset + 4), values: i32.add(list, i32.const(at.values - at.channels)) };
    };
    const perVariant = (f: FunctionBuilder, valued: Local<"i32">, call: (variant: number) => void) =>
      f.if(
        valued,
        () => call(1),
        () => call(0),
      );
    /** Every `group` steps, forwards. */
    const overSteps = (
      f: FunctionBuilder,
      group: number,
      rows: number,
      body: (entry: Local<"i32">, row: Local<"i32">) => void,
    ) => {
      const entry = f.let(i32.const(at.starts));
      const row = f.let(i32.const(rows));
      f.repeat(
        () => {
          body(entry, row);
          f.advance(entry, 4 * group);
          f.advance(row, group * this.#rowBytes);
        },
        () => i32.ltU(entry, i32.const(at.starts + 4 * steps)),
      );
    };
    const clear = (f: FunctionBuilder, from: number, bytes: number) =>
      f.push(wasmMemory.fill(i32.const(from), i32.const(0), i32.const(bytes)));

    for (const [name, list, matrix, rows] of [
      ["eventForward", kernels.accumulate, at.weights, at.eventCurrents],
      ["eventBackward", kernels.scatter, at.eventGradients, at.adjoints],
    ] as const) {
      module.function(name, { valued: "i32" }, (f, { valued }) => {
        if (name === "eventForward") clear(f, rows, steps * this.#rowBytes);
        overSteps(f, 1, rows, (entry, row) => {
          perVariant(f, valued, (variant) =>
            f.call(list[variant], { ...events(f, entry, 0), matrix: i32.const(matrix), row }),
          );
        });
      });
    }
    for (const [name, product, matrix, rows] of [
      ["denseForward", kernels.denseAccumulate, at.weights, at.denseCurrents],
      ["denseBackward", kernels.denseScatter, at.denseGradients, at.adjoints],
    ] as const) {
      module.function(name, { valued: "i32" }, (f, { valued }) => {
        if (name === "denseForward") clear(f, rows, steps * this.#rowBytes);
        overSteps(f, stepsAtOnce, rows, (entry, row) => {
          clear(f, at.x, channelBytes * inputs);
          for (let s = 0; s < stepsAtOnce; s++) {
            perVariant(f, valued, (variant) =>
              f.call(kernels.spread[variant], { ...events(f, entry, 4 * s), x: i32.const(at.x + 4 * s) }),
            );
          }
          f.call(product, { x: i32.const(at.x), matrix: i32.const(matrix), rows: row });
        });
      });
    }
    const compiled = new WebAssembly.Module(module.toBytes());
    return new WebAssembly.Instance(compiled, { env: { memory: this.#memory } }).exports as unknown as Kernels;
  }

  /** Until the runtime has compiled the kernels a second time, which it does in the background. */
  async warmUp(): Promise<void> {
    this.#fill(0.5, true);
    for (let round = 0; round < 20; round++) {
      for (const name of kernelNames) this.#kernels[name](round % 2);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  measure(density: number, valued: boolean, repeat: number): KernelRow {
    const { inputs, steps } = this.shape;
    this.#fill(density, valued);
    const floats = new Float32Array(this.#memory.buffer);
    for (const gradients of [this.#at.eventGradients, this.#at.denseGradients]) {
      floats.fill(0, gradients / 4, (gradients + inputs * this.#rowBytes) / 4);
    }
    const times = Object.fromEntries(kernelNames.map((name) => [name, [] as number[]]));
    // One round after another, so that a machine that drifts drifts for all.
    for (let round = -3; round < repeat; round++) {
      for (const name of kernelNames) {
        const started = performance.now();
        this.#kernels[name](valued ? 1 : 0);
        if (round >= 0) times[name].push((1000 * (performance.now() - started)) / steps);
      }
    }
    const { eventForward, denseForward, eventBackward, denseBackward } = times;
    const ratios = eventForward.map(
      (forward, round) => (denseForward[round] + denseBackward[round]) / (forward + eventBackward[round]),
    );
    return {
      density,
      valued,
      eventForward: spreadOf(eventForward),
      denseForward: spreadOf(denseForward),
      eventBackward: spreadOf(eventBackward),
      denseBackward: spreadOf(denseBackward),
      denseOverEvent: spreadOf(ratios).median,
      sameBytes:
        this.#equal("eventCurrents", "denseCurrents", steps) && this.#equal("eventGradients", "denseGradients", inputs),
      ...this.#compareWithTwin(),
    };
  }

  /** Fills the lists with events of this density. */
  #fill(density: number, valued: boolean): void {
    const { inputs, steps } = this.shape;
    const at = this.#at;
    const words = new Uint32Array(this.#memory.buffer);
    const floats = new Float32Array(this.#memory.buffer);
    let event = 0;
    for (let t = 0; t < steps; t++) {
      words[at.starts / 4 + t] = at.channels + 4 * event;
      for (let i = 0; i < inputs; i++) {
        if (this.#draws.uniform() >= density) continue;
        words[at.channels / 4 + event] = i;
        floats[at.values / 4 + event++] = valued ? this.#draws.uniform() : 1;
      }
    }
    words[at.starts / 4 + steps] = at.channels + 4 * event;
  }

  #equal(one: "eventCurrents" | "eventGradients", other: "denseCurrents" | "denseGradients", rows: number): boolean {
    const [a, b] = [one, other].map(
      (name) => new Uint32Array(this.#memory.buffer, this.#at[name], (rows * this.#rowBytes) / 4),
    );
    return a.every((word, i) => word === b[i]);
  }

  /** The currents of the first steps against float64 sums. */
  #compareWithTwin() {
    const { inputs, neurons } = this.shape;
    const at = this.#at;
    const stride = this.#rowBytes / 4;
    const words = new Uint32Array(this.#memory.buffer);
    const floats = new Float32Array(this.#memory.buffer);
    const weights = new Float32Array(inputs * neurons);
    for (let i = 0; i < inputs; i++) {
      const from = at.weights / 4 + i * stride;
      weights.set(floats.subarray(from, from + neurons), i * neurons);
    }
    let worst = 0;
    let largest = Number.MIN_VALUE;
    let milliseconds = 0;
    for (let t = 0; t < checkedSteps; t++) {
      const [from, to] = [0, 1].map((after) => (words[at.starts / 4 + t + after] - at.channels) / 4);
      const spikes = Array.from({ length: to - from }, (_, e) => ({
        source: words[at.channels / 4 + from + e],
        value: floats[at.values / 4 + from + e],
      }));
      const current = new Float64Array(neurons);
      const started = performance.now();
      accumulate({ sources: inputs, targets: neurons, connectivity: "dense" }, weights, spikes, current);
      milliseconds += performance.now() - started;
      for (let j = 0; j < neurons; j++) {
        largest = Math.max(largest, Math.abs(current[j]));
        worst = Math.max(worst, Math.abs(floats[at.denseCurrents / 4 + t * stride + j] - current[j]));
      }
    }
    return { largestDifference: worst / largest, twinMicroseconds: (1000 * milliseconds) / checkedSteps };
  }
}
