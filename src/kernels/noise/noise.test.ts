import { describe, expect, it } from "vitest";
import { pearson } from "../../math/statistics.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { noiseAt } from "./reference.ts";
import { addNoiseKernel } from "./wasm.ts";

const most = 4096;

/** Noise of `blocks` blocks of 16 neurons from the kernel; the array is the kernel's own and overwritten by the next call. */
function kernelOf(seed: number) {
  const module = new ModuleBuilder();
  addNoiseKernel(module, [seed >>> 0, Math.floor(seed / 2 ** 32)]);
  const memory = new WebAssembly.Memory({ initial: 8 });
  const compiled = new WebAssembly.Module(module.toBytes());
  const { fillNoise } = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Record<
    string,
    (...args: number[]) => void
  >;
  const out = new Float32Array(memory.buffer, 1024, 16 * most);
  return (blocks: number, firstBlock: number, step: number, stream: number) => {
    fillNoise(1024, blocks, firstBlock, step, (stream % 2 ** 32) | 0, Math.floor(stream / 2 ** 32));
    return out.subarray(0, 16 * blocks);
  };
}

const streams = [0, 1, streamOf(streamKind.noise, 3), streamOf(streamKind.stimulus, 2 * 100_000 + 1), 2 ** 53 - 1];
const seeds = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 7, Number.MAX_SAFE_INTEGER];

describe("the noise kernel", () => {
  it("equals its twin bit for bit, over seeds, streams, steps and blocks", () => {
    for (const seed of seeds) {
      const fill = kernelOf(seed);
      for (const stream of streams) {
        for (const step of [0, 1, 20_000, 2 ** 31, 2 ** 32 - 1]) {
          for (const firstBlock of [0, 5, 62_500]) {
            const expected = Float32Array.from({ length: 48 }, (_, i) =>
              noiseAt(seed, stream, 16 * firstBlock + i, step),
            );
            expect(fill(3, firstBlock, step, stream)).toEqual(expected);
          }
        }
      }
    }
  });

  it("writes what it is asked for and no more", () => {
    const fill = kernelOf(9);
    const out = fill(4, 0, 1, 1);
    out.fill(7);
    expect(fill(0, 0, 1, 1).length).toBe(0);
    expect([...out]).toEqual(new Array(64).fill(7));
    fill(3, 0, 1, 1);
    expect([...out.subarray(48)]).toEqual(new Array(16).fill(7));
  });

  it("does not depend on where the filling starts", () => {
    const fill = kernelOf(5);
    const whole = fill(20, 0, 77, 8).slice();
    expect(fill(17, 3, 77, 8)).toEqual(whole.subarray(48));
    for (let block = 0; block < 20; block++) {
      expect(fill(1, block, 77, 8)).toEqual(whole.subarray(16 * block, 16 * block + 16));
    }
  });

  it("has mean 0, variance 1, excess kurtosis -0.3, no skew and a largest value of 3.45", () => {
    const fill = kernelOf(3);
    const sums = [0, 0, 0, 0];
    let largest = 0;
    const steps = 16;
    for (let step = 0; step < steps; step++) {
      for (const x of fill(most, 0, step, 4)) {
        let power = 1;
        for (let k = 0; k < 4; k++) sums[k] += power *= x;
        largest = Math.max(largest, Math.abs(x));
      }
    }
    const n = 16 * most * steps;
    const [mean, square, cube, fourth] = sums.map((sum) => sum / n);
    // Five standard errors each: var x = 1, var x^2 = kurtosis - 1, and of higher powers from the moments of the sum.
    const error = 5 / Math.sqrt(n);
    expect(Math.abs(mean)).toBeLessThan(error);
    expect(Math.abs(square - 1)).toBeLessThan(1.31 * error);
    expect(Math.abs(cube)).toBeLessThan(3.3 * error);
    expect(Math.abs(fourth - 2.7)).toBeLessThan(7 * error);
    expect(largest).toBeLessThanOrEqual(Math.fround(3.4507));
    expect(largest).toBeGreaterThan(3.2);
  });

  it("is uncorrelated between steps, neighbours, streams and seeds", () => {
    const fill = kernelOf(8);
    const blocks = 2048;
    const n = 16 * blocks;
    const here = fill(blocks, 0, 100, 2).slice();
    const others: [string, Float32Array][] = [1, 2, 3, 16, 100].map((lag) => [
      `lag ${lag}`,
      fill(blocks, 0, 100 + lag, 2).slice(),
    ]);
    others.push(["stream + 1", fill(blocks, 0, 100, 3).slice()]);
    others.push(["another seed", kernelOf(9)(blocks, 0, 100, 2).slice()]);
    // The squares too: dependence without correlation would show there.
    const squares = (values: Float32Array) => values.map((x) => x * x);
    for (const [name, values] of others) {
      expect(Math.abs(pearson(here, values)), name).toBeLessThan(5 / Math.sqrt(n));
      expect(Math.abs(pearson(squares(here), squares(values))), name).toBeLessThan(5 / Math.sqrt(n));
    }
    for (const lag of [1, 2, 3, 4, 8, 15, 16, 17, 64]) {
      const [left, right] = [here.subarray(0, n - lag), here.subarray(lag)];
      expect(Math.abs(pearson(left, right)), `neighbour ${lag}`).toBeLessThan(5 / Math.sqrt(n));
      expect(Math.abs(pearson(squares(left), squares(right))), `neighbour ${lag}`).toBeLessThan(5 / Math.sqrt(n));
    }
  });

  it("gives every neuron a path of its own", () => {
    const fill = kernelOf(8);
    const steps = 4096;
    const paths = Array.from({ length: 32 }, () => new Float32Array(steps));
    for (let step = 0; step < steps; step++) {
      const values = fill(2, 0, step, 6);
      for (const [i, path] of paths.entries()) path[step] = values[i];
    }
    for (const [i, path] of paths.entries()) {
      expect(Math.abs(pearson(path.subarray(0, -1), path.subarray(1)))).toBeLessThan(5 / Math.sqrt(steps));
      for (const other of paths.slice(i + 1)) {
        expect(Math.abs(pearson(path, other))).toBeLessThan(5 / Math.sqrt(steps));
      }
    }
  });
});
