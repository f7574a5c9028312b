/**
 * GLIF neurons in physical units: conversion to the units of this project, and reading the Allen Cell Types Database.
 *
 *   voltage unit  U = theta_inf - E_L (mV);   current unit  U / R (pA = mV / GOhm);   tauMem = R C (ms = GOhm pF)
 *
 * so v = (V - E_L)/U, rest = 0, threshold = 1. An input of x pA is x R / U in the model: `currentUnitPa` says how much one is.
 */
import { UserError } from "../base/errors.ts";
import type { ModelChoice } from "./resolve.ts";

export type GlifLevel = 1 | 2 | 3 | 4 | 5;

/** A GLIF neuron of Teeter et al. 2018 in mV, pF, GOhm, pA, ms. What a level does not use may be left out. */
export interface PhysicalGlif {
  readonly level: GlifLevel;
  readonly capacitancePf: number;
  readonly resistanceGOhm: number;
  /** E_L, absolute. */
  readonly restMv: number;
  /** theta_inf, absolute. */
  readonly thresholdMv: number;
  readonly refractoryMs: number;
  /** Absolute voltage after a spike (levels 1 and 3). Default E_L. */
  readonly resetMv?: number;
  /** f_v and -delta V: V <- E_L + fraction (V - E_L) + add (levels 2, 4, 5). */
  readonly resetFraction?: number;
  readonly resetAddMv?: number;
  /** delta theta_s and b_s (levels 2, 4, 5). */
  readonly thresholdSpikeAddMv?: number;
  readonly thresholdSpikeDecayPerMs?: number;
  /** Two currents: delta I_j, k_j, f_j (levels 3, 4, 5). */
  readonly afterAddPa?: readonly [number, number];
  readonly afterDecayPerMs?: readonly [number, number];
  /** Default 1, 1. */
  readonly afterFraction?: readonly [number, number];
  /** a_v and b_v (level 5). */
  readonly thresholdVoltageGainPerMs?: number;
  readonly thresholdVoltageDecayPerMs?: number;
}

export interface ConvertedGlif extends ModelChoice {
  readonly parameters: Readonly<Record<string, number>>;
  /** One unit of voltage in mV, and of current in pA. */
  readonly voltageUnitMv: number;
  readonly currentUnitPa: number;
}

function need<T>(value: T | undefined, name: string, level: number): T {
  if (value === undefined) throw new UserError(`a GLIF${level} neuron needs "${name}"`);
  return value;
}

/** @throws UserError when the threshold is not above rest, a rate is not positive, or a value of the level is missing. */
export function fromPhysical(neuron: PhysicalGlif): ConvertedGlif {
  const { level, restMv, thresholdMv, resistanceGOhm } = neuron;
  const voltageUnitMv = thresholdMv - restMv;
  if (!(voltageUnitMv > 0)) {
    throw new UserError(`the threshold of a GLIF neuron is ${thresholdMv} mV; it must be above rest, ${restMv} mV`);
  }
  const currentUnitPa = voltageUnitMv / resistanceGOhm;
  const tau = (name: keyof PhysicalGlif, rate: number): number => {
    if (rate > 0) return 1 / rate;
    throw new UserError(`"${name}" of a GLIF${level} neuron is ${rate} /ms; a decay must be > 0`);
  };
  const parameters: Record<string, number> = {
    tauMemMs: resistanceGOhm * neuron.capacitancePf,
    rest: 0,
    threshold: 1,
    refractoryMs: neuron.refractoryMs,
  };
  if (level === 1 || level === 3) parameters.reset = ((neuron.resetMv ?? restMv) - restMv) / voltageUnitMv;
  else {
    parameters.resetFraction = need(neuron.resetFraction, "resetFraction", level);
    parameters.resetAdd = need(neuron.resetAddMv, "resetAddMv", level) / voltageUnitMv;
    parameters.thresholdSpikeAdd = need(neuron.thresholdSpikeAddMv, "thresholdSpikeAddMv", level) / voltageUnitMv;
    const rate = need(neuron.thresholdSpikeDecayPerMs, "thresholdSpikeDecayPerMs", level);
    parameters.tauThresholdSpikeMs = tau("thresholdSpikeDecayPerMs", rate);
  }
  if (level >= 3) {
    const add = need(neuron.afterAddPa, "afterAddPa", level);
    const rates = need(neuron.afterDecayPerMs, "afterDecayPerMs", level);
    const fractions = neuron.afterFraction ?? [1, 1];
    for (const j of [0, 1] as const) {
      parameters[`afterAdd${j + 1}`] = add[j] / currentUnitPa;
      parameters[`afterFraction${j + 1}`] = fractions[j];
      parameters[`tauAfter${j + 1}Ms`] = tau("afterDecayPerMs", rates[j]);
    }
  }
  if (level === 5) {
    const rate = need(neuron.thresholdVoltageDecayPerMs, "thresholdVoltageDecayPerMs", level);
    parameters.tauThresholdVoltageMs = tau("thresholdVoltageDecayPerMs", rate);
    parameters.coupling = need(neuron.thresholdVoltageGainPerMs, "thresholdVoltageGainPerMs", level) / rate;
  }
  return { type: `GLIF${level}`, parameters, voltageUnitMv, currentUnitPa };
}

