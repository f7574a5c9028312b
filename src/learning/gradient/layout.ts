/**
 * Where everything of the gradient engine lies in one WebAssembly memory: values and gradients first (they travel between
 * workers as one block), then what one population needs for a step, then what grows with the length of a sample.
 *
 * Rows are padded to 4 targets and populations to 4 neurons; padding holds zeros and stays zero. Only constants of
 * neurons are repeated there: equations may divide by them, and a NaN in the padding would reach the sums of real neurons.
 */
import { channelBytes, stepsAtOnce } from "../../kernels/rows/dense.ts";
import { type IntegerMatrix, integerRowBytes, type ProductFormat } from "../../kernels/rows/integer-dots.ts";
import { comeInFours, sharedTableBytes } from "../../kernels/rows/shared.ts";
import { padded, type SharedTables } from "../../kernels/rows/walk.ts";
import { type TapeFormat, tapeNumberBytes } from "../../kernels/tape.ts";
import type { AdjointProgram } from "../../model/adjoint.ts";
import { type GradientNetwork, hasDenseForm, isShared, isSparse, sourceSize } from "./spec.ts";

/** A contiguous piece of the block of values: entry i of row r lies at offset + r * stride + i (in f32 entries). */
export interface Segment {
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
}

export interface ValueLayout {
  /** f32 entries in all. */
  readonly length: number;
  /** By projection. Dense: a row per source. Sparse: one row of all synapses. Shared: rows of `width`. */
  readonly weights: readonly Segment[];
  /** By population. */
  readonly bias: readonly (Segment | null)[];
  /**
   * By population: constants of the step that training moves (hoisted values and parameters, by name). The block of
   * values holds them, the block of gradients the derivatives by them.
   */
  readonly constants: readonly Readonly<Record<string, Segment>>[];
}

export function layOutValues(network: GradientNetwork, programs: readonly AdjointProgram[]): ValueLayout {
  let length = 0;
  const take = (rows: number, columns: number, allocatedRows = rows): Segment => {
    const stride = padded(columns);
    const segment = { offset: length, rows, columns, stride };
    length += allocatedRows * stride;
    return segment;
  };
  const weights = network.projections.map((projection) => {
    const { connectivity } = projection;
    if (isSparse(connectivity)) return take(1, connectivity.targets.length);
    if (isShared(connectivity)) return take(connectivity.rows, connectivity.width);
    const sources = sourceSize(network, projection);
    return take(sources, network.populations[projection.target].size, padded(sources));
  });
  const bias = network.populations.map(({ bias, size }) => (bias ? take(1, size) : null));
  const constants = programs.map((program, p) =>
    Object.fromEntries(Object.keys(program.constants).map((name) => [name, take(1, network.populations[p].size)])),
  );
  return { length, weights, bias, constants };
}

/** Copies dense rows or single rows between a plain array and the padded block. */
export function writeSegment(block: Float32Array, segment: Segment, values: ArrayLike<number>): void {
  for (let r = 0; r < segment.rows; r++) {
    const to = segment.offset + r * segment.stride;
    for (let i = 0; i < segment.columns; i++) block[to + i] = values[r * segment.columns + i];
  }
}

/** Copies one constant per neuron to a row at entry `offset`, and the last neuron's to the padding behind. */
export function writeNeurons(block: Float32Array, offset: number, values: ArrayLike<number>): void {
  const n = values.length;
  for (let i = 0; i < padded(n); i++) block[offset + i] = values[Math.min(i, n - 1)];
}

export function readSegment(block: Float32Array, segment: Segment): Float32Array<ArrayBuffer> {
  const values = new Float32Array(segment.rows * segment.columns);
  for (let r = 0; r < segment.rows; r++) {
    const from = segment.offset + r * segment.stride;
    values.set(block.subarray(from, from + segment.columns), r * segment.columns);
  }
  return values;
}

/** What the longest sample needs. */
export interface Capacity {
  readonly steps: number;
  /** Input events of one sample. */
  readonly events: number;
  /** Steps whose tape is kept at once; fewer than `steps` means that the forward pass is repeated piece by piece. */
  readonly tapeSteps: number;
}

