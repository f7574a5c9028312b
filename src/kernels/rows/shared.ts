/**
 * Rows of weights that connections share, under spikes, as WebAssembly made for one width. Equations: `reference.ts`.
 *
 * A spike moves some blocks of `width` neighbouring numbers: the weights of a convolution are few and stay in the nearest
 * cache, what is touched anew are the targets. A block starts at any entry of a row, so vectors lie across the alignment
 * of the row; what `width` leaves of a vector is read and written as two entries and one, so that a block never touches
 * its neighbours: padding stays 0, and no load waits for the store of the block before it. Four channels of one position
 * reach the same targets, so their dot products share the loads of the adjoints.
 */
import {
  type FunctionBuilder,
  f32,
  f32x4,
  horizontalSum,
  type I32,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type Statement,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { arithmetic, sumsOfFour } from "../../wasm/vectors.ts";
import { loadFromTape, loadOneFromTape, type TapeFormat, tapeNumberBytes } from "../tape.ts";
import type { SharedConnections } from "./reference.ts";
import {
  amplitudes,
  type DotKernel,
  dotSignature,
  type ListKernel,
  listSignature,
  overSpikes,
  type Pointer,
  padded,
  plus,
  type RowKernelOptions,
  type SharedTables,
} from "./walk.ts";

const unrolledVectors = 8;

/** Bytes of the two tables. */
export function sharedTableBytes({ offsets, firstTargets }: SharedConnections): { offsets: number; blocks: number } {
  return { offsets: 4 * offsets.length, blocks: 8 * firstTargets.length };
}

/** Fills the tables of a projection whose rows of weights are `padded(width)` entries apart. */
export function writeSharedTables(memory: ArrayBuffer, at: SharedTables, connections: SharedConnections): void {
  const { offsets, weightRows, firstTargets, width } = connections;
  new Uint32Array(memory, at.offsets, offsets.length).set(offsets.map((block) => 8 * block));
  const blocks = new Uint32Array(memory, at.blocks, 2 * firstTargets.length);
  const rowBytes = 4 * padded(width);
  for (let b = 0; b < firstTargets.length; b++) {
    blocks[2 * b] = rowBytes * weightRows[b];
    blocks[2 * b + 1] = 4 * firstTargets[b];
  }
}

/**
 * Whether sources 4q to 4q + 3 reach the same blocks of targets, through rows of weights that follow one another: in
 * convolutions of a multiple of 4 channels.
 */
export function comeInFours({ offsets, weightRows, firstTargets }: SharedConnections): boolean {
  const sources = offsets.length - 1;
  if (sources % 4 !== 0) return false;
  for (let i = 0; i < sources; i++) {
    const [first, own] = [offsets[i - (i % 4)], offsets[i]];
    const count = offsets[i + 1] - own;
    if (count !== offsets[i - (i % 4) + 1] - first) return false;
    for (let b = 0; b < count; b++) {
      if (firstTargets[own + b] !== firstTargets[first + b]) return false;
      if (weightRows[own + b] !== weightRows[first + b] + (i % 4)) return false;
    }
  }
  return true;
}

/** Neighbouring entries that are moved at once. */
interface Piece {
  readonly lanes: 4 | 2 | 1;
  /** Bytes from the start of the block. */
  readonly offset: number;
}

function piecesOf(from: number, width: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = from; at < width; ) {
    const rest = width - at;
    const lanes = rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
    pieces.push({ lanes, offset: 4 * at });
    at += lanes;
  }
  return pieces;
}

/** What is not loaded is 0. */
function load({ lanes, offset }: Piece, address: I32): V128 {
  if (lanes === 4) return v128.load(address, offset);
  return lanes === 2 ? v128.load64Zero(address, offset) : v128.load32Zero(address, offset);
}

function store({ lanes, offset }: Piece, address: I32, value: V128): Statement {
  if (lanes === 4) return v128.store(address, value, offset);
  return lanes === 2
    ? v128.store64Lane(address, value, 0, offset)
    : f32.store(address, f32x4.extractLane(value, 0), offset);
}

/** A block in pieces of registers' size: the first ones in a loop where there are many. */
function overBlock(
  f: FunctionBuilder,
  width: number,
  body: (offset: I32 | null, pieces: readonly Piece[]) => void,
): void {
  const perLoop = 4 * unrolledVectors;
  const loops = width > perLoop ? Math.floor(width / perLoop) : 0;
  if (loops > 0) {
    const offset = f.let(i32.const(0));
    f.repeat(
      () => {
        body(offset, piecesOf(0, perLoop));
        f.advance(offset, 4 * perLoop);
      },
      () => i32.ltU(offset, i32.const(4 * perLoop * loops)),
    );
  }
  const rest = piecesOf(perLoop * loops, width);
  if (rest.length > 0) body(null, rest);
}

/** `visit(byte offset of its weights, byte offset of its first target)` for all blocks of the source with this table entry. */
function overBlocksOf(
  f: FunctionBuilder,
  { offsets, blocks }: SharedTables,
  entry: Pointer,
  visit: (weights: I32, target: I32) => void,
): void {
  const block = f.let(i32.load(entry, offsets));
  const last = f.let(i32.load(entry, offsets + 4));
  f.while(
    () => i32.ltU(block, last),
    () => {
      visit(i32.load(block, blocks), i32.load(block, blocks + 4));
      f.advance(block, 8);
    },
  );
}

