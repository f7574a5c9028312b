/**
 * Sweeps over P, tile by tile.
 *
 * P is far larger than the caches, so what counts is to read and write it once per update. The change of an update is
 * therefore put off, and P -= c k k' happens in the sweep that computes the next k = P x. A tile (rows a, columns b)
 * serves k_a (its columns times x_b) and, as its own transpose, k_b (dot products with x_a); the four partial sums of k_b
 * stay in registers down a column.
 */
import { type FunctionBuilder, f32x4, i16x8, i32, i32x4, type Local, type V128, v128 } from "../../wasm/assembler.ts";
import { arithmetic, sumsOfFour } from "../../wasm/vectors.ts";
import type { PLayout } from "./layout.ts";

export interface TileOptions {
  readonly layout: PLayout;
  /** Fused multiply-add where the machine has it: faster, bytes differ between machines. */
  readonly relaxed: boolean;
}

export type Vector = Local<"v128">;
export type Pointer = Local<"i32">;

/** Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the float; subtracting it again, the rounded float. */
const roundingBias = f32x4.const(12582912);
const roundingBits = i32x4.const(0x4b400000, 0x4b400000, 0x4b400000, 0x4b400000);
const biasedToInteger = (biased: V128): V128 => i32x4.sub(biased, roundingBits);

/** Loops with one index pointer over the rows of tiles: `body(offset)` with offset = 16 * row. */
export function forRows(f: FunctionBuilder, layout: PLayout, body: (offset: Pointer) => void): void {
  const offset = f.let(i32.const(0));
  f.repeat(
    () => {
      body(offset);
      f.advance(offset, 16);
    },
    () => i32.ltU(offset, i32.const(16 * layout.tileRows)),
  );
}

/** Column `column` of the tile at `tile`, as floats in stored units. */
function loadColumn(layout: PLayout, tile: Pointer, column: number): V128 {
  return layout.precision === "f32"
    ? v128.load(tile, 16 * column)
    : f32x4.convertI32x4S(v128.load16x4S(tile, 8 * column));
}

function loadTile(f: FunctionBuilder, layout: PLayout, tile: Pointer): Vector[] {
  return [0, 1, 2, 3].map((column) => f.let(loadColumn(layout, tile, column)));
}

/** Writes a tile; integers are rounded, and `columns` then hold the rounded values. */
function storeTile(f: FunctionBuilder, layout: PLayout, tile: Pointer, columns: Vector[]): void {
  if (layout.precision === "f32") {
    for (const [column, value] of columns.entries()) f.push(v128.store(tile, value, 16 * column));
    return;
  }
  for (const value of columns) f.set(value, f32x4.add(value, roundingBias));
  const [c0, c1, c2, c3] = columns.map(biasedToInteger);
  f.push(v128.store(tile, i16x8.narrowI32x4S(c0, c1)));
  f.push(v128.store(tile, i16x8.narrowI32x4S(c2, c3), 16));
  for (const value of columns) f.set(value, f32x4.sub(value, roundingBias));
}