export interface PopulationAddresses {
  readonly states: Readonly<Record<string, number>>;
  readonly adjoints: Readonly<Record<string, number>>;
  /** All states and refractory counters, for snapshots: first byte and length. */
  readonly dynamic: { readonly from: number; readonly bytes: number };
  readonly adjointBlock: { readonly from: number; readonly bytes: number };
  /** Constants that are not trained. */
  readonly constants: Readonly<Record<string, { readonly address: number; readonly perNeuron: boolean }>>;
  /** What arrives in a step: a row for each input of the model. */
  readonly inputs: number;
  readonly spikeAdjoint: number;
  readonly refractory: { readonly left: number; readonly period: number } | null;
  /** Adjoints of the inputs of the last steps, a ring of `ringSteps` times a row for each input. */
  readonly ring: number;
  readonly ringSteps: number;
  /** Whether a step of the ring holds anything but zeros: i32, as many as steps. */
  readonly ringFilled: number;
  /** Margins, inputs and states of the taped steps, in the format of the tape. */
  readonly margin: number | null;
  readonly tapedInputs: Readonly<Record<string, number>>;
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** Indices of spikes (u32), and where the spikes of step t start in it: entry t, byte address. */
  readonly spikes: number;
  readonly spikeStarts: number;
  /** Added to the adjoint of every spike: one row, or one row per step. */
  readonly cost: number;
  /** With dropout: what is sent in place of the spikes. */
  readonly sent: SentAddresses | null;
}

/** Of a population with dropout: the spikes that arrive, as a second list. */
export interface SentAddresses {
  /** What a spike of each neuron counts for, f32: 0 for one that is left out. */
  readonly factors: number;
  /** As `spikes` and `spikeStarts`. */
  readonly spikes: number;
  readonly spikeStarts: number;
  /** Beside the list, at the same distance for all its entries: the factor of each spike. */
  readonly values: number;
}

export interface MemoryLayout {
  readonly tape: TapeFormat;
  readonly values: number;
  readonly gradients: number;
  readonly populations: readonly PopulationAddresses[];
  /** By projection: matrix of the way back where it is not the weights. */
  readonly feedback: readonly (number | null)[];
  readonly sparse: readonly ({ readonly offsets: number; readonly targets: number } | null)[];
  readonly shared: readonly (SharedTables | null)[];
  /** By projection: the dense matrix of the way back in 16-bit integers, where products are taken in them. */
  readonly integers: readonly (IntegerMatrix | null)[];
  /** Input events: where those of step t start (u32 byte addresses of channels), channels (u32), values (f32). */
  readonly eventStarts: number;
  readonly channels: number;
  readonly eventValues: number;
  /** Input events of four steps, f32: a number for each step by channel. 0 where no projection has a dense form. */
  readonly denseInput: number;
  /**
   * By projection: rows of its target for these steps, input currents on the way forward and their adjoints on the way
   * back; null where it has no dense form.
   */
  readonly denseRows: readonly (number | null)[];
  /** [step][padded outputs] */
  readonly outputs: number;
  readonly outputAdjoints: number;
  readonly bytes: number;
}

/** Powers of two, so that the row of a step is a mask away. */
const ringLength = (delay: number): number => 2 ** Math.ceil(Math.log2(delay + 1));

