/**
 * What the passes through one network are made of: the kernels of its populations and projections, everything that is known
 * before training (sizes, addresses, delays, paths) written into their code, and where the arguments of a step lie.
 */
import { addStep, addStepBack, type PopulationArrays } from "../../kernels/adjoint/wasm.ts";
import { addDenseAccumulate, addDenseScatter, addSpread } from "../../kernels/rows/dense.ts";
import { addSend } from "../../kernels/rows/dropout.ts";
import { addIntegerDots, addRoundMatrix } from "../../kernels/rows/integer-dots.ts";
import type { DotKernel } from "../../kernels/rows/walk.ts";
import { addAccumulate, addDots, addScatter, padded, type RowKernelOptions } from "../../kernels/rows/wasm.ts";
import { tapeNumberBytes } from "../../kernels/tape.ts";
import type { AdjointProgram } from "../../model/adjoint.ts";
import { type FunctionBuilder, type I32, i32, type Local, type ModuleBuilder } from "../../wasm/assembler.ts";
import type { MemoryLayout, ValueLayout } from "./layout.ts";
import {
  type GradientNetwork,
  inputOf,
  type ProjectionSpec,
  type SourceRange,
  sourceRange,
  sourceSize,
} from "./spec.ts";

export interface ModuleOptions {
  readonly relaxed: boolean;
  /** Adjoints are not carried over multiples of this many steps; 0: never cut. */
  readonly truncateSteps: number;
  readonly costsOverTime: boolean;
  /** Whether anything is learned; without, there is no way back. */
  readonly backward: boolean;
}

/** All that is known of a network before training. */
export interface NetworkPlan {
  readonly network: GradientNetwork;
  readonly programs: readonly AdjointProgram[];
  readonly values: ValueLayout;
  readonly at: MemoryLayout;
  readonly options: ModuleOptions;
}

export type NetworkKernels = ReturnType<typeof addNetworkKernels>;

export function addNetworkKernels(module: ModuleBuilder, plan: NetworkPlan) {
  const { network, programs, values, at, options } = plan;
  const rowBytes = network.populations.map(({ size }) => 4 * padded(size));
  const inputCounts = network.populations.map(({ model }) => model.model.inputs.length);

  const arraysOf = (p: number): PopulationArrays => {
    const addresses = at.populations[p];
    return {
      state: (name) => addresses.states[name],
      adjoint: (name) => addresses.adjoints[name],
      constant: (name) => addresses.constants[name],
      constantGradient: (name) => at.gradients + 4 * values.constants[p][name].offset,
      inputs: addresses.inputs,
      spikeAdjoint: addresses.spikeAdjoint,
      refractory: addresses.refractory,
      tape: {
        format: at.tape,
        margin: addresses.margin,
        input: (name) => addresses.tapedInputs[name],
        before: (name) => addresses.before[name],
        after: (name) => addresses.after[name],
      },
    };
  };

  /** Of a population with dropout: makes the list of what is sent. */
  const sendOf = (p: number) => {
    const { sent } = at.populations[p];
    return sent && addSend(module, `send ${network.populations[p].name}`, sent.factors, sent.values - sent.spikes);
  };

  const supportOf = ({ source }: ProjectionSpec): number =>
    // Margins are kept only where the way back reads them.
    source === "input" || at.populations[source].margin === null
      ? Number.POSITIVE_INFINITY
      : network.populations[source].surrogate.support;

  const addProducts = (k: number, name: string, shape: RowKernelOptions, support: number): DotKernel => {
    const integers = at.integers[k];
    return integers === null
      ? addDots(module, name, shape, support, at.tape)
      : addIntegerDots(module, name, shape, integers, support, at.tape);
  };

  const populations = network.populations.map(({ name, size }, p) => {
    const kernel = {
      program: programs[p],
      size,
      arrays: arraysOf(p),
      readout: p === network.readout,
      relaxed: options.relaxed,
    };
    return {
      step: addStep(module, `step ${name}`, kernel),
      send: sendOf(p),
      stepBack: options.backward ? addStepBack(module, `step back ${name}`, kernel) : null,
    };
  });

  const projections = network.projections.map((projection, k) => {
    const { source, gain } = projection;
    const shape = (valued: boolean): RowKernelOptions => ({
      sources: sourceSize(network, projection),
      targets: network.populations[projection.target].size,
      firstSource: sourceRange(network, projection).from,
      sparse: at.sparse[k],
      shared: at.shared[k],
      gain,
      valued,
      relaxed: options.relaxed,
    });
    const variants = source === "input" ? [false, true] : [at.populations[source].sent !== null];
    const named = (what: string, valued: boolean) => `${what} ${projection.name}${valued ? " with values" : ""}`;
    const needsDots = options.backward && projection.backward !== "none" && source !== "input";
    const learns = options.backward && projection.trained;
    const dense = () => ({
      spread: variants.map((valued) => addSpread(module, named("spread", valued), shape(valued))),
      accumulate: addDenseAccumulate(module, named("dense accumulate", false), shape(false)),
      scatter: learns ? addDenseScatter(module, named("dense scatter", false), shape(false)) : null,
    });
    return {
      accumulate: variants.map((valued) => addAccumulate(module, named("accumulate", valued), shape(valued))),
      scatter: learns ? variants.map((valued) => addScatter(module, named("scatter", valued), shape(valued))) : [],
      dense: at.denseRows[k] === null ? null : dense(),
      dots: needsDots ? addProducts(k, named("dots", false), shape(false), supportOf(projection)) : null,
      round:
        at.integers[k] === null ? null : addRoundMatrix(module, named("round", false), shape(false), at.integers[k]),
    };
  });

  return {
    ...plan,
    populations,
    projections,
    /** By population: models have so many inputs, each a row. */
    inputCounts,
    /** By population: a row of one input. */
    rowBytes,
    /** By population: a row of one array over time. */
    tapeRowBytes: network.populations.map(({ size }) => tapeNumberBytes[at.tape] * padded(size)),
    /** Where among the rows of its target's inputs a projection leads, in bytes. */
    rowOfInput: (projection: ProjectionSpec): number => inputOf(network, projection) * rowBytes[projection.target],
  };
}

