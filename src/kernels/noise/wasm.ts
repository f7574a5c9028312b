/**
 * Noise for many neurons at one time step: a value is a function of (seed, stream, neuron, step) alone.
 *
 * Philox4x32-10 (Salmon et al. 2011, SC'11) runs on four counters at once. Neuron i of a population takes word
 * (i >> 2) & 3 of the block with counter [4 (i >> 4) + (i & 3), step, stream low, stream high], so sixteen neurons in a
 * row come out of one call without a transpose. A 32-bit word becomes a number of mean 0 and variance 1 by adding its
 * four bytes (an Irwin-Hall sum: excess kurtosis -0.3, largest 3.45). The membrane sums a hundred of them per time
 * constant, so its fluctuations are Gaussian to 0.003 in kurtosis. Twin: `reference.ts`.
 */
import {
  type FunctionBuilder,
  f32x4,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64x2,
  type Local,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { byteSumDeviation, byteSumMean } from "./reference.ts";

const multiplier0 = 0xd2511f53 | 0;
const multiplier1 = 0xcd9e8d57 | 0;
const weyl0 = 0x9e3779b9 | 0;
const weyl1 = 0xbb67ae85 | 0;

const splat = (word: number): V128 => i32x4.const(word, word, word, word);

/** High and low words of the four products a * multiplier. */
function multiply(f: FunctionBuilder, a: Local<"v128">, multiplier: number) {
  const low = f.let(i64x2.extmulLowI32x4U(a, splat(multiplier)));
  const high = f.let(i64x2.extmulHighI32x4U(a, splat(multiplier)));
  return {
    high: i8x16.shuffle(low, high, [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]),
    low: i8x16.shuffle(low, high, [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]),
  };
}

/**
 * Adds `fillNoise(to, blocks, firstBlock, step, streamLow, streamHigh)`: writes 16 f32 per block of 16 neurons; block b
 * holds neurons 16 b .. 16 b + 15 of the population that the stream belongs to.
 *
 * @param key the two words of the seed.
 */
export function addNoiseKernel(module: ModuleBuilder, key: readonly [number, number]): void {
  module.function(
    "fillNoise",
    { to: "i32", blocks: "i32", firstBlock: "i32", step: "i32", streamLow: "i32", streamHigh: "i32" },
    (f, { to, blocks, firstBlock, step, streamLow, streamHigh }) => {
      const counter = f.let(i32x4.add(i32x4.splat(i32.shl(firstBlock, i32.const(2))), i32x4.const(0, 1, 2, 3)));
      const steps = f.let(i32x4.splat(step));
      const streams = [f.let(i32x4.splat(streamLow)), f.let(i32x4.splat(streamHigh))];
      const words = [0, 1, 2, 3].map(() => f.local("v128"));
      f.while(
        () => blocks,
        () => {
          f.set(words[0], counter);
          f.set(words[1], steps);
          f.set(words[2], streams[0]);
          f.set(words[3], streams[1]);
          for (let round = 0; round < 10; round++) {
            const product0 = multiply(f, words[0], multiplier0);
            const product1 = multiply(f, words[2], multiplier1);
            const roundKey0 = splat((key[0] + Math.imul(round, weyl0)) | 0);
            const roundKey1 = splat((key[1] + Math.imul(round, weyl1)) | 0);
            const first = f.let(v128.xor(v128.xor(product1.high, words[1]), roundKey0));
            const third = f.let(v128.xor(v128.xor(product0.high, words[3]), roundKey1));
            f.set(words[1], product1.low);
            f.set(words[3], product0.low);
            f.set(words[0], first);
            f.set(words[2], third);
          }
          for (const [k, word] of words.entries()) {
            const sum = i32x4.extaddPairwiseI16x8U(i16x8.extaddPairwiseI8x16U(word));
            const centred = f32x4.sub(f32x4.convertI32x4S(sum), f32x4.const(byteSumMean));
            f.push(v128.store(to, f32x4.mul(centred, f32x4.const(1 / byteSumDeviation)), 16 * k));
          }
          f.set(counter, i32x4.add(counter, splat(4)));
          f.advance(to, 64);
          f.set(blocks, i32.sub(blocks, i32.const(1)));
        },
      );
    },
  );
}
