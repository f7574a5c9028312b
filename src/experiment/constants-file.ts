/** Reads the file that a constant of an experiment names: `ReadBytes` of Node. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { exitCode, UserError } from "../base/errors.ts";
import type { ReadBytes } from "./file-constants.ts";

export const readConstantsFile: ReadBytes = async (path, place) => {
  try {
    // Not as a Buffer, whose slices would share memory.
    return { name: basename(path), bytes: new Uint8Array(await readFile(path)) };
  } catch (cause) {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EISDIR"
          ? "it is a folder"
          : `it cannot be read (${code})`;
    throw new UserError(`${place} names ${path}, but ${why}; check the path`, exitCode.noInput, { cause });
  }
};
