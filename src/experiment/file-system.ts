/**
 * The few file operations on which a run's safety rests, behind an interface so that tests can make each one fail.
 *
 * "Durable" means: after a crash of the machine the file holds either its old or its new content, never a mixture.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exitCode, UserError } from "../base/errors.ts";

/** An open file that is only ever written from front to back. */
export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Returns when the bytes are on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** Creates the file, or empties it. */
  create(path: string): Promise<OutputFile>;
  append(path: string): Promise<OutputFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes renames and removals in a folder durable. */
  syncFolder(path: string): Promise<void>;
}

function outputFile(handle: FileHandle): OutputFile {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.byteLength; ) {
        at += (await handle.write(bytes, at, bytes.byteLength - at)).bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

export const nodeFileSystem: FileSystem = {
  create: async (path) => outputFile(await open(path, "w")),
  append: async (path) => outputFile(await open(path, "a")),
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(path) {
    // Windows cannot open folders; there a rename is as durable as it gets.
    if (process.platform === "win32") return;
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

const plainWords: Record<string, string> = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "your disk quota is used up; free some space",
  EFBIG: "the file is larger than the file system or the limit of this shell (ulimit -f) allows",
  EIO: "the disk reported an error; check it",
  EROFS: "the file system is read-only; choose another folder with --out",
  EACCES: "permission is missing; choose another folder with --out",
  EPERM: "permission is missing; choose another folder with --out",
  ENOTDIR: "a part of the path is a file, not a folder; choose another folder with --out",
  ENAMETOOLONG: "the path is too long; choose another folder with --out",
};

/** A failed write in plain words, exit code 74. Anything that the operating system did not say stays a fault of ours. */
export function writeFailed(path: string, cause: unknown, consequence = ""): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  if (cause instanceof UserError || code === undefined || !/^E[A-Z]+$/.test(code)) return cause;
  const reason = plainWords[code] ?? `the system answered ${code}`;
  return new UserError(`cannot write ${path}: ${reason}${consequence === "" ? "" : `. ${consequence}`}`, exitCode.io, {
    cause,
  });
}

/**
 * Replaces a file whole: temporary name, fsync, rename, fsync of the folder. On failure the old file is untouched and
 * the temporary one removed.
 *
 * @param body writes the content.
 */
export async function replaceFile(
  path: string,
  body: (file: OutputFile) => Promise<void>,
  options: { fileSystem?: FileSystem; consequence?: string } = {},
): Promise<void> {
  const files = options.fileSystem ?? nodeFileSystem;
  const temporary = join(dirname(path), `.${basename(path)}.partial`);
  try {
    const file = await files.create(temporary);
    try {
      await body(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
    await files.syncFolder(dirname(path));
  } catch (cause) {
    await files.remove(temporary).catch(() => {});
    throw writeFailed(path, cause, options.consequence);
  }
}

export async function replaceText(path: string, text: string, fileSystem = nodeFileSystem): Promise<void> {
  await replaceFile(path, (file) => file.write(new TextEncoder().encode(text)), { fileSystem });
}

/** Names in a folder, or nothing when it does not exist. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return [];
    if (code === "ENOTDIR")
      throw new UserError(`${path} is a file, not a folder; choose another`, exitCode.io, { cause });
    throw cause;
  }
}

/** A file's text, or undefined when there is none. */
export async function readTextIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw writeFailed(path, cause);
  }
}

export async function fileSize(path: string): Promise<number> {
  return (await stat(path)).size;
}