/** to[:] += amplitude from[:] for all blocks of all spikes; one of both is the row of targets, the other the matrix. */
function addBlocks(
  module: ModuleBuilder,
  name: string,
  options: RowKernelOptions & { readonly shared: SharedTables },
  direction: "to targets" | "to weights",
): ListKernel {
  const { shared } = options;
  const { plus: fused } = arithmetic(options.relaxed);
  return module.function(name, listSignature, (f, { list, end, values, matrix, row }) => {
    const amplitudeOf = amplitudes(f, options);
    overSpikes(f, options, { list, end, values }, (source, valueAt) => {
      const amplitude = amplitudeOf(valueAt);
      const entry = f.let(i32.shl(source, i32.const(2)));
      overBlocksOf(f, shared, entry, (weightOffset, targetOffset) => {
        const weights = f.let(i32.add(matrix, weightOffset));
        const targets = f.let(i32.add(row, targetOffset));
        overBlock(f, shared.width, (offset, pieces) => {
          const weightsAt = offset === null ? weights : f.let(plus(weights, offset));
          const targetsAt = offset === null ? targets : f.let(plus(targets, offset));
          const [to, from] = direction === "to targets" ? [targetsAt, weightsAt] : [weightsAt, targetsAt];
          for (const piece of pieces) {
            const [old, added] = [load(piece, to), load(piece, from)];
            const sum = amplitude === null ? f32x4.add(old, added) : fused(old, amplitude, added);
            f.push(store(piece, to, sum));
          }
        });
      });
    });
  });
}

type SharedOptions = RowKernelOptions & { readonly shared: SharedTables };

export const addSharedAccumulate = (module: ModuleBuilder, name: string, options: SharedOptions): ListKernel =>
  addBlocks(module, name, options, "to targets");

export const addSharedScatter = (module: ModuleBuilder, name: string, options: SharedOptions): ListKernel =>
  addBlocks(module, name, options, "to weights");

/** As `addDots`; a source is skipped by its own margin. */
export function addSharedDots(
  module: ModuleBuilder,
  name: string,
  options: SharedOptions,
  support: number,
  format: TapeFormat,
): DotKernel {
  const { shared, sources } = options;
  const skippable = Number.isFinite(support);
  const perRound = shared.inFours ? 4 : 1;
  return module.function(name, dotSignature, (f, { matrix, row, out, margins }) => {
    const entry = f.let(i32.const(0));
    const at = { matrix, row, out, entry };
    const sums = Array.from({ length: 4 }, () => f.local("v128"));
    f.repeat(
      () => {
        if (!skippable) dotsOf(f, options, at, sums, shared.inFours ? "four" : 0);
        else if (!shared.inFours) {
          const near = f32.ge(f32.const(support), f32.abs(loadOneFromTape(format, margins)));
          f.if(near, () => dotsOf(f, options, at, sums, 0));
        } else {
          const near = f.let(i32x4.bitmask(f32x4.le(f32x4.abs(loadFromTape(format, margins)), f32x4.const(support))));
          const some = () => {
            for (let r = 0; r < 4; r++) {
              f.if(i32.and(near, i32.const(1 << r)), () => dotsOf(f, options, at, sums, r));
            }
          };
          const all = () => dotsOf(f, options, at, sums, "four");
          f.if(near, () => f.if(i32.eq(near, i32.const(15)), all, some));
        }
        f.advance(entry, 4 * perRound);
        f.advance(out, 4 * perRound);
        if (skippable) f.advance(margins, tapeNumberBytes[format] * perRound);
      },
      () => i32.ltU(entry, i32.const(4 * sources)),
    );
  });
}

/** Adds the products of the source at `entry`, `which` places on, or of four sources that share their blocks. */
function dotsOf(
  f: FunctionBuilder,
  { shared, relaxed, gain = 1 }: SharedOptions,
  { matrix, row, out, entry }: Record<"matrix" | "row" | "out" | "entry", Pointer>,
  sums: readonly Local<"v128">[],
  which: number | "four",
): void {
  const { plus: fused } = arithmetic(relaxed);
  const rowBytes = 4 * padded(shared.width);
  const first = which === "four" || which === 0 ? entry : f.let(i32.add(entry, i32.const(4 * which)));
  // One source takes sums in turn, so that no addition waits for the one before.
  const used = which === "four" ? sums : sums.slice(0, Math.ceil(shared.width / 4));
  for (const sum of used) f.set(sum, v128.zero);
  overBlocksOf(f, shared, first, (weightOffset, targetOffset) => {
    const weights = f.let(i32.add(matrix, weightOffset));
    const targets = f.let(i32.add(row, targetOffset));
    overBlock(f, shared.width, (offset, pieces) => {
      const weightsAt = offset === null ? weights : f.let(plus(weights, offset));
      const targetsAt = offset === null ? targets : f.let(plus(targets, offset));
      for (const [v, piece] of pieces.entries()) {
        if (which !== "four") {
          const sum = used[v % used.length];
          f.set(sum, fused(sum, load(piece, weightsAt), load(piece, targetsAt)));
          continue;
        }
        const adjoint = f.let(load(piece, targetsAt));
        for (const [r, sum] of used.entries()) {
          const weight = load({ ...piece, offset: piece.offset + r * rowBytes }, weightsAt);
          f.set(sum, fused(sum, weight, adjoint));
        }
      }
    });
  });
  if (which === "four") {
    const total = sumsOfFour(f, used);
    const scaled = gain === 1 ? total : f32x4.mul(total, f32x4.const(gain));
    f.push(v128.store(out, f32x4.add(v128.load(out), scaled)));
  } else {
    const total = horizontalSum(f, used.map((sum): V128 => sum).reduce(f32x4.add));
    const scaled = gain === 1 ? total : f32.mul(total, f32.const(gain));
    f.push(f32.store(out, f32.add(f32.load(out, 4 * which), scaled), 4 * which));
  }
}
