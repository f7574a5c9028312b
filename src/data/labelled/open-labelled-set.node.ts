/** The door for labelled sets on disk, of any size. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { dataError } from "../../base/errors.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { openFailed, openFile, openUnpacked } from "./byte-source.node.ts";
import type { ByteSource } from "./byte-source.ts";
import { readEvents } from "./events.ts";
import type { LabelledOptions, Reading } from "./options.ts";
import { headBytes, kindOf, readLabelled } from "./read-labelled.ts";
import { SpillingRecords } from "./record-store.node.ts";
import { recordsInMemory } from "./record-store.ts";
import type { ArchiveEntry } from "./tar.ts";

export interface OpenOptions extends Omit<LabelledOptions, "labels"> {
  /** idx: file of labels. Default: the file beside the images whose name says labels where theirs says images. */
  readonly labelsFile?: string;
  /** Spikes up to this many bytes are kept in memory, 6 bytes each; more go to a temporary file. Default 8 MiB. */
  readonly memoryBytes?: number;
  /** Folder for unpacked and very large sets. Default the system's (TMPDIR). */
  readonly temporaryFolder?: string;
}

/**
 * The file of labels that belongs to a file of images: train-images-idx3-ubyte.gz to train-labels-idx1-ubyte, with or
 * without .gz. Undefined if there is none and there need not be.
 */
function labelsBeside(images: string, allowNone = false): string | undefined {
  const file = basename(images);
  const wanted = file
    .replace(/images/i, "labels")
    .replace("idx3", "idx1")
    .replace(/\.gz$/i, "");
  const beside = [wanted, `${wanted}.gz`].map((one) => join(dirname(images), one));
  const found = beside.find((path) => path !== images && wanted !== file.replace(/\.gz$/i, "") && existsSync(path));
  if (found !== undefined || allowNone) return found;
  throw dataError(
    `${images} holds images without classes, and there is no file of labels beside it (${basename(beside[0])}, plain or ` +
      ".gz); name it (labels)",
  );
}

function fileBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw openFailed(path, cause);
  }
}

/** Files in a folder of a set: `<class>/<id>.bin`. */
function folderEntries(folder: string): ArchiveEntry[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      return { path: full.slice(folder.length).replaceAll("\\", "/"), read: () => fileBytes(full) };
    });
}

/** The bytes of a set, unpacked if they were packed. */
async function unpackedSource(path: string, temporaryFolder: string | undefined): Promise<ByteSource> {
  const source = openFile(path);
  try {
    if (kindOf(source.slice(0, headBytes), path) !== "gzip") return source;
  } catch (error) {
    source.close();
    throw error;
  }
  source.close();
  return openUnpacked(path, temporaryFolder);
}

/**
 * Opens a labelled set by the path of its file, or of the folder of an N-MNIST set. The formats are those of
 * `openLabelledSet`. Every sample is checked now, so that reading cannot fail later.
 *
 * Memory: images stay in their file. Spikes take 6 bytes each (8 from channel 65 536 on) up to `memoryBytes`; a larger
 * set takes a temporary file of that size instead, and next to no memory. HDF5 and archives are read piece by piece,
 * arrays of .npz as a whole (at most 1 GiB). A .gz is unpacked into a temporary file, which goes as soon as spikes are read, and
 * with the set for images. Temporary files vanish when the process ends, however it ends (not so on Windows).
 *
 * @throws UserError when there is no such file, it is damaged, of another kind, or breaks a rule, or the temporary
 *   folder is full.
 */
export async function openLabelledFile(path: string, options: OpenOptions = {}): Promise<LabelledSet> {
  const { memoryBytes = recordsInMemory, temporaryFolder, labelsFile, ...rest } = options;
  const reading = (labels?: Uint8Array): Reading => ({
    options: { ...rest, labels },
    newStore: () => new SpillingRecords(memoryBytes, temporaryFolder),
  });
  let folder: boolean;
  try {
    folder = statSync(path).isDirectory();
  } catch (cause) {
    throw openFailed(path, cause);
  }
  if (folder) return readEvents(folderEntries(path), path, reading());
  const source = await unpackedSource(path, temporaryFolder);
  let labels: Uint8Array | undefined;
  try {
    const kind = kindOf(source.slice(0, headBytes), path);
    if (kind === "idx" && source.slice(3, 1)[0] > 1) {
      const file = labelsFile ?? labelsBeside(path, rest.allowUnlabelled);
      if (file !== undefined) labels = fileBytes(file);
    }
  } catch (error) {
    source.close();
    throw error;
  }
  return readLabelled(source, path, reading(labels));
}
