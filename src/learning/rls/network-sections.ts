/** The sections of a network's state (checkpointable.ts), put together from the parts that its members hold. */
import { exitCode, UserError } from "../../base/errors.ts";
import type { WorkerGroup } from "../../device/cpu/group.ts";
import type { StateSection } from "./checkpointable.ts";
import { concatenate } from "./concatenate.ts";
import type { MemberSizes } from "./host.ts";

export class NetworkSections {
  readonly #group: WorkerGroup;
  readonly #sizes: readonly MemberSizes[];
  readonly #totals: { readonly neurons: number; readonly trained: number };

  /** @param sizes of the members, in the order of ranks */
  constructor(group: WorkerGroup, sizes: readonly MemberSizes[]) {
    this.#group = group;
    this.#sizes = sizes;
    this.#totals = {
      neurons: sizes.reduce((n, { neurons }) => n + neurons, 0),
      trained: sizes.reduce((n, { trained }) => n + trained.length, 0),
    };
  }

  list(withP: boolean): Promise<StateSection[]> {
    return this.#group.call(0, "sections", [this.#totals, withP]);
  }

  /** Items `from` to `to` - 1. */
  async read(name: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    await this.#forMembers(name, from, to, async (rank, first, last) => {
      parts.push(await this.#group.call<Uint8Array<ArrayBuffer>>(rank, "read", [name, first, last]));
    });
    return parts.length === 1
      ? parts[0]
      : concatenate(Uint8Array as new (length: number) => Uint8Array<ArrayBuffer>, parts);
  }

  /** @throws UserError for a section that this network does not have */
  async write(name: string, from: number, bytes: Uint8Array): Promise<void> {
    const section = (await this.list(true)).find((known) => known.name === name);
    if (!section)
      throw new UserError(`the checkpoint holds "${name}", which this network does not have`, exitCode.data);
    const size = section.bytesPerItem;
    await this.#forMembers(name, from, from + bytes.length / size, async (rank, first, last, offset) => {
      const part = bytes.slice(offset * size, (offset + last - first) * size);
      await this.#group.call(rank, "write", [name, first, part]);
    });
  }

  /** Splits a range of items over the members that hold them, one after the other. */
  async #forMembers(
    name: string,
    from: number,
    to: number,
    body: (rank: number, first: number, last: number, offset: number) => Promise<void>,
  ): Promise<void> {
    const sections = await this.list(true);
    const perNeuron = sections.find((section) => section.name === name)?.items !== this.#totals.trained;
    let start = 0;
    for (const [rank, { neurons, trained }] of this.#sizes.entries()) {
      const count = perNeuron ? neurons : trained.length;
      const first = Math.max(from, start);
      const last = Math.min(to, start + count);
      if (last > first) await body(rank, first - start, last - start, first - from);
      start += count;
    }
  }
}
