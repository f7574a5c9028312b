/**
 * One checkpoint file, in the format of checkpoint-format.ts. Sections can be many gigabytes: both directions work in
 * pieces of some 8 MB.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { dataError, exitCode, UserError } from "../base/errors.ts";
import type { Checkpointable, StateSection } from "../learning/rls/checkpointable.ts";
import {
  type CheckpointHeader,
  type CheckpointLabel,
  checkMagic,
  damaged,
  hashBytes,
  headerLength,
  preamble,
  readHeader,
  startBytes,
} from "./checkpoint-format.ts";
import { type FileSystem, replaceFile } from "./file-system.ts";

export type { CheckpointHeader, CheckpointLabel } from "./checkpoint-format.ts";

const pieceBytes = 8 * 1024 * 1024;

/** Items of a section per piece. */
function itemsPerPiece(section: StateSection): number {
  return Math.max(1, Math.floor(pieceBytes / Math.max(1, section.bytesPerItem)));
}

export interface WriteOptions extends CheckpointLabel {
  readonly fileSystem?: FileSystem;
  /** Said after the reason when writing fails: what is left to the user. */
  readonly consequence?: string;
}

/** Writes the state of a trainer; the file appears whole or not at all. Returns its SHA-256 (hexadecimal) and size. */
export async function writeCheckpoint(
  path: string,
  state: Checkpointable,
  options: WriteOptions,
): Promise<{ sha256: string; bytes: number }> {
  const { kind, fingerprint, iteration, withP } = options;
  const sections = await state.stateSections({ withP: withP ?? true });
  const scalars = await state.stateScalars();
  const start = startBytes({ kind, fingerprint, iteration, withP, scalars }, sections);

  const hash = createHash("sha256");
  let digest = Buffer.alloc(0);
  let bytes = 0;
  await replaceFile(
    path,
    async (file) => {
      const put = async (piece: Uint8Array) => {
        hash.update(piece);
        await file.write(piece);
        bytes += piece.byteLength;
      };
      await put(start);
      for (const section of sections) {
        const step = itemsPerPiece(section);
        for (let from = 0; from < section.items; from += step) {
          const to = Math.min(section.items, from + step);
          const piece = await state.readSection(section.name, from, to);
          if (piece.byteLength !== (to - from) * section.bytesPerItem) {
            throw new Error(`section ${section.name}: ${piece.byteLength} bytes for items ${from} to ${to}`);
          }
          await put(piece);
        }
      }
      digest = hash.digest();
      await file.write(digest);
      bytes += hashBytes;
    },
    options,
  );
  return { sha256: digest.toString("hex"), bytes };
}

/** A checkpoint that has been read from end to end and found whole. Close it after use. */
export interface OpenCheckpoint {
  readonly path: string;
  readonly header: CheckpointHeader;
  readonly sha256: string;
  readonly bytes: number;
  /** Puts the state into a trainer that was made from the same experiment. */
  restore(into: Checkpointable): Promise<void>;
  close(): Promise<void>;
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) throw dataError(`the file ends at byte ${position + at}`);
    at += bytesRead;
  }
  return bytes;
}

async function verify(
  handle: FileHandle,
  path: string,
): Promise<{ header: CheckpointHeader; sha256: string; bytes: number }> {
  const size = (await handle.stat()).size;
  const start = await readExactly(handle, 0, Math.min(size, preamble));
  checkMagic(path, start, size);

  const hash = createHash("sha256");
  const end = size - hashBytes;
  for (let at = 0; at < end; at += pieceBytes) {
    hash.update(await readExactly(handle, at, Math.min(pieceBytes, end - at)));
  }
  const digest = hash.digest();
  if (!timingSafeEqual(digest, await readExactly(handle, end, hashBytes))) {
    throw damaged(path, "its content does not match its SHA-256");
  }
  const length = headerLength(path, start, size);
  const header = readHeader(path, await readExactly(handle, preamble, length), size);
  return { header, sha256: digest.toString("hex"), bytes: size };
}

/** Opens a checkpoint and checks every byte of it against its SHA-256. */
export async function openCheckpoint(path: string): Promise<OpenCheckpoint> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "an unknown error";
    throw new UserError(`cannot open checkpoint ${path}: ${code}`, exitCode.noInput, { cause });
  }
  try {
    const { header, sha256, bytes } = await verify(handle, path);
    return {
      path,
      header,
      sha256,
      bytes,
      restore: (into) => restore(handle, path, header, into),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function restore(
  handle: FileHandle,
  path: string,
  header: CheckpointHeader,
  into: Checkpointable,
): Promise<void> {
  await into.restoreScalars(header.scalars);
  const expected = await into.stateSections({ withP: header.withP ?? true });
  const shape = (sections: readonly StateSection[]) =>
    sections.map(({ name, items, bytesPerItem }) => `${name} ${items} x ${bytesPerItem}`).join(", ");
  if (shape(expected) !== shape(header.sections)) {
    throw dataError(
      `checkpoint ${path} belongs to another network: it holds ${shape(header.sections)}, ` +
        `but the experiment needs ${shape(expected)}`,
    );
  }
  for (const section of header.sections) {
    const step = itemsPerPiece(section);
    for (let from = 0; from < section.items; from += step) {
      const count = Math.min(step, section.items - from);
      const bytes = await readExactly(
        handle,
        section.offset + from * section.bytesPerItem,
        count * section.bytesPerItem,
      );
      await into.writeSection(section.name, from, bytes);
    }
  }
}
