import { describe, expect, it } from "vitest";
import izhikevich from "../../examples/models/izhikevich.ts";
import { evaluate, input, parameter } from "../expression/index.ts";
import {
  builtInModels,
  composeStep,
  defineModel,
  describeModel,
  evaluateHoisted,
  findModel,
  hoistModel,
  initialStates,
  loadModel,
  type ModelDefinition,
  ModelStepper,
  refractorySteps,
  resolveModel,
} from "./index.ts";
import { LIF } from "./lif.ts";

const lif = (parameters: Record<string, number | Float32Array> = {}) => resolveModel({ type: "LIF", parameters });

describe("LIF", () => {
  it("follows the closed form of the Euler recurrence", () => {
    // v_n = I (1 - (1 - dt/tau)^n) + v_0 (1 - dt/tau)^n
    const neurons = new ModelStepper(lif({ tauMemMs: 7 }), 1, 0.1);
    neurons.states.v[0] = 0.3;
    for (let n = 1; n <= 2000; n++) {
      expect(neurons.advance(0, 0.8)).toBe(false);
      const left = (1 - 0.1 / 7) ** n;
      expect(Math.abs(neurons.states.v[0] - (0.8 * (1 - left) + 0.3 * left))).toBeLessThan(1e-12);
    }
  });

  it("spikes at the intervals of the closed form", () => {
    // First n with I (1 - q^n) > 1: n = floor(log(1 - 1/I) / log q) + 1.
    for (const current of [1.05, 1.5, 3, 20, 200]) {
      const neurons = new ModelStepper(lif(), 1, 0.1);
      const spikes: number[] = [];
      for (let t = 0; t < 5000; t++) if (neurons.advance(0, current)) spikes.push(t);
      const interval = Math.floor(Math.log(1 - 1 / current) / Math.log(1 - 0.01)) + 1;
      expect(spikes[0]).toBe(interval - 1);
      expect(new Set(spikes.slice(1).map((t, i) => t - spikes[i]))).toEqual(new Set([interval]));
    }
  });

  it("does not spike at the threshold itself, and resets where told", () => {
    const neurons = new ModelStepper(lif({ tauMemMs: 0.1, reset: -0.5 }), 1, 0.1);
    expect(neurons.advance(0, 1)).toBe(false);
    expect(neurons.states.v[0]).toBe(1);
    expect(neurons.advance(0, 1.0001)).toBe(true);
    expect(neurons.states.v[0]).toBe(-0.5);
  });

  it("has its own constants per neuron", () => {
    const neurons = new ModelStepper(
      lif({ tauMemMs: Float32Array.from([5, 20]), threshold: Float32Array.from([9, 0.01]) }),
      2,
      0.5,
    );
    expect([neurons.advance(0, 1), neurons.advance(1, 1)]).toEqual([false, true]);
    expect([...neurons.states.v]).toEqual([0.1, 0]);
  });

  it("is hoisted into one product per step", () => {
    const { hoisted, parameters, step, margin, reset } = hoistModel(LIF);
    expect(hoisted.map((h) => String(h.expression))).toEqual(["(dtMs / tauMemMs)"]);
    expect(String(step.v)).toBe("(v + (h0 * (current - v)))");
    expect(String(margin)).toBe("(v - threshold)");
    expect(String(reset.v)).toBe("reset");
    expect(parameters).toEqual(["threshold", "reset"]);
    expect(String(composeStep(hoistModel(LIF)).margin)).toBe("((v + (h0 * (current - v))) - threshold)");
  });

  it("starts a trial at reset + (threshold - reset) gauss", () => {
    expect(initialStates(lif({ reset: -0.5, threshold: 2 }), 3)).toEqual({
      v: { kind: "normal", mean: -0.5, sd: 2.5 },
    });
    const own = initialStates(lif({ threshold: Float32Array.from([1, 2]) }), 2);
    expect(own.v).toEqual({ kind: "normal", mean: 0, sd: Float32Array.from([1, 2]) });
  });

  it("pauses whole steps", () => {
    expect(refractorySteps(lif().parameters, 0.1)).toBe(1);
    expect(refractorySteps({ refractoryMs: 2.26 }, 0.5)).toBe(5);
    expect(refractorySteps({}, 0.5)).toBe(0);
    expect([...new ModelStepper(lif({ refractoryMs: Float32Array.from([0, 0.3]) }), 2, 0.1).refractorySteps]).toEqual([
      0, 3,
    ]);
  });
});

