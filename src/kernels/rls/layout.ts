/**
 * How the inverse covariance P (M x M, symmetric) of one neuron lies in memory.
 *
 * Only the lower triangle is kept, as 4 x 4 tiles, column of tiles after column of tiles; diagonal tiles are stored
 * whole. Inside a tile, column after column. M is padded to a multiple of 4 with zero rows and columns, which stay zero.
 * Against a packed triangle this costs 21 % at M = 45 and 1 % at M = 256, and every load is one aligned vector.
 *
 * `int16` keeps P / scale, rounded to nearest, with one scale per neuron.
 */
export type Precision = "f32" | "int16";

export interface PLayout {
  /** Inputs per neuron. */
  readonly inputs: number;
  /** Rows (and columns) of tiles. */
  readonly tileRows: number;
  readonly tiles: number;
  readonly precision: Precision;
  /** Bytes of one tile and of one P. */
  readonly tileBytes: number;
  readonly bytes: number;
}

export function pLayout(inputs: number, precision: Precision): PLayout {
  const tileRows = Math.ceil(inputs / 4);
  const tiles = (tileRows * (tileRows + 1)) / 2;
  const tileBytes = precision === "f32" ? 64 : 32;
  return { inputs, tileRows, tiles, precision, tileBytes, bytes: tiles * tileBytes };
}

/** Position of element (row, column) among the tile elements, for any order of the two. */
export function elementIndex(layout: PLayout, row: number, column: number): number {
  const [r, c] = row >= column ? [row, column] : [column, row];
  const tileColumn = c >> 2;
  const tile = tileColumn * layout.tileRows - (tileColumn * (tileColumn - 1)) / 2 + (r >> 2) - tileColumn;
  return 16 * tile + 4 * (c & 3) + (r & 3);
}

/** Largest stored integer; P starts at most this large and shrinks, so it never saturates without forgetting. */
export const int16Range = 32767;
/** With forgetting P may grow again: start lower and leave room. */
export const int16RangeForgetting = 4096;

/** Elements of P in units of `scale` (1 for f32), in storage order. Diagonal tiles hold both halves. */
export function encodeP(
  layout: PLayout,
  element: (row: number, column: number) => number,
  scale: number,
): Float32Array | Int16Array {
  const stored = layout.precision === "f32" ? new Float32Array(layout.tiles * 16) : new Int16Array(layout.tiles * 16);
  for (let column = 0; column < layout.inputs; column++) {
    for (let row = column; row < layout.inputs; row++) {
      const value = element(row, column) / scale;
      const rounded = layout.precision === "f32" ? value : Math.round(value);
      stored[elementIndex(layout, row, column)] = rounded;
      if (row >> 2 === column >> 2) {
        const tile = elementIndex(layout, row, column) & ~15;
        stored[tile + 4 * (row & 3) + (column & 3)] = rounded;
      }
    }
  }
  return stored;
}
