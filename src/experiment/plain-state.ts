/** Any plain object with arrays in it as the state of a checkpoint: arrays become sections, the rest is the scalars. */
import type { Checkpointable, StateSection } from "../learning/rls/checkpointable.ts";

const arrayTypes = { Int8Array, Uint32Array, Int32Array, Float32Array, Float64Array } as const;
type ArrayName = keyof typeof arrayTypes;
type NumberArray = InstanceType<(typeof arrayTypes)[ArrayName]>;

/** Stands in the scalars for an array, which is the section of this name. */
interface Placeholder {
  readonly section: string;
  readonly array: ArrayName;
  readonly length: number;
}

const isPlaceholder = (value: object): value is Placeholder => "section" in value && "array" in value;

export class PlainState implements Checkpointable {
  #scalars: Record<string, unknown> = {};
  readonly #sections = new Map<string, NumberArray>();

  /** Empty, to be filled from a checkpoint. */
  constructor(value: Readonly<Record<string, unknown>> = {}) {
    this.#scalars = this.#takeArrays(value, "") as Record<string, unknown>;
  }

  /** What was put in, or read from a checkpoint. */
  value(): Record<string, unknown> {
    return this.#putArrays(this.#scalars) as Record<string, unknown>;
  }

  async stateScalars(): Promise<Record<string, unknown>> {
    return this.#scalars;
  }

  async stateSections(): Promise<StateSection[]> {
    return [...this.#sections].map(([name, array]) => ({
      name,
      items: array.length,
      bytesPerItem: array.BYTES_PER_ELEMENT,
    }));
  }

  async readSection(name: string, from: number, to: number): Promise<Uint8Array> {
    const part = this.#sections.get(name)!.subarray(from, to);
    return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  }

  async restoreScalars(scalars: Record<string, unknown>): Promise<void> {
    this.#scalars = scalars;
    this.#sections.clear();
    this.#makeRoom(scalars);
  }

  async writeSection(name: string, from: number, bytes: Uint8Array): Promise<void> {
    const array = this.#sections.get(name)!;
    new Uint8Array(array.buffer).set(bytes, from * array.BYTES_PER_ELEMENT);
  }

  #takeArrays(value: unknown, path: string): unknown {
    if (ArrayBuffer.isView(value)) {
      this.#sections.set(path, value as NumberArray);
      const array = value.constructor.name as ArrayName;
      return { section: path, array, length: (value as NumberArray).length } satisfies Placeholder;
    }
    if (typeof value !== "object" || value === null) return value;
    const below = (key: string | number, item: unknown) =>
      this.#takeArrays(item, path === "" ? `${key}` : `${path}.${key}`);
    if (Array.isArray(value)) return value.map((item, i) => below(i, item));
    // In one order, so that what was restored is written as what never stopped.
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, item]) => [key, below(key, item)]));
  }

  #putArrays(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (isPlaceholder(value)) return this.#sections.get(value.section);
    if (Array.isArray(value)) return value.map((item) => this.#putArrays(item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#putArrays(item)]));
  }

  #makeRoom(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    if (isPlaceholder(value)) this.#sections.set(value.section, new arrayTypes[value.array](value.length));
    else for (const item of Object.values(value)) this.#makeRoom(item);
  }
}
