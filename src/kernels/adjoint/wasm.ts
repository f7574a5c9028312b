/**
 * One step of a population forward, with what the way back needs kept on a tape, and one step back over the adjoints of
 * its states; four neurons at a time, compiled from the model's equations (`model/adjoint.ts`, which is the twin's source
 * too: `learning/gradient/reference.ts`).
 *
 * All arrays of a population have `padded(size)` f32, so one running offset reaches them; arrays over time have one row
 * of that length per step, in the format of the tape. Neurons beyond the population get no input and no adjoint, and so
 * stay at rest.
 */

import { type Expression, type Leaf, leavesOf } from "../../expression/node.ts";
import { flushTiny } from "../../expression/vector-math.ts";
import { emitVector } from "../../expression/wasm.ts";
import { type AdjointProgram, leafOf, refractoryMargin } from "../../model/adjoint.ts";
import {
  type FunctionBuilder,
  type FunctionReference,
  f32x4,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { padded } from "../rows/wasm.ts";
import { loadFromTape, storeOnTape, type TapeFormat, tapeNumberBytes } from "../tape.ts";

/** Byte addresses of the arrays of one population. */
export interface PopulationArrays {
  readonly state: (name: string) => number;
  /** Adjoint of a live state. */
  readonly adjoint: (name: string) => number;
  /** Of a hoisted value or parameter: one per neuron, or one for all. */
  readonly constant: (name: string) => { readonly address: number; readonly perNeuron: boolean };
  /** Where gradients by constants are summed, one per neuron. */
  readonly constantGradient: (name: string) => number;
  /** Of the first input of the step; those of the others follow, row by row. */
  readonly inputs: number;
  /** Adjoint of the spikes of the step. */
  readonly spikeAdjoint: number;
  /** i32: steps that a neuron still pauses, and its period; null where none can be refractory. */
  readonly refractory: { readonly left: number; readonly period: number } | null;
  /** Arrays over time. */
  readonly tape: {
    readonly format: TapeFormat;
    readonly margin: number | null;
    readonly input: (name: string) => number;
    readonly before: (name: string) => number;
    readonly after: (name: string) => number;
  };
}

export interface PopulationKernelOptions {
  readonly program: AdjointProgram;
  readonly size: number;
  readonly arrays: PopulationArrays;
  /** A readout does not spike; its first state is copied out. */
  readonly readout: boolean;
  readonly relaxed: boolean;
}

/**
 * Adjoints below this are 0. They meet weights, surrogates and gains on their way, all of them small, and no product of
 * these may be subnormal; next to gradients of 1e-10, the smallest that an optimiser would notice, it is nothing.
 */
const smallestAdjoint = 2 ** -66;

type StepSignature = { row: "i32"; spikes: "i32"; output: "i32" };
type BackSignature = { row: "i32"; inputAdjoints: "i32"; outputAdjoint: "i32" };

/** Splats of the constants that are one for all neurons, made once per call. */
function constantLeaves(
  f: FunctionBuilder,
  { arrays }: PopulationKernelOptions,
  at: Local<"i32">,
  roots: readonly Leaf[],
): (leaf: Leaf) => V128 {
  const splats = new Map<string, Local<"v128">>();
  for (const leaf of roots) {
    const { address, perNeuron } = arrays.constant(leaf.name);
    if (!perNeuron) splats.set(leaf.name, f.let(v128.load32Splat(i32.const(address))));
  }
  return (leaf) => splats.get(leaf.name) ?? v128.load(at, arrays.constant(leaf.name).address);
}

const constantLeavesOf = (leaves: Iterable<Leaf>): Leaf[] =>
  [...leaves].filter((leaf) => leaf.op === "hoisted" || leaf.op === "parameter");

/**
 * Adds `name(row, spikes, output)`: advances the population by one step with the inputs it has.
 * @returns the function; it returns the end of the list of spikes (u32 indices, ascending) that starts at `spikes`. `row`:
 *   byte offset of the step's row on the tape. `output`: where a readout's outputs go.
 */
export function addStep(
  module: ModuleBuilder,
  name: string,
  options: PopulationKernelOptions,
): FunctionReference<StepSignature, "i32"> {
  const { program, size, arrays, readout } = options;
  const { split, tape } = program;
  const names = Object.keys(split.step);
  const { inputs } = split.model;
  const signature: StepSignature = { row: "i32", spikes: "i32", output: "i32" };
  return module.functionReturning(name, signature, "i32", (f, { row, spikes, output }) => {
    const at = f.let(i32.const(0));
    const taped = f.let(row);
    const { format } = arrays.tape;
    const keep = (value: Local<"v128">, address: number) => storeOnTape(f, format, taped, value, address);
    const roots = [...Object.values(split.step), split.margin, ...Object.values(split.reset)];
    const constantOf = constantLeaves(f, options, at, constantLeavesOf(leavesOf(roots)));
    f.repeat(
      () => {
        const old = new Map(names.map((state) => [state, f.let(v128.load(at, arrays.state(state)))]));
        const arrived = new Map(
          inputs.map((input, k) => [input, f.let(v128.load(at, arrays.inputs + 4 * k * padded(size)))]),
        );
        const emit = (outputs: readonly Expression[], states: Map<string, V128>) =>
          emitVector(
            f,
            outputs,
            (leaf) => (leaf.op === "state" ? states.get(leaf.name) : arrived.get(leaf.name)) ?? constantOf(leaf),
            { relaxed: options.relaxed },
          );
        for (const input of tape.inputs) keep(arrived.get(input)!, arrays.tape.input(input));
        for (const state of tape.before) keep(old.get(state)!, arrays.tape.before(state));
        const stepped = emit(Object.values(split.step), old);
        const { refractory } = arrays;
        const pausing = refractory ? f.let(i32x4.gtS(v128.load(at, refractory.left), v128.zero)) : null;
        const holds = pausing !== null && split.model.refractory === "hold";
        const after = new Map<string, Local<"v128">>(
          names.map((state, k) => [
            state,
            holds ? f.let(v128.bitselect(old.get(state)!, stepped[k], pausing)) : stepped[k],
          ]),
        );
        for (const state of tape.after) keep(after.get(state)!, arrays.tape.after(state));
        if (readout) {
          for (const state of names) f.push(v128.store(at, flushTiny(after.get(state)!), arrays.state(state)));
          f.push(v128.store(output, after.get(names[0])!));
          f.advance(output, 16);
        } else {
          const [margin] = emit([split.margin], after);
          const above = f32x4.gt(margin, v128.zero);
          const spiked = f.let(pausing ? v128.andnot(above, pausing) : above);
          if (arrays.tape.margin !== null) {
            const kept = pausing ? v128.bitselect(f32x4.const(refractoryMargin), margin, pausing) : margin;
            keep(f.let(kept), arrays.tape.margin);
          }
          if (refractory && pausing) {
            // The mask is -1 where a step of the pause has passed.
            const left = i32x4.add(v128.load(at, refractory.left), pausing);
            f.push(v128.store(at, v128.bitselect(v128.load(at, refractory.period), left, spiked), refractory.left));
          }
          const reset = emit(Object.values(split.reset), after);
          for (const [k, state] of names.entries()) {
            const value = f.let(v128.bitselect(reset[k], after.get(state)!, spiked));
            f.push(v128.store(at, flushTiny(value), arrays.state(state)));
          }
          listSpikes(f, spiked, at, size, spikes);
        }
        f.advance(at, 16);
        f.advance(taped, 4 * tapeNumberBytes[format]);
      },
      () => i32.ltU(at, i32.const(4 * padded(size))),
    );
    f.result(spikes);
  });
}

/** Appends the indices of the lanes that spiked; lanes past the population do not exist. */
function listSpikes(
  f: FunctionBuilder,
  spiked: Local<"v128">,
  at: Local<"i32">,
  size: number,
  spikes: Local<"i32">,
): void {
  f.if(v128.anyTrue(spiked), () => {
    const bits = f.let(i32x4.bitmask(spiked));
    f.while(
      () => bits,
      () => {
        const index = f.let(i32.add(i32.shrU(at, i32.const(2)), i32.ctz(bits)));
        f.set(bits, i32.and(bits, i32.sub(bits, i32.const(1))));
        f.if(i32.ltU(index, i32.const(size)), () => {
          f.push(i32.store(spikes, index));
          f.advance(spikes, 4);
        });
      },
    );
  });
}

/**
 * Adds `name(row, inputAdjoints, outputAdjoint)`: one step back. Reads the adjoints of the states after the step, of the
 * spikes and (readout) of the outputs; leaves those of the states before it, and writes those of the inputs, row by row.
 * @returns the function; it returns whether any adjoint of an input is not 0
 */
export function addStepBack(
  module: ModuleBuilder,
  name: string,
  options: PopulationKernelOptions,
): FunctionReference<BackSignature, "i32"> {
  const { program, size, arrays, readout } = options;
  const { live, tape } = program;
  const ofInputs = Object.values(program.inputs);
  const outputs = [...ofInputs, ...Object.values(program.previous), ...Object.values(program.constants)];
  const [firstPrevious, firstConstant] = [ofInputs.length, ofInputs.length + live.length];
  const gradients = Object.keys(program.constants);
  const firstState = Object.keys(program.split.step)[0];
  const signature: BackSignature = { row: "i32", inputAdjoints: "i32", outputAdjoint: "i32" };
  return module.functionReturning(name, signature, "i32", (f, { row, inputAdjoints, outputAdjoint }) => {
    const any = f.let(v128.zero);
    const at = f.let(i32.const(0));
    const taped = f.let(row);
    const { format } = arrays.tape;
    const constantOf = constantLeaves(f, options, at, constantLeavesOf(leavesOf(outputs)));
    f.repeat(
      () => {
        const values = new Map<string, () => V128>();
        for (const state of live) {
          const carried = v128.load(at, arrays.adjoint(state));
          const whole = readout && state === firstState ? f32x4.add(carried, v128.load(outputAdjoint)) : carried;
          values.set(leafOf.adjoint(state), () => whole);
        }
        values.set(leafOf.spike, () => v128.load(at, arrays.spikeAdjoint));
        if (arrays.tape.margin !== null) {
          const address = arrays.tape.margin;
          values.set(leafOf.margin, () => loadFromTape(format, taped, address));
        }
        for (const input of tape.inputs) {
          values.set(input, () => loadFromTape(format, taped, arrays.tape.input(input)));
        }
        for (const state of tape.before)
          values.set(leafOf.before(state), () => loadFromTape(format, taped, arrays.tape.before(state)));
        for (const state of tape.after)
          values.set(leafOf.after(state), () => loadFromTape(format, taped, arrays.tape.after(state)));
        const results = emitVector(f, outputs, (leaf) => values.get(leaf.name)?.() ?? constantOf(leaf), {
          relaxed: options.relaxed,
        });
        for (const k of ofInputs.keys()) {
          const ofInput = f.let(flushTiny(results[k], smallestAdjoint));
          f.set(any, v128.or(any, ofInput));
          f.push(v128.store(inputAdjoints, ofInput, 4 * k * padded(size)));
        }
        for (const [k, state] of live.entries()) {
          f.push(v128.store(at, flushTiny(results[firstPrevious + k], smallestAdjoint), arrays.adjoint(state)));
        }
        for (const [g, constantName] of gradients.entries()) {
          const sum = f32x4.add(v128.load(at, arrays.constantGradient(constantName)), results[firstConstant + g]);
          f.push(v128.store(at, sum, arrays.constantGradient(constantName)));
        }
        f.advance(at, 16);
        f.advance(taped, 4 * tapeNumberBytes[format]);
        f.advance(inputAdjoints, 16);
        if (readout) f.advance(outputAdjoint, 16);
      },
      () => i32.ltU(at, i32.const(4 * padded(size))),
    );
    f.result(v128.anyTrue(any));
  });
}
