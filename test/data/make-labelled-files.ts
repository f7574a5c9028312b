/** Small labelled sets in every format, for tests. */

import { gzipSync, zipSync } from "fflate";
import { writeNpy } from "../../src/data/formats/npy.ts";
import type { NumericData } from "../../src/data/formats/numeric-array.ts";
import { evenSpikes, nwbFile } from "./make-files.ts";
import { type SpikeFile, writeSpikeHdf5 } from "./write-spike-hdf5.ts";

const encoder = new TextEncoder();

/** Samples of SHD's layout: 3 classes, 2 speakers, times that are exact in float16. */
export function spikeSamples(count: number): { times: number[]; units: number[] }[] {
  return Array.from({ length: count }, (_, sample) => {
    const spikes = 1 + ((sample * 5) % 9);
    return {
      times: Array.from({ length: spikes }, (_, i) => (i * 8 + sample) / 512),
      units: Array.from({ length: spikes }, (_, i) => (i * 7 + sample * 3) % 20),
    };
  });
}

export function shdFile(count = 12, changes: Partial<SpikeFile> = {}): Uint8Array {
  return writeSpikeHdf5({
    samples: spikeSamples(count),
    labels: Array.from({ length: count }, (_, i) => i % 3),
    keys: ["null", "eins", "zwei"],
    columns: { speaker: Array.from({ length: count }, (_, i) => i % 2) },
    ...changes,
  });
}

/** An idx file of bytes. */
export function idxFile(shape: readonly number[], values: ArrayLike<number>, type = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((extent, d) => view.setUint32(4 + 4 * d, extent));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

/** 6 images of 4 x 5 pixels, and their labels. */
export const imagesFile = (): Uint8Array => idxFile([6, 4, 5], Array.from({ length: 120 }, (_, i) => (i * 37) % 256));
export const imageLabelsFile = (): Uint8Array => idxFile([6], [2, 0, 1, 2, 0, 1]);

export interface CameraEvent {
  readonly x: number;
  readonly y: number;
  readonly polarity: 0 | 1;
  readonly us: number;
}

export function eventFile(events: readonly CameraEvent[]): Uint8Array {
  return Uint8Array.from(
    events.flatMap(({ x, y, polarity, us }) => [x, y, (polarity << 7) | (us >> 16), (us >> 8) & 255, us & 255]),
  );
}

/** 8 samples of two classes, as files of N-MNIST's folders. */
export function eventFolder(root = "Train"): Record<string, Uint8Array> {
  return Object.fromEntries(
    Array.from({ length: 8 }, (_, sample) => {
      const events = Array.from({ length: 5 + sample }, (_, i): CameraEvent => {
        return { x: (i * 5 + sample) % 34, y: (i * 3) % 34, polarity: i % 2 === 0 ? 1 : 0, us: 900 * i + sample };
      });
      return [`${root}/${sample % 2}/${String(sample + 1).padStart(5, "0")}.bin`, eventFile(events)];
    }),
  );
}

/** A tar archive of plain files (POSIX ustar). */
export function tarFile(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [path, content] of Object.entries(files)) {
    const header = new Uint8Array(512);
    const put = (at: number, text: string): void => header.set(encoder.encode(text), at);
    put(0, path);
    put(100, "0000644\0");
    put(124, `${content.length.toString(8).padStart(11, "0")}\0`);
    put(136, "00000000000\0");
    put(156, path.endsWith("/") ? "5" : "0");
    put(257, "ustar\u000000");
    put(148, "        ");
    const sum = header.reduce((a, b) => a + b, 0);
    put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    const body = new Uint8Array(512 * Math.ceil(content.length / 512));
    body.set(content);
    parts.push(header, body);
  }
  parts.push(new Uint8Array(1024));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const zipFile = (files: Record<string, Uint8Array>): Uint8Array => zipSync(files, { mtime: new Date(1980, 0, 1) });
export const gzFile = (bytes: Uint8Array): Uint8Array => gzipSync(bytes, { mtime: 0 });

/** An .npy file of words, as NumPy writes arrays of type S or U. */
export function wordsNpy(words: readonly string[], letter: "S" | "U"): Uint8Array {
  const length = Math.max(...words.map((word) => (letter === "S" ? encoder.encode(word) : [...word]).length));
  const header = `{'descr': '${letter === "S" ? "|" : "<"}${letter}${length}', 'fortran_order': False, 'shape': (${words.length},), }`;
  const padded = `${header.padEnd(117)}\n`;
  const cell = length * (letter === "S" ? 1 : 4);
  const bytes = new Uint8Array(128 + cell * words.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length, 0]);
  bytes.set(encoder.encode(padded), 10);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    const at = 128 + i * cell;
    if (letter === "S") bytes.set(encoder.encode(word), at);
    else [...word].forEach((character, k) => view.setUint32(at + 4 * k, character.codePointAt(0)!, true));
  });
  return bytes;
}

/** A .npz of numbers and words, packed as np.savez_compressed does. */
export function npzOf(
  arrays: Readonly<Record<string, { data: NumericData; shape?: readonly number[] } | readonly string[]>>,
): Uint8Array {
  const isWords = (array: object): array is readonly string[] => Array.isArray(array);
  return zipFile(
    Object.fromEntries(
      Object.entries(arrays).map(([name, array]) => [
        `${name}.npy`,
        isWords(array) ? wordsNpy(array, name === "letters" ? "S" : "U") : writeNpy(array.data, array.shape),
      ]),
    ),
  );
}

/** 6 samples of 5 frames of 3 numbers, two of them shorter, in 3 classes. */
export function framesNpz(): Uint8Array {
  return npzOf({
    samples: { data: Uint8Array.from({ length: 90 }, (_, i) => (i * 11) % 256), shape: [6, 5, 3] },
    length: { data: Uint16Array.of(5, 4, 5, 5, 2, 5) },
    label: { data: Uint8Array.of(0, 1, 2, 0, 1, 2) },
    repetition: { data: Uint8Array.of(0, 0, 0, 1, 1, 1) },
    letters: ["A", "B", "Ç"],
  });
}

/** 4 samples of spikes, one without any. */
export function spikesNpz(): Uint8Array {
  return npzOf({
    times: { data: Float64Array.of(0.01, 0.02, 0.5, 0, 0.25, 0.75, 0.125) },
    units: { data: new BigInt64Array([3n, 1n, 3n, 0n, 2n, 2n, 4n]) },
    offsets: { data: new BigInt64Array([0n, 3n, 3n, 6n, 7n]) },
    labels: ["left", "right", "left", "up"],
    speaker: { data: Int8Array.of(-1, 0, 1, 2) },
  });
}

/** 4 units, 12 trials of two classes, 1 s each. */
export function trialsNwb(): Promise<Uint8Array> {
  const starts = Array.from({ length: 12 }, (_, i) => 1 + 2 * i);
  return nwbFile({
    spikes: [5, 9, 14, 20].map((hz) => evenSpikes(hz, 26)),
    trials: {
      start_time: starts,
      stop_time: starts.map((t) => t + 1),
      go_cue: starts.map((t) => t + 0.5),
      side: starts.map((_, i) => (i % 3 === 0 ? "left" : "right")),
      block: starts.map((_, i) => Math.floor(i / 6)),
    },
  });
}
