/** A file for what is too large for memory. Nothing of it stays, whatever ends the process, where systems allow that. */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCode, UserError } from "../../base/errors.ts";

const full = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const denied = new Set(["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR"]);

/** Why the temporary folder failed, in words. What the operating system did not say stays a fault of ours. */
export function temporaryFailed(folder: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  if (cause instanceof UserError || !(full.has(code) || denied.has(code))) return cause;
  return new UserError(
    `the temporary folder ${folder} ${full.has(code) ? "is full" : "cannot be written to"}; a packed or very large ` +
      "set needs room there for its unpacked form: set TMPDIR to a folder on a larger disk, or unpack the file yourself",
    exitCode.io,
    { cause },
  );
}

export class TemporaryFile {
  readonly descriptor: number;
  readonly #folder: string;
  readonly #own: string;
  #open = true;

  private constructor(descriptor: number, folder: string, own: string) {
    this.descriptor = descriptor;
    this.#folder = folder;
    this.#own = own;
  }

  /** Creates an empty file, open for reading and writing, that nobody else can open. */
  static create(folder = tmpdir()): TemporaryFile {
    try {
      const own = mkdtempSync(join(folder, "volley-"));
      const file = new TemporaryFile(openSync(join(own, "data"), "wx+", 0o600), folder, own);
      file.#remove();
      return file;
    } catch (cause) {
      throw temporaryFailed(folder, cause);
    }
  }

  /** POSIX keeps a removed file for as long as it is open; Windows may refuse until it is closed. */
  #remove(): void {
    try {
      rmSync(this.#own, { recursive: true, force: true });
    } catch {
      // `close` tries again.
    }
  }

  /** @throws UserError when the folder is full. */
  write(bytes: Uint8Array, position: number): void {
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.descriptor, bytes, at, bytes.length - at, position + at);
      }
    } catch (cause) {
      throw temporaryFailed(this.#folder, cause);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.descriptor);
    this.#remove();
  }
}
