/**
 * How a trainer hands its state to whoever keeps it, without either knowing the other.
 *
 * State is a small JSON part plus *sections*: arrays of equal-sized items in the order of the network (neuron by
 * neuron), so that the bytes do not depend on how the network was split over threads and shards.
 */
export interface StateSection {
  readonly name: string;
  readonly items: number;
  readonly bytesPerItem: number;
}

export interface Checkpointable {
  /** Scalars that belong to the state: iteration, step inside an interrupted trial, counters. JSON-safe. */
  stateScalars(): Promise<Record<string, unknown>>;
  /** The sections that make up the state now. `withP: false` leaves out the inverse covariances. */
  stateSections(options: { withP: boolean }): Promise<StateSection[]>;
  /** Items `from` (inclusive) to `to` (exclusive) of a section, little-endian. */
  readSection(name: string, from: number, to: number): Promise<Uint8Array>;
  /** Puts the scalars of a checkpoint back; called before any `writeSection`. */
  restoreScalars(scalars: Record<string, unknown>): Promise<void>;
  writeSection(name: string, from: number, bytes: Uint8Array): Promise<void>;
}
