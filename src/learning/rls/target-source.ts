/** From what a network should follow (rates, currents, sinusoids) to target currents. */
import { UserError } from "../../base/errors.ts";
import { inputForRate } from "../../data/targets/transfer.ts";
import { mean } from "../../math/statistics.ts";
import type { RlsSpec } from "./spec.ts";
import type { TargetSource } from "./targets.ts";
import type { TrainerTargets } from "./trainer-options.ts";

/** The LIF neuron that rates are converted with. */
export function lifNeuron({ model, timing }: RlsSpec): {
  tauMemMs: number;
  threshold: number;
  reset: number;
  dtMs: number;
} {
  const number = (name: string, fallback: number) => {
    const value = model.parameters[name] ?? fallback;
    return typeof value === "number" ? value : mean(value);
  };
  return {
    tauMemMs: number("tauMemMs", 10),
    threshold: number("threshold", 1),
    reset: number("reset", 0),
    dtMs: timing.dtMs,
  };
}

/**
 * What the members need to write their targets.
 *
 * @param sigma of the white noise that drives the neurons, for the transfer function
 * @throws UserError when rates cannot be converted: no noise, or another neuron than LIF
 */
export function targetSource(spec: RlsSpec, { recording, sinusoids }: TrainerTargets, sigma: number): TargetSource {
  if (recording === null)
    return { kind: "sinusoids", ...(sinusoids ?? { amplitude: 0.5, periodMs: 1000, bias: "none" }) };
  const { quantity, values, neurons } = recording;
  if (quantity === "current") {
    return { kind: "currents", values: Float32Array.from(values), units: neurons, includesDrive: false };
  }
  if (spec.model.type !== "LIF") {
    throw new UserError(
      `rates are converted to currents by the transfer function of the LIF neuron, but the model is ${spec.model.type}; ` +
        'give currents as targets (quantity "current") or use LIF',
    );
  }
  if (!(sigma > 0)) {
    throw new UserError(
      `rates cannot be converted to currents for a neuron without noise (noise.sigma is ${sigma}): it fires at all or ` +
        "not at all; set noise.sigma, for example to 0.65",
    );
  }
  const converted = inputForRate(values, { ...lifNeuron(spec), sigma });
  return { kind: "currents", values: Float32Array.from(converted), units: neurons, includesDrive: true };
}
