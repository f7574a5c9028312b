/** Reads the recording that an experiment names. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { exitCode, UserError } from "../base/errors.ts";
import { readRecording } from "../data/formats/read-recording.ts";
import type { Recording } from "../data/recording.ts";
import type { RecordingTargets } from "./schema.ts";

export async function readRecordingFile(targets: RecordingTargets): Promise<Recording> {
  const { type: _, file, ...options } = targets;
  let bytes: Uint8Array;
  try {
    // Not as a Buffer, whose slices would share memory.
    bytes = new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new UserError(cannotRead(file, (cause as NodeJS.ErrnoException).code), exitCode.noInput, { cause });
  }
  return readRecording(bytes, basename(file), options);
}

function cannotRead(file: string, code: string | undefined): string {
  switch (code) {
    case "ENOENT":
      return `there is no recording ${file}; check targets.file or --data`;
    case "EISDIR":
      return `${file} is a folder; name the file with the recording`;
    case "EACCES":
      return `${file} may not be read; check its permissions`;
    case "ERR_FS_FILE_TOO_LARGE":
      return `${file} is larger than 2 GB; trial-averaged rates are far smaller: reduce it to those, or to fewer units`;
    default:
      return `${file} cannot be read (${code ?? "unknown error"})`;
  }
}
