import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { pLayout } from "../rls/layout.ts";
import { synapseBytes } from "../rls/neuron-memory.ts";
import {
  deliverCounts,
  deliverPlastic,
  deliverWeights,
  fixedPointOne,
  type OutgoingLists,
  toFixedPoint,
} from "./reference.ts";
import { addDeliveryKernels, type DeliveryOptions, plasticEntry } from "./wasm.ts";

type Kernels = Record<string, (...args: number[]) => void>;

/** Kernels over one memory; `place` puts an array there and gives back its address and a view of it. */
function instantiate(options: Partial<DeliveryOptions>) {
  const module = new ModuleBuilder();
  addDeliveryKernels(module, {
    layout: null,
    firstInhibitory: 0,
    static: "none",
    subset: false,
    gainPerNeuron: false,
    ...options,
  });
  const memory = new WebAssembly.Memory({ initial: 8 });
  const compiled = new WebAssembly.Module(module.toBytes());
  const kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Kernels;
  let free = 64;
  const place = <A extends Uint32Array | Uint16Array | Int32Array | Float32Array>(values: A) => {
    const make = values.constructor as new (buffer: ArrayBuffer, at: number, length: number) => A;
    const at = free;
    const view = new make(memory.buffer, at, values.length);
    view.set(values);
    free += 16 * Math.ceil(values.byteLength / 16) + 16;
    return { at, view };
  };
  return { kernels, place };
}

/** Rows of entries for so many sources; some rows are empty. */
function lists<E extends Uint16Array | Uint32Array>(
  rows: readonly (readonly number[])[],
  make: { from(values: number[]): E },
) {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [source, row] of rows.entries()) offsets[source + 1] = offsets[source] + row.length;
  return { offsets, entries: make.from(rows.flat()) } satisfies OutgoingLists<E>;
}

const sources = 12;
const neurons = 9;
const staticRows = fc.array(fc.array(fc.nat({ max: neurons - 1 }), { maxLength: 8 }), {
  minLength: sources,
  maxLength: sources,
});
const spikesOf = fc.array(fc.nat({ max: sources - 1 }), { maxLength: 20 });
const weight = fc.float({ min: -8, max: 8, noNaN: true });

describe("fixed point", () => {
  it.each([
    [1, fixedPointOne],
    [-0.25, -fixedPointOne / 4],
    // Halves of the last place go to the even neighbour.
    [0.5 / fixedPointOne, 0],
    [1.5 / fixedPointOne, 2],
    [2.5 / fixedPointOne, 2],
    [-0.5 / fixedPointOne, 0],
    [-1.5 / fixedPointOne, -2],
    [-2.5 / fixedPointOne, -2],
    [0.75 / fixedPointOne, 1],
    [2047.9998, Math.round(Math.fround(2047.9998) * fixedPointOne)],
  ])("of %d is %i, in the twin and in the kernel", (value, expected) => {
    expect(toFixedPoint(value) + 0).toBe(expected);
    expect(delivered(value)).toBe(expected);
  });

  it("is the same in twin and kernel for any weight in range", () => {
    fc.assert(
      fc.property(fc.float({ min: -2047, max: 2047, noNaN: true }), (value) => {
        expect(delivered(value)).toBe(toFixedPoint(value) + 0);
      }),
    );
    // Ties, which chance would hardly ever meet.
    for (let half = -41; half <= 41; half++)
      expect(delivered(half / 2 / fixedPointOne)).toBe(toFixedPoint(half / 2 / fixedPointOne) + 0);
  });
});

/** What the kernel makes of one weight. */
function delivered(value: number): number {
  const { offsets, spikes, targets, weights, excitatory, inhibitory, kernels } = oneWeight;
  weights.view[0] = value;
  excitatory.view[0] = inhibitory.view[0] = 0;
  kernels.deliverWeights(spikes.at, 1, offsets.at, targets.at, weights.at, excitatory.at, inhibitory.at);
  expect((value >= 0 ? inhibitory : excitatory).view[0]).toBe(0);
  return (value >= 0 ? excitatory : inhibitory).view[0];
}

