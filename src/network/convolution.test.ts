import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currents } from "../../test/support/shared-currents.ts";
import { convolution, recurrentConvolution, type SpaceWindow, squareWindow, windowedShape } from "./convolution.ts";
import { channelsOf, type Shape, sizeOf } from "./shape.ts";

/** The definition: output by output, over the window, places beyond the ends left out. */
function naive(
  shape: Shape,
  outputs: Shape,
  window: SpaceWindow,
  groups: number,
  weights: ArrayLike<number>,
  sent: ArrayLike<number>,
): number[] {
  const flat = shape.length === 2;
  const [height, width, channels] = flat ? [1, ...shape] : shape;
  const [rows, columns, filters] = flat ? [1, ...outputs] : outputs;
  const plane = (values: readonly number[], line: number) => (flat ? [line, values[0]] : values);
  const [kernelY, kernelX] = plane(window.kernel, 1);
  const [strideY, strideX] = plane(window.stride, 1);
  const [padY, padX] = plane(window.padding, 0);
  const [perChannel, perFilter] = [channels / groups, filters / groups];
  const result: number[] = [];
  for (let oy = 0; oy < rows; oy++) {
    for (let ox = 0; ox < columns; ox++) {
      for (let filter = 0; filter < filters; filter++) {
        let sum = 0;
        for (let jy = 0; jy < kernelY; jy++) {
          for (let jx = 0; jx < kernelX; jx++) {
            for (let channel = 0; channel < channels; channel++) {
              const [y, x] = [oy * strideY - padY + jy, ox * strideX - padX + jx];
              if (y < 0 || y >= height || x < 0 || x >= width) continue;
              if (Math.floor(channel / perChannel) !== Math.floor(filter / perFilter)) continue;
              const weight = weights[((jy * kernelX + jx) * channels + channel) * perFilter + (filter % perFilter)];
              sum += weight * sent[(y * width + x) * channels + channel];
            }
          }
        }
        result.push(sum);
      }
    }
  }
  return result;
}

const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.integer({ min: 0, max: 3 }),
  more: fc.integer({ min: 0, max: 5 }),
});
const layers = fc
  .record({
    axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    perChannel: fc.integer({ min: 1, max: 2 }),
    perFilter: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ axes, groups, perChannel, perFilter }) => ({
    shape: [...axes.map(({ kernel, padding, more }) => Math.max(1, kernel - 2 * padding) + more), groups * perChannel],
    window: {
      kernel: axes.map(({ kernel }) => kernel),
      stride: axes.map(({ stride }) => stride),
      padding: axes.map(({ padding }) => padding),
    },
    filters: groups * perFilter,
    groups,
  }));

/** Small whole numbers: their sums are exact in any order. */
const numbers = (count: number, seed: number) => Float64Array.from({ length: count }, (_, i) => ((i * seed) % 17) - 8);

describe("a convolution", () => {
  it("is its definition, for any kernel, stride, padding and groups, on lines and planes", () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 1, max: 1000 }), ({ shape, window, filters, groups }, seed) => {
        const outputs = windowedShape(shape, window, filters, "the layer");
        const table = convolution(shape, { window, filters, groups }, "the layer");
        const weights = numbers(table.rows * table.width, seed);
        const sent = numbers(sizeOf(shape), seed + 3);
        expect(table.rows * table.width).toBe((sizeOf(window.kernel) * channelsOf(shape) * filters) / groups);
        expect(currents(table, weights, sent, sizeOf(outputs))).toEqual(
          naive(shape, outputs, window, groups, weights, sent),
        );
      }),
    );
  });

  it("has floor((n + 2 p - k) / s) + 1 outputs", () => {
    const length = (n: number, kernel: number, stride: number, padding: number) =>
      windowedShape([n, 1], squareWindow([n, 1], kernel, stride, padding), 3, "x")[0];
    expect([length(28, 5, 1, 0), length(28, 5, 1, 2), length(700, 21, 10, 0), length(7, 2, 2, 0)]).toEqual([
      24, 28, 68, 3,
    ]);
  });

  it("reaches, from the middle of a plane, one block for every place of its kernel", () => {
    const table = convolution([9, 9, 1], { window: squareWindow([9, 9, 1], 3, 1, 0), filters: 4, groups: 1 }, "x");
    const blocks = (source: number) => table.offsets[source + 1] - table.offsets[source];
    expect([blocks(4 * 9 + 4), blocks(0), blocks(4)]).toEqual([9, 1, 3]);
  });

  it("is refused in one sentence where it cannot be", () => {
    const shape = [4, 4, 6];
    const make = (kernel: number, filters: number, groups: number, of: Shape = shape) =>
      convolution(of, { window: squareWindow(of, kernel, 1, 0), filters, groups }, "network.layers.1");
    expect(() => make(5, 2, 1)).toThrow(
      "network.layers.1: a window of 5 places with padding 0 does not fit into the 4 x 4 below it; make it smaller",
    );
    expect(() => make(3, 4, 4)).toThrow("network.layers.1.groups is 4, but there are 6 channels below; choose");
    expect(() => make(3, 4, 3)).toThrow("network.layers.1.groups is 3, but there are 4 filters; choose");
    expect(() => make(1, 1024, 1, [256, 256, 1])).toThrow("would have 256 x 256 x 1024 = 67108864 neurons, more than");
    expect(() => make(101, 1, 1, [1000, 1000, 2])).toThrow("network.layers.1 needs a table of 16525620000 places");
  });
});

describe("a recurrent convolution", () => {
  it("keeps the shape and reaches as far to all sides", () => {
    const table = recurrentConvolution([7, 2], [5], "x");
    expect([table.rows, table.width]).toEqual([10, 2]);
    const reached = (source: number) =>
      [...table.firstTargets.subarray(table.offsets[source], table.offsets[source + 1])].map((target) => target / 2);
    expect([reached(2 * 3), reached(2 * 3 + 1), reached(0), reached(13)]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
      [0, 1, 2],
      [4, 5, 6],
    ]);
  });

  it("needs an odd kernel", () => {
    expect(() => recurrentConvolution([7, 2], [4], "network.layers.0")).toThrow(
      "network.layers.0.recurrentKernel is 4; it must be odd",
    );
  });
});