/** Flags of how the input of a sample is given and delivered: the argument `form` of the passes is their sum. */
export const inputForm = {
  /** Events have amplitudes; without, all are 1. */
  amplitudes: 1,
  /** Four steps at a time where a projection can (`dense-input.ts`); without, event by event. */
  dense: 2,
} as const;

/** One step of a pass over the steps from .. to-1, whose tape begins with the row of step `tapeFrom`. */
export interface PassStep {
  readonly t: Local<"i32">;
  readonly from: Local<"i32">;
  readonly to: Local<"i32">;
  readonly tapeFrom: Local<"i32">;
  /** Whether input events have amplitudes. */
  readonly valued: Local<"i32">;
  /** Whether the input is delivered four steps at a time. */
  readonly dense: Local<"i32">;
}

export function readForm(f: FunctionBuilder, form: Local<"i32">): Pick<PassStep, "valued" | "dense"> {
  const flag = (bit: number) => f.let(i32.and(form, i32.const(bit)));
  return { valued: flag(inputForm.amplitudes), dense: flag(inputForm.dense) };
}

/** Where the row of step t lies in the tapes of population p, in bytes. */
export function tapeRow({ tapeRowBytes }: NetworkKernels, p: number, t: I32, tapeFrom: I32): I32 {
  return i32.mul(i32.sub(t, tapeFrom), i32.const(tapeRowBytes[p]));
}

/** Calls a row kernel on the spikes of a projection's source that arrive at step t, if there can be any. */
export function withArrivals(
  { network, at }: NetworkPlan,
  f: FunctionBuilder,
  k: number,
  t: Local<"i32">,
  valued: Local<"i32">,
  call: (variant: number, list: Local<"i32">, end: I32, amplitudes: I32) => void,
): void {
  const { source, sources, delaySteps } = network.projections[k];
  if (source === "input") {
    const entry = f.let(i32.shl(i32.sub(t, i32.const(delaySteps)), i32.const(2)));
    const body = () => {
      const list = f.let(i32.load(entry, at.eventStarts));
      const end = i32.load(entry, at.eventStarts + 4);
      const amplitudes = i32.add(list, i32.const(at.eventValues - at.channels));
      f.if(
        valued,
        () => call(1, list, end, amplitudes),
        () => call(0, list, end, amplitudes),
      );
    };
    if (delaySteps === 0) body();
    else f.if(i32.geU(t, i32.const(delaySteps)), body);
    return;
  }
  const { sent, spikeStarts } = at.populations[source];
  const starts = sent?.spikeStarts ?? spikeStarts;
  const body = () => {
    const entry = f.let(i32.shl(i32.sub(t, i32.const(delaySteps)), i32.const(2)));
    const list = f.let(i32.load(entry, starts));
    const end = f.let(i32.load(entry, starts + 4));
    if (sources !== undefined) cutToRange(f, list, end, sources);
    const amplitudes = sent === null ? list : i32.add(list, i32.const(sent.values - sent.spikes));
    call(0, list, end, amplitudes);
  };
  if (delaySteps === 0) body();
  else f.if(i32.geU(t, i32.const(delaySteps)), body);
}

/** Narrows an ascending list of neurons to those of a range. What lies before or behind the list may be read. */
function cutToRange(f: FunctionBuilder, list: Local<"i32">, end: Local<"i32">, { from, to }: SourceRange): void {
  const some = () => i32.ltU(list, end);
  f.while(
    () => i32.and(some(), i32.ltU(i32.load(list), i32.const(from))),
    () => f.advance(list, 4),
  );
  f.while(
    () => i32.and(some(), i32.geU(i32.load(i32.sub(end, i32.const(4))), i32.const(to))),
    () => f.advance(end, -4),
  );
}
