/** What the kernels of `wasm.ts` and `shared.ts` have in common: options, the list of spikes, what a spike counts for. */
import {
  type FunctionBuilder,
  type FunctionReference,
  f32,
  f32x4,
  type I32,
  i32,
  type Local,
  v128,
} from "../../wasm/assembler.ts";
import { loadFromTape, type TapeFormat, tapeNumberBytes } from "../tape.ts";

/** Multiple of 4 that holds n entries. */
export const padded = (n: number): number => 4 * Math.ceil(n / 4);

export interface RowKernelOptions {
  readonly sources: number;
  readonly targets: number;
  /** The neuron of the list that is source 0: a projection may see a part of a population. Default 0. */
  readonly firstSource?: number;
  /** Byte addresses of a sparse matrix' offsets and targets (u32), null for a dense one. */
  readonly sparse: { readonly offsets: number; readonly targets: number } | null;
  /** Connections that share weights; null or left out where they do not. */
  readonly shared?: SharedTables | null;
  /** Spikes come with values beside them (`values` is an address of f32, in the order of the list). */
  readonly valued: boolean;
  readonly relaxed: boolean;
  /** Factor on all that passes. Default 1. */
  readonly gain?: number;
}

/** Byte addresses of the tables that `writeSharedTables` fills. */
export interface SharedTables {
  readonly width: number;
  /** See `comeInFours`. */
  readonly inFours: boolean;
  /** u32 by source and one more: where its blocks start in the table of blocks, in bytes. */
  readonly offsets: number;
  /** By block two u32: byte offset of its weights in the matrix, and of its first target in a row of targets. */
  readonly blocks: number;
}

export type Pointer = Local<"i32">;
type ListSignature = { list: "i32"; end: "i32"; values: "i32"; matrix: "i32"; row: "i32" };
type DotSignature = { matrix: "i32"; row: "i32"; out: "i32"; margins: "i32" };
export type ListKernel = FunctionReference<ListSignature, "none">;
export type DotKernel = FunctionReference<DotSignature, "none">;
export const listSignature: ListSignature = { list: "i32", end: "i32", values: "i32", matrix: "i32", row: "i32" };
export const dotSignature: DotSignature = { matrix: "i32", row: "i32", out: "i32", margins: "i32" };

export const plus = (a: I32, b: I32 | null): I32 => (b === null ? a : i32.add(a, b));

/** Walks the list of spikes: `visit(source index, address of its value)`. All of them are of sources that there are. */
export function overSpikes(
  f: FunctionBuilder,
  { valued, firstSource = 0 }: Pick<RowKernelOptions, "valued" | "firstSource">,
  { list, end, values }: Record<"list" | "end" | "values", Pointer>,
  visit: (source: I32, value: Pointer) => void,
): void {
  const at = f.let(list);
  const valueAt = f.let(values);
  f.while(
    () => i32.ltU(at, end),
    () => {
      visit(firstSource === 0 ? i32.load(at) : i32.sub(i32.load(at), i32.const(firstSource)), valueAt);
      f.advance(at, 4);
      if (valued) f.advance(valueAt, 4);
    },
  );
}

/** What a spike counts for, in all lanes: by the address of its value; null for 1. To be made before the list is walked. */
export function amplitudes(
  f: FunctionBuilder,
  { valued, gain = 1 }: RowKernelOptions,
): (valueAt: Pointer) => Local<"v128"> | null {
  const factor = gain === 1 ? null : f.let(f32x4.const(gain));
  return (valueAt) => {
    if (!valued) return factor;
    const value = v128.load32Splat(valueAt);
    return f.let(factor === null ? value : f32x4.mul(value, factor));
  };
}

/** The same as one number. */
export function scalarAmplitudes(
  f: FunctionBuilder,
  { valued, gain = 1 }: Pick<RowKernelOptions, "valued" | "gain">,
): (valueAt: Pointer) => Local<"f32"> | null {
  const factor = gain === 1 ? null : f.let(f32.const(gain));
  return (valueAt) => {
    if (!valued) return factor;
    return f.let(factor === null ? f32.load(valueAt) : f32.mul(f32.load(valueAt), factor));
  };
}

/**
 * Walks the sources of a dot product four at a time: `work(byte offset of the first one in rows of one f32 each)`, then
 * `advance`. `out` and `margins` move along.
 * @param support four sources whose margins all lie outside are not worked on. Infinity: all are
 */
export function overFours(
  f: FunctionBuilder,
  { sources, support, format }: { readonly sources: number; readonly support: number; readonly format: TapeFormat },
  { out, margins }: Record<"out" | "margins", Pointer>,
  work: (entry: Pointer) => void,
  advance: () => void,
): void {
  const entry = f.let(i32.const(0));
  f.repeat(
    () => {
      if (Number.isFinite(support)) {
        const near = f32x4.le(f32x4.abs(loadFromTape(format, margins)), f32x4.const(support));
        f.if(v128.anyTrue(near), () => work(entry));
        f.advance(margins, 4 * tapeNumberBytes[format]);
      } else work(entry);
      advance();
      f.advance(out, 16);
      f.advance(entry, 16);
    },
    () => i32.ltU(entry, i32.const(4 * padded(sources))),
  );
}
