/** Files that are read in pieces, and packed ones, which are unpacked into a temporary file first. */

import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { dataError, exitCode, UserError } from "../../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { TemporaryFile } from "./temporary-file.node.ts";

/** Reads until `target` is full or the file ends; one call may give less than was asked for. */
export function readFully(descriptor: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const count = readSync(descriptor, target, done, target.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function sourceOf(descriptor: number, close: () => void): ByteSource {
  const { size } = fstatSync(descriptor);
  return {
    size,
    read: (target, position) => readFully(descriptor, target, position),
    slice(position, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - position)));
      return bytes.subarray(0, readFully(descriptor, bytes, position));
    },
    close,
  };
}

/** Why a file cannot be opened, in words. */
export function openFailed(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return new UserError(`there is no file ${path}`, exitCode.noInput, { cause });
  if (code === "EACCES" || code === "EPERM") {
    return new UserError(`${path} cannot be read: permission is missing`, exitCode.noInput, { cause });
  }
  return cause;
}

/** @throws UserError when there is no such file. */
export function openFile(path: string): ByteSource {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    throw openFailed(path, cause);
  }
  return sourceOf(descriptor, () => closeSync(descriptor));
}

/**
 * A .gz file, unpacked into a temporary file that is gone when the source is closed or the process ends. Takes as much
 * disk as the unpacked file, and a few hundred kilobytes of memory.
 *
 * @param folder for the temporary file. Default the system's.
 * @throws UserError when the file is damaged or truncated, or the folder is full.
 */
export async function openUnpacked(path: string, folder?: string): Promise<ByteSource> {
  const temporary = TemporaryFile.create(folder);
  let size = 0;
  try {
    await pipeline(createReadStream(path), createGunzip(), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        temporary.write(chunk, size);
        size += chunk.length;
      }
    });
  } catch (cause) {
    temporary.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR")
      throw dataError(`${path} ends in the middle of its packed data; it is truncated`, cause);
    if (code?.startsWith("Z_")) throw dataError(`${path} cannot be unpacked (${message}); it is damaged`, cause);
    throw cause;
  }
  return sourceOf(temporary.descriptor, () => temporary.close());
}