describe("CuBaLIF", () => {
  it("follows the exact solution of its two filters", () => {
    // Recurrence i_n = 1 - b^n, v_n = 1 - sum of modes: with unit input, v_n = 1 + A a^n + B b^n, B = (1-a) b/(a-b)
    const [dt, tauMem, tauSyn] = [0.5, 12, 4];
    const neurons = new ModelStepper(
      resolveModel({ type: "CuBaLIF", parameters: { tauMemMs: tauMem, tauSynMs: tauSyn } }),
      1,
      dt,
    );
    const [a, b] = [Math.exp(-dt / tauMem), Math.exp(-dt / tauSyn)];
    const B = ((1 - a) * b) / (a - b);
    for (let n = 1; n <= 500; n++) {
      neurons.advance(0, 0.9);
      expect(Math.abs(neurons.states.i[0] - 0.9 * (1 - b ** n))).toBeLessThan(1e-12);
      expect(Math.abs(neurons.states.v[0] - 0.9 * (1 - (1 + B) * a ** n + B * b ** n))).toBeLessThan(1e-12);
    }
  });

  it("approaches the continuous solution with order 1, for input through its synapse", () => {
    // tau_m v' = -v + i, tau_s i' = -i + 1: v = 1 - (tau_m e^{-t/tau_m} - tau_s e^{-t/tau_s}) / (tau_m - tau_s)
    const error = (dt: number) => {
      const neurons = new ModelStepper(resolveModel({ type: "CuBaLIF", parameters: { threshold: 10 } }), 1, dt);
      for (let n = 0; n < Math.round(20 / dt); n++) neurons.advance(0, 1);
      return Math.abs(neurons.states.v[0] - (1 - (10 * Math.exp(-2) - 5 * Math.exp(-4)) / 5));
    };
    expect(error(0.1) / error(0.05)).toBeCloseTo(2, 1);
  });
});

describe("evaluateHoisted", () => {
  it("gives a number, or one value per neuron where a parameter has them", () => {
    const { hoisted } = hoistModel(builtInModels.CuBaLIF);
    const scalar = evaluateHoisted(hoisted, resolveModel({ type: "CuBaLIF", parameters: {} }).parameters, 0.5, 3);
    for (const { name, expression } of hoisted) {
      expect(scalar[name]).toBe(evaluate(expression, { dtMs: 0.5, tauMemMs: 10, tauSynMs: 5 }));
    }
    const taus = Float32Array.from([5, 10, 20]);
    const own = evaluateHoisted(
      hoisted,
      { ...resolveModel({ type: "CuBaLIF", parameters: {} }).parameters, tauMemMs: taus },
      0.5,
      3,
    );
    for (const { name, expression } of hoisted) {
      if (!String(expression).includes("tauMemMs")) expect(own[name]).toBe(scalar[name]);
      else {
        const expected = [...taus].map((tauMemMs) => Math.fround(evaluate(expression, { dtMs: 0.5, tauMemMs })));
        expect([...(own[name] as Float32Array)]).toEqual(expected);
      }
    }
  });

  it("hands over dtMs and refractorySteps when a step uses them bare", () => {
    const split = hoistModel(izhikevich);
    expect(split.hoisted.map((h) => h.name)).toContain("dtMs");
    expect(split.parameters).toEqual(["a", "b", "c", "d"]);
    expect(
      evaluateHoisted(split.hoisted, resolveModel({ type: "", parameters: {} }, 1, izhikevich).parameters, 0.25, 1)
        .dtMs,
    ).toBe(0.25);
  });
});

