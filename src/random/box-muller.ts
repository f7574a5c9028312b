/**
 * Box and Muller's transform: two independent standard normals from two uniforms (Ann. Math. Stat. 29, 1958).
 *
 *   normal 0 = sqrt(-2 ln(1 - u)) cos(2 pi v),   normal 1 = sqrt(-2 ln(1 - u)) sin(2 pi v)
 *
 * 1 - u is exact and in (0, 1], so the logarithm is finite; |normal| is at most sqrt(106 ln 2) = 8.57.
 */

import { cosReduced, log, sinReduced } from "../math/elementary.ts";

const HALF_PI = Math.PI / 2;

/** Writes the pair made of u and v, both in [0,1), to out[at] and out[at + 1]. */
export function boxMuller(u: number, v: number, out: Float64Array, at: number): void {
  const radius = Math.sqrt(-2 * log(1 - u));
  // The angle is 4v quarter turns; taking the nearest whole number of them off is exact.
  const turns = 4 * v;
  const whole = Math.floor(turns + 0.5);
  const angle = (turns - whole) * HALF_PI;
  const c = cosReduced(angle, 0);
  const s = sinReduced(angle, 0);
  const odd = (whole & 1) !== 0;
  const x = odd ? s : c;
  const y = odd ? c : s;
  // cos is negative in quadrants 1 and 2, sin in 2 and 3
  out[at] = radius * (((whole + 1) & 2) !== 0 ? -x : x);
  out[at + 1] = radius * ((whole & 2) !== 0 ? -y : y);
}
