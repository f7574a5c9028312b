/** The adjoint programs of a network's populations, and the values of their constants. */
import { type AdjointProgram, deriveAdjoint } from "../../model/adjoint.ts";
import type { PerNeuron } from "../../model/define.ts";
import { evaluateOverParameters, pauseSteps } from "../../model/hoist.ts";
import type { GradientNetwork, PopulationSpec } from "./spec.ts";

/** Steps that each neuron pauses after a spike. Time constants may be learned, the refractory period not. */
export function periodsOf(spec: PopulationSpec, dtMs: number): Int32Array<ArrayBuffer> {
  const pause = pauseSteps(spec.model.model, spec.model.parameters, dtMs);
  return typeof pause === "number" ? new Int32Array(spec.size).fill(pause) : pause;
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
