/** What the network must know of its data, drawn from some of them; a run keeps it in `data.json`. */
import type { Encoder, SetInfo } from "../../data/encoding/encoder.ts";
import { type EncoderDescription, makeEncoder } from "../../data/encoding/make-encoder.ts";
import { SampleReader, type TrainingData } from "./data.ts";
import type { ClassifyExperiment } from "./schema.ts";

/** What the network must know of its data, and what a run keeps of it: enough to build the network again without them. */
export interface DataSummary {
  readonly info: SetInfo;
  /** Empty when the network follows traces. */
  readonly classNames: readonly string[];
  /** Values of the traces to follow, per step; null with classes. */
  readonly traces: number | null;
  readonly training: number;
  readonly validation: number;
  /** Mean rate of an input channel over training samples, Hz; null where inputs are currents. */
  readonly rateHz: number | null;
  /** Most events of a sample, estimated. */
  readonly events: number;
  /** SHA-256 of the labels and of some samples. */
  readonly digest: string;
}

/** So many training samples tell the rate of the data. */
const probes = 200;
/** So many samples are in memory at a time. */
const atOnce = 16;
/** So many samples stand for all in the digest. */
const digested = 64;

/** So many of the indices, evenly taken. */
export function spread(indices: Uint32Array, count: number): Uint32Array {
  if (indices.length <= count) return indices;
  return Uint32Array.from({ length: count }, (_, i) => indices[Math.floor((i * indices.length) / count)]);
}

/** The encoder of an experiment whose "auto" values are filled in. */
export const encoderOf = ({ data }: ClassifyExperiment, info: SetInfo): Encoder =>
  makeEncoder(data.encoder as EncoderDescription, info);

/** What encoders must know of a set, as plain data. */
export function infoOf({ kind, channels, shape, frames, durationMs, range }: SetInfo): SetInfo {
  return {
    kind,
    channels,
    ...(shape === undefined ? {} : { shape }),
    ...(frames === undefined ? {} : { frames }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(range === undefined ? {} : { range }),
  };
}

/** SHA-256 in hexadecimal; a page that is not served securely has none. */
async function sha256(pieces: readonly ArrayBufferView[]): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) return "";
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of pieces) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param experiment with the encoder of `resolveEncoder` */
export async function summariseData(
  experiment: ClassifyExperiment,
  { training, validation, classNames, traces, outputs }: TrainingData,
): Promise<DataSummary> {
  const { set, indices } = training;
  const info = infoOf(set);
  const reader = new SampleReader(training, encoderOf(experiment, info), experiment.seed);
  let [events, steps, most] = [0, 0, 0];
  let valued = false;
  const probed = spread(indices, probes);
  for (let from = 0; from < probed.length; from += atOnce) {
    for (const { events: sample } of await reader.prepare(0, probed.subarray(from, from + atOnce))) {
      const count = sample.offsets[sample.steps];
      events += count;
      steps += sample.steps;
      most = Math.max(most, count);
      valued ||= sample.values !== null;
    }
  }
  const inputs = encoderOf(experiment, info).channels;
  const seconds = (steps * experiment.network.dtMs) / 1000;
  const pieces = (await set.read(spread(indices, digested))).flatMap((sample) =>
    sample.kind === "spikes" ? [sample.timesMs, sample.units] : [sample.values],
  );
  return {
    info,
    classNames,
    traces: traces === null ? null : outputs,
    training: indices.length,
    validation: validation?.indices.length ?? 0,
    rateHz: valued ? null : events / inputs / seconds,
    events: most,
    digest: await sha256([set.labels, indices, ...pieces, ...(traces === null ? [] : [traces.values])]),
  };
}
