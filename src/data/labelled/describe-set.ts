/** What a person wants to know of a labelled set before training on it: counts, durations, rates, classes, columns. */

import { type LabelledSet, noLabel, type Sample } from "../labelled-set.ts";

export interface Spread {
  readonly lowest: number;
  readonly mean: number;
  readonly highest: number;
}

export interface ColumnSummary {
  /** Each value and how many samples have it, by value; the first `mostValues` of them. */
  readonly values: readonly { readonly value: number; readonly samples: number }[];
  readonly different: number;
}

export interface SetSummary {
  readonly name: string;
  readonly kind: Sample["kind"];
  readonly samples: number;
  readonly channels: number;
  /** How the numbers of a sample, or its channels, lie in space (`LabelledSet.shape`); null: nothing is known. */
  readonly shape: readonly number[] | null;
  /** Channels with a spike, or with a number other than 0, in any sample. */
  readonly activeChannels: number;
  readonly classes: readonly { readonly name: string; readonly samples: number }[];
  /** Samples whose class the file does not give. */
  readonly unlabelled: number;
  readonly columns: Readonly<Record<string, ColumnSummary>>;
  readonly spikes: {
    readonly total: number;
    readonly perSample: Spread;
    /** Time of the last spike of each sample, ms. */
    readonly durationMs: Spread;
    /** Of a channel: all spikes divided by channels and by the time up to the last spike of each sample. */
    readonly rateHz: number;
  } | null;
  readonly frames: { readonly perSample: Spread; readonly values: Spread } | null;
  readonly notes: readonly string[];
}

const mostValues = 32;
const samplesPerRead = 64;

class Gathered {
  #count = 0;
  #sum = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    this.#count++;
    this.#sum += value;
    if (value < this.#lowest) this.#lowest = value;
    if (value > this.#highest) this.#highest = value;
  }

  get sum(): number {
    return this.#sum;
  }

  get spread(): Spread {
    return { lowest: this.#lowest, mean: this.#sum / this.#count, highest: this.#highest };
  }
}

function summaryOfColumn(column: Int32Array): ColumnSummary {
  const counts = new Map<number, number>();
  for (const value of column) counts.set(value, (counts.get(value) ?? 0) + 1);
  const values = [...counts].sort(([a], [b]) => a - b).map(([value, samples]) => ({ value, samples }));
  return { values: values.slice(0, mostValues), different: values.length };
}

/** Reads all samples once, a few at a time. */
export async function describeSet(set: LabelledSet): Promise<SetSummary> {
  const active = new Uint8Array(set.channels);
  const durations = new Gathered();
  const counts = new Gathered();
  const values = new Gathered();
  for (let start = 0; start < set.size; start += samplesPerRead) {
    const indices = Array.from({ length: Math.min(samplesPerRead, set.size - start) }, (_, i) => start + i);
    for (const sample of await set.read(indices)) {
      if (sample.kind === "spikes") {
        counts.add(sample.units.length);
        durations.add(sample.timesMs.at(-1) ?? 0);
        for (const unit of sample.units) active[unit] = 1;
      } else {
        counts.add(sample.frames);
        sample.values.forEach((value, i) => {
          values.add(value);
          if (value !== 0) active[i % set.channels] = 1;
        });
      }
    }
  }
  const samplesOf = new Uint32Array(set.classNames.length);
  let unlabelled = 0;
  for (const label of set.labels) {
    if (label === noLabel) unlabelled++;
    else samplesOf[label]++;
  }
  const spikes = set.kind === "spikes";
  return {
    name: set.name,
    kind: set.kind,
    samples: set.size,
    channels: set.channels,
    shape: set.shape ?? null,
    activeChannels: active.reduce((a, b) => a + b, 0),
    classes: set.classNames.map((name, i) => ({ name, samples: samplesOf[i] })),
    unlabelled,
    columns: Object.fromEntries(Object.entries(set.columns).map(([name, column]) => [name, summaryOfColumn(column)])),
    spikes: spikes
      ? {
          total: counts.sum,
          perSample: counts.spread,
          durationMs: durations.spread,
          // When all spikes fall on time 0 there is no duration, and no rate.
          rateHz: durations.sum === 0 ? 0 : counts.sum / (set.channels * (durations.sum / 1000)),
        }
      : null,
    frames: spikes ? null : { perSample: counts.spread, values: values.spread },
    notes: set.notes,
  };
}
