/**
 * HDF5 in the layout of the Spiking Heidelberg Digits and Spiking Speech Commands (Cramer et al. 2022, IEEE TNNLS 33):
 *
 * - `spikes/times`: for each sample a list of times in s (float16 in the original),
 * - `spikes/units`: for each sample a list of the channels that fired at these times,
 * - `labels`: the class of each sample,
 * - `extra/keys`: names of the classes; `extra/speaker` and others: one whole number per sample.
 */

import { dataError } from "../../base/errors.ts";
import type { Hdf5Dataset, Hdf5File } from "../formats/hdf5-file.ts";
import { shapeText } from "../formats/limits.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { integerColumn, type Labelling, labelsFrom, namesFor, withoutLabels } from "./labels.ts";
import type { Reading } from "./options.ts";
import { channelsOf, millisecondsOf } from "./raw-spikes.ts";
import { buildSpikeSet } from "./spike-set.ts";

/** Read together: a call of the library has a price, and so has memory. */
const samplesPerCall = 64;

const timesPath = "spikes/times";
const unitsPath = "spikes/units";

export function isShd(file: Hdf5File): boolean {
  return file.has(timesPath) || file.has(unitsPath);
}

/** Both datasets of sequences, of the same length. */
function sequenceDatasets(file: Hdf5File): number {
  const [times, units] = [timesPath, unitsPath].map((path): Hdf5Dataset => {
    const entry = file.describe(path);
    if (entry.kind === "sequences" && entry.shape.length === 1) return entry;
    throw dataError(
      `dataset "${path}" of ${file.name} holds ${shapeText(entry.shape)} values of ${entry.dtype}; the layout of SHD has ` +
        "a list of numbers of its own length for each sample (a variable-length type)",
    );
  });
  if (times.shape[0] !== units.shape[0]) {
    throw dataError(`${file.name} has times of ${times.shape[0]} samples and units of ${units.shape[0]}`);
  }
  return times.shape[0];
}

function isInteger(entry: Hdf5Dataset): boolean {
  return entry.kind === "number" && /^u?int/.test(entry.dtype);
}

/** Labels, class names, and the columns under `extra`. */
function labelling(file: Hdf5File, size: number, { options }: Reading): Labelling {
  const columns: Record<string, Int32Array> = {};
  for (const entry of file.datasets) {
    const name = /^extra\/(.+)$/.exec(entry.path)?.[1];
    if (name === undefined || !isInteger(entry) || entry.shape.length !== 1 || entry.shape[0] !== size) continue;
    const column = integerColumn(file.readNumbers(entry.path).data, size);
    if (column !== undefined) columns[name] = column;
  }
  if (options.allowUnlabelled && !file.has("labels")) return { ...withoutLabels(size, options), columns };
  const labels = labelsFrom(file.readNumbers("labels").data, size, `"labels" of ${file.name}`);
  const keys = file.has("extra/keys") ? file.readStrings("extra/keys") : undefined;
  return { labels, classNames: namesFor(labels, options.classNames, keys, file.name), columns };
}

/**
 * Reads and checks all samples.
 * @throws UserError when a dataset is missing, of another shape or type, damaged, or breaks a rule.
 */
export function readShd(file: Hdf5File, reading: Reading): LabelledSet {
  const size = sequenceDatasets(file);
  const facts = labelling(file, size, reading);
  return buildSpikeSet(file.name, reading, reading.options.channels, (sink) => {
    for (let start = 0; start < size; start += samplesPerCall) {
      const count = Math.min(samplesPerCall, size - start);
      const times = file.readSequences(timesPath, start, count);
      const units = file.readSequences(unitsPath, start, count);
      for (let i = 0; i < count; i++) {
        const what = `sample ${start + i} of ${file.name}`;
        sink.add(
          millisecondsOf(times.data, times.offsets[i], times.offsets[i + 1], 1000),
          channelsOf(units.data, units.offsets[i], units.offsets[i + 1], what),
        );
      }
    }
    return facts;
  });
}
