/** Random matrices with orthonormal rows or columns (Saxe, McClelland & Ganguli 2014). */
import { UserError } from "../../base/errors.ts";

/** Numbers of multiplications beyond which orthogonalising would take minutes. */
const mostWork = 2 ** 36;

/**
 * Makes the columns of a matrix of normal numbers orthonormal, or its rows where there are fewer of them: Gram and
 * Schmidt's process, twice, which is as good as Householder's (Giraud, Langou & Rozložník 2005) and uniform over such
 * matrices.
 *
 * @param draws `[row * columns + column]`, changed in place
 * @param path where the rule stands, for messages
 */
export function orthonormalise(draws: Float64Array, rows: number, columns: number, path: string): void {
  const tall = rows >= columns;
  const [vectors, length] = tall ? [columns, rows] : [rows, columns];
  if (2 * vectors * vectors * length > mostWork) {
    throw new UserError(
      `${path} is "orthogonal" for ${rows} x ${columns} connections, which would take minutes; use "normal" for so many`,
    );
  }
  // Vector v, entry i
  const [step, stride] = tall ? [1, columns] : [columns, 1];
  const dot = (v: number, w: number): number => {
    let sum = 0;
    for (let i = 0, a = v * step, b = w * step; i < length; i++, a += stride, b += stride) sum += draws[a] * draws[b];
    return sum;
  };
  for (let v = 0; v < vectors; v++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let w = 0; w < v; w++) {
        const along = dot(v, w);
        for (let i = 0, a = v * step, b = w * step; i < length; i++, a += stride, b += stride)
          draws[a] -= along * draws[b];
      }
    }
    const norm = Math.sqrt(dot(v, v));
    for (let i = 0, a = v * step; i < length; i++, a += stride) draws[a] /= norm;
  }
}
