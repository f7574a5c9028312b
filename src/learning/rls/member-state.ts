/**
 * The state of one member as sections (checkpointable.ts): which arrays there are and how an item is read and written.
 *
 * Between trials only weights and P matter: everything else is set anew by the next trial. Inside an interrupted trial
 * the state of neurons and synapses and what was recorded so far belong to it too.
 */

import { neuronRecordBytes } from "../../kernels/rls/neuron-memory.ts";
import type { StateSection } from "./checkpointable.ts";
import type { Member } from "./member.ts";
import type { Shard } from "./shard.ts";

interface SectionAccess {
  readonly name: string;
  /** Items are trained neurons or all neurons. */
  readonly of: "trained" | "neurons";
  readonly bytesPerItem: number;
  /** When it exists: always, or only inside a trial. */
  readonly during: "always" | "trial";
  /** Copies item `index` of a shard (position of the item in the member: `position`). */
  readonly read: (shard: Shard, index: number, position: number, out: Uint8Array) => void;
  readonly write: (shard: Shard, index: number, position: number, bytes: Uint8Array) => void;
}

/** A section that lies in the shard's memory, item behind item of `stride` bytes. */
function inMemory(
  name: string,
  of: SectionAccess["of"],
  during: SectionAccess["during"],
  bytesPerItem: number,
  address: (shard: Shard) => number,
): SectionAccess {
  const at = (shard: Shard, index: number) =>
    address(shard) + bytesPerItem * (of === "trained" ? index : localAt(shard, index));
  return {
    name,
    of,
    during,
    bytesPerItem,
    read: (shard, index, _, out) => out.set(shard.bytes.subarray(at(shard, index), at(shard, index) + bytesPerItem)),
    write: (shard, index, _, bytes) => shard.bytes.set(bytes, at(shard, index)),
  };
}

/** Local index of the index-th neuron of a shard. */
function localAt(shard: Shard, index: number): number {
  let rest = index;
  for (const { size, firstLocal } of shard.range.segments) {
    if (rest < size) return firstLocal + rest;
    rest -= size;
  }
  throw new RangeError(`the shard has no neuron ${index}`);
}

const asFloats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
const asBytes = (floats: Float32Array) => new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);

/** One number per input of every trained neuron. */
function ofInputs(
  name: string,
  during: SectionAccess["during"],
  inputs: number,
  get: "getWeights" | "getTraces",
  set: "setWeights" | "setTraces",
): SectionAccess {
  const values = new Float32Array(inputs);
  return {
    name,
    of: "trained",
    during,
    bytesPerItem: 4 * inputs,
    read: (shard, t, _, out) => {
      shard.plastic[get](t, values);
      out.set(asBytes(values));
    },
    write: (shard, t, _, bytes) => shard.plastic[set](t, asFloats(bytes)),
  };
}

export function memberSections(member: Member): SectionAccess[] {
  const { network } = member;
  const { inputs, spec } = network;
  const { layout } = member.shards[0].memory;
  const sections = [ofInputs("weights", "always", inputs, "getWeights", "setWeights")];
  member.taskWeights.stored.forEach((store, task) => {
    const size = spec.feedforward!.size;
    sections.push({
      name: `weights of task ${task}`,
      of: "trained",
      during: "always",
      bytesPerItem: 4 * size,
      read: (_, __, position, out) => out.set(asBytes(store.subarray(position * size, (position + 1) * size))),
      write: (_, __, position, bytes) => store.set(asFloats(bytes), position * size),
    });
  });
  if (spec.learning.window === 0) {
    sections.push(inMemory("P", "trained", "always", layout.bytes, (shard) => shard.memory.at.P));
  }
  sections.push(ofInputs("traces", "trial", inputs, "getTraces", "setTraces"));
  sections.push(inMemory("records", "trained", "trial", neuronRecordBytes, (shard) => shard.memory.at.neurons));
  if (typeof spec.synapses.tauPlasticMs !== "number") {
    sections.push(inMemory("gains", "trained", "trial", 4, (shard) => shard.memory.at.gains));
  }
  const held = spec.learning.block > 1 ? spec.learning.block : spec.learning.window;
  if (held > 0) {
    const bytes = held * 16 * layout.tileRows;
    sections.push(inMemory("samples", "trained", "trial", bytes, (shard) => shard.memory.at.samples));
    sections.push(inMemory("biases", "trained", "trial", 4 * held, (shard) => shard.memory.at.biases));
  }
  const { equations } = network.program;
  for (const name of [...equations.synapticStates, ...equations.membraneStates]) {
    sections.push(inMemory(`state ${name}`, "neurons", "trial", 4, (shard) => shard.memory.arrays.state(name)));
  }
  for (const name of member.shards[0].memory.carried) {
    sections.push(inMemory(name, "neurons", "trial", 4, (shard) => shard.memory.arrays.work(name)));
  }
  sections.push(inMemory("refractory", "neurons", "trial", 1, (shard) => shard.memory.arrays.refractory));
  const bins = member.record.bins.ends.length;
  const column = new Float32Array(bins);
  sections.push({
    name: "recorded currents",
    of: "trained",
    during: "trial",
    bytesPerItem: 4 * bins,
    read: (_, __, position, out) => {
      const { currents, trained } = member.record;
      for (let bin = 0; bin < bins; bin++) column[bin] = currents[bin * trained + position];
      out.set(asBytes(column));
    },
    write: (_, __, position, bytes) => {
      const { currents, trained } = member.record;
      asFloats(bytes).forEach((value, bin) => {
        currents[bin * trained + position] = value;
      });
    },
  });
  return sections;
}

/** Sections of the whole network, for `items` neurons and `trained` trained ones. */
export function stateSections(
  member: Member,
  totals: { neurons: number; trained: number },
  withP: boolean,
): StateSection[] {
  const inTrial = member.paused.step > 0;
  return memberSections(member)
    .filter(({ name, during }) => (withP || name !== "P") && (during === "always" || inTrial))
    .map(({ name, of, bytesPerItem }) => ({ name, bytesPerItem, items: totals[of] }));
}

/** Items `from` to `to` of this member's part of a section. */
export function readItems(member: Member, name: string, from: number, to: number): Uint8Array<ArrayBuffer> {
  const access = find(member, name);
  if (name.startsWith("weights of task")) member.taskWeights.store();
  const bytes = new Uint8Array((to - from) * access.bytesPerItem);
  forItems(member, access, from, to, (shard, index, position) => {
    const at = (position - from) * access.bytesPerItem;
    access.read(shard, index, position, bytes.subarray(at, at + access.bytesPerItem));
  });
  return bytes;
}

export function writeItems(member: Member, name: string, from: number, bytes: Uint8Array): void {
  const access = find(member, name);
  const to = from + bytes.length / access.bytesPerItem;
  forItems(member, access, from, to, (shard, index, position) => {
    const at = (position - from) * access.bytesPerItem;
    access.write(shard, index, position, bytes.subarray(at, at + access.bytesPerItem));
  });
}

function find(member: Member, name: string): SectionAccess {
  const access = memberSections(member).find((section) => section.name === name);
  if (!access) throw new RangeError(`there is no state called "${name}"`);
  return access;
}

function forItems(
  member: Member,
  { of }: SectionAccess,
  from: number,
  to: number,
  body: (shard: Shard, index: number, position: number) => void,
): void {
  let first = 0;
  for (const shard of member.shards) {
    const count = of === "trained" ? shard.trainedGlobal.length : shard.range.size;
    for (let index = Math.max(0, from - first); index < Math.min(count, to - first); index++) {
      body(shard, index, first + index);
    }
    first += count;
  }
}
