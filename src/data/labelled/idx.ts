/**
 * idx, the format of MNIST and its relatives: two zero bytes, a type, the number of dimensions, their extents (32 bits,
 * big-endian), then the values, the last index running fastest. Images are [image][row][column] of bytes, labels [image].
 * An image becomes its rows: as many frames as it is high, as many channels as it is wide.
 */

import { dataError } from "../../base/errors.ts";
import { gunzip, isGzip } from "../formats/inflate.ts";
import { byteCount, elementCount, shapeText } from "../formats/limits.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { allBytes, type ByteSource, bytesInMemory } from "./byte-source.ts";
import { labelsFrom, namesFor, withoutLabels } from "./labels.ts";
import type { LabelledOptions } from "./options.ts";
import { sampleReader } from "./sample-reader.ts";

const unsignedByte = 8;

/** Types that idx knows: bytes, 16 and 32 bits, floats, doubles. */
const types = new Set([unsignedByte, 9, 0x0b, 0x0c, 0x0d, 0x0e]);

/** Whether the bytes start as an idx file does. */
export function isIdx(head: Uint8Array): boolean {
  return head.length >= 8 && head[0] === 0 && head[1] === 0 && types.has(head[2]) && head[3] >= 1 && head[3] <= 4;
}

/** Shape and start of the values of an idx file of bytes; a dataError when it is another or its length does not fit. */
function header(source: ByteSource, name: string): { shape: number[]; start: number } {
  const head = source.slice(0, 20);
  const dimensions = head[3];
  const start = 4 + 4 * dimensions;
  if (!isIdx(head) || head.length < start) throw dataError(`${name} is no idx file, or ends inside its header`);
  if (head[2] !== unsignedByte) {
    throw dataError(`${name} holds idx values of type 0x${head[2].toString(16)}; bytes (type 0x8) are read`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const shape = Array.from({ length: dimensions }, (_, d) => view.getUint32(4 + 4 * d));
  const bytes = elementCount(shape, name);
  const held = source.size - start;
  if (bytes !== held) {
    throw dataError(
      `${name} should hold ${shapeText(shape)} bytes, ${byteCount(bytes)}, but has ${byteCount(held)} after its header; ` +
        `it is ${held < bytes ? "truncated" : "damaged"}`,
    );
  }
  return { shape, start };
}

function readLabels(bytes: Uint8Array, size: number, name: string): Uint32Array {
  const what = `the file of labels of ${name}`;
  const source = bytesInMemory(isGzip(bytes) ? gunzip(bytes, what) : bytes);
  const { shape, start } = header(source, what);
  if (shape.length !== 1) throw dataError(`${what} holds ${shapeText(shape)} values; labels are a single list`);
  return labelsFrom(allBytes(source, what).subarray(start), size, what);
}

function labelling(options: LabelledOptions, size: number, name: string): Pick<LabelledSet, "labels" | "classNames"> {
  if (options.labels === undefined) return withoutLabels(size, options);
  const labels = readLabels(options.labels, size, name);
  return { labels, classNames: namesFor(labels, options.classNames, undefined, name) };
}

/**
 * The images of an idx file. They stay where they are and are read when asked for; the set closes the source.
 * @throws UserError when it holds something else, its length does not fit, or there are no labels.
 */
export function readIdx(source: ByteSource, name: string, options: LabelledOptions): LabelledSet {
  const { shape, start } = header(source, name);
  if (shape.length === 1) {
    throw dataError(
      `${name} holds a single list, which is labels; give the file of images, such as train-images-idx3-ubyte`,
    );
  }
  const [size, frames, channels] = shape;
  if (shape.length !== 3 || frames === 0 || channels === 0) {
    throw dataError(`${name} holds ${shapeText(shape)} values; images x rows x columns are needed`);
  }
  if (size === 0) throw dataError(`${name} holds no images`);
  if (options.labels === undefined && !options.allowUnlabelled) {
    throw dataError(`${name} holds images, but not their classes; give the file of labels too (labels)`);
  }
  const values = frames * channels;
  return {
    name,
    kind: "frames",
    size,
    channels,
    shape: [frames, channels, 1],
    frames,
    range: [0, 255],
    ...labelling(options, size, name),
    columns: {},
    notes: options.labels === undefined ? ["there is no file of labels"] : [],
    ...sampleReader(
      name,
      size,
      (index) => ({
        kind: "frames",
        frames,
        values: new Float32Array(source.slice(start + index * values, values)),
      }),
      () => source.close(),
    ),
  };
}
