/**
 * From which density of the input on a dense product would be faster than the row sums over spikes that the engine uses:
 * currents of all steps from the events of a sample, and gradients of the weights from the adjoints of all steps, both
 * ways, on the same data.
 *
 *   forward:   I(t)[:] = sum over events (i, x) of step t: x W[i][:]            dense: I = X W
 *   backward:  G[i][:] += x a(t)[:] for every event                             dense: G = X' a
 *
 * Float64 sums of the first steps say that both compute the same.
 */
import { accumulate } from "../../kernels/rows/reference.ts";
import { addAccumulate, addScatter } from "../../kernels/rows/wasm.ts";
import { type Draws, openDraws } from "../../random/draws.ts";
import { i32, ModuleBuilder, memory as wasmMemory } from "../../wasm/assembler.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { addDenseProduct } from "./gradient-dense-kernel.ts";
import {
  describeMachine,
  digits,
  machineLine,
  percent,
  type Spread,
  spreadOf,
  spreadText,
  table,
} from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const defaultRepeat = 9;
const inputs = 700;
const steps = 256;
const densities = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const checkedSteps = 4;

interface Row {
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
  /** From the float64 sums, relative to the largest. */
  readonly largestDifference: { readonly event: number; readonly dense: number };
  readonly twinMicroseconds: number;
}

interface Kernels {
  readonly eventForward: (valued: number) => void;
  readonly eventBackward: (valued: number) => void;
  readonly denseForward: () => void;
  readonly denseBackward: () => void;
}

/** Addresses of the matrices and lists, and the memory that holds them. */
function layOut(neurons: number) {
  let next = 64;
  const take = (entries: number): number => {
    const at = next;
    next += 64 * Math.ceil((4 * entries) / 64);
    return at;
  };
  const at = {
    starts: take(steps + 1),
    channels: take(steps * inputs),
    values: take(steps * inputs),
    x: take(steps * inputs),
    weights: take(inputs * neurons),
    gradients: take(inputs * neurons),
    currents: take(steps * neurons),
    denseCurrents: take(steps * neurons),
    denseGradients: take(inputs * neurons),
  };
  return { at, memory: new WebAssembly.Memory({ initial: Math.ceil(next / 65536) }) };
}

type Layout = ReturnType<typeof layOut>;

function makeKernels({ at, memory }: Layout, neurons: number): Kernels {
  const module = new ModuleBuilder();
  const rowBytes = 4 * neurons;
  const shape = { sources: inputs, targets: neurons, sparse: null, relaxed: false };
  for (const [name, add, matrix] of [
    ["eventForward", addAccumulate, at.weights],
    ["eventBackward", addScatter, at.gradients],
  ] as const) {
    const kernels = [false, true].map((valued) => add(module, `${name} ${valued}`, { ...shape, valued }));
    module.function(name, { valued: "i32" }, (f, { valued }) => {
      if (name === "eventForward") {
        f.push(wasmMemory.fill(i32.const(at.currents), i32.const(0), i32.const(steps * rowBytes)));
      }
      const entry = f.let(i32.const(at.starts));
      const row = f.let(i32.const(at.currents));
      f.repeat(
        () => {
          const list = f.let(i32.load(entry));
          const end = i32.load(entry, 4);
          const values = i32.add(list, i32.const(at.values - at.channels));
          const call = (variant: number) =>
            f.call(kernels[variant], { list, end, values, matrix: i32.const(matrix), row });
          f.if(
            valued,
            () => call(1),
            () => call(0),
          );
          f.advance(entry, 4);
          f.advance(row, rowBytes);
        },
        () => i32.ltU(entry, i32.const(at.starts + 4 * steps)),
      );
    });
  }
  const line = 4 * inputs;
  const products = {
    denseForward: { rows: steps, inner: inputs, columns: neurons, strides: { row: line, inner: 4 } },
    denseBackward: { rows: inputs, inner: steps, columns: neurons, strides: { row: 4, inner: line } },
  };
  const operands = {
    denseForward: [at.x, at.weights, at.denseCurrents],
    denseBackward: [at.x, at.currents, at.denseGradients],
  };
  for (const name of ["denseForward", "denseBackward"] as const) {
    const product = addDenseProduct(module, `${name} product`, products[name]);
    const [x, w, out] = operands[name];
    module.function(name, {}, (f) => {
      f.call(product, { x: i32.const(x), w: i32.const(w), out: i32.const(out) });
    });
  }
  const compiled = new WebAssembly.Module(module.toBytes());
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernels;
}

/** Fills lists and matrix with events of this density. */
function fill({ at, memory }: Layout, density: number, valued: boolean, draws: Draws): void {
  const words = new Uint32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  floats.fill(0, at.x / 4, at.x / 4 + steps * inputs);
  let event = 0;
  for (let t = 0; t < steps; t++) {
    words[at.starts / 4 + t] = at.channels + 4 * event;
    for (let i = 0; i < inputs; i++) {
      if (draws.uniform() >= density) continue;
      const value = valued ? draws.uniform() : 1;
      words[at.channels / 4 + event] = i;
      floats[at.values / 4 + event] = value;
      floats[at.x / 4 + t * inputs + i] = value;
      event++;
    }
  }
  words[at.starts / 4 + steps] = at.channels + 4 * event;
}