describe("choosing a model", () => {
  const refused = (type: string, parameters: Record<string, unknown>, count?: number) => () =>
    resolveModel({ type, parameters: parameters as Record<string, number> }, count);

  it("fills in defaults", () => {
    expect(lif({ tauMemMs: 20 }).parameters).toEqual({ tauMemMs: 20, threshold: 1, reset: 0, refractoryMs: 0.1 });
  });

  it("says what is wrong, and what was probably meant", () => {
    expect(refused("LIFF", {})).toThrow('"LIFF" is not a neuron model — did you mean "LIF"?');
    expect(refused("toString", {})).toThrow('"toString" is not a neuron model');
    expect(refused("LIF", { tauMem: 10 })).toThrow('model LIF has no parameter "tauMem" — did you mean "tauMemMs"?');
    expect(refused("LIF", { zebra: 10 })).toThrow("its parameters are tauMemMs, threshold, reset, refractoryMs");
    expect(refused("LIF", { tauMemMs: 0 })).toThrow('"tauMemMs" of model LIF is 0 ms; it must be > 0');
    expect(refused("LIF", { refractoryMs: -1 })).toThrow('"refractoryMs" of model LIF is -1 ms; it must be >= 0');
    expect(refused("LIF", { tauMemMs: Number.NaN })).toThrow("it must be a finite number");
    expect(refused("LIF", { tauMemMs: "10" })).toThrow('"tauMemMs" of model LIF is "10"; it must be a finite number');
    expect(refused("LIF", { tauMemMs: Float32Array.from([10, -2]) })).toThrow("is -2 ms for neuron 1; it must be > 0");
    expect(refused("LIF", { tauMemMs: new Float32Array(3).fill(1) }, 4)).toThrow("has 3 values for 4 neurons");
    expect(refused("LIF", { reset: 1 })).toThrow("parameters of model LIF: reset must be below threshold");
    expect(refused("LIF", { reset: Float32Array.from([0, 0, 3]) })).toThrow("parameters of model LIF (neuron 2)");
  });
});

describe("defining a model", () => {
  const good = {
    name: "M",
    description: "",
    source: "",
    parameters: { k: { unit: "1", default: 1, doc: "" } },
    states: { v: { unit: "1", initial: 0, doc: "" }, w: { unit: "1", initial: 0, doc: "" } },
    step: ({ v, w, current }: Record<string, ReturnType<typeof parameter>>) => ({ v: v.plus(current), w }),
    margin: ({ v }: Record<string, ReturnType<typeof parameter>>) => v,
    reset: () => ({ v: 0 }),
  };
  const refused = (change: object) => () => defineModel({ ...good, ...change } as ModelDefinition<string, string>);

  it("names its inputs, and has one if it does not", () => {
    expect(defineModel(good as never).inputs).toEqual(["current"]);
    const two = defineModel({
      ...good,
      inputs: ["excitation", "inhibition"],
      step: ({ v, w, excitation, inhibition }) => ({ v: v.plus(excitation), w: w.plus(inhibition) }),
    });
    expect(two.inputs).toEqual(["excitation", "inhibition"]);
    expect(describeModel(two)).toContain("Inputs, in this order: excitation, inhibition.");
    const stepper = new ModelStepper(resolveModel({ type: "M", parameters: {} }, 1, two), 1, 1, "inhibition");
    stepper.states.v[0] = -5;
    stepper.advance(0, 3);
    expect([stepper.states.v[0], stepper.states.w[0]]).toEqual([-5, 3]);
  });

  it("accepts a good one; a state that the reset leaves out stays", () => {
    expect(String(defineModel(good as never).reset.w)).toBe("w");
  });

  it.each<[string, object, string]>([
    ["a forgotten state", { step: () => ({ v: 1 }) }, 'gives no new value for the state "w"'],
    ["an unknown state", { reset: () => ({ vv: 1 }) }, 'reset of model M gives "vv", which is not a state'],
    ["an unknown name", { margin: ({ thresh }: never) => thresh }, 'uses "thresh", which is no parameter'],
    [
      "JavaScript arithmetic",
      { margin: ({ v }: never) => (v as number) * 2 },
      "margin of model M is NaN, not an expression",
    ],
    ["nothing returned", { step: () => undefined }, "must return an object with a value per state"],
    ["a default out of range", { parameters: { k: { unit: "1", default: 0, min: 1, doc: "" } } }, "it must be >= 1"],
    ["a reserved name", { parameters: { dtMs: { unit: "1", default: 0, doc: "" } } }, "is supplied to every model"],
    [
      "the name of an input",
      { parameters: { current: { unit: "1", default: 0, doc: "" } } },
      "is the name of an input",
    ],
    ["an input that is a state", { inputs: ["v"] }, '"v" is the name of an input'],
    ["no inputs", { inputs: [] }, "has no inputs"],
    ["an input twice", { inputs: ["current", "current"] }, 'lists the input "current" twice'],
    ["a bad name of an input", { inputs: ["a b"] }, "is no valid name"],
    ["the usual input where it has another name", { inputs: ["drive"] }, 'uses "current", which is no parameter'],
    ["a doubled name", { parameters: { v: { unit: "1", default: 0, doc: "" } } }, "is both a parameter and a state"],
    ["a bad name", { parameters: { "a b": { unit: "1", default: 0, doc: "" } } }, "is no valid name"],
    ["no states", { states: {} }, "has no states"],
    ["a missing part", { margin: undefined }, 'lacks "margin"'],
    [
      "a strange start",
      { states: { ...good.states, w: { unit: "1", initial: { kind: "?" }, doc: "" } } },
      "must be a number",
    ],
    ["a leaf of its own", { margin: () => parameter("kk") }, 'uses the parameter "kk", which it does not declare'],
    ["an input of its own", { margin: () => input("noise") }, 'uses the input "noise"'],
    ["current where it is unknown", { margin: ({ current }: never) => current }, 'uses "current"'],
  ])("refuses %s", (_, change, message) => {
    expect(refused(change)).toThrow(message);
  });
});

