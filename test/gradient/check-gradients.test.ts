/** Gradients against finite differences of smoothed networks: models, readouts, losses, and networks of several layers. */
import { describe, expect, it } from "vitest";
import izhikevich from "../../examples/models/izhikevich.ts";
import { UserError } from "../../src/base/errors.ts";
import { exp, max, select, sqrt } from "../../src/expression/build.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import { type CheckedArray, checkGradients } from "../../src/learning/gradient/check-gradients.ts";
import type { GradientNetwork, PopulationSpec, ProjectionSpec } from "../../src/learning/gradient/spec.ts";
import { builtInModels, readoutModels } from "../../src/model/built-in.ts";
import { defineModel } from "../../src/model/define.ts";
import { builtInModel, resolveModel } from "../../src/model/resolve.ts";

const faults = (arrays: readonly CheckedArray[]) => arrays.filter(({ verdict }) => verdict !== "agrees");

describe("built-in models", () => {
  it.each(Object.values(builtInModels))("$name", (model) => {
    const { differences, eprop, passed } = checkGradients(model, { steps: 10 });
    // Far below the 1e-3 that is asked for, and every parameter has an influence.
    expect(faults(differences)).toEqual([]);
    expect(Math.max(...differences.map(({ difference }) => difference))).toBeLessThan(1e-5);
    expect(eprop.filter(({ verdict }) => verdict === "differs")).toEqual([]);
    expect(passed).toBe(true);
    const parameters = Object.keys(model.parameters).filter((name) => name !== "refractoryMs");
    const names = differences.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(parameters.map((name) => `${name} of hidden`)));
  });

  it.each(Object.values(readoutModels))("readout $name", (readout) => {
    const { differences, eprop, passed } = checkGradients(builtInModels.ALIF, { readout, steps: 10, dtMs: 0.5 });
    expect(faults(differences)).toEqual([]);
    expect(faults(eprop)).toEqual([]);
    expect(passed).toBe(true);
  });
});

describe("networks", () => {
  const population = (name: string, size: number, type: string, parameters = {}): PopulationSpec => ({
    name,
    size,
    model: resolveModel({ type, parameters }, size, type === "LI" ? readoutModels.LI : builtInModel(type)),
    surrogate: type === "LI" ? surrogates.none() : surrogates.triangle(0.3, 1),
    detachReset: true,
    trainable: [],
    bias: name !== "second",
  });
  const projection = (
    source: number | "input",
    target: number,
    delaySteps: number,
    connectivity: ProjectionSpec["connectivity"] = "dense",
  ): ProjectionSpec => ({
    name: `${source} to ${target}`,
    source,
    target,
    delaySteps,
    connectivity,
    backward: "none",
    trained: false,
  });
  const network: GradientNetwork = {
    dtMs: 1,
    inputs: 4,
    populations: [
      population("first", 4, "BellecALIF", { tauAdaptMs: Float32Array.of(20, 40, 80, 160) }),
      population("second", 3, "CuBaLIF"),
      population("readout", 2, "LI", { tauMemMs: Float32Array.of(10, 20) }),
    ],
    projections: [
      projection("input", 0, 1),
      projection(0, 0, 2),
      projection(0, 1, 0, { offsets: Uint32Array.of(0, 2, 2, 3, 5), targets: Uint32Array.of(0, 2, 1, 0, 1) }),
      projection(1, 0, 1),
      projection("input", 1, 0),
      projection(0, 2, 3),
      projection(1, 2, 0, { offsets: Uint32Array.of(0, 1, 3, 4), targets: Uint32Array.of(1, 0, 1, 0) }),
    ],
    readout: 2,
  };

  it("of several populations, sparse, with delays and constants of their own", () => {
    const { differences, eprop, passed } = checkGradients(network, { seed: 3 });
    expect(faults(differences)).toEqual([]);
    expect(eprop.filter(({ verdict }) => verdict === "differs")).toEqual([]);
    expect(passed).toBe(true);
    expect(differences).toHaveLength(7 + 2 + 4 + 4 + 1);
  });

  it("of many weights are checked in some places", () => {
    const { differences } = checkGradients(network, { entries: 5, seed: 3 });
    expect(differences.map(({ entries }) => entries)).toEqual(expect.arrayContaining([4, 5, 3]));
    expect(Math.max(...differences.map(({ entries }) => entries))).toBe(5);
  });

  it("fail where less is allowed than rounding takes", () => {
    const { differences, passed } = checkGradients(network, {
      relativeTolerance: 0,
      absoluteTolerance: 1e-14,
      seed: 3,
    });
    expect(passed).toBe(false);
    expect(differences.some(({ verdict }) => verdict === "differs")).toBe(true);
  });
});

describe("models of users", () => {
  const v = { unit: "1", initial: 0, doc: "" };
  const plain = (value: number) => ({ unit: "1", default: value, doc: "" });

  it("with equations of all kinds agree", () => {
    const model = defineModel({
      name: "everything",
      description: "",
      source: "",
      parameters: {
        leak: plain(0.9),
        slope: plain(0.3),
        knee: plain(0.2),
        threshold: plain(1),
        refractoryMs: plain(2),
      },
      states: { v, w: v },
      step: ({ v, w, current, leak, slope, knee }) => ({
        v: v
          .times(leak)
          .plus(current.times(leak))
          .plus(slope.times(exp(v.minus(1).over(slope))))
          .minus(w),
        w: w
          .times(0.8)
          .plus(select(v.gt(knee), v.minus(knee).times(0.1), 0))
          .plus(sqrt(max(v, 0).plus(knee)).times(0.05)),
      }),
      margin: ({ v, threshold }) => v.minus(threshold),
      reset: ({ v, w, slope, threshold }) => ({ v: v.minus(threshold), w: w.plus(slope) }),
      adaptation: ["w"],
    });
    const { differences, passed } = checkGradients(model);
    expect(faults(differences)).toEqual([]);
    expect(passed).toBe(true);
  });

  it("of the example, in mV and with fast upstrokes, agree", () => {
    const { differences, passed } = checkGradients(izhikevich, { dtMs: 0.25 });
    expect(faults(differences)).toEqual([]);
    expect(passed).toBe(true);
  });

  it("that run away are reported as such", () => {
    const model = defineModel({
      name: "unstable",
      description: "",
      source: "",
      parameters: { gain: plain(3) },
      states: { v, w: v },
      step: ({ v, w, current, gain }) => ({ v: v.plus(current).plus(w), w: exp(w.times(gain)).times(gain) }),
      margin: ({ v }) => v.minus(1),
      reset: () => ({ v: 0 }),
    });
    expect(() => checkGradients(model)).toThrow(UserError);
    expect(() => checkGradients(model)).toThrow(/not finite with a time step of 1 ms; try a smaller one/);
  });
});
