/**
 * Who reaches whom in a convolution, forward from every source, so that a spike costs as much as it has targets.
 *
 * Output o of an axis of n places sees, through a window of k places with stride s and padding p (places beyond the ends,
 * where nothing is), the places
 *
 *   i = o s - p + j,   j = 0 .. k - 1,      o = 0 .. floor((n + 2 p - k) / s)
 *
 * so that place i reaches, at j = i + p - o s, all o with (i + p - k + 1) / s <= o <= (i + p) / s.
 */
import { exitCode, UserError } from "../base/errors.ts";
import { channelsOf, type Shape, shapeText, sizeOf, spaceOf } from "./shape.ts";
import type { SharedRows } from "./shared-rows.ts";

/** One number per axis of space. */
export interface SpaceWindow {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

/** More neurons than any layer has, and more blocks of weights than any table holds. */
const mostNeurons = 2 ** 24;
const mostBlocks = 2 ** 27;

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

/** The same number for every axis. */
export function squareWindow(shape: Shape, kernel: number, stride: number, padding: number): SpaceWindow {
  const all = (value: number) => spaceOf(shape).map(() => value);
  return { kernel: all(kernel), stride: all(stride), padding: all(padding) };
}

/**
 * The shape of what sees `shape` through a window.
 * @param path of the layer, for messages
 * @throws UserError where a window is larger than what it should move over, or the result has too many neurons
 */
export function windowedShape(shape: Shape, window: SpaceWindow, channels: number, path: string): Shape {
  const extents = spaceOf(shape).map((places, axis) => {
    const { kernel, stride, padding } = axisOf(window, axis);
    const outputs = Math.floor((places + 2 * padding - kernel) / stride) + 1;
    if (outputs >= 1) return outputs;
    return refuse(
      `${path}: a window of ${kernel} places with padding ${padding} does not fit into the ${shapeText(spaceOf(shape))} ` +
        "below it; make it smaller, or pad more",
    );
  });
  const result = [...extents, channels];
  if (sizeOf(result) > mostNeurons) {
    refuse(
      `${path} would have ${shapeText(result)} = ${sizeOf(result)} neurons, more than ${mostNeurons}; use fewer filters ` +
        "or a larger stride",
    );
  }
  return result;
}

const axisOf = ({ kernel, stride, padding }: SpaceWindow, axis: number) => ({
  kernel: kernel[axis],
  stride: stride[axis],
  padding: padding[axis],
});

/** Of each place of an axis: the outputs that see it, ascending, and through which place of the window. */
interface AxisReach {
  readonly offsets: Uint32Array;
  readonly outputs: Uint32Array;
  readonly taps: Uint32Array;
}

function axisReach(places: number, outputs: number, window: ReturnType<typeof axisOf>): AxisReach {
  const { kernel, stride, padding } = window;
  const offsets = new Uint32Array(places + 1);
  const found: number[] = [];
  const taps: number[] = [];
  for (let place = 0; place < places; place++) {
    const first = Math.max(0, Math.ceil((place + padding - kernel + 1) / stride));
    const last = Math.min(outputs - 1, Math.floor((place + padding) / stride));
    for (let output = first; output <= last; output++) {
      found.push(output);
      taps.push(place + padding - output * stride);
    }
    offsets[place + 1] = found.length;
  }
  return { offsets, outputs: Uint32Array.from(found), taps: Uint32Array.from(taps) };
}

/** Rows and columns of space; a line is one row. */
function planeReach(shape: Shape, outputs: Shape, window: SpaceWindow): { y: AxisReach; x: AxisReach } {
  const line = { kernel: 1, stride: 1, padding: 0 };
  const axes = spaceOf(shape).map((places, axis) => axisReach(places, outputs[axis], axisOf(window, axis)));
  return { y: axes.length === 2 ? axes[0] : axisReach(1, 1, line), x: axes[axes.length - 1] };
}

/** @throws UserError for a table that no machine should be asked to hold */
export function checkBlocks(count: number, path: string): void {
  if (count <= mostBlocks) return;
  refuse(
    `${path} needs a table of ${count} places of its weights, more than ${mostBlocks}; use a smaller kernel or a larger ` +
      "stride, or pool before it",
  );
}

/** Blocks: a source, that is a channel at a place, and a position of the window that sees it. */
export interface WindowBlocks {
  readonly count: number;
  /**
   * Calls back with every block, source by source.
   * @returns where the blocks of each source begin, and their end
   */
  walk(visit: (block: number, channel: number, position: number, tap: number) => void): Uint32Array;
}

/**
 * @param outputs the shape that the window makes of `shape`; only its places count
 * @throws UserError for more than a machine should be asked to hold
 */
export function windowBlocks(shape: Shape, outputs: Shape, window: SpaceWindow, path: string): WindowBlocks {
  const { y, x } = planeReach(shape, outputs, window);
  const channels = channelsOf(shape);
  const count = y.outputs.length * x.outputs.length * channels;
  checkBlocks(count, path);
  const across = outputs[outputs.length - 2];
  const tapsAcross = window.kernel[window.kernel.length - 1];
  return {
    count,
    walk(visit) {
      const offsets = new Uint32Array(sizeOf(shape) + 1);
      let [source, block] = [0, 0];
      for (let row = 0; row + 1 < y.offsets.length; row++) {
        for (let column = 0; column + 1 < x.offsets.length; column++) {
          for (let channel = 0; channel < channels; channel++) {
            offsets[source++] = block;
            for (let a = y.offsets[row]; a < y.offsets[row + 1]; a++) {
              for (let b = x.offsets[column]; b < x.offsets[column + 1]; b++) {
                visit(block++, channel, y.outputs[a] * across + x.outputs[b], y.taps[a] * tapsAcross + x.taps[b]);
              }
            }
          }
        }
      }
      offsets[source] = block;
      return offsets;
    },
  };
}

export interface Convolution {
  readonly window: SpaceWindow;
  readonly filters: number;
  /** Channels and filters are cut into so many groups, and a filter sees only the channels of its own. */
  readonly groups: number;
}

/**
 * A convolution of neurons of this shape. Row (jy kernelWidth + jx) channels + c of the weights goes from channel c, at
 * place (jy, jx) of the window, to the filters of its group.
 *
 * @throws UserError where the kernel does not fit, groups do not divide, or the table would be too large
 */
export function convolution(shape: Shape, { window, filters, groups }: Convolution, path: string): SharedRows {
  const channels = channelsOf(shape);
  for (const [name, count] of Object.entries({ filters, channels })) {
    if (count % groups === 0) continue;
    refuse(
      `${path}.groups is ${groups}, but there are ${count} ${name === "channels" ? "channels below" : "filters"}; ` +
        "choose a number that divides both",
    );
  }
  const outputs = windowedShape(shape, window, filters, path);
  const blocks = windowBlocks(shape, outputs, window, path);
  const width = filters / groups;
  const weightRows = new Uint32Array(blocks.count);
  const firstTargets = new Uint32Array(blocks.count);
  const offsets = blocks.walk((block, channel, position, tap) => {
    const group = Math.floor((channel * groups) / channels);
    weightRows[block] = tap * channels + channel;
    firstTargets[block] = position * filters + group * width;
  });
  return { width, rows: sizeOf(window.kernel) * channels, offsets, weightRows, firstTargets };
}

/** A convolution of a layer with itself; padding keeps its shape, so the kernel must be odd. */
export function recurrentConvolution(shape: Shape, kernel: readonly number[], path: string): SharedRows {
  const even = kernel.find((places) => places % 2 === 0);
  if (even !== undefined) {
    refuse(
      `${path}.recurrentKernel is ${even}; it must be odd, so that a neuron lies in the middle of what it reaches`,
    );
  }
  const window = { kernel, stride: kernel.map(() => 1), padding: kernel.map((places) => (places - 1) / 2) };
  return convolution(shape, { window, filters: channelsOf(shape), groups: 1 }, path);
}
