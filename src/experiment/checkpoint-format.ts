/**
 * The bytes of a checkpoint: everything a trainer is, and nothing else.
 *
 *     bytes 0..7     "VOLLEYCK"
 *     bytes 8..11    format version (uint32, little-endian, like everything here)
 *     bytes 12..15   length of the header
 *     header         JSON: kind, fingerprint of the experiment, scalars, sections with name, items, bytes, offset
 *     sections       raw bytes, in the order of the header
 *     last 32 bytes  SHA-256 of everything before
 *
 * No date, path, duration or thread count is in them, so equal state gives equal bytes and an equal hash. Files of them:
 * checkpoint.ts; in memory, for programs and pages: packed-state.ts.
 */
import { dataError } from "../base/errors.ts";
import type { StateSection } from "../learning/rls/checkpointable.ts";

const magic = new TextEncoder().encode("VOLLEYCK");
const version = 1;
export const preamble = 16;
export const hashBytes = 32;
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

/** Preamble and header. */
export function startBytes(header: Omit<CheckpointHeader, "sections">, sections: readonly StateSection[]): Uint8Array {
  const text = buildHeader(header, sections);
  const bytes = new Uint8Array(preamble + text.length);
  bytes.set(magic);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, version, true);
  view.setUint32(12, text.length, true);
  bytes.set(text, preamble);
  return bytes;
}

/** A fault of the bytes, whatever they are called. */
export const damaged = (name: string, what: string) => dataError(`checkpoint ${name} is damaged: ${what}`);

/** @throws UserError when these are not the first bytes of a checkpoint, of which there are `size` in all */
export function checkMagic(name: string, bytes: Uint8Array, size: number): void {
  if (size < preamble + hashBytes) throw damaged(name, `it has only ${size} bytes`);
  if (magic.some((byte, i) => bytes[i] !== byte)) throw damaged(name, "it does not begin like a Volley checkpoint");
}

/** Length of the header, from bytes whose hash is right. */
export function headerLength(name: string, bytes: Uint8Array, size: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found = view.getUint32(8, true);
  if (found !== version) {
    throw dataError(`checkpoint ${name} has format version ${found}; this Volley reads version ${version}`);
  }
  const length = view.getUint32(12, true);
  if (length > longestHeader || preamble + length > size - hashBytes) throw damaged(name, "its header is too long");
  return length;
}

/** @param bytes of the header alone */
export function readHeader(name: string, bytes: Uint8Array, size: number): CheckpointHeader {
  const header = JSON.parse(new TextDecoder().decode(bytes)) as CheckpointHeader;
  const used = header.sections.reduce((sum, section) => sum + section.items * section.bytesPerItem, 0);
  if (preamble + bytes.length + used !== size - hashBytes) throw damaged(name, "its sections do not fill the file");
  return header;
}
