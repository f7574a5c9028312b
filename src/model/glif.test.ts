import { describe, expect, it } from "vitest";
import {
  type AllenGlifConfig,
  fromAllen,
  fromPhysical,
  ModelStepper,
  type PhysicalGlif,
  resolveModel,
} from "./index.ts";

const neuron = (type: string, parameters: Record<string, number> = {}, dtMs = 0.1) =>
  new ModelStepper(resolveModel({ type, parameters }), 1, dtMs);

describe("GLIF", () => {
  it("1 is LIF where parameters coincide, bit for bit", () => {
    const shared = { tauMemMs: 13, threshold: 1.2, reset: -0.1 };
    const [lif, glif] = [neuron("LIF", shared), neuron("GLIF1", shared)];
    let spikes = 0;
    for (let t = 0; t < 5000; t++) {
      const current = 1.5 + Math.sin(t / 100);
      const spiked = lif.advance(0, current);
      expect(glif.advance(0, current)).toBe(spiked);
      expect(glif.states.v[0]).toBe(lif.states.v[0]);
      if (spiked) spikes++;
    }
    expect(spikes).toBeGreaterThan(10);
  });

  it("1 rests at its resting voltage", () => {
    const one = neuron("GLIF1", { rest: 0.4 });
    for (let t = 0; t < 5000; t++) one.advance(0, 0.1);
    expect(one.states.v[0]).toBeCloseTo(0.5, 12);
  });

  it("2 raises its threshold by a spike, and the rise decays exponentially", () => {
    const two = neuron("GLIF2", {
      thresholdSpikeAdd: 0.3,
      tauThresholdSpikeMs: 50,
      resetFraction: 0,
      refractoryMs: 0.2,
    });
    two.states.thresholdSpike[0] = 0.1;
    expect(two.advance(0, 200)).toBe(true);
    // The old rise decays during this step and the two steps of the pause.
    const start = 0.3 + 0.1 * Math.exp(-0.3 / 50);
    expect(two.states.thresholdSpike[0]).toBeCloseTo(start, 14);
    for (let n = 1; n <= 1000; n++) {
      two.advance(0, 0);
      expect(Math.abs(two.states.thresholdSpike[0] - start * Math.exp((-0.1 * n) / 50))).toBeLessThan(1e-12);
    }
  });

  it("2 keeps a fraction of the voltage before the spike", () => {
    const two = neuron("GLIF2", { rest: -0.2, resetFraction: 0.25, resetAdd: 0.05 });
    expect(two.advance(0, 120)).toBe(true);
    const before = 0.01 * (-0.2 + 120);
    expect(two.states.v[0]).toBeCloseTo(-0.2 + 0.25 * (before + 0.2) + 0.05, 14);
  });

  it("3 adds after-spike currents that decay exponentially and reach the membrane a step later", () => {
    const three = neuron("GLIF3", { afterFraction2: 0.5, refractoryMs: 1 });
    three.states.after2[0] = -2;
    expect(three.advance(0, 200)).toBe(true);
    expect(three.states.after1[0]).toBeCloseTo(-0.05, 14);
    expect(three.states.after2[0]).toBeCloseTo(-0.5 - 2 * 0.5 * Math.exp(-1.1 / 10), 14);
    const [first, second] = [three.states.after1[0], three.states.after2[0]];
    three.advance(0, 0);
    expect(three.states.v[0]).toBeCloseTo(0.01 * (first + second), 14);
    for (let n = 2; n <= 300; n++) three.advance(0, 0);
    expect(three.states.after1[0]).toBeCloseTo(first * Math.exp(-30 / 300), 12);
    expect(three.states.after2[0]).toBeCloseTo(second * Math.exp(-30 / 10), 12);
  });

  it("4 is 2 and 3 together", () => {
    const four = neuron("GLIF4");
    expect(four.advance(0, 200)).toBe(true);
    expect([four.states.after1[0], four.states.after2[0], four.states.thresholdSpike[0]]).toEqual([-0.05, -0.5, 0.05]);
    const silent = { afterAdd1: 0, afterAdd2: 0 };
    const [two, alone] = [neuron("GLIF2"), neuron("GLIF4", silent)];
    for (let t = 0; t < 3000; t++) expect(alone.advance(0, 2)).toBe(two.advance(0, 2));
    expect(alone.states.v[0]).toBe(two.states.v[0]);
  });

  it("5 has a threshold that follows a held voltage", () => {
    const five = neuron("GLIF5", { coupling: 0.2, tauThresholdVoltageMs: 25, threshold: 3 });
    five.states.v[0] = 1.5;
    for (let n = 1; n <= 1000; n++) {
      five.advance(0, 1.5);
      expect(Math.abs(five.states.thresholdVoltage[0] - 0.2 * 1.5 * (1 - Math.exp((-0.1 * n) / 25)))).toBeLessThan(
        1e-12,
      );
    }
    // Steady: v = I, threshold 3 + 0.2 I; fires when I > 3 + 0.2 I. A jump over it fires earlier.
    const fires = (current: number) => {
      const one = neuron("GLIF5", { coupling: 0.2, tauThresholdVoltageMs: 1, threshold: 3 });
      for (let t = 0; t < 3000; t++) if (one.advance(0, current)) return true;
      return false;
    };
    expect([fires(3.7), fires(3.8)]).toEqual([false, true]);
  });

  it("refuses parameters that fire for ever", () => {
    const refused = () => resolveModel({ type: "GLIF2", parameters: { resetFraction: 1, resetAdd: 0.1 } });
    expect(refused).toThrow("or the neuron fires for ever");
  });
});

