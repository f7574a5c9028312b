/** Small valid files of every format, for tests. */

import { writeNpy } from "../../src/data/formats/npy.ts";
import { writeNpz } from "../../src/data/formats/npz.ts";
import { writeHdf5 } from "./write-hdf5.ts";

export const neurons = 6;
export const rows = 25;

/** Smooth rates of a neuron, 2 to 40 Hz. */
export function rate(task: number, neuron: number, row: number): number {
  const value = 12 + ((neuron * 7) % 5) * 4 + 8 * Math.sin((2 * Math.PI * row) / rows + neuron * 2.4 + task);
  return Math.round(value * 64) / 64;
}

/** neurons x rows of one task. */
export function neuronsByRows(task: number): Float64Array {
  return Float64Array.from({ length: neurons * rows }, (_, i) => rate(task, Math.floor(i / rows), i % rows));
}

/** rows x neurons of one task. */
export function rowsByNeurons(task: number): Float64Array {
  return Float64Array.from({ length: neurons * rows }, (_, i) => rate(task, i % neurons, Math.floor(i / neurons)));
}

/** What every file made here should read as: [task][row][neuron]. */
export function expectedValues(tasks: number): Float64Array {
  const values = new Float64Array(tasks * rows * neurons);
  for (let task = 0; task < tasks; task++) values.set(rowsByNeurons(task), task * rows * neurons);
  return values;
}

/** rate_a, rate_b (packed), time_ms. */
export function hdf5File(): Promise<Uint8Array> {
  return writeHdf5((file) => {
    const shape = [neurons, rows];
    const packing = { shape, chunks: [3, rows], compression: 4 };
    file.create_dataset({ name: "rate_a", data: neuronsByRows(0), ...packing });
    file.create_dataset({ name: "rate_b", data: neuronsByRows(1), ...packing });
    file.create_dataset({ name: "time_ms", data: Float64Array.from({ length: rows }, (_, i) => 20 * i) });
  });
}

/** Julia's rows x neurons x tasks, with the block of text that Julia puts before HDF5. */
export async function jldFile(): Promise<Uint8Array> {
  const data = new Float64Array(2 * neurons * rows);
  data.set(neuronsByRows(0));
  data.set(neuronsByRows(1), neurons * rows);
  return writeHdf5((file) => {
    file.create_dataset({ name: "spikerate", data, shape: [2, neurons, rows] });
    file.create_group("_types").create_dataset({ name: "00000001", data: new Float64Array(9), shape: [3, 3] });
  });
}

export function npyFile(): Uint8Array {
  return writeNpy(neuronsByRows(0), [neurons, rows]);
}

export function npzFile(): Uint8Array {
  return writeNpz({
    rate_a: { data: neuronsByRows(0), shape: [neurons, rows] },
    rate_b: { data: neuronsByRows(1), shape: [neurons, rows] },
    time_ms: { data: Float64Array.from({ length: rows }, (_, i) => 20 * i) },
  });
}

export function csvFile(): Uint8Array {
  const lines = [`task,time_ms,${Array.from({ length: neurons }, (_, i) => `rate_${i}`).join(",")}`];
  for (const [task, name] of ["a", "b"].entries()) {
    for (let row = 0; row < rows; row++) {
      lines.push([name, 20 * row, ...Array.from({ length: neurons }, (_, i) => rate(task, i, row))].join(","));
    }
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

/** Spikes of one unit at an even rate over [0, seconds). */
export function evenSpikes(hz: number, seconds: number, shift = 0): number[] {
  return Array.from({ length: Math.floor(hz * seconds) }, (_, i) => (i + 0.5) / hz + shift);
}

export interface NwbContents {
  readonly spikes: readonly (readonly number[])[];
  readonly trials?: Readonly<Record<string, readonly number[] | readonly string[]>>;
  readonly unitColumns?: Readonly<Record<string, readonly string[]>>;
  readonly observed?: readonly (readonly number[])[];
  /** Ends of the units' spikes, when they should not be the right ones. */
  readonly ends?: readonly number[];
}

export function nwbFile({ spikes, trials, unitColumns = {}, observed, ends: given }: NwbContents): Promise<Uint8Array> {
  const ends = (lists: readonly (readonly number[])[], per: number): Uint32Array => {
    let end = 0;
    return Uint32Array.from(lists, (list) => (end += list.length / per));
  };
  return writeHdf5((file) => {
    file.create_attribute("nwb_version", "2.6.0");
    file.create_group("acquisition");
    const units = file.create_group("units");
    units.create_dataset({ name: "spike_times", data: Float64Array.from(spikes.flat()) });
    units.create_dataset({ name: "spike_times_index", data: given === undefined ? ends(spikes, 1) : Uint32Array.from(given) });
    units.create_dataset({ name: "id", data: Int32Array.from(spikes, (_, i) => 100 + i) });
    for (const [name, words] of Object.entries(unitColumns)) units.create_dataset({ name, data: [...words] });
    if (observed !== undefined) {
      const data = Float64Array.from(observed.flat());
      units.create_dataset({ name: "obs_intervals", data, shape: [data.length / 2, 2] });
      units.create_dataset({ name: "obs_intervals_index", data: ends(observed, 2) });
    }
    if (trials !== undefined) {
      const table = file.create_group("intervals").create_group("trials");
      for (const [name, column] of Object.entries(trials)) {
        const data = typeof column[0] === "string" ? ([...column] as string[]) : Float64Array.from(column as number[]);
        table.create_dataset({ name, data });
      }
    }
  });
}

/** 4 units, 12 trials of two conditions. */
export function smallNwb(): Promise<Uint8Array> {
  const starts = Array.from({ length: 12 }, (_, i) => 1 + 2 * i);
  return nwbFile({
    spikes: [5, 9, 14, 20].map((hz) => evenSpikes(hz, 26)),
    trials: {
      start_time: starts,
      stop_time: starts.map((t) => t + 1.5),
      go_cue: starts.map((t) => t + 0.5),
      side: starts.map((_, i) => (i % 2 === 0 ? "left" : "right")),
    },
  });
}
