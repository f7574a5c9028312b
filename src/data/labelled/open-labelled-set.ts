/** The door for labelled sets held in memory; in Node, files are opened where they are (open-labelled-set.node.ts). */

import { gunzip, isGzip } from "../formats/inflate.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { bytesInMemory } from "./byte-source.ts";
import type { LabelledOptions } from "./options.ts";
import { readLabelled } from "./read-labelled.ts";
import { MemoryRecords } from "./record-store.ts";

/**
 * Opens a labelled set from the bytes of its file, plain or packed by gzip: HDF5 in the layout of SHD and SSC, NWB, idx
 * (with the bytes of the file of labels in the options), N-MNIST events in .tar or .zip, or .npz. The kind is judged by
 * the bytes. Every sample is checked now, so that reading cannot fail later.
 *
 * Memory: the bytes, plus 6 bytes per spike (8 from channel 65 536 on); for .gz also the unpacked file while it is read,
 * at most 1 GiB.
 *
 * @param name of the file, for messages.
 * @throws UserError when the file is damaged, of another kind, or breaks a rule.
 */
export async function openLabelledSet(
  name: string,
  bytes: Uint8Array,
  options: LabelledOptions = {},
): Promise<LabelledSet> {
  const source = bytesInMemory(isGzip(bytes) ? gunzip(bytes, name) : bytes);
  return readLabelled(source, name, { options, newStore: () => new MemoryRecords() });
}
