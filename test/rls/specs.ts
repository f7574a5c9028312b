/** Specifications of small RLS networks for tests: 200 neurons, 16 inputs of each type, 8 updates in 1000 steps. */
import type { RlsSettings, RlsSpec } from "../../src/learning/rls/spec.ts";

/** The fields of a specification that a test changes; of nested records only what it names. */
export interface Changes extends Partial<Omit<RlsSpec, "learning" | "plastic" | "timing">> {
  readonly learning?: Partial<RlsSettings>;
  readonly plastic?: Partial<RlsSpec["plastic"]>;
  readonly timing?: Partial<RlsSpec["timing"]>;
}

const common: RlsSpec = {
  seed: 11,
  neurons: 200,
  excitatory: 100,
  timing: { dtMs: 0.1, stimulusOnMs: 10, stimulusOffMs: 20, trainMs: 80, learnEveryMs: 10 },
  model: { type: "LIF", parameters: {} },
  synapses: { tauExcMs: 3, tauInhMs: 3, tauPlasticMs: 150 },
  drive: { excitatory: 0, inhibitory: 0 },
  static: null,
  plastic: { inputsPerType: 16, weightScale: 1, inhibitoryScale: 1, activeFraction: 1, trained: "all" },
  feedforward: null,
  noise: { model: "voltage", sigma: 0.65 },
  stimulus: { tauMs: 20, sigma: 0.2 },
  tasks: 1,
  learning: {
    lambda: 0.04,
    lambdaFeedforward: 1,
    mu: 0,
    forgetting: 1,
    precision: "f32",
    block: 1,
    window: 0,
    compat: "none",
    dale: false,
    maxWeight: Number.POSITIVE_INFINITY,
  },
  correlationWindowMs: 20,
};

/** Neurons that noise makes fire; all recurrent synapses are plastic. */
export function noiseNet({ learning, plastic, timing, ...changes }: Changes = {}): RlsSpec {
  return {
    ...common,
    ...changes,
    learning: { ...common.learning, ...learning },
    plastic: { ...common.plastic, ...plastic },
    timing: { ...common.timing, ...timing },
  };
}

/** Neurons that fixed random E and I synapses make fire (K 20, drive as for jx = 0.12 g sqrt(K)). */
export function staticNet(changes: Changes = {}): RlsSpec {
  const jx = 0.12 * Math.sqrt(20);
  return noiseNet({
    static: { K: 20, g: 1, weights: { EE: 0.15, IE: 1, EI: -0.75, II: -1 } },
    drive: { excitatory: 1.5 * jx, inhibitory: jx },
    noise: { model: "voltage", sigma: 0 },
    ...changes,
    learning: { lambda: 0.8, mu: 0.01, ...changes.learning },
  });
}