/** P -= factor p p' with the k put off (p), and k = P x in units of the scale, in one sweep. */
export function multiply(
  f: FunctionBuilder,
  { layout, relaxed }: TileOptions,
  { P, pending, x, k }: Record<"P" | "pending" | "x" | "k", Pointer>,
  factor: Local<"f32">,
): void {
  const { plus, minus } = arithmetic(relaxed);
  forRows(f, layout, (row) => f.push(v128.store(i32.add(k, row), v128.zero)));
  const tile = f.let(P);
  forColumns(f, layout, { x, k, pending }, ({ xColumn, kColumn, pendingColumn, remaining }) => {
    const change = spreadChange(f, pendingColumn, factor);
    /** The tile with the pending change made, written back. */
    const takeTile = (pendingRow: Vector): Vector[] => {
      const columns = change.map((step, j) => f.let(minus(loadColumn(layout, tile, j), pendingRow, step)));
      storeTile(f, layout, tile, columns);
      f.advance(tile, layout.tileBytes);
      return columns;
    };
    // x is read anew for every tile: four registers less to hold, and a load that splats costs nothing beside them.
    const timesColumns = (columns: Vector[], start: V128): V128 =>
      columns.reduce((sum: V128, column, j) => plus(sum, column, v128.load32Splat(xColumn, 4 * j)), start);
    // Diagonal tile: whole and symmetric, so its columns serve once.
    const own = f.let(timesColumns(takeTile(f.let(v128.load(pendingColumn))), v128.load(kColumn)));
    const partial = change.map(() => f.let(v128.zero));
    const offset = f.let(i32.const(16));
    f.while(
      () => remaining,
      () => {
        const columns = takeTile(f.let(v128.load(i32.add(pendingColumn, offset))));
        const kRow = f.let(i32.add(kColumn, offset));
        f.push(v128.store(kRow, timesColumns(columns, v128.load(kRow))));
        const xa = f.let(v128.load(i32.add(xColumn, offset)));
        for (const [j, column] of columns.entries()) f.set(partial[j], plus(partial[j], column, xa));
        f.advance(offset, 16);
        f.set(remaining, i32.sub(remaining, i32.const(1)));
      },
    );
    f.push(v128.store(kColumn, f32x4.add(own, sumsOfFour(f, partial))));
  });
}

/** factor p_b, each of the four elements over a vector. */
function spreadChange(f: FunctionBuilder, pendingColumn: Pointer, factor: Local<"f32">): Vector[] {
  return [0, 1, 2, 3].map((j) => f.let(f32x4.mul(v128.load32Splat(pendingColumn, 4 * j), f32x4.splat(factor))));
}

/** P -= factor p p', tile by tile. */
export function subtractOuterProduct(
  f: FunctionBuilder,
  { layout, relaxed }: TileOptions,
  P: Pointer,
  pending: Pointer,
  factor: Local<"f32">,
): void {
  const { minus } = arithmetic(relaxed);
  const tile = f.let(P);
  forColumns(f, layout, { x: pending, k: pending, pending }, ({ pendingColumn, remaining }) => {
    const change = spreadChange(f, pendingColumn, factor);
    const row = f.let(pendingColumn);
    f.set(remaining, i32.add(remaining, i32.const(1)));
    f.repeat(
      () => {
        const pendingRow = f.let(v128.load(row));
        storeTile(
          f,
          layout,
          tile,
          change.map((step, j) => f.let(minus(loadColumn(layout, tile, j), pendingRow, step))),
        );
        f.advance(tile, layout.tileBytes);
        f.advance(row, 16);
        f.set(remaining, i32.sub(remaining, i32.const(1)));
      },
      () => remaining,
    );
  });
}

/** Column of tiles after column: pointers to its part of the vectors, and how many tiles lie under the diagonal one. */
function forColumns(
  f: FunctionBuilder,
  layout: PLayout,
  { x, k, pending }: Record<"x" | "k" | "pending", Pointer>,
  body: (column: Record<"xColumn" | "kColumn" | "pendingColumn" | "remaining", Pointer>) => void,
): void {
  const [xColumn, kColumn, pendingColumn] = [x, k, pending].map((start) => f.let(start));
  const below = f.let(i32.const(layout.tileRows));
  const remaining = f.local("i32");
  f.repeat(
    () => {
      f.set(below, i32.sub(below, i32.const(1)));
      f.set(remaining, below);
      body({ xColumn, kColumn, pendingColumn, remaining });
      for (const pointer of [xColumn, kColumn, pendingColumn]) f.advance(pointer, 16);
    },
    () => below,
  );
}

/** P <- keep P, of `count` neurons; leaves `P` behind the last. */
export function scaleTiles(f: FunctionBuilder, layout: PLayout, P: Pointer, count: Pointer, keep: Local<"f32">): void {
  const tiles = f.let(i32.mul(count, i32.const(layout.tiles)));
  const factor = f.let(f32x4.splat(keep));
  f.while(
    () => tiles,
    () => {
      storeTile(
        f,
        layout,
        P,
        loadTile(f, layout, P).map((column) => f.let(f32x4.mul(column, factor))),
      );
      f.advance(P, layout.tileBytes);
      f.set(tiles, i32.sub(tiles, i32.const(1)));
    },
  );
}
