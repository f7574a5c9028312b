/** The plain twin of the noise kernel. What the numbers are and why: `wasm.ts`. */
import { philox4x32 } from "../../random/philox.ts";

/** Mean and standard deviation of the sum of four random bytes. */
export const byteSumMean = 510;
export const byteSumDeviation = Math.sqrt((4 * (256 ** 2 - 1)) / 12);

/** Noise of neuron `index` of a population at `step`; float32 arithmetic as in the kernel. */
export function noiseAt(seed: number, stream: number, index: number, step: number): number {
  const counter = Uint32Array.of(
    4 * Math.floor(index / 16) + (index & 3),
    step,
    stream % 2 ** 32,
    Math.floor(stream / 2 ** 32),
  );
  const block = new Uint32Array(4);
  philox4x32(counter, Uint32Array.of(seed % 2 ** 32, Math.floor(seed / 2 ** 32)), block);
  const word = block[(index >> 2) & 3];
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return Math.fround((sum - byteSumMean) * Math.fround(1 / byteSumDeviation));
}
