import { describe, expect, it } from "vitest";
import { adjoints, evaluate, leavesOf, state, surrogates } from "../expression/index.ts";
import { builtInModels, hoistModel, ModelStepper, resolveModel } from "./index.ts";

const neuron = (type: string, parameters: Record<string, number>, dtMs: number) =>
  new ModelStepper(resolveModel({ type, parameters }), 1, dtMs);

describe("ALIF", () => {
  it("follows the recurrence of its header, its spikes getting rarer", () => {
    const one = neuron("ALIF", { beta: 0.5 }, 1);
    const [alpha, rho] = [Math.exp(-1 / 20), Math.exp(-1 / 200)];
    let [v, a] = [0, 0];
    const spikes: number[] = [];
    for (let t = 0; t < 1000; t++) {
      v = alpha * v + (1 - alpha) * 3;
      a *= rho;
      const spiked = v > 1 + 0.5 * a;
      if (spiked) [v, a] = [v - 1, a + 1];
      expect(one.advance(0, 3)).toBe(spiked);
      expect(one.states.v[0]).toBeCloseTo(v, 12);
      expect(one.states.a[0]).toBeCloseTo(a, 12);
      if (spiked) spikes.push(t);
    }
    expect(spikes.length).toBeGreaterThan(10);
    expect(spikes[1] - spikes[0]).toBeLessThan(spikes[spikes.length - 1] - spikes[spikes.length - 2]);
  });
});

describe("adLIF", () => {
  it("uses the new voltage, after its reset, for the adaptation", () => {
    const parameters = { tauMemMs: 15, tauAdaptMs: 80, A: 0.7, B: 2 };
    const one = neuron("adLIF", parameters, 1);
    const [alpha, beta] = [Math.exp(-1 / 15), Math.exp(-1 / 80)];
    let [v, w, spikes] = [0, 0, 0];
    for (let t = 0; t < 1000; t++) {
      const current = 4 + 2 * Math.sin(t / 30);
      v = alpha * v + (1 - alpha) * (current - w);
      const spiked = v > 1;
      if (spiked) v -= 1;
      w = beta * w + (1 - beta) * (0.7 * v + 2 * Number(spiked));
      expect(one.advance(0, current)).toBe(spiked);
      expect(one.states.v[0]).toBeCloseTo(v, 10);
      expect(one.states.w[0]).toBeCloseTo(w, 10);
      spikes += Number(spiked);
    }
    expect(spikes).toBeGreaterThan(20);
  });

  it("oscillates below threshold at the frequency of its continuous equations", () => {
    // v' = (I - w - v)/tm, w' = (A v - w)/tw: eigenvalues -(1/tm + 1/tw)/2 +- i omega
    const [tm, tw, A] = [20, 60, 40];
    const one = neuron("adLIF", { tauMemMs: tm, tauAdaptMs: tw, A, threshold: 100 }, 0.05);
    const omega = Math.sqrt((1 + A) / (tm * tw) - ((1 / tm + 1 / tw) / 2) ** 2);
    one.states.v[0] = 1;
    const crossings: number[] = [];
    for (let t = 1; t <= 4000; t++) {
      const before = one.states.w[0];
      one.advance(0, 0);
      if (t > 1 && before * one.states.w[0] < 0) crossings.push(t * 0.05);
    }
    expect(crossings[1] - crossings[0]).toBeCloseTo(Math.PI / omega, 0);
  });
});

describe("every model", () => {
  it.each(Object.values(builtInModels))("$name can be differentiated by all its states and parameters", (model) => {
    const { step, margin, reset } = hoistModel(model);
    const outputs = [...Object.values(step), margin, ...Object.values(reset)];
    const gradient = adjoints(
      outputs.map((output) => ({ output, adjoint: 1 })),
      { surrogate: surrogates.triangle() },
    );
    expect(gradient.get(state(Object.keys(model.states)[0]) as never)).toBeDefined();
    const half = Object.fromEntries(leavesOf([...outputs, ...gradient.values()]).map((leaf) => [leaf.name, 0.5]));
    for (const [leaf, expression] of gradient) {
      expect(Number.isFinite(evaluate(expression, half)), leaf.name).toBe(true);
    }
  });
});