/** Both forms against float64 sums of the first steps. */
function compare({ at, memory }: Layout, neurons: number) {
  const words = new Uint32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const weights = floats.slice(at.weights / 4, at.weights / 4 + inputs * neurons);
  const worst = { event: 0, dense: 0 };
  let largest = Number.MIN_VALUE;
  let milliseconds = 0;
  for (let t = 0; t < checkedSteps; t++) {
    const spikes = Array.from({ length: (words[at.starts / 4 + t + 1] - words[at.starts / 4 + t]) / 4 }, (_, e) => {
      const place = (words[at.starts / 4 + t] - at.channels) / 4 + e;
      return { source: words[at.channels / 4 + place], value: floats[at.values / 4 + place] };
    });
    const current = new Float64Array(neurons);
    const started = performance.now();
    accumulate({ sources: inputs, targets: neurons, connectivity: "dense" }, weights, spikes, current);
    milliseconds += performance.now() - started;
    for (let j = 0; j < neurons; j++) {
      largest = Math.max(largest, Math.abs(current[j]));
      worst.event = Math.max(worst.event, Math.abs(floats[at.currents / 4 + t * neurons + j] - current[j]));
      worst.dense = Math.max(worst.dense, Math.abs(floats[at.denseCurrents / 4 + t * neurons + j] - current[j]));
    }
  }
  return {
    largestDifference: { event: worst.event / largest, dense: worst.dense / largest },
    twinMicroseconds: (1000 * milliseconds) / checkedSteps,
  };
}

function measure(
  layout: Layout,
  kernels: Kernels,
  neurons: number,
  valued: boolean,
  density: number,
  setup: { draws: Draws; repeat: number },
): Row {
  fill(layout, density, valued, setup.draws);
  const times = { eventForward: [], denseForward: [], eventBackward: [], denseBackward: [] } as Record<
    keyof Kernels,
    number[]
  >;
  const flag = valued ? 1 : 0;
  // One round after another, so that a machine that drifts drifts for all.
  for (let round = -3; round < setup.repeat; round++) {
    for (const name of Object.keys(times) as (keyof Kernels)[]) {
      const started = performance.now();
      kernels[name](flag);
      if (round >= 0) times[name].push((1000 * (performance.now() - started)) / steps);
    }
  }
  const spreads = {
    eventForward: spreadOf(times.eventForward),
    denseForward: spreadOf(times.denseForward),
    eventBackward: spreadOf(times.eventBackward),
    denseBackward: spreadOf(times.denseBackward),
  };
  const { eventForward, denseForward, eventBackward, denseBackward } = spreads;
  return {
    density,
    valued,
    ...spreads,
    denseOverEvent: (denseForward.median + denseBackward.median) / (eventForward.median + eventBackward.median),
    ...compare(layout, neurons),
  };
}

/** Until the runtime has compiled the kernels a second time, which it does in the background. */
async function warmUp(layout: Layout, kernels: Kernels, draws: Draws): Promise<void> {
  fill(layout, 0.1, true, draws);
  for (let round = 0; round < 20; round++) {
    for (const name of Object.keys(kernels) as (keyof Kernels)[]) kernels[name](round % 2);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const repeat = options.repeat ?? defaultRepeat;
  // The dense product takes 8 columns at a time.
  const neurons = 8 * Math.ceil((options.neurons ?? 256) / 8);
  const layout = layOut(neurons);
  const kernels = makeKernels(layout, neurons);
  const draws = openDraws(options.seed, "density");
  const weights = new Float32Array(layout.memory.buffer, layout.at.weights, inputs * neurons);
  for (let i = 0; i < weights.length; i++) weights[i] = draws.normal();
  await warmUp(layout, kernels, draws);
  const rows: Row[] = [];
  for (const valued of [false, true]) {
    for (const density of densities) {
      progress.say(`density: ${percent(density)}${valued ? ", with amplitudes" : ""}`);
      rows.push(measure(layout, kernels, neurons, valued, density, { draws, repeat }));
    }
  }
  if (!options.json) {
    context.stdout.write(
      `input of ${inputs} channels to ${neurons} neurons, microseconds per step, median of ${repeat} (lowest..highest); dense/event above 1: the event form is faster\n` +
        machineLine(machine) +
        table(
          ["input", "density", "event forward", "dense", "event backward", "dense", "dense/event", "twin forward"],
          rows.map((row) => [
            row.valued ? "amplitudes" : "spikes",
            percent(row.density),
            spreadText(row.eventForward),
            digits(row.denseForward.median),
            spreadText(row.eventBackward),
            digits(row.denseBackward.median),
            digits(row.denseOverEvent),
            digits(row.twinMicroseconds),
          ]),
        ),
    );
  }
  return { machine, seed: options.seed, repeat, inputs, neurons, steps, rows };
}

export const density: Workload = {
  name: "density",
  about: "row sums over events against a dense product, for input densities of 1 to 100 %",
  run,
};
