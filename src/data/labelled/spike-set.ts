/**
 * A set of spike trains under construction: readers of files hand over sample after sample, this checks each, puts it
 * into order and keeps it in 6 bytes per spike.
 */

import { dataError } from "../../base/errors.ts";
import type { LabelledSet, SpikeTrains } from "../labelled-set.ts";
import type { Labelling } from "./labels.ts";
import type { Reading } from "./options.ts";
import type { RecordStore } from "./record-store.ts";
import { sampleReader } from "./sample-reader.ts";

/** More input channels than any network takes; a number beyond comes from a damaged file or another unit. */
const mostChannels = 2 ** 22;

/** `6 bytes: float32 time, uint16 unit`, all times before all units; 8 where a unit needs 32 bits. */
const timeBytes = 4;

function encode(timesMs: Float32Array, units: Uint32Array, highest: number): Uint8Array {
  const packed = highest < 2 ** 16 ? new Uint16Array(units) : units;
  const record = new Uint8Array(timesMs.byteLength + packed.byteLength);
  record.set(new Uint8Array(timesMs.buffer, timesMs.byteOffset, timesMs.byteLength));
  record.set(new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength), timesMs.byteLength);
  return record;
}

function decode(record: Uint8Array, count: number): SpikeTrains {
  const times = record.slice(0, timeBytes * count);
  const units = record.slice(timeBytes * count);
  const narrow = units.length === 2 * count;
  return {
    kind: "spikes",
    timesMs: new Float32Array(times.buffer),
    units: narrow ? new Uint32Array(new Uint16Array(units.buffer)) : new Uint32Array(units.buffer),
  };
}

/** Puts spikes into the order of their times; those at the same time stay in their order. */
function sortByTime(timesMs: Float32Array, units: Uint32Array): { timesMs: Float32Array; units: Uint32Array } {
  const order = Uint32Array.from(timesMs, (_, i) => i).sort((a, b) => timesMs[a] - timesMs[b] || a - b);
  return { timesMs: Float32Array.from(order, (i) => timesMs[i]), units: Uint32Array.from(order, (i) => units[i]) };
}

class SpikeSetBuilder {
  readonly #name: string;
  readonly #records: RecordStore;
  /** Channels asked for; undefined for as many as there are. */
  readonly #channels: number | undefined;
  readonly #counts: number[] = [];
  /** Time of the last spike of each unit in the present sample, ms; -1 before the first. */
  #lastMs = new Float32Array(1024);
  #highest = -1;
  #durationMs = 0;
  #unsorted = 0;
  #coinciding = 0;
  #spikes = 0;

  constructor(name: string, records: RecordStore, channels: number | undefined) {
    this.#name = name;
    this.#records = records;
    this.#channels = channels;
  }

  /**
   * Adds a sample. Takes possession of both arrays.
   *
   * @throws UserError naming the first spike whose time is no number >= 0 or whose unit is no channel.
   */
  add(timesMs: Float32Array, units: Uint32Array): void {
    const sample = this.#counts.length;
    if (timesMs.length !== units.length) {
      throw dataError(
        `sample ${sample} of ${this.#name} has ${timesMs.length} times and ${units.length} units; the file is damaged`,
      );
    }
    const { highest, sorted } = this.#check(timesMs, units, sample);
    const spikes = sorted ? { timesMs, units } : sortByTime(timesMs, units);
    if (!sorted) this.#unsorted++;
    this.#highest = Math.max(this.#highest, highest);
    this.#countCoinciding(spikes.timesMs, spikes.units, highest);
    this.#counts.push(units.length);
    this.#spikes += units.length;
    if (units.length > 0) this.#durationMs = Math.max(this.#durationMs, spikes.timesMs[units.length - 1]);
    this.#records.append(encode(spikes.timesMs, spikes.units, highest));
  }

