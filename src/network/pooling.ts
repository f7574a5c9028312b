/**
 * Pooling. Sums and averages take no neurons of their own: what sees a pooled layer is connected to the neurons below,
 * all those of a window through the same weights. Only the maximum, whether any neuron of a window spikes, needs neurons.
 */
import { checkBlocks, type SpaceWindow, windowBlocks, windowedShape } from "./convolution.ts";
import { channelsOf, type Shape, sizeOf } from "./shape.ts";
import type { SharedRows } from "./shared-rows.ts";

/** Targets of source i are `targets[offsets[i]]` .. `targets[offsets[i + 1] - 1]`. */
export interface SourceRows {
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
}

/** Every source to every target: a row of weights each. */
export function fullRows(sources: number, targets: number): SharedRows {
  return {
    width: targets,
    rows: sources,
    offsets: Uint32Array.from({ length: sources + 1 }, (_, i) => i),
    weightRows: Uint32Array.from({ length: sources }, (_, i) => i),
    firstTargets: new Uint32Array(sources),
  };
}

/**
 * Neurons as the next layer sees them: as they are, or gathered into fewer places by pooling. A place of the shape sums
 * the spikes of the neurons that reach it, and counts each `gain` times.
 */
export interface Gathered {
  readonly shape: Shape;
  readonly gain: number;
  /** Places that each neuron reaches; null: its own. */
  readonly places: SourceRows | null;
}

export const asTheyAre = (shape: Shape): Gathered => ({ shape, gain: 1, places: null });

/** The same neurons in a line, without neighbours. */
export const flattened = (from: Gathered): Gathered => ({ ...from, shape: [sizeOf(from.shape)] });

/** Who lies in which window, channel by channel. */
function poolingRows(shape: Shape, window: SpaceWindow, path: string): SourceRows {
  const channels = channelsOf(shape);
  const blocks = windowBlocks(shape, windowedShape(shape, window, channels, path), window, path);
  const targets = new Uint32Array(blocks.count);
  const offsets = blocks.walk((block, channel, position) => {
    targets[block] = position * channels + channel;
  });
  return { offsets, targets };
}

/** Where the entries of every source begin when it goes on to all those of the places that it reaches. */
function composedOffsets(first: SourceRows, second: Uint32Array, path: string): Uint32Array {
  const sources = first.offsets.length - 1;
  const offsets = new Uint32Array(sources + 1);
  let count = 0;
  for (let source = 0; source < sources; source++) {
    for (let a = first.offsets[source]; a < first.offsets[source + 1]; a++) {
      count += second[first.targets[a] + 1] - second[first.targets[a]];
    }
    offsets[source + 1] = count;
  }
  checkBlocks(count, path);
  return offsets;
}

/** What `first` reaches, and from there `second`; a target reached on two ways is there twice. */
function compose(first: SourceRows, second: SourceRows, path: string): SourceRows {
  const offsets = composedOffsets(first, second.offsets, path);
  const targets = new Uint32Array(offsets[offsets.length - 1]);
  let at = 0;
  for (const middle of first.targets) {
    for (let b = second.offsets[middle]; b < second.offsets[middle + 1]; b++) targets[at++] = second.targets[b];
  }
  return { offsets, targets };
}

/** Sum or average pooling: sources gathered into windows. */
export function gather(from: Gathered, window: SpaceWindow, method: "sum" | "average", path: string): Gathered {
  const rows = poolingRows(from.shape, window, path);
  return {
    shape: windowedShape(from.shape, window, channelsOf(from.shape), path),
    gain: method === "sum" ? from.gain : from.gain / sizeOf(window.kernel),
    places: from.places === null ? rows : compose(from.places, rows, path),
  };
}

/** Max pooling: every neuron to the windows that it lies in, each once, ascending. */
export function poolingConnections(from: Gathered, window: SpaceWindow, path: string): SourceRows {
  const rows = poolingRows(from.shape, window, path);
  if (from.places === null) return rows;
  const { offsets: given, targets: doubled } = compose(from.places, rows, path);
  const offsets = new Uint32Array(given.length);
  const targets = new Uint32Array(doubled.length);
  let at = 0;
  for (let source = 0; source + 1 < given.length; source++) {
    const own = new Set(doubled.slice(given[source], given[source + 1]).sort());
    for (const target of own) targets[at++] = target;
    offsets[source + 1] = at;
  }
  return { offsets, targets: targets.slice(0, at) };
}

/** Connections from the places of gathered neurons, as connections from these neurons. */
export function fromGathered({ places }: Gathered, rows: SharedRows, path: string): SharedRows {
  if (places === null) return rows;
  const offsets = composedOffsets(places, rows.offsets, path);
  const count = offsets[offsets.length - 1];
  const weightRows = new Uint32Array(count);
  const firstTargets = new Uint32Array(count);
  let at = 0;
  for (const place of places.targets) {
    const [from, to] = [rows.offsets[place], rows.offsets[place + 1]];
    weightRows.set(rows.weightRows.subarray(from, to), at);
    firstTargets.set(rows.firstTargets.subarray(from, to), at);
    at += to - from;
  }
  return { width: rows.width, rows: rows.rows, offsets, weightRows, firstTargets };
}
