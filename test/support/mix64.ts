/**
 * The random source of the golden runs, so that their networks can be rebuilt value by value.
 *
 *   key = mix(seed + G (stream + 1)),  value i = mix(key + G (i + 1)),  G = 0x9E3779B97F4A7C15
 *
 * mix is the finaliser of splitmix64 (Steele, Lea & Flood, OOPSLA 2014). A uniform is the top 53 bits, normal i comes
 * from uniforms 2i and 2i + 1 by the cosine branch of Box and Muller, and a sample is a partial Fisher-Yates shuffle.
 */
import { multiplyHigh } from "../../src/random/philox-rounds.ts";
import type { RandomSource } from "../../src/random/streams.ts";

const golden = 0x9e3779b97f4a7c15n;
const goldenHigh = 0x9e3779b9 | 0;
const goldenLow = 0x7f4a7c15 | 0;

const wrap = (z: bigint): bigint => BigInt.asUintN(64, z);

/** The plain form; what `fill` below does in halves of 32 bits. */
export function mix64(z: bigint): bigint {
  z = wrap((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = wrap((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

export class Mix64 implements RandomSource {
  readonly #seed: bigint;

  constructor(seed: number) {
    this.#seed = BigInt(seed);
  }

  uniform(stream: number, start: number, out: Float64Array): void {
    const key = mix64(wrap(this.#seed + golden * BigInt(stream + 1)));
    const first = wrap(key + golden * BigInt(start));
    let high = Number(first >> 32n) | 0;
    let low = Number(first & 0xffffffffn) | 0;
    for (let i = 0; i < out.length; i++) {
      const sum = (low >>> 0) + (goldenLow >>> 0);
      high = (high + goldenHigh + (sum >= 2 ** 32 ? 1 : 0)) | 0;
      low = sum | 0;
      // z ^= z >> 30; z *= 0xbf58476d1ce4e5b9
      let l = low ^ ((low >>> 30) | (high << 2));
      let h = high ^ (high >>> 30);
      h = (multiplyHigh(l, 0x1ce4e5b9) + Math.imul(h, 0x1ce4e5b9) + Math.imul(l, 0xbf58476d)) | 0;
      l = Math.imul(l, 0x1ce4e5b9);
      // z ^= z >> 27; z *= 0x94d049bb133111eb
      l ^= (l >>> 27) | (h << 5);
      h ^= h >>> 27;
      h = (multiplyHigh(l, 0x133111eb) + Math.imul(h, 0x133111eb) + Math.imul(l, 0x94d049bb)) | 0;
      l = Math.imul(l, 0x133111eb);
      // z ^= z >> 31
      l ^= (l >>> 31) | (h << 1);
      h ^= h >>> 31;
      out[i] = ((h >>> 0) * 2 ** 21 + (l >>> 11)) * 2 ** -53;
    }
  }

  normal(stream: number, start: number, out: Float64Array): void {
    const u = new Float64Array(2 * out.length);
    this.uniform(stream, 2 * start, u);
    for (let i = 0; i < out.length; i++) {
      out[i] = Math.sqrt(-2 * Math.log(1 - u[2 * i])) * Math.cos(2 * Math.PI * u[2 * i + 1]);
    }
  }

  sample(stream: number, n: number, m: number): Uint32Array {
    const values = Uint32Array.from({ length: n }, (_, i) => i);
    const u = new Float64Array(m);
    this.uniform(stream, 0, u);
    for (let j = 0; j < m; j++) {
      const other = j + Math.floor(u[j] * (n - j));
      [values[j], values[other]] = [values[other], values[j]];
    }
    return values.slice(0, m);
  }
}
