/**
 * Deep rewiring: a sparse projection that learns where its synapses are (Bellec, Kappel, Maass & Legenstein, ICLR 2018;
 * in the form of mlGeNN). Every synapse has a fixed sign. An L1 term added to the gradient pulls weights towards 0; a
 * synapse whose weight has crossed 0 is removed, and as many are created at random free places with weight 0, so their
 * number is constant. After every optimiser step:
 *
 *   addSparsityPressure(projection, l1, gradient);
 *   optimiser.step(...);
 *   const { origin } = rewire(projection, random, stream);
 *   optimiser.reorder(group, origin);
 */
import { UserError } from "../../base/errors.ts";
import type { RandomSource } from "../../random/streams.ts";

/** A sparse projection in rows of presynaptic neurons. Arrays of synapses have one length; rewiring rewrites them. */
export interface RewirableProjection {
  readonly pre: number;
  readonly post: number;
  /** Synapses of presynaptic neuron i are those from rowStarts[i] to rowStarts[i+1]-1; [pre + 1]. */
  readonly rowStarts: Uint32Array;
  /** Postsynaptic neuron of every synapse, ascending within a row. */
  readonly targets: Uint32Array;
  readonly weights: Float32Array;
  /** 1 or -1 for every synapse. */
  readonly signs: Int8Array;
  /** Dale's law: 1 or -1 for every presynaptic neuron, taken by new synapses. Absent: they draw theirs, half and half. */
  readonly signOfPre?: Int8Array;
  /** No synapse from a neuron to itself: presynaptic neuron i is postsynaptic neuron `firstPre` + i. Default false. */
  readonly noAutapses?: boolean;
  /** Default 0. */
  readonly firstPre?: number;
}

export interface Rewired {
  /** Synapses removed, and created. */
  readonly count: number;
  /** Where the synapse at every place was before; -1 for a new one. */
  readonly origin: Int32Array;
}

/** The gradient of strength sum |w|, each weight taken to have its synapse's sign; the default strength is mlGeNN's. */
export function addSparsityPressure(projection: RewirableProjection, gradient: Float32Array, strength = 0.01): void {
  const { signs } = projection;
  for (let i = 0; i < signs.length; i++) gradient[i] += strength * signs[i];
}

/**
 * Removes synapses whose weight has changed its sign and creates as many at places chosen uniformly among all that are
 * then free, those of removed synapses included.
 * @param stream of `random`; another one at every call
 * @throws UserError if more than 2^32 places are free
 */
export function rewire(projection: RewirableProjection, random: RandomSource, stream: number): Rewired {
  const { pre, post, weights, signs } = projection;
  const synapses = weights.length;
  const kept: number[] = [];
  for (let i = 0; i < synapses; i++) if (!(weights[i] * signs[i] < 0)) kept.push(i);
  const count = synapses - kept.length;
  const origin = Int32Array.from(kept);
  if (count === 0) return { count, origin };

  const places = placesOf(projection);
  const keptPlaces = Float64Array.from(kept, (i) => places[i]);
  const taken = projection.noAutapses ? withDiagonal(keptPlaces, projection) : keptPlaces;
  const free = pre * post - taken.length;
  if (free >= 2 ** 32) {
    throw new UserError(
      `a projection of ${pre} x ${post} places is too large to be rewired; 2^32 free ones are allowed`,
    );
  }
  const created = unrank(Float64Array.from(random.sample(stream, free, count)).sort(), taken);
  const chance = new Float64Array(count);
  if (projection.signOfPre === undefined) random.uniform(stream, 0, chance);
  return { count, origin: merge(projection, keptPlaces, origin, created, chance) };
}

/** Places are numbered row by row: pre * (number of post) + post. Ascending. */
function placesOf({ pre, post, rowStarts, targets }: RewirableProjection): Float64Array {
  const places = new Float64Array(targets.length);
  for (let row = 0; row < pre; row++) {
    for (let i = rowStarts[row]; i < rowStarts[row + 1]; i++) places[i] = row * post + targets[i];
  }
  return places;
}

/** Ascending places, together with those of a neuron to itself. */
function withDiagonal(places: Float64Array, { pre, post, firstPre = 0 }: RewirableProjection): Float64Array {
  const all = new Set(places);
  for (let i = 0; i < Math.min(pre, post - firstPre); i++) all.add(i * post + firstPre + i);
  return Float64Array.from(all).sort();
}

/** The free places with the given ranks among all free places; ranks and taken places ascend. */
function unrank(ranks: Float64Array, taken: Float64Array): Float64Array {
  let before = 0;
  return ranks.map((rank) => {
    // Each taken place at or before the wanted one moves it one further.
    while (before < taken.length && taken[before] <= rank + before) before++;
    return rank + before;
  });
}

/** Writes kept and created synapses to the projection in ascending order of their places. @returns their origin */
function merge(
  { pre, post, rowStarts, targets, weights, signs, signOfPre }: RewirableProjection,
  keptPlaces: Float64Array,
  kept: Int32Array,
  created: Float64Array,
  chance: Float64Array,
): Int32Array {
  const oldWeights = weights.slice();
  const oldSigns = signs.slice();
  const origin = new Int32Array(weights.length);
  rowStarts.fill(0);
  let k = 0;
  let c = 0;
  for (let i = 0; i < origin.length; i++) {
    const isKept = c === created.length || (k < kept.length && keptPlaces[k] < created[c]);
    const place = isKept ? keptPlaces[k] : created[c];
    const row = Math.floor(place / post);
    rowStarts[row + 1]++;
    targets[i] = place - row * post;
    if (isKept) {
      origin[i] = kept[k++];
      weights[i] = oldWeights[origin[i]];
      signs[i] = oldSigns[origin[i]];
    } else {
      origin[i] = -1;
      weights[i] = 0;
      signs[i] = signOfPre?.[row] ?? (chance[c] < 0.5 ? 1 : -1);
      c++;
    }
  }
  for (let row = 0; row < pre; row++) rowStarts[row + 1] += rowStarts[row];
  return origin;
}
