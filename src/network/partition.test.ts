import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cut, largestMemory, largestShard, partition, populationsOf, type ShardRange } from "./partition.ts";

const network = fc
  .record({ neurons: fc.integer({ min: 2, max: 3000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ neurons, share }) => ({ neurons, excitatory: Math.floor(share * neurons) }));

/** What must hold of shards that together are a network of so many neurons. */
function check(shards: readonly ShardRange[], neurons: number, excitatory: number): void {
  let next = 0;
  for (const { segments, size, capacity } of shards) {
    let local = 0;
    let sum = 0;
    for (const segment of segments) {
      const first = segment.population === 0 ? 0 : excitatory;
      expect(segment.firstGlobal).toBe(next);
      expect(segment.firstGlobal).toBe(first + segment.firstInPopulation);
      expect(segment.firstInPopulation % 16).toBe(0);
      expect(segment.firstLocal).toBe(local);
      expect(segment.size).toBeGreaterThan(0);
      const end = segment.firstGlobal + segment.size;
      expect(end <= (segment.population === 0 ? excitatory : neurons)).toBe(true);
      next = end;
      sum += segment.size;
      local += 16 * Math.ceil(segment.size / 16);
    }
    expect([size, capacity]).toEqual([sum, local]);
  }
  expect(next).toBe(neurons);
}

describe("cutting a network", () => {
  it("puts every neuron into exactly one segment, at multiples of 16", () => {
    fc.assert(
      fc.property(network, fc.integer({ min: 1, max: 40 }), ({ neurons, excitatory }, parts) => {
        const shards = cut(populationsOf(neurons, excitatory), parts);
        expect(shards.length).toBe(parts);
        check(shards, neurons, excitatory);
        const capacities = shards.map(({ capacity }) => capacity);
        expect(Math.max(...capacities) - Math.min(...capacities)).toBeLessThanOrEqual(16);
      }),
    );
  });

  it("splits at the border of the populations", () => {
    expect(cut(populationsOf(40, 20), 1)[0]).toEqual({
      segments: [
        { population: 0, firstInPopulation: 0, firstGlobal: 0, size: 20, firstLocal: 0 },
        { population: 1, firstInPopulation: 0, firstGlobal: 20, size: 20, firstLocal: 32 },
      ],
      size: 40,
      capacity: 64,
    });
  });
});

describe("the shards of workers", () => {
  it("keep to the largest size asked for, for any number of workers", () => {
    fc.assert(
      fc.property(
        network,
        fc.integer({ min: 1, max: 20 }),
        fc.option(
          fc.integer({ min: 1, max: 12 }).map((blocks) => 16 * blocks),
          { nil: undefined },
        ),
        ({ neurons, excitatory }, workers, shardNeurons) => {
          const options = { bytesPerNeuron: 1000, bytesFixed: 0, shardNeurons };
          const shards = partition(populationsOf(neurons, excitatory), workers, options);
          expect(shards.length).toBe(workers);
          expect(new Set(shards.map((own) => own.length)).size).toBe(1);
          check(shards.flat(), neurons, excitatory);
          for (const { capacity } of shards.flat()) expect(capacity).toBeLessThanOrEqual(shardNeurons ?? largestShard);
        },
      ),
      {
        // Populations that end inside a block: padding counts too.
        examples: [
          [{ neurons: 200, excitatory: 100 }, 1, 16],
          [{ neurons: 40, excitatory: 20 }, 1, 48],
        ],
      },
    );
  });

  it("are as few as local indices of 16 bits allow", () => {
    const [shards] = partition(populationsOf(200_000, 100_000), 1, { bytesPerNeuron: 100, bytesFixed: 0 });
    expect(shards.length).toBe(4);
    expect(Math.max(...shards.map(({ capacity }) => capacity))).toBeLessThanOrEqual(largestShard);
  });

  it("fit one WebAssembly memory each", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20_000, max: 300_000 }),
        fc.integer({ min: 1000, max: 5_000_000 }),
        fc.integer({ min: 0, max: 1e8 }),
        fc.integer({ min: 1, max: 8 }),
        (neurons, bytesPerNeuron, bytesFixed, workers) => {
          const shards = partition(populationsOf(neurons, neurons >> 1), workers, { bytesPerNeuron, bytesFixed });
          for (const { capacity } of shards.flat()) {
            expect(bytesFixed + capacity * bytesPerNeuron).toBeLessThanOrEqual(largestMemory);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it("of memories that can hold no neuron are the smallest there are", () => {
    const shards = partition(populationsOf(100, 50), 2, { bytesPerNeuron: 1e10, bytesFixed: 0 });
    expect(Math.max(...shards.flat().map(({ capacity }) => capacity))).toBe(16);
  });
});
