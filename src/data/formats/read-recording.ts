/** The one door through which target data of any format come in. */

import { dataError } from "../../base/errors.ts";
import type { Recording } from "../recording.ts";
import type { AssembleOptions } from "./assemble.ts";
import { assembleRecording } from "./assemble.ts";
import type { Candidate } from "./choose-arrays.ts";
import { chooseArrays, listed, quantityOfName } from "./choose-arrays.ts";
import { recordingFromCsv } from "./csv-recording.ts";
import { openHdf5 } from "./hdf5.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import { gunzip } from "./inflate.ts";
import { juliaDatasets, juliaOrientation } from "./jld2.ts";
import { readNpy } from "./npy.ts";
import { readNpz } from "./npz.ts";
import type { NumericArray } from "./numeric-array.ts";
import { isNwb } from "./nwb.ts";
import type { NwbPsthOptions } from "./nwb-psth.ts";
import { psthFromNwb } from "./nwb-psth.ts";
import type { Orientation } from "./orientation.ts";
import { isTimeName, timeAxis, vectorLength } from "./orientation.ts";
import { sniff } from "./sniff.ts";

export interface ReadRecordingOptions extends AssembleOptions {
  /** Rates in Hz or currents in units of threshold. Default: by the names of the datasets, else by the numbers. */
  readonly quantity?: Recording["quantity"];
  /**
   * Datasets (HDF5, npz) to use: one matrix per task, in this order, or one block tasks x neurons x rows. Default: the
   * rates of the file, else its currents, else its only matrix, sorted by name.
   */
  readonly datasets?: readonly string[];
  /** Layout of the matrices. Default "auto": by the length of a time axis, the format's convention, or smoothness. */
  readonly orientation?: Orientation | "auto";
  /** Time between rows in ms. Default: what the file says, if it does. */
  readonly intervalMs?: number;
  /** CSV: columns that are neurons, `*` standing for anything. Default: all but task, time and index. */
  readonly columns?: readonly string[];
  /** NWB: how spikes become rates. */
  readonly nwb?: NwbPsthOptions;
}

/** A file of named arrays. */
interface Container {
  readonly candidates: readonly Candidate[];
  read(name: string): NumericArray;
  readonly convention?: Orientation;
}

function recordingFromArrays(container: Container, source: string, options: ReadRecordingOptions): Recording {
  const { candidates } = container;
  const names = new Set(candidates.map(({ name }) => name.split("/").at(-1)));
  if (
    options.datasets === undefined &&
    names.has("spike_times") &&
    (names.has("spike_clusters") || names.has("units"))
  ) {
    const matrices = candidates.filter(({ shape }) => shape.length > 1);
    if (matrices.length === 0) {
      throw dataError(
        `${source} holds sorted spikes (${listed(candidates)}) but no trials, so there is nothing to average; give ` +
          "trial-averaged rates (neurons x rows), or an NWB file with units and trials",
      );
    }
  }
  const choice = chooseArrays(candidates, source, options);
  const arrays = choice.names.map((name) => ({ name, ...container.read(name) }));
  const times = candidates
    .filter(({ name, shape, numeric }) => numeric && (vectorLength(shape) ?? 0) > 1 && isTimeName(name))
    .flatMap(({ name }) => timeAxis(name, container.read(name)) ?? []);
  return assembleRecording(arrays, options, {
    source,
    quantity: choice.quantity,
    times,
    convention: container.convention,
    notes: choice.notes,
  });
}

async function recordingFromHdf5(
  bytes: Uint8Array,
  source: string,
  options: ReadRecordingOptions,
  julia: boolean,
): Promise<Recording> {
  const file: Hdf5File = await openHdf5(bytes, source);
  try {
    if (!julia && options.datasets === undefined && (options.nwb !== undefined || isNwb(file))) {
      return psthFromNwb(file, options.nwb);
    }
    if (options.datasets === undefined && file.damaged.length > 0) {
      throw dataError(
        `${source} is damaged: ${file.damaged.slice(0, 5).join(", ")} cannot be described; name those to use by ` +
          "targets.datasets if others are whole",
      );
    }
    const candidates = juliaDatasets(file);
    return recordingFromArrays(
      { candidates, read: (name) => file.readNumbers(name), convention: julia ? juliaOrientation : undefined },
      source,
      options,
    );
  } finally {
    file.close();
  }
}

/**
 * Reads target data from the bytes of a file: HDF5 (.h5, .hdf5, .mat -v7.3), NWB, JLD and JLD2, .npy, .npz, CSV, each
 * also packed as .gz. The kind is judged by the bytes.
 *
 * @param name of the file, for messages and to tell Julia's files apart.
 * @returns a recording whose numbers are finite and in range; `notes` say what was guessed, skipped or dropped.
 * @throws UserError when the file is damaged, of another kind, ambiguous, or breaks a rule of `checkRecording`. Messages
 *   name options as an experiment has them: `targets.orientation` is the option `orientation`.
 */
export async function readRecording(
  bytes: Uint8Array,
  name: string,
  options: ReadRecordingOptions = {},
): Promise<Recording> {
  const kind = sniff(bytes, name);
  switch (kind) {
    case "gzip": {
      const inner = gunzip(bytes, name);
      const innerName = name.replace(/\.gz$/i, "");
      if (sniff(inner, innerName) === "gzip") throw dataError(`${name} is packed twice by gzip; unpack it once`);
      return readRecording(inner, innerName, options);
    }
    case "hdf5":
    case "jld":
      return recordingFromHdf5(bytes, name, options, kind === "jld");
    case "npz": {
      const arrays = readNpz(bytes, name);
      const byName = new Map(arrays.map((array) => [array.name, array]));
      const candidates = arrays.map(({ name: key, shape, dtype }) => ({ name: key, shape, dtype, numeric: true }));
      return recordingFromArrays({ candidates, read: (key) => byName.get(key)! }, name, options);
    }
    case "npy": {
      if (options.datasets !== undefined)
        throw dataError(`${name} is one array, from which targets.datasets cannot choose; leave it out`);
      const array = { name, ...readNpy(bytes, name) };
      return assembleRecording([array], options, {
        source: name,
        quantity: quantityOfName(name),
        times: [],
        taskNames: array.shape.length === 2 ? ["task"] : undefined,
        notes: [],
      });
    }
    case "csv":
      if (options.datasets !== undefined) {
        throw dataError(
          `${name} is one table; leave targets.datasets out; a column "task" divides it into tasks, and targets.columns chooses neurons`,
        );
      }
      return recordingFromCsv(bytes, name, options);
    default:
      return kind satisfies never;
  }
}
