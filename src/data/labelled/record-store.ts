/** Where a set keeps its samples, as bytes: in memory here, or on disk when they are many (record-store.node.ts). */

/**
 * Of a set that is read from a file, this many bytes are kept in memory unless something else is asked for; what is on
 * disk comes from the cache of the system nearly as fast.
 */
export const recordsInMemory = 8 * 2 ** 20;

export interface RecordStore {
  /** Adds a record after the others. Its bytes must not be changed afterwards. */
  append(record: Uint8Array): void;
  /** The bytes of a record; they must not be changed. */
  record(index: number): Uint8Array;
  close(): void;
}

export class MemoryRecords implements RecordStore {
  #records: Uint8Array[] = [];

  append(record: Uint8Array): void {
    this.#records.push(record);
  }

  record(index: number): Uint8Array {
    return this.#records[index];
  }

  close(): void {
    this.#records = [];
  }
}
