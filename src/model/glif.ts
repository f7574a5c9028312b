/**
 * The generalised leaky integrate-and-fire neurons of the Allen Institute.
 *
 * Teeter et al., Nat. Commun. 9:709 (2018), equations 1-7, here in the units of this project: voltages in units of
 * theta_inf - E_L and counted from E_L, currents as the voltage they cause at rest, R I / (theta_inf - E_L); time in ms.
 * With the time constants tauMem = R C, 1/k_j, 1/b_s, 1/b_v:
 *
 *   v   += (dt/tauMem) (rest + I + I_1 + I_2 - v)                       Euler, as in the authors' simulator
 *   I_j <- I_j exp(-dt/tauAfter_j)                                      after-spike currents (3, 4, 5)
 *   th_s <- th_s exp(-dt/tauThresholdSpike)                             spike component of the threshold (2, 4, 5)
 *   th_v <- th_v d + (1-d) coupling (v - rest), d = exp(-dt/tauThresholdVoltage)   voltage component (5)
 *   spike if v > threshold + th_s + th_v
 *   reset: v = reset (1, 3)  or  rest + resetFraction (v - rest) + resetAdd (2, 4, 5)
 *          I_j <- afterAdd_j + afterFraction_j I_j exp(-t_ref/tauAfter_j)
 *          th_s <- thresholdSpikeAdd + th_s exp(-t_ref/tauThresholdSpike)
 *
 * All right-hand sides use the states of the previous step. The states rest while the neuron is refractory (t_ref, whole
 * steps); the reset therefore contains the decay that happens meanwhile. `coupling` is a_v/b_v.
 * With the defaults GLIF1 is the LIF neuron. What the levels 2 to 5 add (reset rules, after-spike currents, moving
 * thresholds) has round placeholders as defaults: plausible in sign and size, but fitted to no neuron and taken from no
 * publication. For results about real neurons give values; `fromAllen` converts a neuron of the Allen Cell Types Database.
 */
import { exp } from "../expression/build.ts";
import type { Expression } from "../expression/node.ts";
import { type Constraint, defineModel, type Names, type ParameterDefinition } from "./define.ts";
import { refractoryMs, reset, resetBelowThreshold, tauMemMs, threshold } from "./lif.ts";

const source = "Teeter et al., Nat. Commun. 9:709 (2018)";
const unit = "threshold";

const membrane = {
  tauMemMs,
  rest: { unit, default: 0, doc: "resting voltage E_L" } satisfies ParameterDefinition,
  threshold: { ...threshold, doc: "threshold at rest, theta_inf" },
};

/** Defaults from here to `adaptation` are the placeholders named above. */
const spikeRules = {
  resetFraction: { unit: "1", default: 0.2, doc: "fraction f_v of v - rest that survives a spike" },
  resetAdd: { unit, default: 0, doc: "voltage added by the reset (-delta V)" },
  thresholdSpikeAdd: { unit, default: 0.05, doc: "rise of the threshold with each spike" },
  tauThresholdSpikeMs: { unit: "ms", default: 100, exclusiveMin: 0, doc: "decay of that rise (1/b_s)" },
} satisfies Record<string, ParameterDefinition>;

const afterSpikeCurrents = {
  afterAdd1: { unit, default: -0.05, doc: "slow after-spike current added by each spike" },
  afterAdd2: { unit, default: -0.5, doc: "fast after-spike current added by each spike" },
  afterFraction1: { unit: "1", default: 1, doc: "fraction of the slow current that survives a spike" },
  afterFraction2: { unit: "1", default: 1, doc: "fraction of the fast current that survives a spike" },
  tauAfter1Ms: { unit: "ms", default: 300, exclusiveMin: 0, doc: "decay of the slow current (1/k_1)" },
  tauAfter2Ms: { unit: "ms", default: 10, exclusiveMin: 0, doc: "decay of the fast current (1/k_2)" },
} satisfies Record<string, ParameterDefinition>;

const adaptation = {
  coupling: { unit: "1", default: 0.05, doc: "threshold change per voltage held (a_v/b_v)" },
  tauThresholdVoltageMs: { unit: "ms", default: 10, exclusiveMin: 0, doc: "its time constant (1/b_v)" },
} satisfies Record<string, ParameterDefinition>;

type Has<K extends string> = Names<K>;
type Clock = Has<"dtMs" | "refractorySteps">;

const decay = (duration: Expression, tau: Expression): Expression => exp(duration.negated().over(tau));
const pause = ({ dtMs, refractorySteps }: Clock): Expression => refractorySteps.times(dtMs);

const v = <K extends "reset" | "rest">(low: K) => ({
  unit,
  initial: (names: Names<K | "threshold">) =>
    ({ kind: "normal", mean: names[low], sd: names.threshold.minus(names[low]) }) as const,
  doc: "membrane voltage",
});
const thresholdSpike = { unit, initial: 0, doc: "rise of the threshold by past spikes" };
const thresholdVoltage = { unit, initial: 0, doc: "rise of the threshold by past voltage" };
const after1 = { unit, initial: 0, doc: "slow after-spike current" };
const after2 = { unit, initial: 0, doc: "fast after-spike current" };

function membraneStep({ v, rest, dtMs, tauMemMs }: Has<"v" | "rest" | "dtMs" | "tauMemMs">, current: Expression) {
  return v.plus(dtMs.over(tauMemMs).times(rest.plus(current).minus(v)));
}

type AfterNames = Has<"after1" | "after2" | keyof typeof afterSpikeCurrents> & Clock;

const afterStep = ({ after1, after2, tauAfter1Ms, tauAfter2Ms, dtMs }: AfterNames) => ({
  after1: after1.times(decay(dtMs, tauAfter1Ms)),
  after2: after2.times(decay(dtMs, tauAfter2Ms)),
});

