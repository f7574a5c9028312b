/**
 * The connections of a projection as its target neurons see them, whatever their kind. Neurons that share their weights
 * (the positions of one filter) are one *unit*: they have one set of weights, so what holds for a neuron elsewhere holds
 * for a unit on average.
 */
import type { SharedRows } from "../../network/shared-rows.ts";
import {
  connectionCount,
  type GradientNetwork,
  isShared,
  type ProjectionSpec,
  sourceSize,
  synapseCount,
} from "../gradient/spec.ts";

/** Whether it goes back to a population that is computed earlier in the step, or to its own. */
export const isRecurrent = ({ source, target }: ProjectionSpec): boolean => source !== "input" && source >= target;

/** Synapses per target neuron: of sparse connections on average, of a convolution where its kernel lies wholly inside. */
export function fanIn(network: GradientNetwork, projection: ProjectionSpec): number {
  const { connectivity } = projection;
  const targets = network.populations[projection.target].size;
  if (connectivity === "dense") return sourceSize(network, projection);
  if (!isShared(connectivity)) return Math.max(1, connectivity.targets.length / targets);
  const blocks = new Uint32Array(targets);
  for (const first of connectivity.firstTargets) blocks[first]++;
  return blocks.reduce((most, count) => Math.max(most, count), 1);
}

/** Synapses per source neuron, on average. */
export function fanOut(network: GradientNetwork, projection: ProjectionSpec): number {
  return Math.max(1, connectionCount(network, projection) / sourceSize(network, projection));
}

/** Calls `visit(weight, source, target)` for every synapse. */
export function forSynapses(
  network: GradientNetwork,
  projection: ProjectionSpec,
  visit: (weight: number, source: number, target: number) => void,
): void {
  const { connectivity } = projection;
  const sources = sourceSize(network, projection);
  const { size } = network.populations[projection.target];
  for (let i = 0; i < sources; i++) {
    if (connectivity === "dense") {
      for (let j = 0; j < size; j++) visit(i * size + j, i, j);
      continue;
    }
    for (let at = connectivity.offsets[i]; at < connectivity.offsets[i + 1]; at++) {
      if (!isShared(connectivity)) visit(at, i, connectivity.targets[at]);
      else {
        const { width, weightRows, firstTargets } = connectivity;
        for (let c = 0; c < width; c++) visit(weightRows[at] * width + c, i, firstTargets[at] + c);
      }
    }
  }
}

/** What signs belong to: the source of every weight; of shared weights, the row. */
export function rowsOfWeights(network: GradientNetwork, projection: ProjectionSpec): Uint32Array {
  const { connectivity } = projection;
  const rows = new Uint32Array(synapseCount(network, projection));
  if (isShared(connectivity)) {
    for (let w = 0; w < rows.length; w++) rows[w] = Math.floor(w / connectivity.width);
  } else {
    forSynapses(network, projection, (weight, source) => {
      rows[weight] = source;
    });
  }
  return rows;
}

/** Groups of rows that reach the same targets: the rows of a group are one filter bank. */
function groupsOfRows({ rows, weightRows, firstTargets }: SharedRows): { count: number; of: Uint32Array } {
  const parent = Uint32Array.from({ length: rows }, (_, row) => row);
  const rootOf = (row: number): number => {
    let root = row;
    while (parent[root] !== root) root = parent[root];
    while (parent[row] !== root) [row, parent[row]] = [parent[row], root];
    return root;
  };
  const reachedBy = new Map<number, number>();
  for (const [block, row] of weightRows.entries()) {
    const other = reachedBy.get(firstTargets[block]);
    if (other === undefined) reachedBy.set(firstTargets[block], row);
    else parent[rootOf(row)] = rootOf(other);
  }
  const numbers = new Map<number, number>();
  const of = Uint32Array.from({ length: rows }, (_, row) => {
    const root = rootOf(row);
    const number = numbers.get(root) ?? numbers.size;
    numbers.set(root, number);
    return number;
  });
  return { count: numbers.size, of };
}

/** Which units there are among the targets of a projection, and to which of them every weight belongs. */
export interface Units {
  readonly count: number;
  /** By weight. */
  readonly ofWeight: Uint32Array;
  /** By target neuron; a neuron that nothing reaches belongs to none (`noUnit`). */
  readonly ofNeuron: Uint32Array;
  /** Neurons of each unit. */
  readonly sizes: Uint32Array;
}

export const noUnit = 2 ** 32 - 1;

export function unitsOf(network: GradientNetwork, projection: ProjectionSpec): Units {
  const { connectivity } = projection;
  const { size } = network.populations[projection.target];
  const ofWeight = new Uint32Array(synapseCount(network, projection));
  if (!isShared(connectivity)) {
    forSynapses(network, projection, (weight, _, target) => {
      ofWeight[weight] = target;
    });
    return { count: size, ofWeight, ofNeuron: Uint32Array.from({ length: size }, (_, j) => j), sizes: ones(size) };
  }
  const { width } = connectivity;
  const groups = groupsOfRows(connectivity);
  for (let w = 0; w < ofWeight.length; w++) ofWeight[w] = groups.of[Math.floor(w / width)] * width + (w % width);
  const ofNeuron = new Uint32Array(size).fill(noUnit);
  forSynapses(network, projection, (weight, _, target) => {
    ofNeuron[target] = ofWeight[weight];
  });
  const sizes = new Uint32Array(groups.count * width);
  for (const unit of ofNeuron) if (unit !== noUnit) sizes[unit]++;
  return { count: sizes.length, ofWeight, ofNeuron, sizes };
}

const ones = (count: number): Uint32Array => new Uint32Array(count).fill(1);

/** Mean over the neurons of each unit. */
export function meanOverUnits({ count, ofNeuron, sizes }: Units, values: ArrayLike<number>): Float64Array {
  const means = new Float64Array(count);
  for (const [j, unit] of ofNeuron.entries()) if (unit !== noUnit) means[unit] += values[j] / sizes[unit];
  return means;
}

/**
 * What arrives through every weight at a neuron of its unit, on average: the rate of its source; of shared weights the sum
 * over the sources that use it, by neuron of the unit.
 * @param ratesHz one for all sources, or one each
 */
export function driveOf(
  network: GradientNetwork,
  projection: ProjectionSpec,
  { ofWeight, sizes }: Units,
  ratesHz: number | ArrayLike<number>,
): Float64Array {
  const drive = new Float64Array(ofWeight.length);
  forSynapses(network, projection, (weight, source) => {
    drive[weight] += (typeof ratesHz === "number" ? ratesHz : ratesHz[source]) / sizes[ofWeight[weight]];
  });
  return drive;
}