describe("conversion from physical units", () => {
  const physical: PhysicalGlif = {
    level: 5,
    capacitancePf: 60,
    resistanceGOhm: 0.1,
    restMv: -80,
    thresholdMv: -50,
    refractoryMs: 4,
    resetFraction: 0.25,
    resetAddMv: 6,
    thresholdSpikeAddMv: 0.6,
    thresholdSpikeDecayPerMs: 0.01,
    afterAddPa: [-9, -150],
    afterDecayPerMs: [0.004, 0.1],
    thresholdVoltageGainPerMs: 0.005,
    thresholdVoltageDecayPerMs: 0.1,
  };

  it("has the units of its header", () => {
    const { type, parameters, voltageUnitMv, currentUnitPa } = fromPhysical(physical);
    expect(type).toBe("GLIF5");
    expect([voltageUnitMv, currentUnitPa]).toEqual([30, 300]);
    const expected = {
      tauMemMs: 6,
      rest: 0,
      threshold: 1,
      refractoryMs: 4,
      resetFraction: 0.25,
      resetAdd: 0.2,
      thresholdSpikeAdd: 0.02,
      tauThresholdSpikeMs: 100,
      afterAdd1: -0.03,
      afterAdd2: -0.5,
      afterFraction1: 1,
      afterFraction2: 1,
      tauAfter1Ms: 250,
      tauAfter2Ms: 10,
      coupling: 0.05,
      tauThresholdVoltageMs: 10,
    };
    expect(Object.keys(parameters).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) expect(parameters[name]).toBeCloseTo(value, 12);
  });

  it("gives the spikes of the equations in mV and pA", () => {
    const dt = 0.05;
    const { type, parameters, currentUnitPa, voltageUnitMv } = fromPhysical(physical);
    const twin = neuron(type, parameters, dt);
    const pause = twin.refractorySteps[0];
    expect(pause).toBe(80);
    // The published equations as they stand, in mV, pA, ms.
    const p = physical as Required<PhysicalGlif>;
    let [v, i1, i2, thetaS, thetaV, wait, spikes] = [-80, 0, 0, 0, 0, 0, 0];
    for (let t = 0; t < 20_000; t++) {
      const amps = 500 + 200 * Math.sin(t / 400);
      if (wait > 0) {
        wait--;
        continue;
      }
      const [v0, g] = [v, 1 / p.resistanceGOhm];
      v = v0 + (dt / p.capacitancePf) * (amps + i1 + i2 - g * (v0 - p.restMv));
      i1 *= Math.exp(-p.afterDecayPerMs[0] * dt);
      i2 *= Math.exp(-p.afterDecayPerMs[1] * dt);
      thetaS *= Math.exp(-p.thresholdSpikeDecayPerMs * dt);
      const d = Math.exp(-p.thresholdVoltageDecayPerMs * dt);
      thetaV = thetaV * d + ((p.thresholdVoltageGainPerMs * (v0 - p.restMv)) / p.thresholdVoltageDecayPerMs) * (1 - d);
      const spiked = v > p.thresholdMv + thetaS + thetaV;
      if (spiked) {
        const cut = pause * dt;
        v = p.restMv + p.resetFraction * (v - p.restMv) + p.resetAddMv;
        i1 = p.afterAddPa[0] + i1 * Math.exp(-p.afterDecayPerMs[0] * cut);
        i2 = p.afterAddPa[1] + i2 * Math.exp(-p.afterDecayPerMs[1] * cut);
        thetaS = p.thresholdSpikeAddMv + thetaS * Math.exp(-p.thresholdSpikeDecayPerMs * cut);
        wait = pause;
        spikes++;
      }
      expect(twin.advance(0, amps / currentUnitPa)).toBe(spiked);
      expect(twin.states.v[0] * voltageUnitMv - 80).toBeCloseTo(v, 8);
    }
    expect(spikes).toBeGreaterThan(20);
  });

  const config: AllenGlifConfig = {
    El: 0,
    El_reference: -0.08,
    C: 5e-11,
    R_input: 2e8,
    th_inf: 0.025,
    dt: 5e-5,
    spike_cut_length: 60,
    asc_tau_array: [0.25, 0.01],
    asc_amp_array: [-9e-12, -1e-10],
    coeffs: { C: 1.2, G: 2, th_inf: 1.2, a: 1, b: 1, asc_amp_array: [1, 1.5] },
    AScurrent_dynamics_method: { name: "exp", params: {} },
    AScurrent_reset_method: { name: "sum", params: { r: [1, 0.5] } },
    threshold_dynamics_method: {
      name: "three_components_exact",
      params: { a_spike: 6e-4, b_spike: 10, a_voltage: 5, b_voltage: 100 },
    },
    voltage_reset_method: { name: "v_before", params: { a: 0.25, b: 6e-3 } },
  };

  it("reads an Allen configuration with its coefficients", () => {
    const { type, parameters, voltageUnitMv, currentUnitPa } = fromAllen(config);
    expect(type).toBe("GLIF5");
    expect(voltageUnitMv).toBeCloseTo(30, 10);
    expect(currentUnitPa).toBeCloseTo(300, 10);
    const same = fromPhysical({
      ...physical,
      restMv: 0,
      thresholdMv: 30,
      refractoryMs: 3,
      afterFraction: [1, 0.5],
    }).parameters;
    expect(Object.keys(parameters).sort()).toEqual(Object.keys(same).sort());
    for (const [name, value] of Object.entries(same)) expect(parameters[name]).toBeCloseTo(value, 10);
    expect(() => resolveModel({ type, parameters })).not.toThrow();
  });

  it("recognises the level by the methods", () => {
    const fixed = { name: "zero", params: {} };
    const none = { name: "none", params: {} };
    const still = { name: "spike_component", params: { a_spike: 6e-4, b_spike: 10, a_voltage: 0, b_voltage: 0 } };
    const level = (change: Partial<AllenGlifConfig>) => fromAllen({ ...config, ...change }).type;
    expect(level({ voltage_reset_method: fixed, AScurrent_dynamics_method: none })).toBe("GLIF1");
    expect(level({ threshold_dynamics_method: still, AScurrent_dynamics_method: none })).toBe("GLIF2");
    expect(level({ voltage_reset_method: fixed })).toBe("GLIF3");
    expect(level({ threshold_dynamics_method: still })).toBe("GLIF4");
  });

  it("says what is missing or impossible", () => {
    expect(() => fromPhysical({ ...physical, thresholdMv: -90 })).toThrow("must be above rest, -80 mV");
    expect(() => fromPhysical({ ...physical, afterAddPa: undefined })).toThrow('a GLIF5 neuron needs "afterAddPa"');
    expect(() => fromPhysical({ ...physical, thresholdSpikeDecayPerMs: 0 })).toThrow("a decay must be > 0");
    expect(() => fromAllen({ ...config, C: undefined as never })).toThrow('needs the number "C"');
    expect(() => fromAllen({ ...config, asc_amp_array: [1] })).toThrow("needs two values each");
  });
});
