/**
 * One checkpoint file: everything a trainer is, in bytes that depend on nothing else.
 *
 *     bytes 0..7     "VOLLEYCK"
 *     bytes 8..11    format version (uint32, little-endian, like everything here)
 *     bytes 12..15   length of the header
 *     header         JSON: kind, fingerprint of the experiment, scalars, sections with name, items, bytes, offset
 *     sections       raw bytes, in the order of the header
 *     last 32 bytes  SHA-256 of everything before
 *
 * No date, path, duration or thread count is in the file, so equal state gives equal files and an equal hash.
 * Sections can be many gigabytes: both directions work in pieces of some 8 MB.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { dataError, exitCode, UserError } from "../base/errors.ts";
import type { Checkpointable, StateSection } from "../learning/rls/checkpointable.ts";
import { type FileSystem, replaceFile } from "./file-system.ts";

const magic = new TextEncoder().encode("VOLLEYCK");
const version = 1;
const preamble = 16;
const hashBytes = 32;
const pieceBytes = 8 * 1024 * 1024;
/** A header is some kilobytes; a longer length is damage. */
const longestHeader = 64 * 1024 * 1024;

export interface SectionEntry extends StateSection {
  /** From the start of the file. */
  readonly offset: number;
}

/** What was trained: a network that follows a recording by RLS, or a classifier by gradients. */
export type CheckpointKind = "rls" | "classify";

/** What a checkpoint says of itself. */
export interface CheckpointLabel {
  readonly kind: CheckpointKind;
  /** Of the experiment that the state belongs to. */
  readonly fingerprint: string;
  /** Iterations or epochs completed. */
  readonly iteration: number;
  /** RLS: whether the inverse covariances P are in it; without them training cannot go on exactly. */
  readonly withP?: boolean;
}

export interface CheckpointHeader extends CheckpointLabel {
  readonly scalars: Record<string, unknown>;
  readonly sections: readonly SectionEntry[];
}

/** JSON with sorted keys: one text for one value. `replace` may stand in for values that JSON does not know. */
export function canonicalJson(value: unknown, replace: (item: unknown) => unknown = (item) => item): string {
  return JSON.stringify(value, (_, given) => {
    const item = replace(given);
    return item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item;
  });
}

/** The header's bytes. Offsets depend on the header's length and the length on the offsets' digits: repeat until still. */
function buildHeader(header: Omit<CheckpointHeader, "sections">, sections: readonly StateSection[]): Uint8Array {
  let bytes = new Uint8Array(0);
  for (let length = 0; ; length = bytes.length) {
    let offset = preamble + length;
    const placed = sections.map(({ name, items, bytesPerItem }) => {
      const entry = { name, items, bytesPerItem, offset };
      offset += items * bytesPerItem;
      return entry;
    });
    bytes = new TextEncoder().encode(canonicalJson({ ...header, sections: placed }));
    if (bytes.length === length) return bytes;
  }
}

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
  const header = buildHeader({ kind, fingerprint, iteration, withP, scalars: await state.stateScalars() }, sections);
  const start = new Uint8Array(preamble);
  start.set(magic);
  const view = new DataView(start.buffer);
  view.setUint32(8, version, true);
  view.setUint32(12, header.length, true);

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
      await put(header);
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
  const damaged = (what: string) => dataError(`checkpoint ${path} is damaged: ${what}`);
  if (size < preamble + hashBytes) throw damaged(`it has only ${size} bytes`);
  const start = await readExactly(handle, 0, preamble);
  if (magic.some((byte, i) => start[i] !== byte)) throw damaged("it does not begin like a Volley checkpoint");
  const view = new DataView(start.buffer);

  const hash = createHash("sha256");
  const end = size - hashBytes;
  for (let at = 0; at < end; at += pieceBytes) {
    hash.update(await readExactly(handle, at, Math.min(pieceBytes, end - at)));
  }
  const digest = hash.digest();
  if (!timingSafeEqual(digest, await readExactly(handle, end, hashBytes))) {
    throw damaged("its content does not match its SHA-256");
  }

  const found = view.getUint32(8, true);
  if (found !== version) {
    throw dataError(`checkpoint ${path} has format version ${found}; this Volley reads version ${version}`);
  }
  const headerLength = view.getUint32(12, true);
  if (headerLength > longestHeader || preamble + headerLength > end) throw damaged("its header is too long");
  const header = JSON.parse(
    new TextDecoder().decode(await readExactly(handle, preamble, headerLength)),
  ) as CheckpointHeader;
  const used = header.sections.reduce((sum, section) => sum + section.items * section.bytesPerItem, 0);
  if (preamble + headerLength + used !== end) throw damaged("its sections do not fill the file");
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
