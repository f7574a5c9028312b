/**
 * Input of which most channels carry something in a step, four steps at a time as a product of matrices
 * (`kernels/rows/dense.ts`), with the bytes that event by event gives. Groups of four steps begin where a call of
 * `forward` or `backward` begins; the last group of a call may be shorter.
 */
import { channelBytes, stepsAtOnce } from "../../kernels/rows/dense.ts";
import {
  type FunctionBuilder,
  type FunctionReference,
  type I32,
  i32,
  type Local,
  type ModuleBuilder,
  memory,
} from "../../wasm/assembler.ts";
import { type NetworkKernels, type PassStep, withArrivals } from "./network-kernels.ts";
import { inputOf } from "./spec.ts";

/** Fills rows with the currents of the steps from t on, those before `to`. */
type Currents = FunctionReference<{ t: "i32"; to: "i32"; valued: "i32" }, "none">;
/** Adds the gradients of `count` steps back from step `last`, whose adjoints are the rows. */
type Gradients = FunctionReference<{ last: "i32"; count: "i32"; valued: "i32" }, "none">;

/** The way forward of a projection with a dense form. */
export interface DenseCurrents {
  readonly projection: number;
  readonly currents: Currents;
}

/** The way back of a projection with a dense form. */
export interface DenseGradients {
  readonly projection: number;
  readonly gradients: Gradients;
  /** Whether any adjoint of the group, so far, is not 0. */
  readonly some: Local<"i32">;
}

/**
 * By projection, for those with a dense form: adds a function for the rows of four steps,
 *
 *   I(t + s)[:] = bias[:] + sum over channels c:  a_c(t + s) W[c][:]
 */
export function addDenseCurrents(module: ModuleBuilder, kernels: NetworkKernels): (DenseCurrents | null)[] {
  const { network, values, at, rowBytes } = kernels;
  return kernels.projections.map(({ dense }, k) => {
    if (dense === null) return null;
    const projection = network.projections[k];
    const { name, target } = projection;
    const bias = inputOf(network, projection) === 0 ? values.bias[target] : null;
    const bytes = i32.const(rowBytes[target]);
    const signature = { t: "i32", to: "i32", valued: "i32" } as const;
    const currents = module.function(`dense currents ${name}`, signature, (f, { t, to, valued }) => {
      clearInput(f, kernels);
      for (let s = 0; s < stepsAtOnce; s++) {
        const row = denseRow(kernels, k, i32.const(s));
        f.push(
          bias === null
            ? memory.fill(row, i32.const(0), bytes)
            : memory.copy(row, i32.const(at.values + 4 * bias.offset), bytes),
        );
        const step = f.let(i32.add(t, i32.const(s)));
        f.if(i32.ltU(step, to), () => spread(f, kernels, k, s, step, valued));
      }
      const matrix = i32.const(at.values + 4 * values.weights[k].offset);
      f.call(dense.accumulate, { x: i32.const(at.denseInput), matrix, rows: denseRow(kernels, k, i32.const(0)) });
    });
    return { projection: k, currents };
  });
}

/** to[:] = I(t)[:], as far as this projection and the bias go. */
export function takeCurrents(
  f: FunctionBuilder,
  kernels: NetworkKernels,
  { projection, currents }: DenseCurrents,
  to: I32,
  step: PassStep,
): void {
  const place = f.let(i32.and(i32.sub(step.t, step.from), i32.const(stepsAtOnce - 1)));
  f.if(i32.eqz(place), () => f.call(currents, { t: step.t, to: step.to, valued: step.valued }));
  const { target } = kernels.network.projections[projection];
  f.push(memory.copy(to, denseRow(kernels, projection, place), i32.const(kernels.rowBytes[target])));
}

/**
 * By projection, for those with a dense form that learn: adds a function for four steps t, t - 1, t - 2, t - 3, one after
 * the other,
 *
 *   g[c][:] += a_c(t) w(t)[:]     for all channels c
 *
 * @param f the function that goes back
 */
export function addDenseGradients(
  module: ModuleBuilder,
  kernels: NetworkKernels,
): ((f: FunctionBuilder) => DenseGradients | null)[] {
  const { network, values, at, rowBytes } = kernels;
  return kernels.projections.map(({ dense }, k) => {
    const scatter = dense?.scatter ?? null;
    if (scatter === null) return () => null;
    const { name, target } = network.projections[k];
    const signature = { last: "i32", count: "i32", valued: "i32" } as const;
    const gradients = module.function(`dense gradients ${name}`, signature, (f, { last, count, valued }) => {
      clearInput(f, kernels);
      for (let s = 0; s < stepsAtOnce; s++) {
        f.if(
          i32.ltU(i32.const(s), count),
          () => spread(f, kernels, k, s, f.let(i32.sub(last, i32.const(s))), valued),
          () => f.push(memory.fill(denseRow(kernels, k, i32.const(s)), i32.const(0), i32.const(rowBytes[target]))),
        );
      }
      const matrix = i32.const(at.gradients + 4 * values.weights[k].offset);
      f.call(scatter, { x: i32.const(at.denseInput), matrix, rows: denseRow(kernels, k, i32.const(0)) });
    });
    return (f) => ({ projection: k, gradients, some: f.local("i32") });
  });
}

/**
 * Takes the adjoints of step t; with those of the fourth step, or of the last of the call, the gradients are added.
 * @param filled whether there is anything in them
 */
export function collectAdjoints(
  f: FunctionBuilder,
  kernels: NetworkKernels,
  { projection, gradients, some }: DenseGradients,
  adjoint: I32,
  filled: Local<"i32">,
  { t, from, to, valued }: PassStep,
): void {
  const { target } = kernels.network.projections[projection];
  const bytes = i32.const(kernels.rowBytes[target]);
  const place = f.let(i32.and(i32.sub(i32.sub(to, i32.const(1)), t), i32.const(stepsAtOnce - 1)));
  const row = f.let(denseRow(kernels, projection, place));
  f.if(
    filled,
    () => f.push(memory.copy(row, adjoint, bytes)),
    () => f.push(memory.fill(row, i32.const(0), bytes)),
  );
  f.set(some, i32.or(some, filled));
  const count = f.let(i32.add(place, i32.const(1)));
  f.if(i32.or(i32.eq(count, i32.const(stepsAtOnce)), i32.eq(t, from)), () => {
    f.if(some, () => f.call(gradients, { last: i32.add(t, place), count, valued }));
    f.set(some, i32.const(0));
  });
}

/** Where step s of a group has its row among those of projection k. */
function denseRow({ network, at, rowBytes }: NetworkKernels, k: number, s: I32): I32 {
  const first = i32.const(at.denseRows[k] ?? 0);
  return i32.add(first, i32.mul(s, i32.const(rowBytes[network.projections[k].target])));
}

function clearInput(f: FunctionBuilder, { network, at }: NetworkKernels): void {
  f.push(memory.fill(i32.const(at.denseInput), i32.const(0), i32.const(channelBytes * network.inputs)));
}

/** Writes what arrives at a step through projection k as step s of a group. */
function spread(
  f: FunctionBuilder,
  kernels: NetworkKernels,
  k: number,
  s: number,
  step: Local<"i32">,
  valued: Local<"i32">,
): void {
  const { at, projections } = kernels;
  withArrivals(kernels, f, k, step, valued, (variant, list, end, amplitudes) => {
    const kernel = projections[k].dense?.spread[variant];
    if (kernel) f.call(kernel, { list, end, values: amplitudes, x: i32.const(at.denseInput + 4 * s) });
  });
}
