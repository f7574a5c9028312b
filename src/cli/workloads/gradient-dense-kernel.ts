/**
 * The dense matrix product that the event form is compared with: out[r][:] = sum_k x[r][k] w[k][:], four rows and two
 * vectors at a time, eight sums in registers. It multiplies whatever x is, zeros too.
 */
import { type FunctionReference, f32x4, i32, type ModuleBuilder, v128 } from "../../wasm/assembler.ts";

export interface DenseShape {
  /** A multiple of 4. */
  readonly rows: number;
  readonly inner: number;
  /** A multiple of 8. */
  readonly columns: number;
  /** Bytes from x[r][k] to x[r+1][k], and to x[r][k+1]. */
  readonly strides: { readonly row: number; readonly inner: number };
}

type Signature = { x: "i32"; w: "i32"; out: "i32" };

const rowsAtOnce = 4;
const vectorsAtOnce = 2;

export function addDenseProduct(
  module: ModuleBuilder,
  name: string,
  { rows, inner, columns, strides }: DenseShape,
): FunctionReference<Signature, "none"> {
  const rowBytes = 4 * columns;
  return module.function(name, { x: "i32", w: "i32", out: "i32" }, (f, { x, w, out }) => {
    const lastRow = f.let(i32.add(out, i32.const(rows * rowBytes)));
    f.repeat(
      () => {
        const column = f.let(i32.const(0));
        f.repeat(
          () => {
            const sums = Array.from({ length: rowsAtOnce * vectorsAtOnce }, () => f.let(v128.zero));
            const from = f.let(x);
            const weights = f.let(i32.add(w, column));
            const end = f.let(i32.add(weights, i32.const(inner * rowBytes)));
            f.repeat(
              () => {
                const vectors = Array.from({ length: vectorsAtOnce }, (_, v) => f.let(v128.load(weights, 16 * v)));
                for (let r = 0; r < rowsAtOnce; r++) {
                  const factor = f.let(v128.load32Splat(from, r * strides.row));
                  for (const [v, vector] of vectors.entries()) {
                    const sum = sums[r * vectorsAtOnce + v];
                    f.set(sum, f32x4.add(sum, f32x4.mul(factor, vector)));
                  }
                }
                f.advance(from, strides.inner);
                f.advance(weights, rowBytes);
              },
              () => i32.ltU(weights, end),
            );
            const to = f.let(i32.add(out, column));
            for (let r = 0; r < rowsAtOnce; r++) {
              for (let v = 0; v < vectorsAtOnce; v++) {
                f.push(v128.store(to, sums[r * vectorsAtOnce + v], r * rowBytes + 16 * v));
              }
            }
            f.advance(column, 16 * vectorsAtOnce);
          },
          () => i32.ltU(column, i32.const(rowBytes)),
        );
        f.advance(x, rowsAtOnce * strides.row);
        f.advance(out, rowsAtOnce * rowBytes);
      },
      () => i32.ltU(out, lastRow),
    );
  });
}
