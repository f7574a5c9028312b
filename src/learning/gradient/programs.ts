/** The adjoint programs of a network's populations, and the values of their constants. */
import { type AdjointProgram, deriveAdjoint } from "../../model/adjoint.ts";
import type { PerNeuron } from "../../model/define.ts";
import { evaluateOverParameters, pauseSteps } from "../../model/hoist.ts";
import { initialStates } from "../../model/resolve.ts";
import type { GradientNetwork, PopulationSpec } from "./spec.ts";

/** Steps that each neuron pauses after a spike. Time constants may be learned, the refractory period not. */
export function periodsOf(spec: PopulationSpec, dtMs: number): Int32Array<ArrayBuffer> {
  const pause = pauseSteps(spec.model.model, spec.model.parameters, dtMs);
  return typeof pause === "number" ? new Int32Array(spec.size).fill(pause) : pause;
}

/**
 * States at the start of every sample, in the order of the model: one number for all neurons, or one for each. Where the
 * model draws them it is the mean of its distribution, so that a sample leads to the same outputs whenever it runs.
 * Parameters are those before training: learned ones do not move the start.
 */
export function startStates(spec: PopulationSpec): (number | Float32Array)[] {
  return Object.values(initialStates(spec.model, spec.size)).map((initial) => {
    if (initial.kind === "constant") return initial.value;
    if (initial.kind === "normal") return initial.mean;
    const { low, high } = initial;
    if (typeof low === "number" && typeof high === "number") return (low + high) / 2;
    const at = (values: PerNeuron, i: number) => (typeof values === "number" ? values : values[i]);
    return Float32Array.from({ length: spec.size }, (_, i) => (at(low, i) + at(high, i)) / 2);
  });
}

/** Writes the states at the start of a sample; `states` in the order of the model. */
export function setStartStates(starts: readonly (number | Float32Array)[], states: readonly Float64Array[]): void {
  for (const [s, start] of starts.entries()) {
    if (typeof start === "number") states[s].fill(start);
    else states[s].set(start);
  }
}

export function programsOf(network: GradientNetwork): AdjointProgram[] {
  return network.populations.map((spec) =>
    deriveAdjoint(spec.model.model, {
      surrogate: spec.surrogate,
      detachReset: spec.detachReset,
      trainable: spec.trainable,
      canBeRefractory: periodsOf(spec, network.dtMs).some((steps) => steps > 0),
    }),
  );
}

/**
 * Values of all constants of a population's step, by name: hoisted values and parameters used as they are.
 * @param trained current values of the trainable parameters
 * @returns one number where it is the same for all neurons, else one per neuron
 */
export function constantValues(
  spec: PopulationSpec,
  program: AdjointProgram,
  trained: Readonly<Record<string, ArrayLike<number>>>,
  dtMs: number,
): Record<string, number | ArrayLike<number>> {
  const parameters = { ...spec.model.parameters, ...(trained as Readonly<Record<string, PerNeuron>>) };
  const { split } = program;
  const used = Object.fromEntries(split.parameters.map((name) => [name, parameters[name]]));
  return { ...used, ...evaluateOverParameters(split.hoisted, parameters, dtMs, spec.size) };
}