interface Method {
  readonly name: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/**
 * The parts we read of a neuron configuration file (`*_neuron_config.json`) of the Allen Cell Types Database. SI units:
 * V, F, Ohm, A, s. Voltages count from `El` (0 in these files); `coeffs` are factors on the value of the same name.
 */
export interface AllenGlifConfig {
  readonly El: number;
  /** The measured resting voltage, absolute; only for the report. */
  readonly El_reference?: number;
  readonly C: number;
  readonly R_input: number;
  readonly th_inf: number;
  readonly dt: number;
  readonly spike_cut_length: number;
  readonly asc_tau_array?: readonly number[];
  readonly asc_amp_array?: readonly number[];
  readonly coeffs: Readonly<Record<string, number | readonly number[]>>;
  readonly AScurrent_dynamics_method: Method;
  readonly AScurrent_reset_method: Method;
  readonly threshold_dynamics_method: Method;
  readonly voltage_reset_method: Method;
}

function factor(config: AllenGlifConfig, name: string, index?: number): number {
  const given = config.coeffs?.[name] ?? 1;
  return typeof given === "number" ? given : (given[index ?? 0] ?? 1);
}

const number = (value: unknown, fallback = 0): number => (typeof value === "number" ? value : fallback);

/** Which level the methods in the file amount to. */
function levelOf(config: AllenGlifConfig): GlifLevel {
  const currents = config.AScurrent_dynamics_method?.name === "exp";
  if (config.voltage_reset_method?.name !== "v_before") return currents ? 3 : 1;
  const voltage = number(config.threshold_dynamics_method?.params?.a_voltage) * factor(config, "a");
  return !currents ? 2 : voltage === 0 ? 4 : 5;
}

/**
 * The model and its parameters for a neuron of the Allen Cell Types Database.
 * @param config the parsed `neuron_config.json`
 * @throws UserError when the file lacks what its level needs
 */
export function fromAllen(config: AllenGlifConfig): ConvertedGlif {
  for (const key of ["C", "R_input", "th_inf", "dt", "spike_cut_length"] as const) {
    if (typeof config?.[key] !== "number") throw new UserError(`an Allen GLIF configuration needs the number "${key}"`);
  }
  const level = levelOf(config);
  const threshold = config.threshold_dynamics_method?.params ?? {};
  const reset = config.voltage_reset_method?.params ?? {};
  const fractions = config.AScurrent_reset_method?.params?.r as readonly number[] | undefined;
  const restMv = 1e3 * number(config.El);
  const pair = (make: (j: 0 | 1) => number): readonly [number, number] => [make(0), make(1)];
  if (level >= 3 && (config.asc_amp_array?.length !== 2 || config.asc_tau_array?.length !== 2)) {
    throw new UserError(`a GLIF${level} configuration needs two values each in "asc_amp_array" and "asc_tau_array"`);
  }
  return fromPhysical({
    level,
    capacitancePf: 1e12 * config.C * factor(config, "C"),
    resistanceGOhm: (1e-9 * config.R_input) / factor(config, "G"),
    restMv,
    thresholdMv: 1e3 * config.th_inf * factor(config, "th_inf"),
    refractoryMs: 1e3 * config.dt * config.spike_cut_length,
    // "zero" resets to 0 V, "fixed" to params.value.
    resetMv: 1e3 * number(reset.value),
    resetFraction: number(reset.a),
    // The file has V <- a V + b for voltages as they are; ours counts from E_L.
    resetAddMv: 1e3 * number(reset.b) + (number(reset.a) - 1) * restMv,
    thresholdSpikeAddMv: 1e3 * number(threshold.a_spike),
    thresholdSpikeDecayPerMs: 1e-3 * number(threshold.b_spike),
    afterAddPa: pair((j) => 1e12 * number(config.asc_amp_array?.[j]) * factor(config, "asc_amp_array", j)),
    afterDecayPerMs: pair((j) => 1e-3 / number(config.asc_tau_array?.[j], 1)),
    afterFraction: pair((j) => number(fractions?.[j], 1)),
    thresholdVoltageGainPerMs: 1e-3 * number(threshold.a_voltage) * factor(config, "a"),
    thresholdVoltageDecayPerMs: 1e-3 * number(threshold.b_voltage) * factor(config, "b"),
  });
}