const oneWeight = (() => {
  const { kernels, place } = instantiate({ static: "weights" });
  return {
    kernels,
    spikes: place(Uint32Array.of(0)),
    offsets: place(Uint32Array.of(0, 1)),
    targets: place(Uint16Array.of(0)),
    weights: place(new Float32Array(1)),
    excitatory: place(new Int32Array(1)),
    inhibitory: place(new Int32Array(1)),
  };
})();

describe("static delivery", () => {
  it("counts spikes by the type of their source", () => {
    fc.assert(
      fc.property(staticRows, spikesOf, fc.nat({ max: sources }), (rows, spikes, firstInhibitory) => {
        const { kernels, place } = instantiate({ static: "counts", firstInhibitory });
        const outgoing = lists(rows, Uint16Array);
        const [list, offsets, targets] = [
          place(Uint32Array.from(spikes)),
          place(outgoing.offsets),
          place(outgoing.entries),
        ];
        const counts = place(new Uint32Array(neurons).fill(0x20005));
        const expected = counts.view.slice();
        kernels.deliverCounts(list.at, spikes.length, offsets.at, targets.at, counts.at);
        deliverCounts(spikes, outgoing, firstInhibitory, expected);
        expect(counts.view).toEqual(expected);
      }),
    );
  });

  it("adds weights to the current of their sign", () => {
    fc.assert(
      fc.property(staticRows, spikesOf, fc.infiniteStream(weight), (rows, spikes, stream) => {
        const { kernels, place } = instantiate({ static: "weights" });
        const outgoing = lists(rows, Uint16Array);
        const values = Float32Array.from([...stream.take(outgoing.entries.length)]);
        const [list, offsets, targets] = [
          place(Uint32Array.from(spikes)),
          place(outgoing.offsets),
          place(outgoing.entries),
        ];
        const weights = place(values);
        const [exc, inh] = [place(new Int32Array(neurons)), place(new Int32Array(neurons))];
        kernels.deliverWeights(list.at, spikes.length, offsets.at, targets.at, weights.at, exc.at, inh.at);
        const expected = [new Int32Array(neurons), new Int32Array(neurons)];
        deliverWeights(spikes, outgoing, values, expected[0], expected[1]);
        expect([exc.view, inh.view]).toEqual(expected);
      }),
    );
  });

  it("gives the same sums in any order of the spikes", () => {
    const shuffledSpikes = spikesOf.chain((spikes) =>
      fc.tuple(fc.constant(spikes), fc.shuffledSubarray(spikes, { minLength: spikes.length })),
    );
    fc.assert(
      fc.property(staticRows, shuffledSpikes, fc.infiniteStream(weight), (rows, [spikes, shuffled], stream) => {
        const outgoing = lists(rows, Uint16Array);
        const values = Float32Array.from([...stream.take(outgoing.entries.length)]);
        const sums = [spikes, shuffled].map((order) => {
          const { kernels, place } = instantiate({ static: "weights" });
          const [list, offsets, targets] = [
            place(Uint32Array.from(order)),
            place(outgoing.offsets),
            place(outgoing.entries),
          ];
          const weights = place(values);
          const [exc, inh] = [place(new Int32Array(neurons)), place(new Int32Array(neurons))];
          kernels.deliverWeights(list.at, order.length, offsets.at, targets.at, weights.at, exc.at, inh.at);
          return [exc.view, inh.view];
        });
        expect(sums[1]).toEqual(sums[0]);
      }),
    );
  });
});