export function layOutMemory(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  values: ValueLayout,
  capacity: Capacity,
  options: {
    readonly perNeuron: (population: number, name: string) => boolean;
    readonly costsOverTime: boolean;
    readonly tape: TapeFormat;
    readonly products: ProductFormat;
    /** Whether there is a block of gradients, and with it dropout. */
    readonly gradients: boolean;
  },
): MemoryLayout {
  // Address 0 stays free; rows start on cache lines.
  let next = 64;
  const take = (bytes: number): number => {
    const at = next;
    next += 64 * Math.ceil(bytes / 64);
    return at;
  };
  const valueBlock = take(4 * values.length);
  const gradientBlock = take(options.gradients ? 4 * values.length : 0);
  const feedback = network.projections.map(({ backward }, k) => {
    const { rows, stride } = values.weights[k];
    return backward === "feedback" ? take(4 * padded(rows) * stride) : null;
  });
  const sparse = network.projections.map((projection) =>
    isSparse(projection.connectivity)
      ? {
          // Rows of padding sources are empty: their offsets are all the last one.
          offsets: take(4 * (padded(sourceSize(network, projection)) + 4)),
          targets: take(4 * projection.connectivity.targets.length),
        }
      : null,
  );
  const shared = network.projections.map(({ connectivity }): SharedTables | null => {
    if (!isShared(connectivity)) return null;
    const bytes = sharedTableBytes(connectivity);
    const inFours = comeInFours(connectivity);
    return { width: connectivity.width, inFours, offsets: take(bytes.offsets), blocks: take(bytes.blocks) };
  });
  const integers = network.projections.map((projection): IntegerMatrix | null => {
    const { source, target, connectivity, backward } = projection;
    const way = options.gradients && source !== "input" && backward !== "none";
    if (options.products === "float32" || !way || connectivity !== "dense") return null;
    const rows = padded(sourceSize(network, projection));
    const row = integerRowBytes(network.populations[target].size);
    return { matrix: take(rows * row), units: take(4 * rows), row: take(row) };
  });
  const populations = network.populations.map((spec, p): PopulationAddresses => {
    const row = 4 * padded(spec.size);
    const taped = capacity.tapeSteps * tapeNumberBytes[options.tape] * padded(spec.size);
    const inputs = spec.model.model.inputs.length;
    const { program, names } = { program: programs[p], names: Object.keys(programs[p].split.step) };
    const rows = (list: readonly string[], bytes: number) =>
      Object.fromEntries(list.map((name) => [name, take(bytes)]));
    const from = next;
    const states = rows(names, row);
    const left = take(row);
    const dynamic = { from, bytes: next - from };
    const adjointFrom = next;
    const adjoints = rows(program.live, row);
    const adjointBlock = { from: adjointFrom, bytes: next - adjointFrom };
    const constants: Record<string, { address: number; perNeuron: boolean }> = {};
    for (const name of [...program.split.parameters, ...program.split.hoisted.map((h) => h.name)]) {
      const segment = values.constants[p][name];
      const perNeuron = segment !== undefined || options.perNeuron(p, name);
      const address = segment !== undefined ? valueBlock + 4 * segment.offset : take(perNeuron ? row : 4);
      constants[name] = { address, perNeuron };
    }
    const into = network.projections.filter(({ target }) => target === p);
    const ringSteps = ringLength(Math.max(0, ...into.map(({ delaySteps }) => delaySteps)));
    const spiking = p !== network.readout;
    // Sources are taken four at a time: those of a part of the population may reach beyond its end.
    const overhang = network.projections.some(({ source, sources }) => source === p && sources !== undefined) ? 16 : 0;
    const drops = options.gradients && (spec.dropout ?? 0) > 0;
    const list = () => ({ spikes: take(capacity.steps * row), spikeStarts: take(4 * (capacity.steps + 1)) });
    return {
      states,
      adjoints,
      dynamic,
      adjointBlock,
      constants,
      inputs: take(inputs * row),
      spikeAdjoint: take(row + overhang),
      refractory: program.canBeRefractory ? { left, period: take(row) } : null,
      ring: take(ringSteps * inputs * row),
      ringSteps,
      ringFilled: take(4 * ringSteps),
      margin: program.tape.margin ? take(taped) : null,
      tapedInputs: rows(program.tape.inputs, taped),
      before: rows(program.tape.before, taped),
      after: rows(program.tape.after, taped),
      ...(spiking ? list() : { spikes: 0, spikeStarts: 0 }),
      cost: spiking ? take(options.costsOverTime ? capacity.steps * row : row) : 0,
      sent: drops ? { factors: take(row), ...list(), values: take(capacity.steps * row) } : null,
    };
  });
  const outputRow = 4 * padded(network.populations[network.readout].size);
  const eventStarts = take(4 * (capacity.steps + 1));
  const channels = take(4 * capacity.events);
  const eventValues = take(4 * capacity.events);
  const denseRows = network.projections.map((projection) =>
    hasDenseForm(network, projection)
      ? take(4 * stepsAtOnce * padded(network.populations[projection.target].size))
      : null,
  );
  const denseInput = denseRows.some((rows) => rows !== null) ? take(channelBytes * network.inputs) : 0;
  const outputs = take(capacity.steps * outputRow);
  const outputAdjoints = take(capacity.steps * outputRow);
  return {
    tape: options.tape,
    values: valueBlock,
    gradients: gradientBlock,
    populations,
    feedback,
    sparse,
    shared,
    integers,
    eventStarts,
    channels,
    eventValues,
    denseInput,
    denseRows,
    outputs,
    outputAdjoints,
    bytes: next,
  };
}

/** Bytes that the tape takes per step. */
export function tapeBytesPerStep(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  tape: TapeFormat,
): number {
  return network.populations.reduce((sum, { size }, p) => {
    const { margin, inputs, before, after } = programs[p].tape;
    return (
      sum + tapeNumberBytes[tape] * padded(size) * ((margin ? 1 : 0) + inputs.length + before.length + after.length)
    );
  }, 0);
}
