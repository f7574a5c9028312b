/** The one place where the kind of a labelled set is found out, by its bytes, and its reader is chosen. */

import { dataError } from "../../base/errors.ts";
import { openHdf5 } from "../formats/hdf5.ts";
import type { Hdf5File } from "../formats/hdf5-file.ts";
import { isGzip } from "../formats/inflate.ts";
import { isNwb } from "../formats/nwb.ts";
import { sniff } from "../formats/sniff.ts";
import { isZip, zipEntries } from "../formats/zip.ts";
import type { LabelledSet } from "../labelled-set.ts";
import type { ByteSource } from "./byte-source.ts";
import { readEvents } from "./events.ts";
import { isIdx, readIdx } from "./idx.ts";
import { readNpzSet } from "./npz-set.ts";
import { readNwbSet } from "./nwb-set.ts";
import type { Reading } from "./options.ts";
import { isShd, readShd } from "./shd.ts";
import { isTar, tarEntries } from "./tar.ts";

export type LabelledKind = "hdf5" | "idx" | "tar" | "zip" | "gzip";

const readable =
  "Labelled samples may be HDF5 in the layout of SHD (spikes/times, spikes/units, labels), NWB with units and trials, idx " +
  "images with a file of labels, events in the layout of N-MNIST (.tar, .zip or a folder), or .npz";

/** Bytes that are enough to tell the kind. */
export const headBytes = 2 ** 16;

/** @throws UserError for kinds that hold no labelled samples, saying what is read. */
export function kindOf(head: Uint8Array, name: string): LabelledKind {
  if (isIdx(head)) return "idx";
  if (isTar(head)) return "tar";
  if (isZip(head)) return "zip";
  if (isGzip(head)) return "gzip";
  const kind = sniff(head, name, readable);
  if (kind === "hdf5" || kind === "jld") return "hdf5";
  throw dataError(
    `${name} is ${kind === "csv" ? "a text" : "a single array"}, without classes of samples. ${readable}`,
  );
}

function refuseLayout(file: Hdf5File): never {
  const paths = file.datasets.slice(0, 8).map(({ path }) => path);
  const more = file.datasets.length > paths.length ? ` and ${file.datasets.length - paths.length} more` : "";
  const held = paths.length === 0 ? "holds no datasets" : `holds ${paths.join(", ")}${more}`;
  throw dataError(`${file.name} ${held}, which is no layout of labelled samples that is known. ${readable}`);
}

async function readHdf5(source: ByteSource, name: string, reading: Reading): Promise<LabelledSet> {
  const file = await openHdf5(source, name);
  try {
    if (isShd(file)) return readShd(file, reading);
    if (isNwb(file)) return readNwbSet(file, reading);
    return refuseLayout(file);
  } finally {
    file.close();
  }
}

/**
 * Reads a set that is not packed by gzip. Takes possession of the source: it is closed with the set, or before.
 * @throws UserError when it is damaged, of another kind, or breaks a rule.
 */
export async function readLabelled(source: ByteSource, name: string, reading: Reading): Promise<LabelledSet> {
  let kept = false;
  try {
    const kind = kindOf(source.slice(0, headBytes), name);
    switch (kind) {
      case "gzip":
        throw dataError(`${name} is packed twice by gzip; unpack it once`);
      case "hdf5":
        return await readHdf5(source, name, reading);
      case "idx": {
        const set = readIdx(source, name, reading.options);
        kept = true;
        return set;
      }
      case "tar":
        return readEvents(tarEntries(source, name), name, reading);
      case "zip": {
        const entries = zipEntries(source, name);
        const arrays = entries.some(({ path }) => path.endsWith(".npy"));
        return arrays ? readNpzSet(name, entries, reading) : readEvents(entries, name, reading);
      }
      default:
        return kind satisfies never;
    }
  } finally {
    if (!kept) source.close();
  }
}