describe("a model in a user's file", () => {
  const address = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

  it("is loaded", async () => {
    const url = new URL("../../examples/models/izhikevich.ts", import.meta.url).href;
    expect((await loadModel(url)).name).toBe("Izhikevich");
    expect((await findModel(url)).name).toBe("Izhikevich");
    expect((await findModel("LIF")).name).toBe("LIF");
  });

  it("may export the bare definition", async () => {
    const source = `export default { name: "R", parameters: {}, states: { v: { unit: "1", initial: 0, doc: "" } },
      step: ({ v, current }) => ({ v: v.plus(current) }), margin: ({ v }) => v.minus(1), reset: () => ({ v: 0 }) }`;
    expect((await loadModel(address(source))).name).toBe("R");
  });

  it.each([
    ["without default export", "export const x = 1", "has no default export"],
    ["with a function", "export default () => 1", "is a function, not a model"],
    ["from another copy", 'export default { kind: "model", margin: {} }', "another copy of Volley"],
    ["with a syntax error", "export default {", "could not be loaded"],
    ["that lacks a part", 'export default { name: "R" }', 'lacks "parameters"'],
  ])("is refused %s", async (_, source, message) => {
    await expect(loadModel(address(source))).rejects.toThrow(message);
  });

  it("is refused when missing", async () => {
    await expect(loadModel("file:///nowhere/model.js")).rejects.toThrow("could not be loaded");
  });

  it("Izhikevich's fires regularly at 10 and rests at 0", () => {
    const neurons = new ModelStepper(resolveModel({ type: "", parameters: {} }, 1, izhikevich), 2, 0.25);
    neurons.states.v.fill(-65);
    neurons.states.u.fill(-13);
    let spikes = 0;
    for (let t = 0; t < 4000; t++) {
      if (neurons.advance(0, 10)) spikes++;
      expect(neurons.advance(1, 0)).toBe(false);
    }
    expect(spikes).toBeGreaterThan(15);
    expect(spikes).toBeLessThan(40);
    // Rest: 0.04 v^2 + (5 - b) v + 140 = 0
    expect(neurons.states.v[1]).toBeCloseTo(-70, 3);
  });
});

describe("the documentation of a model", () => {
  it("lists parameters, states and equations", () => {
    expect(describeModel(LIF)).toMatchInlineSnapshot(`
      "### LIF

      Leaky integrate-and-fire neuron with a fixed threshold (Euler steps). Source: Kim & Chow, eLife 7:e37124 (2018); Arthur et al., Front. Neuroinform. 17:1099510 (2023).

      | parameter | unit | default | range | meaning |
      |---|---|---|---|---|
      | \`tauMemMs\` | ms | 10 | > 0 | membrane time constant |
      | \`threshold\` | threshold | 1 | any | a spike is fired when v > threshold |
      | \`reset\` | threshold | 0 | any | voltage after a spike |
      | \`refractoryMs\` | ms | 0.1 | >= 0 | pause after a spike, rounded to whole steps |

      | state | unit | at the start of a trial | meaning |
      |---|---|---|---|
      | \`v\` | threshold | normal: mean reset, s.d. (threshold - reset) | membrane voltage |

      Once per change of parameters:

          h0 = (dtMs / tauMemMs)

      Each step:

          v <- (v + (h0 * (current - v)))
          spike if (v - threshold) > 0, then
            v <- reset
      "
    `);
  });

  it("exists for every built-in model, complete", () => {
    for (const model of Object.values(builtInModels)) {
      const text = describeModel(model);
      expect(model.source).not.toBe("");
      for (const name of [...Object.keys(model.parameters), ...Object.keys(model.states)])
        expect(text).toContain(`\`${name}\``);
    }
  });
});
