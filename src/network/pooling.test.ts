import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currents } from "../../test/support/shared-currents.ts";
import { convolution, type SpaceWindow, squareWindow, windowedShape } from "./convolution.ts";
import { asTheyAre, flattened, fromGathered, fullRows, type Gathered, gather, poolingConnections } from "./pooling.ts";
import { channelsOf, type Shape, sizeOf } from "./shape.ts";

/** Sums of windows, place by place: the definition. */
function pooled(shape: Shape, window: SpaceWindow, sent: ArrayLike<number>): number[] {
  const channels = channelsOf(shape);
  const outputs = windowedShape(shape, window, channels, "x");
  const flat = shape.length === 2;
  const [height, width] = flat ? [1, shape[0]] : shape;
  const [rows, columns] = flat ? [1, outputs[0]] : outputs;
  const axis = (values: readonly number[], line: number) => (flat ? [line, values[0]] : values);
  const [kernel, stride, padding] = [axis(window.kernel, 1), axis(window.stride, 1), axis(window.padding, 0)];
  const result: number[] = [];
  for (let oy = 0; oy < rows; oy++) {
    for (let ox = 0; ox < columns; ox++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let jy = 0; jy < kernel[0]; jy++) {
          for (let jx = 0; jx < kernel[1]; jx++) {
            const [y, x] = [oy * stride[0] - padding[0] + jy, ox * stride[1] - padding[1] + jx];
            if (y >= 0 && y < height && x >= 0 && x < width) sum += sent[(y * width + x) * channels + channel];
          }
        }
        result.push(sum);
      }
    }
  }
  return result;
}

const numbers = (count: number, seed: number) => Float64Array.from({ length: count }, (_, i) => ((i * seed) % 13) - 6);
const shapes = fc.oneof(
  fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }), fc.integer({ min: 1, max: 3 })),
  fc.tuple(fc.integer({ min: 3, max: 12 }), fc.integer({ min: 1, max: 3 })),
);
const windows = fc.record({
  size: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.integer({ min: 0, max: 1 }),
});
const windowOf = (shape: Shape, { size, stride, padding }: { size: number; stride: number; padding: number }) =>
  squareWindow(shape, size, stride, padding);

describe("sum pooling", () => {
  it("then a convolution is the convolution of the sums, overlapping windows or not", () => {
    fc.assert(
      fc.property(shapes, windows, fc.integer({ min: 1, max: 3 }), fc.nat(100), (shape, pool, kernel, seed) => {
        const gathered = gather(asTheyAre(shape), windowOf(shape, pool), "sum", "x");
        const window = squareWindow(gathered.shape, Math.min(kernel, ...gathered.shape.slice(0, -1)), 1, 0);
        const table = convolution(gathered.shape, { window, filters: 2, groups: 1 }, "x");
        const weights = numbers(table.rows * 2, seed + 1);
        const sent = numbers(sizeOf(shape), seed + 5);
        const targets = sizeOf(windowedShape(gathered.shape, window, 2, "x"));
        expect(currents(fromGathered(gathered, table, "x"), weights, sent, targets)).toEqual(
          currents(table, weights, pooled(shape, windowOf(shape, pool), sent), targets),
        );
      }),
    );
  });

  it("then all connections give every neuron of a window the same weights", () => {
    fc.assert(
      fc.property(shapes, windows, fc.nat(100), (shape, pool, seed) => {
        const gathered = flattened(gather(asTheyAre(shape), windowOf(shape, pool), "sum", "x"));
        const places = sizeOf(gathered.shape);
        const table = fromGathered(gathered, fullRows(places, 3), "x");
        expect([gathered.shape.length, table.rows, table.width]).toEqual([1, places, 3]);
        const weights = numbers(3 * places, seed + 1);
        const sent = numbers(sizeOf(shape), seed + 2);
        const sums = pooled(shape, windowOf(shape, pool), sent);
        const expected = [0, 1, 2].map((target) => sums.reduce((sum, s, i) => sum + s * weights[3 * i + target], 0));
        expect(currents(table, weights, sent, 3)).toEqual(expected);
      }),
    );
  });

  it("twice is the sum of sums", () => {
    fc.assert(
      fc.property(shapes, windows, fc.nat(100), (shape, pool, seed) => {
        const once = gather(asTheyAre(shape), windowOf(shape, pool), "sum", "x");
        const again = squareWindow(once.shape, Math.min(2, ...once.shape.slice(0, -1)), 1, 0);
        const twice = gather(once, again, "sum", "x");
        const sent = numbers(sizeOf(shape), seed + 2);
        const counted = new Array<number>(sizeOf(twice.shape)).fill(0);
        const { offsets, targets } = twice.places!;
        for (let source = 0; source < sent.length; source++) {
          for (let a = offsets[source]; a < offsets[source + 1]; a++) counted[targets[a]] += sent[source];
        }
        expect(counted).toEqual(pooled(once.shape, again, pooled(shape, windowOf(shape, pool), sent)));
      }),
    );
  });
});

it("average pooling counts every neuron one over the size of the window, windows of windows too", () => {
  const once = gather(asTheyAre([8, 8, 2]), squareWindow([8, 8, 2], 2, 2, 0), "average", "x");
  expect([once.gain, once.shape]).toEqual([1 / 4, [4, 4, 2]]);
  const twice = gather(once, squareWindow(once.shape, 2, 2, 0), "average", "x");
  expect([twice.gain, twice.shape]).toEqual([1 / 16, [2, 2, 2]]);
  expect(gather(once, squareWindow(once.shape, 2, 2, 0), "sum", "x").gain).toBe(1 / 4);
});

describe("max pooling", () => {
  const sees = ({ offsets, targets }: NonNullable<Gathered["places"]>, source: number) => [
    ...targets.subarray(offsets[source], offsets[source + 1]),
  ];

  it("connects a neuron to every window that it lies in, channel by channel", () => {
    const plane = poolingConnections(asTheyAre([4, 4, 3]), squareWindow([4, 4, 3], 2, 2, 0), "x");
    expect([sees(plane, 0), sees(plane, 3 * (4 + 1) + 2), sees(plane, 3 * 15 + 1)]).toEqual([[0], [2], [3 * 3 + 1]]);
    const overlapping = poolingConnections(asTheyAre([5, 1]), squareWindow([5, 1], 3, 1, 0), "x");
    expect([0, 1, 2, 3, 4].map((i) => sees(overlapping, i))).toEqual([[0], [0, 1], [0, 1, 2], [1, 2], [2]]);
  });

  it("of sums has no synapse twice", () => {
    const sums = gather(asTheyAre([5, 1]), squareWindow([5, 1], 3, 1, 0), "sum", "x");
    const rows = poolingConnections(sums, squareWindow(sums.shape, 2, 1, 0), "x");
    expect([0, 1, 2, 3, 4].map((i) => sees(rows, i))).toEqual([[0], [0, 1], [0, 1], [0, 1], [1]]);
    expect(rows.offsets[5]).toBe(rows.targets.length);
  });

  it("is refused where the window does not fit", () => {
    expect(() =>
      poolingConnections(asTheyAre([1, 4, 3]), squareWindow([1, 4, 3], 2, 2, 0), "network.layers.1"),
    ).toThrow("network.layers.1: a window of 2 places with padding 0 does not fit into the 1 x 4 below it");
  });
});
