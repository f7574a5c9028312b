/** Records in memory as long as they are few, and in a temporary file when they are more. */

import { readFully } from "./byte-source.node.ts";
import type { RecordStore } from "./record-store.ts";
import { TemporaryFile } from "./temporary-file.node.ts";

/** Records are written together, so that a small one does not cost a system call. */
const bufferBytes = 2 ** 20;

/**
 * At most `budget` bytes of records, and a megabyte, are in memory; a set with more lies in a temporary file as a whole,
 * of which a place of 8 bytes per record is remembered. A record is read with one call, from the file cache as a rule.
 */
export class SpillingRecords implements RecordStore {
  readonly #budget: number;
  readonly #folder: string | undefined;
  /** Records in memory: all of them, or those not yet written. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #file: TemporaryFile | undefined;
  /** Where records end. */
  readonly #ends: number[] = [];
  #written = 0;
  #writtenRecords = 0;

  /** @param folder for the temporary file. Default the system's. */
  constructor(budget: number, folder?: string) {
    this.#budget = budget;
    this.#folder = folder;
  }

  append(record: Uint8Array): void {
    this.#ends.push((this.#ends.at(-1) ?? 0) + record.length);
    this.#held.push(record);
    this.#heldBytes += record.length;
    if (this.#heldBytes > (this.#file === undefined ? this.#budget : bufferBytes)) this.#write();
  }

  #write(): void {
    this.#file ??= TemporaryFile.create(this.#folder);
    const file = this.#file;
    const longest = this.#held.reduce((most, { length }) => Math.max(most, length), 0);
    const bytes = new Uint8Array(Math.max(bufferBytes, longest));
    let filled = 0;
    const flush = (): void => {
      file.write(bytes.subarray(0, filled), this.#written);
      this.#written += filled;
      filled = 0;
    };
    for (const record of this.#held) {
      if (filled + record.length > bytes.length) flush();
      bytes.set(record, filled);
      filled += record.length;
    }
    flush();
    this.#writtenRecords += this.#held.length;
    this.#held = [];
    this.#heldBytes = 0;
  }

  record(index: number): Uint8Array {
    if (index >= this.#writtenRecords) return this.#held[index - this.#writtenRecords];
    const start = index === 0 ? 0 : this.#ends[index - 1];
    const bytes = new Uint8Array(this.#ends[index] - start);
    const count = readFully(this.#file!.descriptor, bytes, start);
    if (count < bytes.length) throw new Error(`record ${index} ends after ${count} of ${bytes.length} bytes`);
    return bytes;
  }

  close(): void {
    this.#held = [];
    this.#file?.close();
  }
}
