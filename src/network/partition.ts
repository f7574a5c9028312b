/**
 * How neurons are spread: over workers, and within a worker over shards.
 *
 * Neurons are numbered population after population (first E, then I). A shard holds a contiguous range of them, cut into
 * *segments*: the part of each population inside. Segments start at multiples of 16 within their population, because
 * noise comes in blocks of 16 neurons, and occupy local indices padded to multiples of 16. Nothing that is computed
 * depends on where the cuts are.
 */
export interface Population {
  /** Global index of its first neuron. */
  readonly first: number;
  readonly size: number;
  readonly excitatory: boolean;
}

export interface Segment {
  /** Index of the population. */
  readonly population: number;
  /** Index of the first neuron within the population; a multiple of 16. */
  readonly firstInPopulation: number;
  readonly firstGlobal: number;
  readonly size: number;
  /** Local index of the first neuron in its shard; a multiple of 16. */
  readonly firstLocal: number;
}

export interface ShardRange {
  readonly segments: readonly Segment[];
  /** Neurons. */
  readonly size: number;
  /** Local indices in use, padding included: the length of every array of the shard. */
  readonly capacity: number;
}

/** Local indices are 16 bits. */
export const largestShard = 65536;
const block = 16;

export function populationsOf(neurons: number, excitatory: number): Population[] {
  return [
    { first: 0, size: excitatory, excitatory: true },
    { first: excitatory, size: neurons - excitatory, excitatory: false },
  ];
}

/** Cuts [0, neurons) into `parts` ranges of blocks as equal as can be. */
export function cut(populations: readonly Population[], parts: number): ShardRange[] {
  const blocks = populations.flatMap((population, index) =>
    Array.from({ length: Math.ceil(population.size / block) }, (_, b) => ({ index, b })),
  );
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((blocks.length * part) / parts);
    const to = Math.floor((blocks.length * (part + 1)) / parts);
    const segments: Segment[] = [];
    let firstLocal = 0;
    for (let at = from; at < to; ) {
      const { index, b } = blocks[at];
      let end = at;
      while (end < to && blocks[end].index === index) end++;
      const { first, size: populationSize } = populations[index];
      const firstInPopulation = b * block;
      const size = Math.min(populationSize - firstInPopulation, (end - at) * block);
      segments.push({ population: index, firstInPopulation, firstGlobal: first + firstInPopulation, size, firstLocal });
      firstLocal += (end - at) * block;
      at = end;
    }
    const size = segments.reduce((n, segment) => n + segment.size, 0);
    return { segments, size, capacity: firstLocal };
  });
}

/**
 * Shards of every worker: `[worker][shard]`. As few shards as local indices and `bytesPerNeuron` (against one
 * WebAssembly memory) allow, or with at most `shardNeurons` local indices each.
 */
export function partition(
  populations: readonly Population[],
  workers: number,
  options: { bytesPerNeuron: number; bytesFixed: number; shardNeurons?: number },
): ShardRange[][] {
  // Counted in blocks, padding included: what is cut is blocks.
  const blocks = populations.reduce((n, population) => n + Math.ceil(population.size / block), 0);
  const byMemory = Math.floor((largestMemory - options.bytesFixed) / options.bytesPerNeuron) - 2 * block;
  const most = Math.floor(Math.min(largestShard, options.shardNeurons ?? largestShard, byMemory) / block);
  const perWorker = Math.max(1, Math.ceil(blocks / workers / Math.max(1, most)));
  const shards = cut(populations, workers * perWorker);
  return Array.from({ length: workers }, (_, w) => shards.slice(w * perWorker, (w + 1) * perWorker));
}

/** Bytes that one WebAssembly memory is asked for at most; the limit is 4 GiB. */
export const largestMemory = 3.75 * 2 ** 30;
