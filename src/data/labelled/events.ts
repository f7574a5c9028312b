/**
 * Recordings of event cameras in the layout of N-MNIST (Orchard et al. 2015, Frontiers in Neuroscience 9:437): one file
 * `<class>/<id>.bin` per sample, 5 bytes per event:
 *
 *   x (8 bits), y (8 bits), polarity (1 bit), time in us (23 bits, big-endian)
 *
 *   channel = (y * width + x) * 2 + polarity
 *
 * An event with y = 240 is no event but says that the clock has overflowed: 2^13 us are added to all later times.
 */

import { dataError, UserError } from "../../base/errors.ts";
import { byteCount } from "../formats/limits.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { labelsOfSome } from "./labels.ts";
import type { LabelledOptions, Reading } from "./options.ts";
import { buildSpikeSet } from "./spike-set.ts";
import type { ArchiveEntry } from "./tar.ts";

const eventBytes = 5;
const overflowRow = 240;
const overflowUs = 2 ** 13;

type Sensor = NonNullable<LabelledOptions["sensor"]>;

const nmnistSensor: Sensor = { width: 34, height: 34 };

function checkedSensor({ width, height }: Sensor): Sensor {
  for (const [side, pixels] of Object.entries({ width, height })) {
    if (!Number.isInteger(pixels) || pixels < 1 || pixels > 256) {
      throw new UserError(`the ${side} of the sensor is ${pixels}; events of this format have 1 to 256 pixels a side`);
    }
  }
  return { width, height };
}

interface EventFile {
  readonly entry: ArchiveEntry;
  /** What is above the folder of the class; one set has one. */
  readonly root: string;
  /** Name of the folder; undefined for files in none. */
  readonly label: string | undefined;
  readonly id: string;
}

/** Files that are samples; what systems leave in folders is none. */
function eventFiles(entries: readonly ArchiveEntry[], name: string, allowUnlabelled: boolean): EventFile[] {
  const files = entries.flatMap((entry): EventFile[] => {
    const parts = entry.path.split("/").filter((part) => part !== "" && part !== ".");
    const id = parts.pop() ?? "";
    const label = parts.pop();
    const hidden = id.startsWith(".") || parts.includes("__MACOSX");
    if ((label === undefined && !allowUnlabelled) || hidden || !/\.bin$/i.test(id)) return [];
    return [{ entry, root: parts.join("/"), label, id: id.slice(0, -4) }];
  });
  if (files.length === 0) {
    const some = entries.slice(0, 3).map(({ path }) => path);
    throw dataError(
      `${name} holds no event files <class>/<id>.bin${some.length === 0 ? "" : `, but ${some.join(", ")}`}; give a ` +
        "folder or an archive of N-MNIST's layout",
    );
  }
  const roots = [...new Set(files.map(({ root }) => root))];
  if (roots.length > 1) {
    throw dataError(
      `${name} holds several sets: ${roots.slice(0, 4).join(", ")}; unpack it and give the folder of one of them, so ` +
        "that test samples do not get into the training",
    );
  }
  // Every system lists folders in its own order. By name first: neighbours in the set are then of different classes.
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return files.sort((a, b) => order(a.id, b.id) || order(a.label ?? "", b.label ?? ""));
}

/** Times in ms and channels of the events of one file. */
function decodeEvents(bytes: Uint8Array, { width, height }: Sensor, what: string) {
  if (bytes.length % eventBytes !== 0) {
    throw dataError(`${what} has ${byteCount(bytes.length)}, no whole number of events of 5 bytes; it is truncated`);
  }
  const most = bytes.length / eventBytes;
  const timesMs = new Float32Array(most);
  const units = new Uint32Array(most);
  let count = 0;
  let addedUs = 0;
  for (let at = 0; at < bytes.length; at += eventBytes) {
    const x = bytes[at];
    const y = bytes[at + 1];
    if (y === overflowRow && height <= overflowRow) {
      addedUs += overflowUs;
      continue;
    }
    if (x >= width || y >= height) {
      throw dataError(
        `event ${at / eventBytes} of ${what} is at x = ${x}, y = ${y}, outside of a sensor of ${width} x ${height} ` +
          "pixels; give the sensor's size (sensor), or the file is of another format",
      );
    }
    const polarity = bytes[at + 2] >> 7;
    const us = ((bytes[at + 2] & 0x7f) << 16) | (bytes[at + 3] << 8) | bytes[at + 4];
    timesMs[count] = (us + addedUs) / 1000;
    units[count++] = (y * width + x) * 2 + polarity;
  }
  return { timesMs: timesMs.slice(0, count), units: units.slice(0, count) };
}

/**
 * Reads and checks all event files.
 * @param entries of an archive or folder, in any order.
 * @throws UserError when there are none, several sets lie in one archive, or a file is truncated or of another sensor.
 */
export function readEvents(entries: readonly ArchiveEntry[], name: string, reading: Reading): LabelledSet {
  const { options } = reading;
  const sensor = checkedSensor(options.sensor ?? nmnistSensor);
  const channels = 2 * sensor.width * sensor.height;
  const files = eventFiles(entries, name, options.allowUnlabelled ?? false);
  const { classNames, allowUnlabelled } = options;
  // Samples that are to be classified lie in a folder of any name.
  const isClass = (label: string | undefined): boolean =>
    label !== undefined && !(allowUnlabelled && classNames?.includes(label) === false);
  const words = files.map(({ label }) => (isClass(label) ? label : undefined));
  const facts = labelsOfSome(words, classNames, `the folders of ${name}`);
  const set = buildSpikeSet(name, reading, channels, (sink) => {
    for (const { entry } of files) {
      const { timesMs, units } = decodeEvents(entry.read(), sensor, `${entry.path} of ${name}`);
      sink.add(timesMs, units);
    }
    return { ...facts, columns: {} };
  });
  return { ...set, shape: [sensor.height, sensor.width, 2] };
}