  #check(timesMs: Float32Array, units: Uint32Array, sample: number): { highest: number; sorted: boolean } {
    let highest = -1;
    let sorted = true;
    let before = 0;
    const limit = this.#channels ?? mostChannels;
    for (let i = 0; i < units.length; i++) {
      const time = timesMs[i];
      if (!(time >= 0 && time < Number.POSITIVE_INFINITY)) {
        throw dataError(
          `spike ${i} of sample ${sample} of ${this.#name} is at ${Number((time / 1000).toPrecision(6))} s; times start at 0, the start of the ` +
            "sample: subtract it from all times, or repair the file",
        );
      }
      if (time < before) sorted = false;
      before = time;
      if (units[i] > highest) highest = units[i];
    }
    if (highest >= limit) {
      const at = units.findIndex((unit) => unit >= limit);
      throw dataError(
        `spike ${at} of sample ${sample} of ${this.#name} is on channel ${units[at]}, but ` +
          (this.#channels === undefined
            ? `at most ${mostChannels} channels are possible; the file is damaged`
            : `there are only ${limit} channels (0 to ${limit - 1}); does this set belong with the other one?`),
      );
    }
    return { highest, sorted };
  }

  /** Counts spikes that fall on the time of the spike before them on the same channel. */
  #countCoinciding(timesMs: Float32Array, units: Uint32Array, highest: number): void {
    if (highest >= this.#lastMs.length) this.#lastMs = new Float32Array(2 * highest);
    const last = this.#lastMs.fill(-1);
    for (let i = 0; i < units.length; i++) {
      if (last[units[i]] === timesMs[i]) this.#coinciding++;
      last[units[i]] = timesMs[i];
    }
  }

  #notes(): string[] {
    const notes: string[] = [];
    const empty = this.#counts.filter((count) => count === 0).length;
    if (this.#unsorted > 0)
      notes.push(`samples whose spikes were put into the order of their times: ${this.#unsorted}`);
    if (empty > 0) notes.push(`samples without spikes: ${empty}`);
    if (this.#coinciding > 0) {
      const share = (100 * this.#coinciding) / this.#spikes;
      notes.push(
        `spikes with the time and channel of another one in their sample: ${this.#coinciding} (${share.toPrecision(2)} %)`,
      );
    }
    return notes;
  }

  finish(labelling: Labelling, notes: readonly string[]): LabelledSet {
    const counts = Uint32Array.from(this.#counts);
    const name = this.#name;
    if (counts.length === 0) throw dataError(`${name} holds no samples`);
    if (this.#spikes === 0) throw dataError(`${name} holds ${counts.length} samples, but none of them has a spike`);
    if (counts.length !== labelling.labels.length) throw new Error(`${counts.length} samples, other number of labels`);
    const records = this.#records;
    return {
      ...labelling,
      name,
      kind: "spikes",
      size: counts.length,
      channels: this.#channels ?? this.#highest + 1,
      durationMs: this.#durationMs,
      notes: [...notes, ...this.#notes()],
      ...sampleReader(
        name,
        counts.length,
        (index) => decode(records.record(index), counts[index]),
        () => records.close(),
      ),
    };
  }
}

/** Takes samples one after the other. */
export type SampleSink = Pick<SpikeSetBuilder, "add">;

/**
 * A set of spike trains.
 *
 * @param channels undefined for as many as there are.
 * @param fill adds all samples and returns what is known of them; `notes` come before those on spikes.
 * @throws UserError when a spike breaks a rule, or there are no samples or no spikes at all.
 */
export function buildSpikeSet(
  name: string,
  reading: Reading,
  channels: number | undefined,
  fill: (sink: SampleSink) => Labelling & { readonly notes?: readonly string[] },
): LabelledSet {
  const records = reading.newStore();
  try {
    const builder = new SpikeSetBuilder(name, records, channels);
    const { notes = [], ...labelling } = fill(builder);
    return builder.finish(labelling, notes);
  } catch (error) {
    records.close();
    throw error;
  }
}
