/** Which neurons a trained neuron hears, by what weights it starts, and a digest to recognise a network by. */
import { UserError } from "../../base/errors.ts";
import { checkIndices, fixedInDegree, loadRule, type PlasticRule } from "../../network/connectivity.ts";
import type { RandomSource } from "../../random/streams.ts";
import { type CompiledNetwork, meanTauMem } from "./compile.ts";

/**
 * Chooses the plastic inputs of a neuron: feed-forward, E, I.
 *
 * @param pool neurons that may be presynaptic; null for all
 * @throws UserError when the pool is too small, or a user's rule returns something else than was asked for
 */
export async function plasticInputs(
  { spec, inputs }: CompiledNetwork,
  random: RandomSource,
  pool: Uint32Array | null,
): Promise<(neuron: number) => Uint32Array> {
  const { inputsPerType, rule } = spec.plastic;
  const choose = rule ? await loadRule<PlasticRule>(rule) : fixedInDegree;
  const all = pool ?? Uint32Array.from({ length: spec.neurons }, (_, i) => i);
  const context = {
    random,
    excitatoryPool: all.filter((i) => i < spec.excitatory),
    inhibitoryPool: all.filter((i) => i >= spec.excitatory),
    inputsPerType,
  };
  checkPool("excitatory", context.excitatoryPool, inputsPerType);
  checkPool("inhibitory", context.inhibitoryPool, inputsPerType);
  const feedforward = Uint32Array.from({ length: inputs - 2 * inputsPerType }, (_, x) => spec.neurons + x);
  return (neuron) => {
    const chosen = choose(neuron, context);
    if (rule) checkIndices(chosen, spec.neurons, 2 * inputsPerType, `the plastic rule's answer for neuron ${neuron}`);
    const sources = new Uint32Array(inputs);
    sources.set(feedforward);
    sources.set(chosen, feedforward.length);
    return sources;
  };
}

function checkPool(type: string, pool: Uint32Array, needed: number): void {
  if (pool.length >= needed) return;
  throw new UserError(
    `each neuron needs ${needed} different ${type} inputs, but only ${pool.length} ${type} neurons may be presynaptic; ` +
      "lower plastic.inputsPerType, raise plastic.activeFraction or take more neurons",
  );
}

/** +-weightScale 2 g tauMem / (2 sqrt(L)) by type of source; feed-forward inputs have a value of their own. */
export function initialWeights({ spec, model, inputs }: CompiledNetwork): Float32Array {
  const { inputsPerType, weightScale, inhibitoryScale } = spec.plastic;
  const first = inputs - 2 * inputsPerType;
  const unit = (weightScale * 2 * (spec.static?.g ?? 1) * meanTauMem(model)) / (2 * Math.sqrt(inputsPerType));
  return Float32Array.from({ length: inputs }, (_, slot) =>
    slot < first
      ? (spec.feedforward?.initialWeight ?? 0)
      : slot < first + inputsPerType
        ? unit
        : -unit * inhibitoryScale,
  );
}

/** Two 32-bit sums over neurons of a hash of each neuron's inputs: independent of how neurons are spread. */
export function addToDigest(digest: [number, number], neuron: number, sources: Uint32Array): void {
  let hash = 0x811c9dc5 ^ neuron;
  let other = Math.imul(neuron, 0x9e3779b1);
  for (const source of sources) {
    hash = Math.imul(hash ^ source, 0x01000193);
    other = Math.imul(other + source, 0x85ebca6b) ^ (other >>> 13);
  }
  digest[0] = (digest[0] + hash) >>> 0;
  digest[1] = (digest[1] + other) >>> 0;
}