const afterReset = (names: AfterNames) => ({
  after1: names.afterAdd1.plus(names.after1.times(names.afterFraction1.times(decay(pause(names), names.tauAfter1Ms)))),
  after2: names.afterAdd2.plus(names.after2.times(names.afterFraction2.times(decay(pause(names), names.tauAfter2Ms)))),
});

type RuleNames = Has<"v" | "rest" | "thresholdSpike" | keyof typeof spikeRules> & Clock;

const thresholdSpikeStep = ({ thresholdSpike, tauThresholdSpikeMs, dtMs }: RuleNames) =>
  thresholdSpike.times(decay(dtMs, tauThresholdSpikeMs));

const ruleReset = (names: RuleNames) => ({
  v: names.rest.plus(names.resetFraction.times(names.v.minus(names.rest))).plus(names.resetAdd),
  thresholdSpike: names.thresholdSpikeAdd.plus(
    names.thresholdSpike.times(decay(pause(names), names.tauThresholdSpikeMs)),
  ),
});

/** A spike at the resting threshold must leave the voltage below the raised threshold. */
const resetsBelow: Constraint<"rest" | "threshold" | keyof typeof spikeRules> = {
  holds: ({ rest, threshold, resetFraction, resetAdd, thresholdSpikeAdd }) =>
    rest
      .plus(resetFraction.times(threshold.minus(rest)))
      .plus(resetAdd)
      .lt(threshold.plus(thresholdSpikeAdd)),
  message:
    "rest + resetFraction (threshold - rest) + resetAdd must be below threshold + thresholdSpikeAdd, or the neuron fires for ever; lower resetFraction or resetAdd",
};

/** Leaky integrate-and-fire: LIF with a resting voltage. */
export const GLIF1 = defineModel({
  name: "GLIF1",
  description: "Generalised LIF, level 1: leaky integrate-and-fire.",
  source,
  parameters: { ...membrane, reset, refractoryMs },
  states: { v: v("reset") },
  step: (names) => ({ v: membraneStep(names, names.current) }),
  margin: ({ v, threshold }) => v.minus(threshold),
  reset: ({ reset }) => ({ v: reset }),
  constraints: [resetBelowThreshold],
});

/** With reset rules: the voltage after a spike depends on that before it, and each spike raises the threshold. */
export const GLIF2 = defineModel({
  name: "GLIF2",
  description: "Generalised LIF, level 2: with reset rules and a spike-dependent threshold (LIF-R).",
  source,
  parameters: { ...membrane, ...spikeRules, refractoryMs },
  states: { v: v("rest"), thresholdSpike },
  step: (names) => ({ v: membraneStep(names, names.current), thresholdSpike: thresholdSpikeStep(names) }),
  margin: ({ v, threshold, thresholdSpike }) => v.minus(threshold.plus(thresholdSpike)),
  reset: ruleReset,
  constraints: [resetsBelow],
});

/** With after-spike currents. */
export const GLIF3 = defineModel({
  name: "GLIF3",
  description: "Generalised LIF, level 3: with two after-spike currents (LIF-ASC).",
  source,
  parameters: { ...membrane, reset, ...afterSpikeCurrents, refractoryMs },
  states: { v: v("reset"), after1, after2 },
  step: (names) => ({
    v: membraneStep(names, names.current.plus(names.after1).plus(names.after2)),
    ...afterStep(names),
  }),
  margin: ({ v, threshold }) => v.minus(threshold),
  reset: (names) => ({ v: names.reset, ...afterReset(names) }),
  constraints: [resetBelowThreshold],
});

/** With reset rules and after-spike currents. */
export const GLIF4 = defineModel({
  name: "GLIF4",
  description: "Generalised LIF, level 4: with reset rules and after-spike currents (LIF-R-ASC).",
  source,
  parameters: { ...membrane, ...spikeRules, ...afterSpikeCurrents, refractoryMs },
  states: { v: v("rest"), thresholdSpike, after1, after2 },
  step: (names) => ({
    v: membraneStep(names, names.current.plus(names.after1).plus(names.after2)),
    thresholdSpike: thresholdSpikeStep(names),
    ...afterStep(names),
  }),
  margin: ({ v, threshold, thresholdSpike }) => v.minus(threshold.plus(thresholdSpike)),
  reset: (names) => ({ ...ruleReset(names), ...afterReset(names) }),
  constraints: [resetsBelow],
});

/** With a threshold that follows the voltage, too. */
export const GLIF5 = defineModel({
  name: "GLIF5",
  description:
    "Generalised LIF, level 5: with reset rules, after-spike currents and a voltage-dependent threshold (LIF-R-ASC-A).",
  source,
  parameters: { ...membrane, ...spikeRules, ...afterSpikeCurrents, ...adaptation, refractoryMs },
  states: { v: v("rest"), thresholdSpike, thresholdVoltage, after1, after2 },
  step: (names) => {
    const d = decay(names.dtMs, names.tauThresholdVoltageMs);
    const pull = d.negated().plus(1).times(names.coupling);
    return {
      v: membraneStep(names, names.current.plus(names.after1).plus(names.after2)),
      thresholdSpike: thresholdSpikeStep(names),
      thresholdVoltage: names.thresholdVoltage.times(d).plus(pull.times(names.v.minus(names.rest))),
      ...afterStep(names),
    };
  },
  margin: ({ v, threshold, thresholdSpike, thresholdVoltage }) =>
    v.minus(threshold.plus(thresholdSpike).plus(thresholdVoltage)),
  reset: (names) => ({ ...ruleReset(names), ...afterReset(names) }),
  constraints: [resetsBelow],
});
