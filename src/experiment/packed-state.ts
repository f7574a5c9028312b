/** A state in memory, in the format of checkpoint files: what programs and pages keep wherever they like. */
import { UserError } from "../base/errors.ts";
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
import { PlainState } from "./plain-state.ts";

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new UserError("states can be kept and read only in pages that are served securely (https, or localhost)");
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

export async function packState(state: PlainState, label: CheckpointLabel): Promise<Uint8Array> {
  const sections = await state.stateSections();
  const start = startBytes({ ...label, scalars: await state.stateScalars() }, sections);
  const length = sections.reduce((sum, { items, bytesPerItem }) => sum + items * bytesPerItem, start.length);
  const bytes = new Uint8Array(length + hashBytes);
  bytes.set(start);
  let at = start.length;
  for (const { name, items } of sections) {
    const section = await state.readSection(name, 0, items);
    bytes.set(section, at);
    at += section.length;
  }
  bytes.set(await sha256(bytes.subarray(0, length)), length);
  return bytes;
}

/** @throws UserError when the bytes are damaged, or no packed state */
export async function unpackState(bytes: Uint8Array): Promise<{ header: CheckpointHeader; state: PlainState }> {
  const name = "of the classifier";
  checkMagic(name, bytes, bytes.length);
  const end = bytes.length - hashBytes;
  const digest = await sha256(bytes.subarray(0, end));
  if (digest.some((byte, i) => byte !== bytes[end + i])) throw damaged(name, "its content does not match its SHA-256");
  const length = headerLength(name, bytes, bytes.length);
  const header = readHeader(name, bytes.subarray(preamble, preamble + length), bytes.length);
  const state = new PlainState();
  await state.restoreScalars(header.scalars);
  for (const section of header.sections) {
    const from = section.offset;
    await state.writeSection(section.name, 0, bytes.subarray(from, from + section.items * section.bytesPerItem));
  }
  return { header, state };
}
