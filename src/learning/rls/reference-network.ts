/**
 * The network of the float64 twin (reference.ts): who projects to whom, how strongly, and every constant per neuron.
 *
 * Built from an `RlsSpec` and any `RandomSource`, so that the network of the golden runs can be rebuilt too.
 */
import { initialP } from "../../kernels/rls/reference.ts";
import { type ResolvedModel, resolveModel } from "../../model/index.ts";
import { fixedInDegree, fixedOutDegree, type PlasticRule, type StaticRule } from "../../network/connectivity.ts";
import type { RandomSource } from "../../random/streams.ts";
import { type RlsSpec, valueAt } from "./spec.ts";
import { trainedNeurons } from "./trained.ts";

/** Plastic synapses that leave one source: positions of trained neurons, and the slot of the weight in each. */
export interface PlasticOutputs {
  readonly trained: number[];
  readonly slots: number[];
}

export interface ReferenceNetwork {
  readonly model: ResolvedModel;
  /** One value per neuron. */
  readonly drive: Float64Array;
  readonly tauExcMs: Float64Array;
  readonly tauInhMs: Float64Array;
  readonly tauPlasticMs: Float64Array;
  /** Noise of one step: sigma sqrt(dt/tau) on the voltage, sigma sqrt(tau/dt) in the current. */
  readonly noiseStep: Float64Array;
  /** By source. Empty without a static network. */
  readonly staticOutputs: readonly { readonly targets: Uint32Array; readonly weights: ArrayLike<number> }[];
  /** Global index of every trained neuron. What follows has one entry for each of them. */
  readonly trained: Uint32Array;
  /** Sources, in the order feed-forward, E, I; feed-forward neuron x is source N + x. */
  readonly inputs: readonly Uint32Array[];
  /** By source. */
  readonly outputs: readonly PlasticOutputs[];
  readonly weights: readonly Float64Array[];
  /** Smallest and largest weight by slot. */
  readonly bounds: readonly (readonly [low: number, high: number])[];
  /** P before any sample, M x M. */
  initialP(trained: number): Float64Array;
}

/** A user's rules in place of the built-in ones: the functions themselves, where an `RlsSpec` names modules. */
export interface ReferenceRules {
  readonly static?: StaticRule;
  readonly plastic?: PlasticRule;
}

/** @param pool only these neurons may be presynaptic (default: all) */
export function buildReferenceNetwork(
  spec: RlsSpec,
  random: RandomSource,
  rules: ReferenceRules = {},
  pool?: Uint32Array,
): ReferenceNetwork {
  const { neurons: N, excitatory: Ne, synapses, learning } = spec;
  const { dtMs } = spec.timing;
  const model = resolveModel(spec.model, N);
  const tauMem = model.parameters.tauMemMs ?? 10;
  const forAll = (value: (i: number) => number) => Float64Array.from({ length: N }, (_, i) => value(i));
  const tauMean = forAll((i) => valueAt(tauMem, i)).reduce((sum, tau) => sum + tau, 0) / N;

  const K = spec.static?.K ?? 0;
  const g = spec.static?.g ?? 1;
  const staticContext = { random, neurons: N, excitatory: Ne, K };
  // je = ji = 2 g tau / sqrt(K); weights are named (to, from).
  const j = (2 * g * tauMean) / Math.sqrt(K);
  const { EE, IE, EI, II } = spec.static?.weights ?? { EE: 0, IE: 0, EI: 0, II: 0 };
  const staticOutputs = Array.from({ length: spec.static ? N : 0 }, (_, source) => {
    const chosen = (rules.static ?? fixedOutDegree)(source, staticContext);
    if (!(chosen instanceof Uint32Array)) return chosen;
    const [toE, toI] = source < Ne ? [EE * j, IE * j] : [EI * j, II * j];
    return { targets: chosen, weights: Float64Array.from(chosen, (target) => (target < Ne ? toE : toI)) };
  });

  const L = spec.plastic.inputsPerType;
  const X = spec.feedforward?.size ?? 0;
  const M = X + 2 * L;
  const trained = trainedNeurons(spec);
  const candidates = pool ?? Uint32Array.from({ length: N }, (_, i) => i);
  const plasticContext = {
    random,
    excitatoryPool: candidates.filter((i) => i < Ne),
    inhibitoryPool: candidates.filter((i) => i >= Ne),
    inputsPerType: L,
  };
  const feedforward = Array.from({ length: X }, (_, x) => N + x);
  const inputs = Array.from(trained, (neuron) =>
    Uint32Array.from([...feedforward, ...(rules.plastic ?? fixedInDegree)(neuron, plasticContext)]),
  );
  const outputs: PlasticOutputs[] = Array.from({ length: N + X }, () => ({ trained: [], slots: [] }));
  inputs.forEach((sources, t) => {
    sources.forEach((source, slot) => {
      outputs[source].trained.push(t);
      outputs[source].slots.push(slot);
    });
  });

  // Feed-forward, E, I.
  const signs = Int8Array.from({ length: M }, (_, slot) => (slot < X ? 0 : slot < X + L ? 1 : -1));
  const w0 = (spec.plastic.weightScale * 2 * g * tauMean) / (2 * Math.sqrt(L));
  const initial = { "0": spec.feedforward?.initialWeight ?? 0, "1": w0, "-1": -w0 * spec.plastic.inhibitoryScale };
  const bound = learning.maxWeight;

  return {
    model,
    drive: forAll((i) => (i < Ne ? valueAt(spec.drive.excitatory, i) : valueAt(spec.drive.inhibitory, i - Ne))),
    tauExcMs: forAll((i) => valueAt(synapses.tauExcMs, i)),
    tauInhMs: forAll((i) => valueAt(synapses.tauInhMs, i)),
    tauPlasticMs: forAll((i) => valueAt(synapses.tauPlasticMs, i)),
    noiseStep: forAll((i) => {
      const ratio = dtMs / valueAt(tauMem, i);
      return valueAt(spec.noise.sigma, i) * Math.sqrt(spec.noise.model === "voltage" ? ratio : 1 / ratio);
    }),
    staticOutputs,
    trained,
    inputs,
    outputs,
    weights: inputs.map(() => Float64Array.from(signs, (sign) => initial[`${sign as 0 | 1 | -1}`])),
    bounds: Array.from(signs, (sign) => [
      learning.dale && sign > 0 ? 0 : -bound,
      learning.dale && sign < 0 ? 0 : bound,
    ]),
    initialP(t) {
      const lambda = valueAt(learning.lambda, t);
      const element = initialP(signs, lambda, learning.lambdaFeedforward, learning.mu);
      return Float64Array.from({ length: M * M }, (_, at) => element(Math.floor(at / M), at % M));
    },
  };
}