describe.each([
  { what: "Currents", subset: false, gainPerNeuron: false },
  { what: "Traces", subset: false, gainPerNeuron: false },
  { what: "Both", subset: false, gainPerNeuron: false },
  { what: "Both", subset: true, gainPerNeuron: false },
  { what: "Both", subset: true, gainPerNeuron: true },
  { what: "Currents", subset: true, gainPerNeuron: true },
  { what: "Traces", subset: false, gainPerNeuron: true },
])("plastic delivery of $what (subset $subset, gain per neuron $gainPerNeuron)", ({ what, subset, gainPerNeuron }) => {
  const trained = 5;
  const inputs = 7;
  const layout = pLayout(inputs, "f32");
  const neuronOf = subset ? [0, 2, 3, 7, 8] : [0, 1, 2, 3, 4];
  const gains = Float32Array.of(0.5, 0.125, 0.1, 3, 0.01);
  const gain = Math.fround(0.3);
  const entry = fc
    .tuple(fc.nat({ max: trained - 1 }), fc.nat({ max: inputs - 1 }))
    .map(([neuron, slot]) => plasticEntry(neuron, slot));
  const rows = fc.array(fc.array(entry, { maxLength: 6 }), { minLength: sources, maxLength: sources });

  /** Delivers with the kernel; arrivals and traces (in the twin's order), and the synapses it started from. */
  function deliver(outgoing: OutgoingLists<Uint32Array>, spikes: readonly number[], weights: Float32Array) {
    const { kernels, place } = instantiate({ layout, subset, gainPerNeuron });
    const list = place(Uint32Array.from(spikes));
    const [offsets, entries] = [place(outgoing.offsets), place(outgoing.entries)];
    const synapses = place(new Float32Array((trained * synapseBytes(layout)) / 4));
    const at = (i: number) =>
      (Math.floor(i / inputs) * synapseBytes(layout)) / 4 + 8 * ((i % inputs) >> 2) + ((i % inputs) & 3);
    for (let i = 0; i < trained * inputs; i++) {
      synapses.view[at(i)] = weights[i];
      synapses.view[at(i) + 4] = i / 8;
    }
    const arrivals = place(new Int32Array(neurons).fill(5));
    const [table, perNeuron] = [place(Uint16Array.from(neuronOf)), place(gains)];
    kernels[`deliver${what}`](
      list.at,
      spikes.length,
      offsets.at,
      entries.at,
      synapses.at,
      arrivals.at,
      table.at,
      perNeuron.at,
      gain,
    );
    const traces = Float32Array.from({ length: trained * inputs }, (_, i) => synapses.view[at(i) + 4]);
    const kept = Float32Array.from({ length: trained * inputs }, (_, i) => synapses.view[at(i)]);
    return { arrivals: arrivals.view, traces, weights: kept };
  }

  it("does what its twin does", () => {
    fc.assert(
      fc.property(rows, spikesOf, fc.infiniteStream(weight), (entries, spikes, stream) => {
        const outgoing = lists(entries, Uint32Array);
        const weights = Float32Array.from([...stream.take(trained * inputs)]);
        const traces = Float32Array.from({ length: trained * inputs }, (_, i) => i / 8);
        const arrivals = new Int32Array(neurons).fill(5);
        deliverPlastic(
          spikes,
          outgoing,
          { inputs, weights, traces },
          what === "Traces" ? null : { arrivals, neuronOf: (t) => neuronOf[t] },
          what === "Currents" ? null : (t) => (gainPerNeuron ? gains[t] : gain),
        );
        expect(deliver(outgoing, spikes, weights)).toEqual({ arrivals, traces, weights });
      }),
    );
  });

  it("gives the same arrivals in any order of the spikes", () => {
    fc.assert(
      fc.property(rows, spikesOf, fc.infiniteStream(weight), (entries, spikes, stream) => {
        const outgoing = lists(entries, Uint32Array);
        const weights = Float32Array.from([...stream.take(trained * inputs)]);
        const backwards = deliver(outgoing, [...spikes].reverse(), weights);
        expect(backwards.arrivals).toEqual(deliver(outgoing, spikes, weights).arrivals);
      }),
      { numRuns: 30 },
    );
  });
});

it("plastic entries hold 16 bits of position and 16 of slot", () => {
  expect(plasticEntry(65535, 65535)).toBe(0xffffffff);
  expect(plasticEntry(3, 2)).toBe(0x20003);
});
