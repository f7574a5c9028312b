/**
 * Delivery of spikes inside one shard, as WebAssembly. Twin and meaning of the integers: `reference.ts`.
 *
 * Shards hold at most 65 536 neurons, so a target is 16 bits and the arrival sums of a shard stay in the L2 cache while
 * a step's spikes pass over them. Plastic weights are read where the RLS kernel keeps them (rls/wasm.ts): there is no
 * second, out-ordered copy to keep up to date.
 */
import {
  type FunctionBuilder,
  f32,
  i32,
  type Local,
  type ModuleBuilder,
  type Statement,
} from "../../wasm/assembler.ts";
import type { PLayout } from "../rls/layout.ts";
import { synapseBytes } from "../rls/neuron-memory.ts";
import { fixedPointOne } from "./reference.ts";

/** A plastic entry: position of the target among the trained neurons of the shard, and the slot of the weight. */
export const plasticEntry = (trained: number, slot: number): number => (trained | (slot << 16)) >>> 0;

export interface DeliveryOptions {
  /** Layout of the trained synapses; null when the network has none. */
  readonly layout: PLayout | null;
  /** Sources below this are excitatory. */
  readonly firstInhibitory: number;
  /** Static synapses: none, counted by type of source, or one weight each. */
  readonly static: "none" | "counts" | "weights";
  /** Not all neurons of the shard are trained: positions are looked up in a table (u16, argument `neuronOf`). */
  readonly subset: boolean;
  /** Trace gains differ between neurons (f32 table, argument `gains`) instead of being one number. */
  readonly gainPerNeuron: boolean;
}

type Pointer = Local<"i32">;

/**
 * Adds to the module, for spikes given as a list of global source indices at `spikes`:
 * - `deliverCounts(spikes, count, offsets, targets, counts)` or
 *   `deliverWeights(spikes, count, offsets, targets, weights, excitatory, inhibitory)` for static synapses;
 * - `deliverCurrents`, `deliverTraces`, `deliverBoth` `(spikes, count, offsets, entries, synapses, arrivals, neuronOf,
 *   gains, gain)` for plastic ones: a current is the weight in fixed point, a trace grows by the gain.
 */
export function addDeliveryKernels(module: ModuleBuilder, options: DeliveryOptions): void {
  if (options.static === "counts") addCounts(module, options);
  if (options.static === "weights") addWeights(module);
  if (options.layout) {
    addPlastic(module, "deliverCurrents", options, { currents: true, traces: false });
    addPlastic(module, "deliverTraces", options, { currents: false, traces: true });
    addPlastic(module, "deliverBoth", options, { currents: true, traces: true });
  }
}

/**
 * For every spike, with `entry` running over its row: 1 << shift bytes an entry.
 *
 * In a large network every row is far from the last one, and the end of a row cannot be predicted, so each would wait for
 * memory in turn. A first pass therefore touches the rows of all spikes: these loads do not depend on each other, and the
 * processor has ten of them under way at a time. The result holds what was touched, so that no compiler drops the loads;
 * it means nothing.
 */
function forRowsOfSpikes(
  f: FunctionBuilder,
  { spikes, count, offsets, entries }: Record<"spikes" | "count" | "offsets" | "entries", Pointer>,
  shift: number,
  beforeRow: (source: Pointer) => void,
  body: (entry: Pointer) => void,
): void {
  const source = f.local("i32");
  const entry = f.local("i32");
  const end = f.local("i32");
  const touched = f.local("i32");
  const rowOf = (spike: Pointer): Pointer => {
    f.set(source, i32.load(spike));
    const row = f.let(i32.add(offsets, i32.shl(source, i32.const(2))));
    f.set(entry, i32.add(entries, i32.shl(i32.load(row), i32.const(shift))));
    return row;
  };
  const ahead = f.let(spikes);
  const last = f.let(i32.add(spikes, i32.shl(count, i32.const(2))));
  f.while(
    () => i32.ltU(ahead, last),
    () => {
      rowOf(ahead);
      // A row of one shard is a cache line or two.
      f.set(touched, i32.or(touched, i32.or(i32.load8U(entry), i32.load8U(entry, 64))));
      f.advance(ahead, 4);
    },
  );
  f.while(
    () => count,
    () => {
      const row = rowOf(spikes);
      f.set(end, i32.add(entries, i32.shl(i32.load(row, 4), i32.const(shift))));
      beforeRow(source);
      f.while(
        () => i32.ltU(entry, end),
        () => {
          body(entry);
          f.advance(entry, 1 << shift);
        },
      );
      f.advance(spikes, 4);
      f.set(count, i32.sub(count, i32.const(1)));
    },
  );
  f.result(touched);
}

