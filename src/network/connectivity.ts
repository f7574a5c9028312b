/**
 * Who projects to whom: plain functions of a random source, so that any part of a network can be built anywhere.
 *
 * A user's own rule has the same signature as the built-in one and lives in a module of its own (`RuleModule`); workers
 * import it. A rule must depend on its arguments alone.
 */
import { UserError } from "../base/errors.ts";
import { type RandomSource, streamKind, streamOf } from "../random/streams.ts";

/** Targets of one neuron, distinct and in any order, with one weight for all by type or one for each. */
export type OutgoingSynapses = Uint32Array | { readonly targets: Uint32Array; readonly weights: Float32Array };

/** Static synapses: called once for every source neuron. */
export type StaticRule = (source: number, network: StaticRuleContext) => OutgoingSynapses;

export interface StaticRuleContext {
  readonly random: RandomSource;
  readonly neurons: number;
  readonly excitatory: number;
  /** K of the experiment: the built-in rule gives every neuron 2 K targets. */
  readonly K: number;
}

/** Plastic synapses: called once for every trained neuron; returns exactly `inputs` sources, E first, then I. */
export type PlasticRule = (neuron: number, network: PlasticRuleContext) => Uint32Array;

export interface PlasticRuleContext {
  readonly random: RandomSource;
  /** Neurons that may be presynaptic, ascending. */
  readonly excitatoryPool: Uint32Array;
  readonly inhibitoryPool: Uint32Array;
  /** L: sources wanted of each type. */
  readonly inputsPerType: number;
}

/** Every neuron projects to exactly 2 K distinct others, not to itself (TrainSpikingNet, Erdos-Renyi by out-degree). */
export const fixedOutDegree: StaticRule = (source, { random, neurons, K }) => {
  const targets = random.sample(streamOf(streamKind.static, source), neurons - 1, 2 * K);
  for (let i = 0; i < targets.length; i++) if (targets[i] >= source) targets[i]++;
  return targets;
};

/** L distinct E and L distinct I sources out of the pools; autapses possible. */
export const fixedInDegree: PlasticRule = (neuron, { random, excitatoryPool, inhibitoryPool, inputsPerType }) => {
  const sources = new Uint32Array(2 * inputsPerType);
  const choose = (kind: number, pool: Uint32Array, at: number) => {
    const chosen = random.sample(streamOf(kind, neuron), pool.length, inputsPerType);
    for (let i = 0; i < inputsPerType; i++) sources[at + i] = pool[chosen[i]];
  };
  choose(streamKind.plasticExcitatory, excitatoryPool, 0);
  choose(streamKind.plasticInhibitory, inhibitoryPool, inputsPerType);
  return sources;
};

/** The function that a user's module exports as a rule. */
export async function loadRule<Rule>(from: { module: string; export: string }): Promise<Rule> {
  const module = await import(/* @vite-ignore */ from.module).catch((cause: Error) => {
    throw new UserError(`the connectivity rule ${from.module} cannot be loaded: ${cause.message}`);
  });
  const rule = module[from.export];
  if (typeof rule !== "function") {
    throw new UserError(
      `${from.module} exports no function "${from.export}"; it exports ${Object.keys(module).join(", ") || "nothing"}`,
    );
  }
  return rule as Rule;
}

/** Checks what a user's rule returned: indices in range, as many as promised. */
export function checkIndices(indices: Uint32Array, limit: number, count: number | null, what: string): void {
  if (!(indices instanceof Uint32Array)) throw new UserError(`${what} must be a Uint32Array`);
  if (count !== null && indices.length !== count) {
    throw new UserError(`${what} has ${indices.length} entries, but ${count} are needed`);
  }
  for (const index of indices) {
    if (index >= limit) throw new UserError(`${what} contains neuron ${index}, but neurons go from 0 to ${limit - 1}`);
  }
}