/** memory[address] += amount */
function addTo(f: FunctionBuilder, address: Pointer, amount: ReturnType<typeof i32.add>): Statement {
  const at = f.let(address);
  return i32.store(at, i32.add(i32.load(at), amount));
}

function addCounts(module: ModuleBuilder, { firstInhibitory }: DeliveryOptions): void {
  module.functionReturning(
    "deliverCounts",
    { spikes: "i32", count: "i32", offsets: "i32", targets: "i32", counts: "i32" },
    "i32",
    (f, { spikes, count, offsets, targets, counts }) => {
      const one = f.local("i32");
      const setOne = (source: Pointer) => {
        f.set(one, i32.const(0x10000));
        f.if(i32.ltU(source, i32.const(firstInhibitory)), () => f.set(one, i32.const(1)));
      };
      forRowsOfSpikes(f, { spikes, count, offsets, entries: targets }, 1, setOne, (entry) => {
        const at = f.let(i32.add(counts, i32.shl(i32.load16U(entry), i32.const(2))));
        f.push(addTo(f, at, one));
      });
    },
  );
}

const fixed = (weight: ReturnType<typeof f32.load>) =>
  i32.truncSatF32S(f32.nearest(f32.mul(weight, f32.const(fixedPointOne))));

function addWeights(module: ModuleBuilder): void {
  module.functionReturning(
    "deliverWeights",
    {
      spikes: "i32",
      count: "i32",
      offsets: "i32",
      targets: "i32",
      weights: "i32",
      excitatory: "i32",
      inhibitory: "i32",
    },
    "i32",
    (f, { spikes, count, offsets, targets, weights, excitatory, inhibitory }) => {
      forRowsOfSpikes(
        f,
        { spikes, count, offsets, entries: targets },
        1,
        () => {},
        (entry) => {
          // The weight of an entry lies at the same index in `weights`, at 4 bytes for the entry's 2.
          const weight = f.let(f32.load(i32.add(weights, i32.shl(i32.sub(entry, targets), i32.const(1)))));
          const target = f.let(i32.shl(i32.load16U(entry), i32.const(2)));
          f.if(
            f32.ge(weight, f32.const(0)),
            () => f.push(addTo(f, f.let(i32.add(excitatory, target)), fixed(weight))),
            () => f.push(addTo(f, f.let(i32.add(inhibitory, target)), fixed(weight))),
          );
        },
      );
    },
  );
}

function addPlastic(
  module: ModuleBuilder,
  name: string,
  options: DeliveryOptions,
  what: { currents: boolean; traces: boolean },
): void {
  const bytesPerNeuron = synapseBytes(options.layout!);
  module.functionReturning(
    name,
    {
      spikes: "i32",
      count: "i32",
      offsets: "i32",
      entries: "i32",
      synapses: "i32",
      arrivals: "i32",
      neuronOf: "i32",
      gains: "i32",
      gain: "f32",
    },
    "i32",
    (f, { spikes, count, offsets, entries, synapses, arrivals, neuronOf, gains, gain }) => {
      forRowsOfSpikes(
        f,
        { spikes, count, offsets, entries },
        2,
        () => {},
        (entry) => {
          const trained = f.let(i32.load16U(entry));
          const slot = f.let(i32.load16U(entry, 2));
          const group = i32.shl(i32.shrU(slot, i32.const(2)), i32.const(5));
          const lane = i32.shl(i32.and(slot, i32.const(3)), i32.const(2));
          const at = f.let(
            i32.add(i32.add(synapses, i32.mul(trained, i32.const(bytesPerNeuron))), i32.add(group, lane)),
          );
          if (what.currents) {
            const neuron = options.subset ? i32.load16U(i32.add(neuronOf, i32.shl(trained, i32.const(1)))) : trained;
            f.push(addTo(f, f.let(i32.add(arrivals, i32.shl(neuron, i32.const(2)))), fixed(f32.load(at))));
          }
          if (what.traces) {
            const amount = options.gainPerNeuron ? f32.load(i32.add(gains, i32.shl(trained, i32.const(2)))) : gain;
            f.push(f32.store(at, f32.add(f32.load(at, 16), amount), 16));
          }
        },
      );
    },
  );
}
